// Windows that are being computed in this process: renders that need the same one wait instead of asking twice.
#pragma once

#include <memory>

#include "frame_key.h"
#include "patience.h"

namespace stereo_convert {

// Held by the one render that computes a window; letting it go wakes those that wait.
class WindowFlight {
 public:
  // The right to compute the window, or null after another render has finished with it, for better or worse: then look
  // again for the result. Throws Failure when patience ends.
  [[nodiscard]] static std::unique_ptr<WindowFlight> takeOrWait(const FrameKey& window, const Patience& patience);

  explicit WindowFlight(const FrameKey& window) : window_(window) {}
  ~WindowFlight();
  WindowFlight(const WindowFlight&) = delete;
  WindowFlight& operator=(const WindowFlight&) = delete;

 private:
  FrameKey window_;
};

}  // namespace stereo_convert
