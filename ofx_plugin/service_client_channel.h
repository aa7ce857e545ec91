// The way to one service: where it is, what is shown to it, and whether it is there.
#pragma once

#include <grpcpp/grpcpp.h>
#include <stereoconvert/v1/stereo_convert.grpc.pb.h>

#include <memory>
#include <string>

#include "frame_key.h"
#include "instance.h"
#include "patience.h"
#include "service_address.h"
#include "tls_files.h"

namespace stereo_convert {

struct ServiceChannel {
  // Without connecting. Throws Failure when Address, token or certificates cannot be used.
  explicit ServiceChannel(const ServiceChoice& choice);

  // Whether the channel is connected; waits a moment for it. A channel moves on only while somebody waits.
  [[nodiscard]] bool isReady() const;
  [[nodiscard]] bool hasFailed() const;

  // What about the certificates at either end keeps us from connecting, in words; empty where it is not that.
  [[nodiscard]] std::string whyNotTrusted() const;

  [[nodiscard]] grpc::Status describe(stereoconvert::v1::DescribeResponse& description, const Patience& patience) const;

  const ServiceAddress address;
  const std::string token;
  const TlsFiles tls;
  const std::shared_ptr<grpc::Channel> channel;
  const std::unique_ptr<stereoconvert::v1::StereoConvertService::Stub> stub;
  const FrameKey sessionId = randomKey();
};

}  // namespace stereo_convert
