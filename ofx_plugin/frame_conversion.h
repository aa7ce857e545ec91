// ③–⑧ The converted picture of one frame: from the cache when its window is known, else from the service.
#pragma once

#include <optional>

#include "instance.h"
#include "render_mode.h"
#include "service_client.h"
#include "trace.h"
#include "window_source.h"

namespace stereo_convert {

struct ConvertedFrame {
  SharedBlock block;
  OfxPointI origin{};  // lower left corner of its pixels
};

class FrameConversion {
 public:
  // Connects to the service; `settings` are those of the panel. Throws Failure.
  FrameConversion(const Instance& instance, const Settings& settings, double time, const RenderMode& mode,
                  RenderTrace& trace);

  // Throws Failure.
  [[nodiscard]] ConvertedFrame run();

 private:
  [[nodiscard]] std::optional<ConvertedFrame> known();
  [[nodiscard]] std::vector<WindowFrame> recall(const char* clip, OfxRectI& bounds);
  [[nodiscard]] FetchedWindow fetch(const char* clip);
  [[nodiscard]] std::vector<int> wantedFrames() const;
  [[nodiscard]] FrameKey windowKey(const std::string& modelVersion) const;
  [[nodiscard]] SharedBlock cached(const FrameKey& window) const;
  [[nodiscard]] SharedBlock cachedOrConverted();
  [[nodiscard]] SharedBlock convert();

  const Instance& instance_;
  const Settings panel_;     // as the artist set them
  const Settings settings_;  // as the mode applies them
  const std::string note_;   // what the mode leaves out
  const FrameTime time_;
  const Window window_;
  const int index_;  // of the frame in its window
  RenderTrace& trace_;
  const ServiceChoice choice_;
  const Patience patience_;
  const std::shared_ptr<ServiceClient> client_;
  const std::shared_ptr<const ServiceSession> session_;
  WindowRequest request_;
};

}  // namespace stereo_convert
