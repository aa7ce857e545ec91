#include "service_client.h"

#include <grpcpp/grpcpp.h>
#include <stereoconvert/v1/stereo_convert.grpc.pb.h>

#include <cstdlib>
#include <thread>
#include <utility>

#include "environment.h"
#include "immortal.h"
#include "local_service.h"
#include "service_address.h"
#include "service_client_channel.h"
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

void checkContract(const wire::DescribeResponse& description, const std::string& service) {
  const int theirs = static_cast<int>(description.contract_version());
  const int ours = static_cast<int>(kContractVersion);
  if (theirs / 1000 == ours / 1000 && std::abs(theirs % 1000 - ours % 1000) <= 1) return;
  throw Failure(FailureKind::NotReady,
                service + " is version " + description.service_version() + " and speaks contract " +
                    std::to_string(theirs) + "; this plugin is version " STEREO_CONVERT_VERSION " and speaks " +
                    std::to_string(ours) + ": update the " + (theirs < ours ? "service" : "plugin"));
}

void pause(Seconds duration, const Patience& patience, const char* what) {
  for (const Patience rest = patience.atMost(duration); rest.left().count() > 0;) {
    patience.check(what);
    std::this_thread::sleep_for(Patience::kPollInterval);
  }
  patience.check(what);
}

}  // namespace

std::shared_ptr<ServiceClient> ServiceClient::of(const ServiceChoice& choice) {
  // Also of a local service: its folder is the environment's, which may change.
  const std::string target = choice.address + "\n" + ServiceAddress::of(choice.address).target;
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
    : choice_(choice), channel_(std::make_unique<ServiceChannel>(choice)) {}

ServiceClient::~ServiceClient() = default;

std::shared_ptr<const ServiceSession> ServiceClient::session(const Patience& patience) {
  std::unique_lock connecting(connecting_, std::defer_lock);
  while (!connecting.try_lock_for(Patience::kPollInterval)) patience.check("waiting for the service to start");
  const Patience limited = patience.atMost(channel_->address.isLocal ? kLocalStartLimit : kRemoteConnectLimit);
  if (isDoubtful_) {
    (void)describe(limited);
    isDoubtful_ = false;
  }
  {
    const std::lock_guard lock(mutex_);
    if (session_ != nullptr) return session_;
  }
  auto made = connect(limited);
  const std::lock_guard lock(mutex_);
  session_ = made;
  return made;
}

std::shared_ptr<const ServiceSession> ServiceClient::connect(const Patience& patience) {
  const ServiceAddress& address = channel_->address;
  const wire::DescribeResponse description = describe(patience);
  checkContract(description, address.name);

  auto session = std::make_shared<ServiceSession>();
  session->modelVersion = description.model_version();
  session->text = address.name + ", version " + description.service_version() + ", model " + session->modelVersion;
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

wire::DescribeResponse ServiceClient::describe(const Patience& patience) {
  const ServiceAddress& address = channel_->address;
  LocalServiceStart localStart(choice_.program);
  wire::DescribeResponse description;
  grpc::Status status(grpc::StatusCode::UNAVAILABLE, "");
  while (!status.ok()) {
    if (channel_->isReady()) status = channel_->describe(description, patience.atMost(kDescribeLimit));
    if (patience.isAborted()) throw Failure(FailureKind::Aborted, "the host aborted the render");
    // A local service that somebody has stopped takes connections and says nothing; another start of it wakes it.
    const bool isSilent = address.isLocal && status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
    const bool isAbsent = status.error_code() == grpc::StatusCode::UNAVAILABLE;
    if (!isAbsent && !isSilent && !status.ok()) {
      leave();
      throw failureOfGrpcCode(status.error_code(), status.error_message(), address.name);
    }
    if (isSilent || (isAbsent && channel_->hasFailed())) {
      if (address.isLocal) localStart.nudge();
      checkTrust();
    }
    if (!status.ok() && patience.left().count() <= 0) {
      throw failureOfGrpcCode(status.error_code(), "nothing answers at " + address.target, address.name);
    }
  }
  return description;
}

void ServiceClient::checkTrust() {
  const std::string problem = channel_->whyNotTrusted();
  if (problem.empty()) return;
  leave();
  throw Failure(FailureKind::NotReady, channel_->address.name + " is not used: " + problem);
}

void ServiceClient::leave() {
  const std::lock_guard lock(clientsMutex);
  for (auto client = clients->begin(); client != clients->end();) {
    client = client->second.get() == this ? clients->erase(client) : std::next(client);
  }
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
    const grpc::Status status = call.run(channel_->channel, patience, answer);
    if (status.ok()) return answer;
    if (patience.left().count() <= 0) isDoubtful_ = true;
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
      throw failureOfGrpcCode(status.error_code(), status.error_message(), channel_->address.name);
    }
    pause(Seconds(retryAfter_s), patience, "waiting in the service's queue");
  }
}

}  // namespace stereo_convert
