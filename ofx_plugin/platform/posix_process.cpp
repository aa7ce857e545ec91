#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string_view>

#include "immortal.h"
#include "platform/platform.h"

#ifdef __APPLE__
#include <crt_externs.h>
#endif

namespace stereo_convert::platform {
namespace {

#ifdef __APPLE__
constexpr const char* kFolderOpener = "/usr/bin/open";
constexpr short kCloseInherited = POSIX_SPAWN_CLOEXEC_DEFAULT;

void closeInherited(posix_spawn_file_actions_t*) {}

char** hostEnvironment() {
  return *_NSGetEnviron();
}
#else
constexpr const char* kFolderOpener = "xdg-open";
constexpr short kCloseInherited = 0;

void closeInherited(posix_spawn_file_actions_t* files) {
  posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
}

char** hostEnvironment() {
  return environ;
}
#endif

// Hosts point these at libraries and modules of their own, which break any other program.
std::vector<char*> cleanEnvironment() {
  std::vector<char*> kept;
  for (char** entry = hostEnvironment(); *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    if (name != "LD_LIBRARY_PATH" && name != "LD_PRELOAD" && name != "DYLD_LIBRARY_PATH" &&
        name != "DYLD_INSERT_LIBRARIES" && name != "PYTHONHOME" && name != "PYTHONPATH") {
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
    closeInherited(&files_);

    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | kCloseInherited);
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

std::mutex mutex;
Immortal<std::vector<pid_t>> ownerless;  // to be reaped when they have ended

void reapOwnerless() {
  const std::lock_guard lock(mutex);
  const auto hasEnded = [](pid_t process) { return waitpid(process, nullptr, WNOHANG) != 0; };
  ownerless->erase(std::remove_if(ownerless->begin(), ownerless->end(), hasEnded), ownerless->end());
}

}  // namespace

Start startDetached(const std::vector<std::string>& words, const std::string& log) {
  reapOwnerless();
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const SpawnActions actions(log);
  pid_t process = 0;
  const int error = posix_spawnp(&process, arguments.front(), actions.files(), actions.attributes(), arguments.data(),
                                 cleanEnvironment().data());
  if (error != 0) return {kNoProcess, words.front() + ": " + std::strerror(error)};
  return {process, {}};
}

std::optional<Ending> endingOf(Process process) {
  int status = 0;
  const pid_t ended = waitpid(static_cast<pid_t>(process), &status, WNOHANG);
  if (ended == 0) return {};
  if (ended < 0) return Ending{0, "an end that only the host saw"};  // it ignores SIGCHLD, or reaps all children
  if (WIFEXITED(status)) return Ending{WEXITSTATUS(status), "exit code " + std::to_string(WEXITSTATUS(status))};
  return Ending{-1, "signal " + std::to_string(WTERMSIG(status))};
}

void letGo(Process process) {
  if (process == kNoProcess) return;
  const std::lock_guard lock(mutex);
  ownerless->push_back(static_cast<pid_t>(process));
}

std::int64_t ownProcessId() {
  return getpid();
}

std::string showFolder(const std::string& path) {
  const Start opener = startDetached({kFolderOpener, path}, "/dev/null");
  letGo(opener.process);
  return opener.problem;
}

}  // namespace stereo_convert::platform
