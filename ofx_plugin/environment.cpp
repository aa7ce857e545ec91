#include "environment.h"

#include <cstdlib>
#include <filesystem>

#include "failure.h"
#include "platform/platform.h"

namespace stereo_convert {
namespace {

namespace files = std::filesystem;

constexpr std::size_t kDefaultCacheMebibytes = 2048;
constexpr const char* kLauncher = "stereo-convert-service";

// The folder that the bundle lies in: BUNDLES/X.ofx.bundle/Contents/Linux-x86-64/X.ofx.
files::path bundleFolder() {
  return files::u8path(platform::ownPath()).parent_path().parent_path().parent_path().parent_path();
}

}  // namespace

std::string environmentText(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string configFolder() {
  const std::string folder = environmentText("STEREO_CONVERT_CONFIG_DIR");
  return folder.empty() ? platform::configFolder() : folder;
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
  if (folder.empty()) folder = platform::sessionFolder();
  // A folder that others can write to would let them put their own service behind our socket.
  const std::string problem = platform::makePrivateFolder(folder);
  if (problem.empty()) return folder;
  throw Failure(FailureKind::NotReady, problem + "; or set STEREO_CONVERT_RUNTIME_DIR to a folder of yours");
}

std::string serviceProgram(const std::string& chosen) {
  const std::string named = chosen.empty() ? environmentText("STEREO_CONVERT_SERVICE") : chosen;
  if (!named.empty()) {
    if (platform::isExecutable(named)) return named;
    throw Failure(FailureKind::NotReady,
                  "the service program " + named + " is no executable file; correct Service program");
  }
  const std::string beside = (bundleFolder() / platform::programName(kLauncher)).u8string();
  if (platform::isExecutable(beside)) return beside;
  throw Failure(FailureKind::NotReady,
                "no service to start: expected " + beside +
                    "; install it, set Service program, or give the Address of a running service");
}

}  // namespace stereo_convert
