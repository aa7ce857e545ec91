#include "local_service.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <string_view>
#include <vector>

#include "environment.h"
#include "failure.h"

namespace stereo_convert {
namespace {

constexpr const char* kIdleExit_s = "600";
constexpr std::chrono::seconds kRestartInterval{2};
constexpr std::size_t kMaxSocketPath = 107;  // sockaddr_un::sun_path

std::atomic<pid_t> lastStarted{0};  // to be reaped when it has ended meanwhile

std::string logPath() {
  return runtimeFolder() + "/service.log";
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

// Hosts point these at libraries and modules of their own, which break any other program.
std::vector<char*> cleanEnvironment() {
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    if (name != "LD_LIBRARY_PATH" && name != "LD_PRELOAD" && name != "PYTHONHOME" && name != "PYTHONPATH") {
      kept.push_back(*entry);
    }
  }
  kept.push_back(nullptr);
  return kept;
}

class SpawnActions {
 public:
  explicit SpawnActions(const std::string& log) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files_, STDOUT_FILENO, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);

    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
  }
  ~SpawnActions() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;

  [[nodiscard]] const posix_spawn_file_actions_t* files() const { return &files_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

pid_t start(const std::string& program) {
  std::vector<std::string> words{program, "serve", "--socket", socketPath(), "--idle-exit", kIdleExit_s};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const SpawnActions actions(logPath());
  if (const pid_t before = lastStarted.exchange(0); before != 0) waitpid(before, nullptr, WNOHANG);
  pid_t started = 0;
  const int error = posix_spawn(&started, program.c_str(), actions.files(), actions.attributes(), arguments.data(),
                                cleanEnvironment().data());
  if (error != 0) {
    throw Failure(FailureKind::NotReady, "cannot start the service program " + program + ": " + std::strerror(error));
  }
  lastStarted.store(started);
  return started;
}

}  // namespace

std::string localServiceTarget() {
  return "unix:" + socketPath();
}

void LocalServiceStart::nudge() {
  if (process_ != 0 && isRunning()) return;
  process_ = 0;
  const auto now = std::chrono::steady_clock::now();
  if (now < nextStart_) return;
  process_ = start(serviceProgram(program_));
  nextStart_ = now + kRestartInterval;
}

bool LocalServiceStart::isRunning() const {
  int status = 0;
  if (waitpid(process_, &status, WNOHANG) != process_) return true;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return false;
  const std::string end = WIFEXITED(status) ? "exit code " + std::to_string(WEXITSTATUS(status))
                                            : "signal " + std::to_string(WTERMSIG(status));
  throw Failure(FailureKind::NotReady,
                "the local service ended with " + end + " (" + lastLineOfLog() + "); see " + logPath());
}

}  // namespace stereo_convert
