// What a service answers to ConvertWindow: messages in any order, chunks of any size, places that were never offered.
// The plugin takes all wanted frames whole or throws a Failure.
#include <cstdlib>

#include "answering_service.h"
#include "service_client_window.h"

namespace stereo_convert::fuzz {
namespace {

constexpr std::size_t kStoreBytes = 1 << 20;
constexpr int kWidth = 4, kHeight = 3, kFrames = 3;
constexpr double kPatience_s = 20;  // an answer that takes longer is a hang

FrameKey keyOf(int index) {
  FrameKey key;
  key.bytes.fill(static_cast<std::uint8_t>(index));
  return key;
}

// A window of three small frames. Two bits of `kind` say what is asked for: how many frames, and twice as wide.
WindowRequest windowOf(std::uint8_t kind, FrameStore& store) {
  WindowRequest request;
  for (int index = 0; index < kFrames; ++index) {
    FrameFormat format;
    format.width = kWidth;
    format.height = kHeight;
    format.pixelType = PixelType::U8;
    format.channelOrder = ChannelOrder::RGBA;
    SharedBlock block = store.allocate(format.sizeBytes());
    block->format = format;
    request.frames.push_back({keyOf(index), std::move(block)});
  }
  request.wanted = (kind & 1) != 0 ? std::vector<int>{1} : std::vector<int>{2, 0};
  if ((kind & 2) != 0) request.settings.set(Setting::Output, 7);  // side by side, full
  return request;
}

void check(bool holds) {
  if (!holds) std::abort();
}

void convert(const WindowRequest& request, const ServiceSession& session, AnsweringService& service) {
  WindowAnswer answer;
  WindowCall call(request, session, keyOf(9), "");
  const Patience patience{std::chrono::duration<double>(kPatience_s), nullptr};
  try {
    const grpc::Status status = call.run(service.channel(), patience, answer);
    const double retryAfter_s = call.retryAfter_s();
    check(retryAfter_s == retryAfter_s);
    if (!status.ok()) return;
  } catch (const Failure& failure) {
    check(failure.kind() == FailureKind::Bug || failure.kind() == FailureKind::OutOfMemory);
    return;
  }
  check(patience.left().count() > 0);
  check(answer.results.size() == request.wanted.size());
  const auto factor = static_cast<std::size_t>(request.settings.widthFactor());
  for (const int index : request.wanted) {
    check(answer.results.at(index)->size() >= factor * request.frames.front().block->format.sizeBytes());
  }
}

}  // namespace
}  // namespace stereo_convert::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stereo_convert;
  if (size == 0) return 0;
  static fuzz::AnsweringService& service = *new fuzz::AnsweringService;
  const std::uint8_t kind = data[0];
  ServiceSession session;
  session.store = std::make_shared<FrameStore>(fuzz::kStoreBytes);
  if ((kind & 4) != 0 && session.store->arena().region() != nullptr) session.storeId = std::string(16, 's');
  service.set("ConvertWindow", fuzz::answerFrom(data + 1, size - 1));
  fuzz::convert(fuzz::windowOf(kind, *session.store), session, service);
  return 0;
}
