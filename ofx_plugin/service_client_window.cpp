#include "service_client_window.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "service_client_summary.h"
#include "settings_wire.h"
#include "streaming_copy.h"

namespace stereo_convert {

namespace wire = stereoconvert::v1;
using Operation = PolledCall::Operation;

namespace {

constexpr std::size_t kLoggedDigits = 8;  // of a request id in the service's log
constexpr const char* kMethod = "/stereoconvert.v1.StereoConvertService/ConvertWindow";

[[noreturn]] void broken(const std::string& what) {
  throw Failure(FailureKind::Bug, "the service sent " + what);
}

}  // namespace

WindowCall::WindowCall(const WindowRequest& request, const ServiceSession& session, const FrameKey& sessionId,
                       const std::string& token)
    : request_(request),
      session_(session),
      shared_{session.store->arena(), session.storeId},
      resultFormat_(request.frames.front().block->format),
      call_(token) {
  resultFormat_.width *= request.settings.widthFactor();
  resultFormat_.height *= request.settings.heightFactor();
  for (const auto* frames : {&request.frames, &request.depth}) {
    for (const WindowFrame& frame : *frames) unsent_.emplace(toWire(frame.key), &frame);
  }
  outgoing_.push_back(header(sessionId));
}

WindowCall::Request WindowCall::header(const FrameKey& sessionId) {
  Request message;
  wire::WindowHeader& header = *message.mutable_header();
  header.set_session_id(toWire(sessionId));
  header.set_request_id(toWire(requestId_));
  header.set_contract_version(kContractVersion);
  *header.mutable_settings() = toWire(request_.settings);
  header.set_first_frame(request_.firstFrame);
  for (const WindowFrame& frame : request_.frames) *header.add_frames() = referenceTo(frame.key, *frame.block, shared_);
  for (const WindowFrame& frame : request_.depth) *header.add_depth() = referenceTo(frame.key, *frame.block, shared_);
  for (const int index : request_.wanted) header.add_wanted(static_cast<std::uint32_t>(index));
  header.set_interactive(request_.isInteractive);
  offerSlots(header);
  return message;
}

void WindowCall::offerSlots(wire::WindowHeader& header) {
  if (shared_.id.empty()) return;
  while (slots_.size() < request_.wanted.size()) {
    SharedBlock slot = session_.store->allocate(resultFormat_.sizeBytes());
    wire::StoreLocation location;
    if (!locate(*slot, shared_, location)) return;  // no more shared memory: fewer slots are reused, none means chunks
    *header.add_output_slots() = location;
    slots_.push_back(std::move(slot));
  }
}

grpc::Status WindowCall::run(const std::shared_ptr<grpc::ChannelInterface>& channel, const Patience& patience,
                             WindowAnswer& answer) {
  call_.context.set_deadline(systemDeadline(patience));
  stream_ = WindowStub(channel).PrepareCall(&call_.context, kMethod, &call_.queue);
  stream_->StartCall(PolledCall::tag(Operation::Start));
  for (;;) {
    const auto [operation, ok] = call_.next(patience);
    switch (operation) {
      case Operation::Start:
        if (ok) writeNext();
        stream_->Read(&received_, PolledCall::tag(Operation::Read));
        break;
      case Operation::Write:
        isWriting_ = false;
        if (ok) writeNext();
        break;
      case Operation::Read:
        if (!ok) {
          stream_->Finish(&status_, PolledCall::tag(Operation::Finish));
          break;
        }
        take(answer);
        stream_->Read(&received_, PolledCall::tag(Operation::Read));
        break;
      case Operation::Finish:
        if (status_.ok() && answer.results.size() != request_.wanted.size()) {
          broken(std::to_string(answer.results.size()) + " frames; " + std::to_string(request_.wanted.size()) +
                 " were wanted");
        }
        if (status_.ok() && incoming_ != nullptr) broken("only a part of the last frame");
        return status_;
    }
  }
}

double WindowCall::retryAfter_s() const {
  const auto& trailing = call_.context.GetServerTrailingMetadata();
  const auto found = trailing.find("retry-after-ms");
  if (found == trailing.end()) return 0;
  const double after_ms = std::strtod(std::string(found->second.data(), found->second.size()).c_str(), nullptr);
  return std::isfinite(after_ms) ? after_ms / 1000 : 0;
}

void WindowCall::writeNext() {
  if (isWriting_) return;
  Request message;
  if (!outgoing_.empty()) {
    message = std::move(outgoing_.front());
    outgoing_.pop_front();
  } else if (!needed_.empty()) {
    const WindowFrame& frame = *needed_.front();
    *message.mutable_chunk() = chunkOf(frame.key, *frame.block, sentBytes_);
    sentBytes_ += message.chunk().data().size();
    if (sentBytes_ == frame.block->format.sizeBytes()) {
      needed_.pop_front();
      sentBytes_ = 0;
    }
  } else {
    return;
  }
  isWriting_ = true;
  stream_->Write(message, PolledCall::tag(Operation::Write));
}

void WindowCall::take(WindowAnswer& answer) {
  if (!grpc::SerializationTraits<Response>::Deserialize(&received_, &response_).ok()) {
    broken("a message that cannot be read");
  }
  switch (response_.message_case()) {
    case Response::kFramesNeeded:
      take(response_.frames_needed());
      break;
    case Response::kResult:
      take(response_.result(), answer);
      break;
    case Response::kChunk:
      take(response_.chunk());
      break;
    case Response::kSummary:
      answer.summary.modelVersion = response_.summary().model_version();
      answer.summary.requestId = hexadecimal(requestId_).substr(0, kLoggedDigits);
      answer.summary.text =
          summaryText(response_.summary(), session_.licences, request_.frames.front().block->format.width);
      for (const auto& time : response_.summary().stage_times())
        answer.summary.stageTimes_s[time.stage()] += time.seconds();
      break;
    default:
      break;  // progress, or something of a later minor version
  }
}

void WindowCall::take(const wire::FramesNeeded& needed) {
  for (const std::string& key : needed.content_keys()) {
    const auto found = unsent_.find(key);
    if (found == unsent_.end()) broken("a request for a frame that is not in the window, or for one twice");
    needed_.push_back(found->second);
    unsent_.erase(found);
  }
  writeNext();
}

void WindowCall::take(const wire::ResultFrame& result, WindowAnswer& answer) {
  const int index = static_cast<int>(result.index());
  if (incoming_ != nullptr) broken("a new frame before the last one was complete");
  if (std::count(request_.wanted.begin(), request_.wanted.end(), index) == 0 || answer.results.count(index) != 0) {
    broken("frame " + std::to_string(index) + " unasked");
  }
  checkFormat(result.format(), resultFormat_);
  SharedBlock block =
      result.has_location() ? takeSlot(result.location()) : session_.store->allocate(resultFormat_.sizeBytes());
  block->format = resultFormat_;
  if (!result.has_location()) {
    incoming_ = block;
    receivedBytes_ = 0;
  }
  answer.results.emplace(index, std::move(block));
}

SharedBlock WindowCall::takeSlot(const wire::StoreLocation& location) {
  const auto slot = std::find_if(slots_.begin(), slots_.end(), [&](const SharedBlock& candidate) {
    return candidate->offsetIn(shared_.arena) == location.offset_bytes();
  });
  if (location.store_id() != shared_.id || slot == slots_.end()) broken("a frame at a place that was not offered");

  const bool oneForEach = request_.wanted.size() <= slots_.size();
  if (oneForEach) return *slot;
  SharedBlock copy = session_.store->allocate(resultFormat_.sizeBytes());
  streamingCopy(copy->data(), (*slot)->data(), resultFormat_.sizeBytes());
  Request release;
  *release.mutable_release_slot() = location;
  outgoing_.push_back(std::move(release));
  writeNext();
  return copy;
}

void WindowCall::take(const wire::FrameChunk& chunk) {
  const std::string& data = chunk.data();
  if (incoming_ == nullptr || chunk.offset_bytes() != receivedBytes_ ||
      data.size() > incoming_->format.sizeBytes() - receivedBytes_) {
    broken("pixels that belong to no frame");
  }
  std::memcpy(incoming_->data() + receivedBytes_, data.data(), data.size());
  receivedBytes_ += data.size();
  if (receivedBytes_ == incoming_->format.sizeBytes()) incoming_ = nullptr;
}

}  // namespace stereo_convert
