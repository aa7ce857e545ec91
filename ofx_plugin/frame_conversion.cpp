#include "frame_conversion.h"

#include <utility>

#include "rectangle.h"
#include "sequence_memory.h"
#include "status.h"
#include "window_flights.h"

namespace stereo_convert {
namespace {

constexpr const char* kSingleFrames =
    " Warning: this host gives effects one frame at a time, so each frame is converted alone and the fill may flicker.";

FrameKey resultKey(const FrameKey& window, int index) {
  return KeyBuilder().add(window).add(std::int64_t{index}).key();
}

std::shared_ptr<const ServiceSession> connected(ServiceClient& client, const Patience& patience, RenderTrace& trace) {
  const auto timer = trace.time("connect");
  return client.session(patience);
}

}  // namespace

FrameConversion::FrameConversion(const Instance& instance, const Settings& settings, double time,
                                 const RenderMode& mode, RenderTrace& trace)
    : instance_(instance),
      panel_(settings),
      settings_(mode.applied(settings)),
      note_(mode.note(settings)),
      time_(FrameTime::at(time)),
      window_(windowAt(time_, settings_)),
      index_(time_.frame - window_.firstFrame),
      trace_(trace),
      choice_(instance.service(time)),
      patience_(std::chrono::duration<double>(choice_.timeout_s), [&instance] { return instance.isAborted(); }),
      client_(ServiceClient::of(choice_)),
      session_(connected(*client_, patience_, trace)) {
  request_.settings = settings_;
  request_.settings.set(Setting::Window, window_.length);  // 1 where the host cannot give other frames
  request_.firstFrame = window_.firstFrame;
  request_.isInteractive = mode.isInteractive;
}

ConvertedFrame FrameConversion::run() {
  if (auto frame = known()) return *std::move(frame);
  FetchedWindow source = fetch(kSourceClip);
  const FrameFormat& format = source.frames.front().block->format;
  if (format.channelOrder == ChannelOrder::Gray) {
    throw Failure(FailureKind::InvalidInput, "Source has alpha only; RGBA or RGB is needed to make a picture");
  }
  trace_.setWindow(window_.firstFrame, window_.length, format.sizeBytes());
  request_.frames = std::move(source.frames);
  if (settings_.usesDepthClip()) request_.depth = fetch(kDepthClip).frames;
  return {cachedOrConverted(), {source.bounds.x1, source.bounds.y1}};
}

// The result of a window that a neighbour fetched in this sequence.
std::optional<ConvertedFrame> FrameConversion::known() {
  OfxRectI bounds{}, depthBounds{};
  request_.frames = recall(kSourceClip, bounds);
  if (request_.frames.empty()) return {};
  if (settings_.usesDepthClip()) {
    request_.depth = recall(kDepthClip, depthBounds);
    if (request_.depth.empty()) return {};
  }
  SharedBlock block = cached(windowKey(session_->modelVersion));
  if (block == nullptr) return {};
  trace_.setWindow(window_.firstFrame, window_.length, block->format.sizeBytes());
  return ConvertedFrame{std::move(block), {bounds.x1, bounds.y1}};
}

// Names of the window's frames, without their pixels; none unless the frame itself is as it was then.
std::vector<WindowFrame> FrameConversion::recall(const char* clip, OfxRectI& bounds) {
  const auto window = SequenceMemory::recall(instance_.handle(), clip, window_, time_.fraction);
  if (!window) return {};
  const auto seen = look(instance_.clip(clip), time_, trace_);
  if (!seen || !(seen->key == window->frames[index_]) || !(seen->bounds == window->bounds)) return {};
  bounds = window->bounds;
  std::vector<WindowFrame> frames;
  for (const FrameKey& key : window->frames) frames.push_back({key, nullptr});
  return frames;
}

FetchedWindow FrameConversion::fetch(const char* clip) {
  FetchedWindow fetched = fetchWindow(instance_.clip(clip), window_, time_, *session_->store, patience_, trace_);
  SequenceMemory::remember(instance_.handle(), clip, window_, time_.fraction, fetched);
  return fetched;
}

// Indices that the answer should bring: the frame itself first, then what this clip will ask for next.
std::vector<int> FrameConversion::wantedFrames() const {
  const auto range = instance_.clip(kSourceClip).frameRange();
  std::vector<int> wanted{index_};
  for (int step = 1; step < window_.length; ++step) {
    const int index = (index_ + step) % window_.length;
    const double at = time_.time(window_.firstFrame + index);
    const bool isInClip = !range || (at >= range->min && at <= range->max);
    // Keyframes give other frames other settings, and so windows of their own.
    if (window_.keeps(index) && isInClip && instance_.settings(at) == panel_) wanted.push_back(index);
  }
  return wanted;
}

FrameKey FrameConversion::windowKey(const std::string& modelVersion) const {
  KeyBuilder key;
  key.add(modelVersion).add(std::int64_t{request_.firstFrame});
  request_.settings.addTo(key);
  for (const WindowFrame& frame : request_.frames) key.add(frame.key);
  for (const WindowFrame& frame : request_.depth) key.add(frame.key);
  return key.key();
}

SharedBlock FrameConversion::cached(const FrameKey& window) const {
  return session_->store->find(resultKey(window, index_));
}

SharedBlock FrameConversion::cachedOrConverted() {
  const FrameKey window = windowKey(session_->modelVersion);
  while (true) {
    if (SharedBlock block = cached(window); block != nullptr) return block;
    const auto timer = trace_.time("wait");
    const auto flight = WindowFlight::takeOrWait(window, patience_);
    if (flight != nullptr && cached(window) == nullptr) return convert();
  }
}

SharedBlock FrameConversion::convert() {
  request_.wanted = wantedFrames();
  const WindowAnswer answer = client_->convert(request_, patience_);
  const FrameKey window = windowKey(answer.summary.modelVersion);
  for (const auto& [index, block] : answer.results) answer.store->publish(resultKey(window, index), block);
  const bool isCutShort = window_.length < settings_.integer(Setting::Window);
  rememberSummary(instance_.handle(), answer.summary.text + (isCutShort ? kSingleFrames : "") + note_);
  trace_.setService(answer.summary.stageTimes_s, answer.summary.requestId);
  return answer.results.at(index_);
}

}  // namespace stereo_convert
