#include "log.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "environment.h"
#include "platform/platform.h"
#include "properties.h"
#include "version.h"

namespace stereo_convert {
namespace {

namespace files = std::filesystem;

constexpr std::uintmax_t kMaxBytes = 1 << 20;
constexpr int kKept = 3;

std::atomic<bool> hostIsNamed{false};

// "2026-11-21T13:50:12.345Z"
std::string utcNow() {
  const auto now = std::chrono::system_clock::now();
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm parts{};
#ifdef _WIN32
  gmtime_s(&parts, &seconds);
#else
  gmtime_r(&seconds, &parts);
#endif
  char text[40];
  const std::size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof(text) - length, ".%03dZ", static_cast<int>(milliseconds % 1000));
  return text;
}

std::string numbers(const Properties& host, const char* property) {
  std::string text;
  for (int index = 0; const auto number = host.integer(property, index); ++index) {
    text += (index == 0 ? "" : ".") + std::to_string(*number);
  }
  return text;
}

std::string hostText() {
  const Properties host(suites().host);
  return host.text(kOfxPropLabel).value_or("unnamed") + " " + numbers(host, kOfxPropVersion) + " (" +
         host.text(kOfxPropName).value_or("unnamed") + "), OpenFX " + numbers(host, kOfxPropAPIVersion) +
         ", plugin " STEREO_CONVERT_VERSION;
}

std::string oneLine(std::string text) {
  for (char& letter : text) {
    if (static_cast<unsigned char>(letter) < ' ') letter = ' ';
  }
  return text;
}

}  // namespace

LogFolder logFolder() {
  std::string path = environmentText("STEREO_CONVERT_LOG_DIR");
  if (path.empty()) path = environmentText("STEREO_CONVERT_RUNTIME_DIR");
  if (path.empty()) path = platform::stateFolder();
  std::string problem = platform::makePrivateFolder(path);
  if (!problem.empty()) problem += "; or set STEREO_CONVERT_LOG_DIR to a folder of yours";
  return {path, problem};
}

bool logIsWanted(bool panelAsks) {
  return panelAsks || environmentText("STEREO_CONVERT_LOG") == "1";
}

void writeLog(const std::string& text) {
  const LogFolder folder = logFolder();
  if (!folder.problem.empty()) return;
  const std::string path = folder.path + "/" + kLogName;
  rotateLog(path);
  const std::string begin = utcNow() + " " + std::to_string(platform::ownProcessId()) + " ";
  if (!hostIsNamed.exchange(true)) platform::appendLine(path, begin + "host " + oneLine(hostText()) + "\n");
  platform::appendLine(path, begin + oneLine(text) + "\n");
}

void rotateLog(const std::string& path) {
  std::error_code error;
  const auto isFull = [&] { return files::file_size(files::u8path(path), error) > kMaxBytes && !error; };
  if (!isFull()) return;
  const platform::FileLock lock(path + ".lock");
  if (!lock.isHeld() || !isFull()) return;  // another process does it, or has just done it
  const auto numbered = [&](int number) { return files::u8path(path + "." + std::to_string(number)); };
  for (int number = kKept - 1; number >= 1; --number) files::rename(numbered(number), numbered(number + 1), error);
  files::rename(files::u8path(path), numbered(1), error);
}

}  // namespace stereo_convert
