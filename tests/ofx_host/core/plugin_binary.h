// A plugin binary: loaded by its path, its effects called by action.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "action_scope.h"
#include "effect.h"
#include "host.h"
#include "ofxCore.h"

namespace ofx_host {

class PluginBinary {
 public:
  // Throws std::runtime_error with the loader's words if the file cannot be loaded or lacks an entry point.
  explicit PluginBinary(const std::string& path);
  ~PluginBinary();  // unloads
  PluginBinary(const PluginBinary&) = delete;
  PluginBinary& operator=(const PluginBinary&) = delete;

  // Calls OfxSetHost if there is one, then counts. Throws std::runtime_error if the binary refuses.
  [[nodiscard]] std::vector<OfxPlugin*> plugins(Host* host);

 private:
  [[nodiscard]] void* symbol(const char* name) const;

  std::string path_;
  void* library_;
};

// Calls mainEntry as a host does: an exception that comes out is a problem and gives kOfxStatErrFatal.
OfxStatus callAction(const OfxPlugin& plugin, const std::string& action, Host* host, Effect* effect, PropertySet* in,
                     PropertySet* out);

struct RenderRequest {
  double time;
  OfxRectI window;  // pixels to render
  double scaleX = 1;
  double scaleY = 1;
  Picture output;  // fresh; its bounds hold the window
  std::map<std::string, OfxRectD> regionsOfInterest;
  std::optional<std::map<std::string, TimeRanges>> framesNeeded;
};

// Calls the render action and checks what it did to the output.
OfxStatus callRender(const OfxPlugin& plugin, Host* host, Effect* effect, PropertySet* in, RenderRequest request);

}  // namespace ofx_host
