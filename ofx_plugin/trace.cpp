#include "trace.h"

#include <iomanip>
#include <sstream>

#include "environment.h"
#include "platform/platform.h"

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

void writeMilliseconds(std::ostringstream& text, const std::map<std::string, double>& seconds) {
  for (const auto& [stage, time_s] : seconds) text << ' ' << stage << ' ' << 1e3 * time_s;
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
  platform::appendLine(path, json.str());  // a lost line is no reason to fail a render
}

std::string RenderTrace::text() const {
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << "frame " << frame_ << (isPreview_ ? " preview" : " final")
       << ", window " << windowFirst_ << " to " << windowFirst_ + windowLength_ - 1 << ", "
       << static_cast<double>(frameBytes_) / 1e6 << " MB a frame, "
       << 1e3 * std::chrono::duration<double>(Clock::now() - start_).count() << " ms; plugin";
  writeMilliseconds(text, stages_s_);
  text << "; service";
  if (service_s_.empty()) text << " not asked";
  writeMilliseconds(text, service_s_);
  if (!requestId_.empty()) text << "; request " << requestId_;
  return text.str();
}

}  // namespace stereo_convert
