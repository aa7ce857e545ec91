// The ShareFrameStore stream: proves that the service sees our memory and keeps it mapped while the object lives.
#pragma once

#include <stereoconvert/v1/stereo_convert.grpc.pb.h>

#include <memory>
#include <string>

#include "service_client_queue.h"
#include "shared_region.h"

namespace stereo_convert {

class FrameStoreShare {
 public:
  FrameStoreShare(stereoconvert::v1::StereoConvertService::Stub& stub, const std::string& token);
  ~FrameStoreShare() { call_.end(); }
  FrameStoreShare(const FrameStoreShare&) = delete;
  FrameStoreShare& operator=(const FrameStoreShare&) = delete;

  // The name of the region on the service, 16 bytes; empty when the service does not see the same memory.
  [[nodiscard]] std::string prove(const SharedRegion& region, const Patience& patience);

 private:
  using Request = stereoconvert::v1::ShareFrameStoreRequest;
  using Response = stereoconvert::v1::ShareFrameStoreResponse;

  stereoconvert::v1::StereoConvertService::Stub& stub_;
  Response response_;
  PolledCall call_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Request, Response>> stream_;  // lies in the memory of call_
};

}  // namespace stereo_convert
