// The service on this machine, started when the first render needs it and shared by all hosts of this user.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "platform/platform.h"

namespace stereo_convert {

// gRPC target of the local service's socket.
[[nodiscard]] std::string localServiceTarget();

// One attempt to get a local service going.
class LocalServiceStart {
 public:
  explicit LocalServiceStart(std::string program) : program_(std::move(program)) {}
  ~LocalServiceStart() { platform::letGo(process_); }
  LocalServiceStart(const LocalServiceStart&) = delete;
  LocalServiceStart& operator=(const LocalServiceStart&) = delete;

  // Call it every now and then while nothing answers. Starts the program, detached from the host, its output in
  // service.log; then watches it. When it left without complaint, because another instance holds the lock, and still
  // nothing answers, it is started again. Throws Failure NotReady when it cannot be started, and with the end of
  // service.log when it failed.
  void nudge();

 private:
  [[nodiscard]] bool isRunning();

  const std::string program_;
  platform::Process process_ = platform::kNoProcess;
  std::chrono::steady_clock::time_point nextStart_{};
};

}  // namespace stereo_convert
