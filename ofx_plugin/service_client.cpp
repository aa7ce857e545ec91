#include "service_client.h"

#include <grpcpp/grpcpp.h>
#include <stereoconvert/v1/stereo_convert.grpc.pb.h>

#include <cstdlib>
#include <fstream>
#include <thread>
#include <utility>

#include "environment.h"
#include "immortal.h"
#include "local_service.h"
#include "service_client_queue.h"
#include "service_client_share.h"
#include "service_client_window.h"
#include "status.h"
#include "version.h"

namespace stereo_convert {

namespace wire = stereoconvert::v1;

namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kDescribeLimit{5};  // of stereo_convert.proto
constexpr Seconds kShareLimit{5};     // of stereo_convert.proto
constexpr Seconds kRemoteConnectLimit{5};
constexpr Seconds kLocalStartLimit{60};  // a cold disk and a large model

std::mutex clientsMutex;
Immortal<std::map<std::string, std::shared_ptr<ServiceClient>>> clients;

std::string readToken(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path);
  std::string token;
  if (!(file >> token)) {
    throw Failure(FailureKind::NotReady, "cannot read a token from " + path + "; correct Token file");
  }
  return token;
}

std::shared_ptr<grpc::Channel> openChannel(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

void checkContract(const wire::DescribeResponse& description, const std::string& service) {
  const int theirs = static_cast<int>(description.contract_version());
  const int ours = static_cast<int>(kContractVersion);
  if (theirs / 1000 == ours / 1000 && std::abs(theirs % 1000 - ours % 1000) <= 1) return;
  throw Failure(FailureKind::NotReady, service + " is version " + description.service_version() +
                                           " and speaks contract " + std::to_string(theirs) +
                                           "; this plugin is version " STEREO_CONVERT_VERSION " and speaks " +
                                           std::to_string(ours) + ". Install the same version of both");
}

void pause(Seconds duration, const Patience& patience, const char* what) {
  for (const Patience rest = patience.atMost(duration); rest.left().count() > 0;) {
    patience.check(what);
    std::this_thread::sleep_for(Patience::kPollInterval);
  }
  patience.check(what);
}

}  // namespace

struct ServiceClient::Channel {
  explicit Channel(const ServiceChoice& choice)
      : token(readToken(choice.address.empty() ? std::string() : choice.tokenFile)),
        isLocal(choice.address.empty()),
        target(isLocal ? localServiceTarget() : choice.address),
        name(isLocal ? "the local service" : "the service at " + choice.address),
        channel(openChannel(target)),
        stub(wire::StereoConvertService::NewStub(channel)) {}

  // Whether the channel is connected; waits a moment for it. A channel moves on only while somebody waits.
  [[nodiscard]] bool isReady() const {
    const grpc_connectivity_state state = channel->GetState(true);
    if (state == GRPC_CHANNEL_READY) return true;
    channel->WaitForStateChange(state, std::chrono::system_clock::now() + Patience::kPollInterval);
    return channel->GetState(true) == GRPC_CHANNEL_READY;
  }

  [[nodiscard]] bool hasFailed() const { return channel->GetState(false) == GRPC_CHANNEL_TRANSIENT_FAILURE; }

  [[nodiscard]] grpc::Status describe(wire::DescribeResponse& description, const Patience& patience) const {
    wire::DescribeRequest request;
    request.set_client_version(STEREO_CONVERT_VERSION);
    grpc::Status status;
    PolledCall call(token);
    call.context.set_deadline(systemDeadline(patience));
    const auto reader = stub->AsyncDescribe(&call.context, request, &call.queue);
    reader->Finish(&description, &status, PolledCall::tag(PolledCall::Operation::Finish));
    (void)call.next(patience);
    return status;
  }

  const std::string token;
  const bool isLocal;
  const std::string target;
  const std::string name;  // in messages
  const std::shared_ptr<grpc::Channel> channel;
  const std::unique_ptr<wire::StereoConvertService::Stub> stub;
  const FrameKey sessionId = randomKey();
};

std::shared_ptr<ServiceClient> ServiceClient::of(const ServiceChoice& choice) {
  const std::string target = choice.address.empty() ? localServiceTarget() : choice.address;
  const std::lock_guard lock(clientsMutex);
  std::shared_ptr<ServiceClient>& client = (*clients)[target + "\n" + choice.tokenFile + "\n" + choice.program];
  if (client == nullptr) client = std::make_shared<ServiceClient>(choice);
  return client;
}

