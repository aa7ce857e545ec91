// Where the time of a render went, one line of JSON per render in the file that STEREO_CONVERT_TRACE names.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace stereo_convert {

class RenderTrace {
 public:
  // Adds the time until the end of its scope to a stage.
  class Timer {
   public:
    Timer(RenderTrace& trace, const char* stage) : trace_(trace), stage_(stage) {}
    ~Timer() { trace_.stages_s_[stage_] += std::chrono::duration<double>(Clock::now() - start_).count(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

   private:
    RenderTrace& trace_;
    const char* stage_;
    const std::chrono::steady_clock::time_point start_ = Clock::now();
  };

  RenderTrace(int frame, bool isPreview) : frame_(frame), isPreview_(isPreview) {}

  [[nodiscard]] Timer time(const char* stage) { return {*this, stage}; }
  void setWindow(int firstFrame, int length, std::size_t frameBytes);
  // What the service said about the window that this render had computed, and by which name its log has it; without
  // it the result was cached.
  void setService(const std::map<std::string, double>& stageTimes_s, const std::string& requestId) {
    service_s_ = stageTimes_s;
    requestId_ = requestId;
  }
  // Append the line; does nothing when no file is named.
  void write() const;
  // The same for people, times in ms.
  [[nodiscard]] std::string text() const;

 private:
  using Clock = std::chrono::steady_clock;

  int frame_;
  bool isPreview_;
  int windowFirst_ = 0;
  int windowLength_ = 0;
  std::size_t frameBytes_ = 0;
  std::map<std::string, double> stages_s_;
  std::map<std::string, double> service_s_;
  std::string requestId_;
  const Clock::time_point start_ = Clock::now();
};

}  // namespace stereo_convert
