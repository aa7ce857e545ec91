#include "environment.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "failure.h"

namespace stereo_convert {
namespace {

constexpr std::size_t kDefaultCacheMebibytes = 2048;
constexpr const char* kLauncher = "stereo-convert-service";

// Path of this binary: hosts need not tell where the bundle is.
std::string ownPath() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&ownPath), &info) == 0 || info.dli_fname == nullptr) return {};
  return info.dli_fname;
}

std::string parentOf(std::string path, int levels) {
  for (; levels > 0; --levels) {
    const std::size_t slash = path.find_last_of('/');
    if (slash == std::string::npos) return ".";
    path.resize(slash);
  }
  return path;
}

bool isExecutable(const std::string& path) {
  return !path.empty() && access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string environmentText(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::size_t cacheBytes() {
  const std::string text = environmentText("STEREO_CONVERT_CACHE_MB");
  char* end = nullptr;
  const unsigned long long mebibytes = std::strtoull(text.c_str(), &end, 10);
  const bool valid = !text.empty() && *end == '\0' && mebibytes < (1ULL << 24);
  return (valid ? static_cast<std::size_t>(mebibytes) : kDefaultCacheMebibytes) << 20;
}

std::string runtimeFolder() {
  std::string folder = environmentText("STEREO_CONVERT_RUNTIME_DIR");
  if (folder.empty()) {
    const std::string session = environmentText("XDG_RUNTIME_DIR");
    folder = session.empty() ? "/tmp/stereo-convert-" + std::to_string(getuid()) : session + "/stereo-convert";
  }
  struct stat found {};
  const bool exists = mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST;
  if (!exists || lstat(folder.c_str(), &found) != 0) {
    throw Failure(FailureKind::NotReady, "cannot make the folder " + folder + ": " + std::strerror(errno) +
                                             "; set STEREO_CONVERT_RUNTIME_DIR to a folder of yours");
  }
  // A folder that others can write to would let them put their own service behind our socket.
  if (!S_ISDIR(found.st_mode) || found.st_uid != getuid() || (found.st_mode & 077) != 0) {
    throw Failure(FailureKind::NotReady, folder + " must be a folder that only you may enter; run: chmod 700 " +
                                             folder + ", or set STEREO_CONVERT_RUNTIME_DIR");
  }
  return folder;
}

std::string serviceProgram(const std::string& chosen) {
  constexpr int kLevelsToBundleFolder = 4;  // FOLDER/X.ofx.bundle/Contents/Linux-x86-64/X.ofx
  const std::string named = chosen.empty() ? environmentText("STEREO_CONVERT_SERVICE") : chosen;
  if (!named.empty()) {
    if (isExecutable(named)) return named;
    throw Failure(FailureKind::NotReady,
                  "the service program " + named + " is no executable file; correct Service program");
  }
  const std::string beside = parentOf(ownPath(), kLevelsToBundleFolder) + "/" + kLauncher;
  if (isExecutable(beside)) return beside;
  throw Failure(FailureKind::NotReady,
                "no service to start: expected " + beside +
                    "; install it, set Service program, or give the Address of a running service");
}

}  // namespace stereo_convert