void ServiceClient::forgetAll() noexcept {
  std::map<std::string, std::shared_ptr<ServiceClient>> leaving;
  const std::lock_guard lock(clientsMutex);
  leaving.swap(*clients);
}

ServiceClient::ServiceClient(const ServiceChoice& choice)
    : choice_(choice), channel_(std::make_unique<Channel>(choice)) {}

ServiceClient::~ServiceClient() = default;

std::shared_ptr<const ServiceSession> ServiceClient::session(const Patience& patience) {
  std::unique_lock connecting(connecting_, std::defer_lock);
  while (!connecting.try_lock_for(Patience::kPollInterval)) patience.check("waiting for the service to start");
  {
    const std::lock_guard lock(mutex_);
    if (session_ != nullptr) return session_;
  }
  auto made = connect(patience.atMost(channel_->isLocal ? kLocalStartLimit : kRemoteConnectLimit));
  const std::lock_guard lock(mutex_);
  session_ = made;
  return made;
}

std::shared_ptr<const ServiceSession> ServiceClient::connect(const Patience& patience) {
  LocalServiceStart localStart(choice_.program);
  wire::DescribeResponse description;
  grpc::Status status(grpc::StatusCode::UNAVAILABLE, "");
  while (!status.ok()) {
    if (channel_->isReady()) status = channel_->describe(description, patience.atMost(kDescribeLimit));
    if (patience.isAborted()) throw Failure(FailureKind::Aborted, "the host aborted the render");
    const bool isAbsent = status.error_code() == grpc::StatusCode::UNAVAILABLE;
    if (isAbsent && patience.left().count() <= 0) {
      throw failureOfGrpcCode(status.error_code(), "nothing answers at " + channel_->target, channel_->name);
    }
    if (!isAbsent && !status.ok()) throw failureOfGrpcCode(status.error_code(), status.error_message(), channel_->name);
    if (isAbsent && channel_->isLocal && channel_->hasFailed()) localStart.nudge();
  }
  checkContract(description, channel_->name);

  auto session = std::make_shared<ServiceSession>();
  session->modelVersion = description.model_version();
  session->text = channel_->name + ", version " + description.service_version() + ", model " + session->modelVersion;
  for (const auto& inpainter : description.inpainters()) session->licences[inpainter.name()] = inpainter.license();
  for (const auto& estimator : description.depth_estimators()) {
    session->licences[estimator.name()] = estimator.license();
  }
  session->store = std::make_shared<FrameStore>(cacheBytes());
  if (SharedRegion* region = session->store->arena().region(); region != nullptr) {
    auto share = std::make_shared<FrameStoreShare>(*channel_->stub, channel_->token);
    session->storeId = share->prove(*region, patience.atMost(kShareLimit));
    region->unlink();
    session->share = std::move(share);
  }
  return session;
}

void ServiceClient::forget(const std::shared_ptr<const ServiceSession>& session) {
  const std::lock_guard lock(mutex_);
  if (session_ == session) session_ = nullptr;
}

void ServiceClient::forgetSession() {
  const std::lock_guard lock(mutex_);
  session_ = nullptr;
}

WindowAnswer ServiceClient::convert(const WindowRequest& request, const Patience& patience) {
  for (bool mayReconnect = true;;) {
    const auto current = session(patience);
    WindowAnswer answer;
    answer.store = current->store;
    WindowCall call(request, *current, channel_->sessionId, channel_->token);
    const grpc::Status status = call.run(*channel_->stub, patience, answer);
    if (status.ok()) return answer;
    patience.check("waiting for the window");

    const bool wasRestarted =
        status.error_code() == grpc::StatusCode::NOT_FOUND || status.error_code() == grpc::StatusCode::UNAVAILABLE;
    if (wasRestarted) forget(current);
    if (wasRestarted && mayReconnect) {
      mayReconnect = false;
      continue;
    }
    const double retryAfter_s = call.retryAfter_s();
    if (status.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED || retryAfter_s <= 0) {
      throw failureOfGrpcCode(status.error_code(), status.error_message(), channel_->name);
    }
    pause(Seconds(retryAfter_s), patience, "waiting in the service's queue");
  }
}

}  // namespace stereo_convert
