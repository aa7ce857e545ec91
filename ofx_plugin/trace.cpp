#include "trace.h"

#include <fcntl.h>
#include <unistd.h>

#include <sstream>

#include "environment.h"

namespace stereo_convert {
namespace {

void writeObject(std::ostringstream& json, const char* name, const std::map<std::string, double>& seconds) {
  json << ",\"" << name << "\":{";
  const char* separator = "";
  for (const auto& [stage, time_s] : seconds) {
    json << separator << '"' << stage << "\":" << time_s;
    separator = ",";
  }
  json << '}';
}

}  // namespace

void RenderTrace::setWindow(int firstFrame, int length, std::size_t frameBytes) {
  windowFirst_ = firstFrame;
  windowLength_ = length;
  frameBytes_ = frameBytes;
}

void RenderTrace::write() const {
  const std::string path = environmentText("STEREO_CONVERT_TRACE");
  if (path.empty()) return;
  std::ostringstream json;
  json << "{\"frame\":" << frame_ << ",\"window_first\":" << windowFirst_ << ",\"window_length\":" << windowLength_
       << ",\"frame_bytes\":" << frameBytes_ << ",\"preview\":" << (isPreview_ ? "true" : "false")
       << ",\"cached\":" << (service_s_.empty() ? "true" : "false")
       << ",\"total_s\":" << std::chrono::duration<double>(Clock::now() - start_).count();
  writeObject(json, "plugin_s", stages_s_);
  writeObject(json, "service_s", service_s_);
  json << "}\n";
  const std::string line = json.str();
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  // One write, so that lines of several renders do not mix; a lost line is no reason to fail a render.
  [[maybe_unused]] const ssize_t written = ::write(file, line.data(), line.size());
  close(file);
}

}  // namespace stereo_convert
