#include "service_client_share.h"

#include "frame_wire.h"

namespace stereo_convert {

FrameStoreShare::FrameStoreShare(stereoconvert::v1::StereoConvertService::Stub& stub, const std::string& token)
    : stub_(stub), call_(token) {}

std::string FrameStoreShare::prove(const SharedRegion& region, const Patience& patience) {
  using Operation = PolledCall::Operation;
  Request request;
  request.set_name(region.name());
  request.set_size_bytes(region.size());
  if (const auto file = region.openFile()) {
    request.mutable_open_file()->set_process_id(static_cast<std::uint32_t>(platform::ownProcessId()));
    request.mutable_open_file()->set_descriptor(*file);
  }

  stream_ = stub_.AsyncShareFrameStore(&call_.context, &call_.queue, PolledCall::tag(Operation::Start));
  if (!call_.next(patience).ok) return {};
  stream_->Write(request, PolledCall::tag(Operation::Write));
  if (!call_.next(patience).ok) return {};
  stream_->Read(&response_, PolledCall::tag(Operation::Read));
  if (!call_.next(patience).ok) return {};

  const bool sameMemory = response_.client_nonce() == toWire(region.nonce()) &&
                          response_.service_nonce() == toWire(region.answer()) && response_.store_id().size() == 16;
  return sameMemory ? response_.store_id() : std::string();
}

}  // namespace stereo_convert
