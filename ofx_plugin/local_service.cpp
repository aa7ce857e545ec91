#include "local_service.h"

#include <fstream>

#include "environment.h"
#include "failure.h"
#include "log.h"

namespace stereo_convert {
namespace {

constexpr const char* kIdleExit_s = "600";
constexpr std::chrono::seconds kRestartInterval{2};
constexpr std::size_t kMaxSocketPath = 103;  // of sockaddr_un::sun_path: 107 on Linux, 103 on macOS

std::string logPath() {
  const LogFolder folder = logFolder();
  if (folder.problem.empty()) return folder.path + "/service.log";
  throw Failure(FailureKind::NotReady, folder.problem);
}

std::string socketPath() {
  const std::string path = runtimeFolder() + "/service.sock";
  if (path.size() <= kMaxSocketPath) return path;
  throw Failure(FailureKind::NotReady, "the path of the socket is too long for the system: " + path +
                                           "; set STEREO_CONVERT_RUNTIME_DIR to a shorter folder");
}

std::string lastLineOfLog() {
  std::ifstream log(logPath());
  std::string line, last;
  while (std::getline(log, line)) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace

std::string localServiceTarget() {
  return "unix:" + socketPath();
}

void LocalServiceStart::nudge() {
  if (process_ != platform::kNoProcess && isRunning()) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < nextStart_) return;
  const std::string program = serviceProgram(program_);
  rotateLog(logPath());
  const auto [process, problem] =
      platform::startDetached({program, "serve", "--socket", socketPath(), "--idle-exit", kIdleExit_s}, logPath());
  if (!problem.empty()) throw Failure(FailureKind::NotReady, "cannot start the service program " + problem);
  process_ = process;
  nextStart_ = now + kRestartInterval;
}

bool LocalServiceStart::isRunning() {
  const auto ending = platform::endingOf(process_);
  if (!ending) return true;
  process_ = platform::kNoProcess;
  if (ending->code == 0) return false;
  throw Failure(FailureKind::NotReady,
                "the local service ended with " + ending->text + " (" + lastLineOfLog() + "); see " + logPath());
}

}  // namespace stereo_convert
