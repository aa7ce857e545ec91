// One node of the host's graph, seen through its handle. It owns nothing: hosts make several instances for a node and
// some make one for each frame, so all that lasts is process-global.
#pragma once

#include <string>

#include "clip_image.h"
#include "params.h"
#include "settings.h"

namespace stereo_convert {

constexpr const char* kSourceClip = kOfxImageEffectSimpleSourceClipName;
constexpr const char* kDepthClip = "Depth";
constexpr const char* kOutputClip = kOfxImageEffectOutputClipName;

// Which service, and what to do when it fails.
struct ServiceChoice {
  std::string address;  // blank: local
  std::string tokenFile;
  std::string program;
  double timeout_s = 0;
  OnError onError = OnError::FailRender;
};

class Instance {
 public:
  explicit Instance(OfxImageEffectHandle handle) : handle_(handle) {}

  [[nodiscard]] OfxImageEffectHandle handle() const { return handle_; }
  [[nodiscard]] Clip clip(const char* name) const { return {handle_, name}; }
  [[nodiscard]] bool isAborted() const { return suites().effect->abort(handle_) != 0; }

  // Parameters at `time`; what the host does not know has its default.
  [[nodiscard]] Settings settings(double time) const;
  [[nodiscard]] ServiceChoice service(double time) const;
  [[nodiscard]] Preview preview(double time) const;
  [[nodiscard]] bool writesLog(double time) const;
  [[nodiscard]] int preset(double time) const;
  [[nodiscard]] std::string modelToken(double time) const;

  // In canonical coordinates; nothing when the host does not say.
  [[nodiscard]] std::optional<double> projectWidth() const;

 private:
  OfxImageEffectHandle handle_;
};

// What the host of this process can do.
[[nodiscard]] bool hostHasTemporalAccess();
[[nodiscard]] bool hostLetsOutputGrow();
[[nodiscard]] bool hostRendersParts();
[[nodiscard]] bool hostIsNuke();

}  // namespace stereo_convert
