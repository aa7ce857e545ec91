// Two small effects to test the host with.
//
// `org.stereoconvert.example.Gain` multiplies the source at time + offset by a gain, in every depth. Its string
// parameter `fault` makes it break one rule, so that each check of the host can be seen to fail.
// `org.stereoconvert.example.Careless` breaks rules while it describes itself.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

#include "ofxCore.h"
#include "ofxImageEffect.h"
#include "ofxMemory.h"
#include "ofxMessage.h"
#include "ofxParam.h"
#include "ofxProperty.h"

#if defined(_WIN32)
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace {

OfxHost* host = nullptr;
const OfxPropertySuiteV1* props = nullptr;
const OfxImageEffectSuiteV1* effects = nullptr;
const OfxParameterSuiteV1* params = nullptr;
const OfxMessageSuiteV2* messages = nullptr;
const OfxMemorySuiteV1* memory = nullptr;

struct View {
  OfxPropertySetHandle handle = nullptr;
  std::uint8_t* data = nullptr;
  int bounds[4] = {0, 0, 0, 0};
  int rowBytes = 0;
  std::string depth;
  int channels = 0;

  [[nodiscard]] int sampleBytes() const { return depth == kOfxBitDepthByte ? 1 : depth == kOfxBitDepthFloat ? 4 : 2; }
  [[nodiscard]] std::uint8_t* pixel(int x, int y) const {
    return data + static_cast<std::ptrdiff_t>(y - bounds[1]) * rowBytes +
           static_cast<std::ptrdiff_t>(x - bounds[0]) * channels * sampleBytes();
  }
  [[nodiscard]] bool holds(int x, int y) const {
    return x >= bounds[0] && x < bounds[2] && y >= bounds[1] && y < bounds[3];
  }
};

View fetch(OfxImageEffectHandle effect, const char* clipName, double time) {
  View view;
  OfxImageClipHandle clip = nullptr;
  effects->clipGetHandle(effect, clipName, &clip, nullptr);
  if (clip == nullptr || effects->clipGetImage(clip, time, nullptr, &view.handle) != kOfxStatOK) view.handle = nullptr;
  if (view.handle == nullptr) return view;
  void* data = nullptr;
  char* text = nullptr;
  props->propGetPointer(view.handle, kOfxImagePropData, 0, &data);
  props->propGetIntN(view.handle, kOfxImagePropBounds, 4, view.bounds);
  props->propGetInt(view.handle, kOfxImagePropRowBytes, 0, &view.rowBytes);
  if (props->propGetString(view.handle, kOfxImageEffectPropPixelDepth, 0, &text) == kOfxStatOK) view.depth = text;
  if (props->propGetString(view.handle, kOfxImageEffectPropComponents, 0, &text) == kOfxStatOK)
    view.channels = std::strcmp(text, kOfxImageComponentAlpha) == 0 ? 1
                    : std::strcmp(text, kOfxImageComponentRGB) == 0 ? 3
                                                                    : 4;
  view.data = static_cast<std::uint8_t*>(data);
  return view;
}

void release(const View& view) {
  if (view.handle != nullptr) effects->clipReleaseImage(view.handle);
}

// Half has no type here; gain 1 copies its bits.
void scaleSample(const View& view, const std::uint8_t* from, std::uint8_t* to, double gain) {
  if (view.depth == kOfxBitDepthFloat) {
    float value;
    std::memcpy(&value, from, sizeof value);
    value = static_cast<float>(value * gain);
    std::memcpy(to, &value, sizeof value);
  } else if (view.depth == kOfxBitDepthByte) {
    *to = static_cast<std::uint8_t>(std::min(255.0, std::round(*from * gain)));
  } else if (view.depth == kOfxBitDepthShort) {
    std::uint16_t value;
    std::memcpy(&value, from, sizeof value);
    value = static_cast<std::uint16_t>(std::min(65535.0, std::round(value * gain)));
    std::memcpy(to, &value, sizeof value);
  } else {
    std::memcpy(to, from, 2);
  }
}

template <typename T>
T valueOf(OfxImageEffectHandle effect, const char* name, double time) {
  OfxParamSetHandle set = nullptr;
  OfxParamHandle param = nullptr;
  T value{};
  effects->getParamSet(effect, &set);
  params->paramGetHandle(set, name, &param, nullptr);
  params->paramGetValueAtTime(param, time, &value);
  return value;
}

// Breaks the rule that `fault` names, where that needs no pixels.
OfxStatus misbehave(const std::string& fault, OfxImageEffectHandle effect, const View& source, double time) {
  OfxPropertySetHandle instance = nullptr;
  effects->getPropertySet(effect, &instance);
  if (fault == "leak-image") fetch(effect, "Source", time);
  if (fault == "release-twice") {
    const View extra = fetch(effect, "Source", time);
    release(extra);
    release(extra);
  }
  if (fault == "write-input") source.data[0] ^= 1;
  if (fault == "read-far") release(fetch(effect, "Source", time + 5));
  if (fault == "unknown-property") props->propSetInt(instance, "OfxPropNonsense", 0, 1);
  if (fault == "wrong-type") props->propSetDouble(instance, kOfxImageEffectInstancePropSequentialRender, 0, 1.0);
  if (fault == "read-only") props->propSetString(instance, kOfxImageEffectPropContext, 0, "x");
  if (fault == "leak-memory") {
    void* lost = nullptr;
    memory->memoryAlloc(effect, 10, &lost);
  }
  if (fault == "set-param") {
    OfxParamSetHandle set = nullptr;
    OfxParamHandle param = nullptr;
    effects->getParamSet(effect, &set);
    params->paramGetHandle(set, "gain", &param, nullptr);
    params->paramSetValue(param, 1.5);
  }
  if (fault == "throw") throw std::runtime_error("thrown on purpose");
  if (fault == "wait")
    while (effects->abort(effect) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (fault == "wait") return kOfxStatFailed;
  if (fault == "fail") {
    const char* text = "failed on %s";
    if (messages != nullptr && messages->setPersistentMessage != nullptr)
      messages->setPersistentMessage(effect, kOfxMessageError, "", text, "purpose");
    else if (messages != nullptr)
      messages->message(effect, kOfxMessageError, "", text, "purpose");
    return kOfxStatFailed;
  }
  return kOfxStatOK;
}

void paint(const View& source, const View& output, const int* window, double gain, const std::string& fault) {
  for (int y = window[1]; y < window[3]; ++y)
    for (int x = window[0]; x < window[2]; ++x) {
      if (fault == "unwritten" && x == window[0] + 1 && y == window[1] + 1) continue;
      for (int c = 0; c < output.channels; ++c) {
        std::uint8_t* to = output.pixel(x, y) + c * output.sampleBytes();
        if (source.data != nullptr && source.holds(x, y))
          scaleSample(output, source.pixel(x, y) + c * output.sampleBytes(), to, gain);
        else
          std::memset(to, 0, static_cast<std::size_t>(output.sampleBytes()));
      }
    }
  if (fault == "overrun")
    *output.pixel(output.bounds[2], output.rowBytes > 0 ? output.bounds[3] - 1 : output.bounds[1]) ^= 0xFF;
  if (fault == "underrun")
    *(output.pixel(output.bounds[0], output.rowBytes > 0 ? output.bounds[1] : output.bounds[3] - 1) - 1) ^= 0xFF;
  if (fault == "outside-window") *output.pixel(output.bounds[0], output.bounds[1]) ^= 0xFF;
}

OfxStatus render(OfxImageEffectHandle effect, OfxPropertySetHandle in) {
  double time = 0;
  int window[4];
  props->propGetDouble(in, kOfxPropTime, 0, &time);
  props->propGetIntN(in, kOfxImageEffectPropRenderWindow, 4, window);
  const std::string fault = valueOf<const char*>(effect, "fault", time);
  const View source = fetch(effect, "Source", time + valueOf<int>(effect, "offset", time));
  if (source.handle != nullptr && source.data == nullptr && fault == "need-data") return kOfxStatFailed;
  const OfxStatus status = misbehave(fault, effect, source, time);
  if (status == kOfxStatOK) {
    const View output = fetch(effect, "Output", time);
    paint(source, output, window, valueOf<double>(effect, "gain", time), fault);
    if (fault != "leak-output") release(output);
    const bool clears = messages != nullptr && messages->clearPersistentMessage != nullptr && fault != "keep-error";
    if (clears) messages->clearPersistentMessage(effect);
  }
  release(source);
  return status;
}

OfxStatus framesNeeded(OfxImageEffectHandle effect, OfxPropertySetHandle in, OfxPropertySetHandle out) {
  double time = 0;
  props->propGetDouble(in, kOfxPropTime, 0, &time);
  time += valueOf<int>(effect, "offset", time);
  const double range[2] = {time, time};
  props->propSetDoubleN(out, "OfxImageClipPropFrameRange_Source", 2, range);
  return kOfxStatOK;
}

OfxStatus isIdentity(OfxImageEffectHandle effect, OfxPropertySetHandle in, OfxPropertySetHandle out) {
  double time = 0;
  props->propGetDouble(in, kOfxPropTime, 0, &time);
  if (valueOf<int>(effect, "bypass", time) == 0) return kOfxStatReplyDefault;
  props->propSetString(out, kOfxPropName, 0, "Source");
  return kOfxStatOK;
}

OfxStatus describe(OfxImageEffectHandle effect) {
  OfxPropertySetHandle set = nullptr;
  effects->getPropertySet(effect, &set);
  props->propSetString(set, kOfxPropLabel, 0, "Gain");
  props->propSetString(set, kOfxImageEffectPluginRenderThreadSafety, 0, kOfxImageEffectRenderFullySafe);
  props->propSetString(set, kOfxImageEffectPropSupportedContexts, 0, kOfxImageEffectContextFilter);
  props->propSetString(set, kOfxImageEffectPropSupportedContexts, 1, kOfxImageEffectContextGeneral);
  const char* const depths[] = {kOfxBitDepthByte, kOfxBitDepthShort, kOfxBitDepthHalf, kOfxBitDepthFloat};
  props->propSetStringN(set, kOfxImageEffectPropSupportedPixelDepths, 4, depths);
  props->propSetInt(set, kOfxImageEffectPropTemporalClipAccess, 0, 1);
  return kOfxStatOK;
}

void defineClip(OfxImageEffectHandle effect, const char* name, bool optional) {
  OfxPropertySetHandle clip = nullptr;
  effects->clipDefine(effect, name, &clip);
  const char* const components[] = {kOfxImageComponentRGBA, kOfxImageComponentRGB, kOfxImageComponentAlpha};
  props->propSetStringN(clip, kOfxImageEffectPropSupportedComponents, 3, components);
  props->propSetInt(clip, kOfxImageEffectPropTemporalClipAccess, 0, 1);
  if (optional) props->propSetInt(clip, kOfxImageClipPropOptional, 0, 1);
}

OfxStatus describeInContext(OfxImageEffectHandle effect) {
  defineClip(effect, "Output", false);
  defineClip(effect, "Source", false);
  defineClip(effect, "Depth", true);
  OfxParamSetHandle set = nullptr;
  OfxPropertySetHandle param = nullptr;
  effects->getParamSet(effect, &set);
  params->paramDefine(set, kOfxParamTypeDouble, "gain", &param);
  props->propSetDouble(param, kOfxParamPropDefault, 0, 1.0);
  params->paramDefine(set, kOfxParamTypeInteger, "offset", nullptr);
  params->paramDefine(set, kOfxParamTypeBoolean, "bypass", nullptr);
  params->paramDefine(set, kOfxParamTypeString, "fault", nullptr);
  params->paramDefine(set, kOfxParamTypePushButton, "double", nullptr);
  params->paramDefine(set, kOfxParamTypeChoice, "mode", &param);
  props->propSetString(param, kOfxParamPropChoiceOption, 0, "First");
  props->propSetString(param, kOfxParamPropChoiceOption, 1, "Second");
  return kOfxStatOK;
}

// The button doubles the gain.
OfxStatus instanceChanged(OfxImageEffectHandle effect, OfxPropertySetHandle in) {
  char* name = nullptr;
  props->propGetString(in, kOfxPropName, 0, &name);
  if (name == nullptr || std::strcmp(name, "double") != 0) return kOfxStatReplyDefault;
  OfxParamSetHandle set = nullptr;
  OfxParamHandle param = nullptr;
  effects->getParamSet(effect, &set);
  params->paramGetHandle(set, "gain", &param, nullptr);
  params->paramSetValue(param, 2 * valueOf<double>(effect, "gain", 0));
  return kOfxStatOK;
}

// Writes only what changed: some hosts load again on one thread while another renders.
template <typename Suite>
void fetchSuite(const Suite*& suite, const char* name, int version) {
  const auto* fetched = static_cast<const Suite*>(host->fetchSuite(host->host, name, version));
  if (suite != fetched) suite = fetched;
}

OfxStatus load() {
  fetchSuite(props, kOfxPropertySuite, 1);
  fetchSuite(effects, kOfxImageEffectSuite, 1);
  fetchSuite(params, kOfxParameterSuite, 1);
  fetchSuite(memory, kOfxMemorySuite, 1);
  fetchSuite(messages, kOfxMessageSuite, 2);
  return props != nullptr && effects != nullptr && params != nullptr ? kOfxStatOK : kOfxStatErrMissingHostFeature;
}

OfxStatus gainMain(const char* action, const void* handle, OfxPropertySetHandle in, OfxPropertySetHandle out) {
  auto* effect = static_cast<OfxImageEffectHandle>(const_cast<void*>(handle));
  const std::string name = action;
  if (name == kOfxActionLoad) return load();
  if (name == kOfxActionDescribe) return describe(effect);
  if (name == kOfxImageEffectActionDescribeInContext) return describeInContext(effect);
  if (name == kOfxActionCreateInstance || name == kOfxActionDestroyInstance) return kOfxStatOK;
  if (name == kOfxActionInstanceChanged) return instanceChanged(effect, in);
  if (name == kOfxImageEffectActionGetFramesNeeded) return framesNeeded(effect, in, out);
  if (name == kOfxImageEffectActionIsIdentity) return isIdentity(effect, in, out);
  if (name == kOfxImageEffectActionRender) return render(effect, in);
  return kOfxStatReplyDefault;
}

// Defines a param twice, sets a property that does not exist, and does not answer CreateInstance.
OfxStatus carelessMain(const char* action, const void* handle, OfxPropertySetHandle in, OfxPropertySetHandle out) {
  auto* effect = static_cast<OfxImageEffectHandle>(const_cast<void*>(handle));
  const std::string name = action;
  if (name == kOfxImageEffectActionDescribeInContext) {
    const OfxStatus status = describeInContext(effect);
    OfxParamSetHandle set = nullptr;
    effects->getParamSet(effect, &set);
    params->paramDefine(set, kOfxParamTypeDouble, "gain", nullptr);
    return status;
  }
  if (name == kOfxActionDescribe) {
    OfxPropertySetHandle set = nullptr;
    effects->getPropertySet(effect, &set);
    props->propSetInt(set, "OfxPropNonsense", 0, 1);
  }
  if (name == kOfxActionCreateInstance) return kOfxStatReplyDefault;
  return gainMain(action, handle, in, out);
}

void setHost(OfxHost* given) {
  host = given;
}

OfxPlugin gain = {kOfxImageEffectPluginApi, 1, "org.stereoconvert.example.Gain", 1, 0, setHost, gainMain};
OfxPlugin careless = {kOfxImageEffectPluginApi, 1, "org.stereoconvert.example.Careless", 1, 0, setHost, carelessMain};

}  // namespace

EXPORT int OfxGetNumberOfPlugins() {
  return 2;
}
EXPORT OfxPlugin* OfxGetPlugin(int nth) {
  return nth == 0 ? &gain : nth == 1 ? &careless : nullptr;
}
