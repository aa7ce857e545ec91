#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "platform/platform.h"

namespace stereo_convert::platform {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool makeWithParents(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return true;
  const std::size_t slash = path.find_last_of('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0) return false;
  return makeWithParents(path.substr(0, slash)) && mkdir(path.c_str(), 0700) == 0;
}

}  // namespace

std::string ownPath() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&ownPath), &info) == 0 || info.dli_fname == nullptr) return {};
  return info.dli_fname;
}

bool isExecutable(const std::string& path) {
  return !path.empty() && access(path.c_str(), X_OK) == 0;
}

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

bool othersMayRead(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && (found.st_mode & 077) != 0;
}

std::string programName(const std::string& name) {
  return name;
}

std::string sessionFolder() {
  const std::string session = variable("XDG_RUNTIME_DIR");
  return session.empty() ? "/tmp/stereo-convert-" + std::to_string(getuid()) : session + "/stereo-convert";
}

std::string stateFolder() {
#ifdef __APPLE__
  return variable("HOME") + "/Library/Logs/StereoConvert";
#else
  const std::string state = variable("XDG_STATE_HOME");
  return (state.empty() ? variable("HOME") + "/.local/state" : state) + "/stereo-convert";
#endif
}

std::string configFolder() {
#ifdef __APPLE__
  return variable("HOME") + "/Library/Application Support/StereoConvert";
#else
  const std::string config = variable("XDG_CONFIG_HOME");
  return (config.empty() ? variable("HOME") + "/.config" : config) + "/stereo-convert";
#endif
}

std::string makePrivateFolder(const std::string& path) {
  struct stat found {};
  if (!makeWithParents(path) || lstat(path.c_str(), &found) != 0) {
    return "cannot make the folder " + path + ": " + std::strerror(errno);
  }
  if (S_ISDIR(found.st_mode) && found.st_uid == getuid() && (found.st_mode & 077) == 0) return {};
  return path + " must be a folder that only you may enter; run: chmod 700 " + path;
}

bool appendLine(const std::string& path, const std::string& line) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return false;
  const ssize_t written = write(file, line.data(), line.size());
  close(file);
  return written == static_cast<ssize_t>(line.size());
}

FileLock::FileLock(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  if (flock(file, LOCK_EX | LOCK_NB) == 0) {
    file_ = file;
  } else {
    close(file);
  }
}

FileLock::~FileLock() {
  if (isHeld()) close(static_cast<int>(file_));
}

}  // namespace stereo_convert::platform
