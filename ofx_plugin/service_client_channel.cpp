#include "service_client_channel.h"

#include <fstream>

#include "environment.h"
#include "platform/platform.h"
#include "service_client_queue.h"
#include "service_client_tls.h"
#include "tls_diagnosis.h"
#include "version.h"

namespace stereo_convert {

namespace wire = stereoconvert::v1;

namespace {

// A service on another machine asks for one; that of all projects has a fixed place.
std::string readToken(const std::string& chosen) {
  const std::string usual = configFolder() + "/token";
  if (chosen.empty() && !platform::exists(usual)) return {};
  const std::string path = chosen.empty() ? usual : chosen;
  std::ifstream file(path);
  std::string token;
  if (!(file >> token)) {
    throw Failure(FailureKind::NotReady, "cannot read a token from " + path + "; correct Token file");
  }
  return token;
}

std::shared_ptr<grpc::Channel> openChannel(const std::string& target,
                                           const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(target, credentials, arguments);
}

}  // namespace

ServiceChannel::ServiceChannel(const ServiceChoice& choice)
    : address(ServiceAddress::of(choice.address)),
      token(address.isLocal ? std::string() : readToken(choice.tokenFile)),
      tls(address.usesTls ? TlsFiles::read() : TlsFiles()),
      channel(openChannel(address.target, address.usesTls ? tlsCredentials(tls) : grpc::InsecureChannelCredentials())),
      stub(wire::StereoConvertService::NewStub(channel)) {}

bool ServiceChannel::isReady() const {
  const grpc_connectivity_state state = channel->GetState(true);
  if (state == GRPC_CHANNEL_READY) return true;
  channel->WaitForStateChange(state, std::chrono::system_clock::now() + Patience::kPollInterval);
  return channel->GetState(true) == GRPC_CHANNEL_READY;
}

bool ServiceChannel::hasFailed() const {
  return channel->GetState(false) == GRPC_CHANNEL_TRANSIENT_FAILURE;
}

std::string ServiceChannel::whyNotTrusted() const {
  return address.usesTls ? stereo_convert::whyNotTrusted(address.target, tls) : std::string();
}

grpc::Status ServiceChannel::describe(wire::DescribeResponse& description, const Patience& patience) const {
  wire::DescribeRequest request;
  request.set_client_version(STEREO_CONVERT_VERSION);
  grpc::Status status;
  PolledCall call(token);
  call.context.set_deadline(systemDeadline(patience));
  const auto reader = stub->AsyncDescribe(&call.context, request, &call.queue);
  reader->Finish(&description, &status, PolledCall::tag(PolledCall::Operation::Finish));
  (void)call.next(patience);
  // Our own clock may end the call a moment before gRPC's deadline does; then it is late, not cancelled by anybody.
  const bool isLate = status.error_code() == grpc::StatusCode::CANCELLED && patience.left().count() <= 0;
  return isLate ? grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "no answer in time") : status;
}

}  // namespace stereo_convert
