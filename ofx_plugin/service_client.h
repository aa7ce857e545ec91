// The plugin's side of stereo_convert.proto: one client for each service of this process, shared by all instances.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "frame_store.h"
#include "instance.h"
#include "patience.h"
#include "settings.h"

namespace stereoconvert::v1 {
class DescribeResponse;
}

namespace stereo_convert {

// Version of the contract in proto/: MAJOR * 1000 + MINOR.
constexpr unsigned kContractVersion = 1000;

struct WindowFrame {
  FrameKey key;
  SharedBlock block;
};

struct WindowRequest {
  Settings settings;
  int firstFrame = 0;
  std::vector<WindowFrame> frames;  // the window in time order
  std::vector<WindowFrame> depth;   // as many, or none
  std::vector<int> wanted;          // indices into `frames`, most urgent first
  bool isInteractive = false;
};

struct WindowSummary {
  std::string modelVersion;
  std::string requestId;  // in the service's log
  std::string text;       // one paragraph for the artist
  std::map<std::string, double> stageTimes_s;
};

struct WindowAnswer {
  std::map<int, SharedBlock> results;  // by index into the request's frames
  WindowSummary summary;
  std::shared_ptr<FrameStore> store;  // that the results belong to
};

// What holds while one run of a service lasts: its model, and the memory that it shares with us.
struct ServiceSession {
  std::string modelVersion;
  std::string text;                             // who serves, for the artist
  std::map<std::string, std::string> licences;  // by the name of a filler or depth estimator
  std::shared_ptr<FrameStore> store;
  std::string storeId;          // empty: not shared, pixels travel as chunks
  std::shared_ptr<void> share;  // keeps the service's mapping
};

struct ServiceChannel;

class ServiceClient {
 public:
  // The client of that service; made on first use, without connecting.
  [[nodiscard]] static std::shared_ptr<ServiceClient> of(const ServiceChoice& choice);
  // Let all services go; those in use end with their last render.
  static void forgetAll() noexcept;

  explicit ServiceClient(const ServiceChoice& choice);
  ~ServiceClient();
  ServiceClient(const ServiceClient&) = delete;
  ServiceClient& operator=(const ServiceClient&) = delete;

  // Connect if need be, starting a local service, and agree on version and memory. Throws Failure.
  [[nodiscard]] std::shared_ptr<const ServiceSession> session(const Patience& patience);

  // Ask again on the next use which model it runs; results of before are forgotten.
  void forgetSession();

  // Convert one window; tries once more with a new session when the service went away. Throws Failure.
  [[nodiscard]] WindowAnswer convert(const WindowRequest& request, const Patience& patience);

 private:
  [[nodiscard]] std::shared_ptr<const ServiceSession> connect(const Patience& patience);
  // Ask the service what it is until it answers, starting a local one. Throws Failure.
  [[nodiscard]] stereoconvert::v1::DescribeResponse describe(const Patience& patience);
  void forget(const std::shared_ptr<const ServiceSession>& session);
  // Throws Failure NotReady when certificates keep us from a service that is there.
  void checkTrust();
  // Let the next use of this service begin anew: it reads token and certificates again.
  void leave();

  const ServiceChoice choice_;
  const std::unique_ptr<ServiceChannel> channel_;
  std::timed_mutex connecting_;
  std::atomic<bool> isDoubtful_{false};  // a window timed out: ask whether the service is there before the next one
  std::mutex mutex_;                     // guards what follows
  std::shared_ptr<const ServiceSession> session_;
};

}  // namespace stereo_convert
