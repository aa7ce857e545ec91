#include "plugin_binary.h"

#include <dlfcn.h>

#include <exception>
#include <sstream>
#include <stdexcept>

namespace ofx_host {

namespace {

OfxStatus enter(const OfxPlugin& plugin, const std::string& action, Effect* effect, PropertySet* in, PropertySet* out) {
  std::string what = "something that is no std::exception";
  try {
    return plugin.mainEntry(action.c_str(), effect == nullptr ? nullptr : effect->handle(),
                            in == nullptr ? nullptr : in->handle(), out == nullptr ? nullptr : out->handle());
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) {
  }
  currentJournal().problem("exception", action + " let an exception out: " + what);
  return kOfxStatErrFatal;
}

void checkOutput(PixelBuffer* pixels, const OfxRectI& window, OfxStatus status) {
  const std::size_t guards = pixels->brokenGuards();
  if (guards > 0)
    currentJournal().problem("guard", std::to_string(guards) + " bytes outside the rows of Output were written");
  const std::size_t outside = pixels->writtenOutside(window);
  if (outside > 0)
    currentJournal().problem("outside-window",
                             std::to_string(outside) + " pixels of Output outside the render window were written");
  if (status != kOfxStatOK) return;
  std::string first;
  const std::size_t missing = pixels->unwritten(window, &first);
  if (missing > 0)
    currentJournal().problem(
        "unwritten", std::to_string(missing) + " pixels of the render window were not written, the first at " + first);
}

}  // namespace

PluginBinary::PluginBinary(const std::string& path)
    : path_(path), library_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (library_ == nullptr) throw std::runtime_error(std::string("cannot load the plugin: ") + dlerror());
}

PluginBinary::~PluginBinary() {
  dlclose(library_);
}

void* PluginBinary::symbol(const char* name) const {
  return dlsym(library_, name);
}

std::vector<OfxPlugin*> PluginBinary::plugins(Host* host) {
  using SetHost = OfxStatus (*)(const OfxHost*);
  using Count = int (*)();
  using Get = OfxPlugin* (*)(int);
  const auto setHost = reinterpret_cast<SetHost>(symbol("OfxSetHost"));
  const auto count = reinterpret_cast<Count>(symbol("OfxGetNumberOfPlugins"));
  const auto get = reinterpret_cast<Get>(symbol("OfxGetPlugin"));
  if (count == nullptr || get == nullptr)
    throw std::runtime_error(path_ + " exports no OfxGetNumberOfPlugins and OfxGetPlugin: it is no OpenFX plugin");
  if (setHost != nullptr && setHost(host->ofxHost()) != kOfxStatOK)
    throw std::runtime_error(path_ + ": OfxSetHost refused this host");
  std::vector<OfxPlugin*> plugins;
  for (int i = 0; i < count(); ++i) plugins.push_back(get(i));
  return plugins;
}

OfxStatus callAction(const OfxPlugin& plugin, const std::string& action, Host* host, Effect* effect, PropertySet* in,
                     PropertySet* out) {
  const ActionScope scope(action, effect, host);
  return enter(plugin, action, effect, in, out);
}

OfxStatus callRender(const OfxPlugin& plugin, Host* host, Effect* effect, PropertySet* in, RenderRequest request) {
  const std::shared_ptr<PixelBuffer> pixels = request.output.pixels;
  OfxStatus status;
  {
    ActionScope scope(kOfxImageEffectActionRender, effect, host);
    scope.time = request.time;
    scope.scaleX = request.scaleX;
    scope.scaleY = request.scaleY;
    scope.output = std::move(request.output);
    scope.regionsOfInterest = std::move(request.regionsOfInterest);
    scope.framesNeeded = std::move(request.framesNeeded);
    status = enter(plugin, kOfxImageEffectActionRender, effect, in, nullptr);
  }
  // What an aborted render leaves is nobody's concern, as long as it stays in its memory.
  checkOutput(pixels.get(), request.window, effect->aborting() ? kOfxStatFailed : status);
  return status;
}

}  // namespace ofx_host
