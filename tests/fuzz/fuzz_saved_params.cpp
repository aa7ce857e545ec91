// What a host hands over from a saved project: any number in any parameter, any text, options of later versions.
// Settings, their message and the wait for the service can be made of all of it.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdarg>
#include <cstring>
#include <map>

#include "instance.h"
#include "patience.h"
#include "settings_wire.h"

namespace stereo_convert::fuzz {
namespace {

// One parameter as the project has it; which of the three is read follows from the name.
struct SavedParam {
  ParamKind kind;
  bool isKnown;
  double number;
  int whole;
  std::string text;
};
std::map<std::string, SavedParam> project;

OfxStatus getParamSet(OfxImageEffectHandle, OfxParamSetHandle* set) {
  *set = reinterpret_cast<OfxParamSetHandle>(&project);
  return kOfxStatOK;
}

OfxStatus getHandle(OfxParamSetHandle, const char* name, OfxParamHandle* param, OfxPropertySetHandle*) {
  const auto found = project.find(name);
  if (found == project.end()) return kOfxStatErrUnknown;
  *param = reinterpret_cast<OfxParamHandle>(&found->second);
  return kOfxStatOK;
}

bool isText(ParamKind kind) {
  return kind != ParamKind::Double && kind != ParamKind::Choice && kind != ParamKind::Integer &&
         kind != ParamKind::Boolean;
}

OfxStatus getValueAtTime(OfxParamHandle handle, OfxTime time, ...) {
  const auto& param = *reinterpret_cast<const SavedParam*>(handle);
  if (!param.isKnown) return kOfxStatErrValue;
  va_list arguments;
  va_start(arguments, time);
  void* value = va_arg(arguments, void*);
  va_end(arguments);
  if (param.kind == ParamKind::Double) {
    *static_cast<double*>(value) = param.number;
  } else if (isText(param.kind)) {
    *static_cast<const char**>(value) = param.text.c_str();
  } else {
    *static_cast<int*>(value) = param.whole;
  }
  return kOfxStatOK;
}

const void* fetchSuite(OfxPropertySetHandle, const char* name, int) {
  static const OfxPropertySuiteV1 property{};
  static const OfxImageEffectSuiteV1 effect = [] {
    OfxImageEffectSuiteV1 suite{};
    suite.getParamSet = getParamSet;
    return suite;
  }();
  static const OfxParameterSuiteV1 parameter = [] {
    OfxParameterSuiteV1 suite{};
    suite.paramGetHandle = getHandle;
    suite.paramGetValueAtTime = getValueAtTime;
    return suite;
  }();
  if (std::strcmp(name, kOfxPropertySuite) == 0) return &property;
  if (std::strcmp(name, kOfxImageEffectSuite) == 0) return &effect;
  return std::strcmp(name, kOfxParameterSuite) == 0 ? &parameter : nullptr;
}

template <typename Specs>
void fill(const Specs& specs, FuzzedDataProvider& saved) {
  for (const ParamSpec& spec : specs) {
    project[spec.name] = {spec.kind, saved.ConsumeIntegralInRange(0, 7) != 7, saved.ConsumeFloatingPoint<double>(),
                          saved.ConsumeIntegral<int>(),
                          isText(spec.kind) ? saved.ConsumeRandomLengthString(40) : std::string()};
    if (saved.ConsumeIntegralInRange(0, 15) == 15) project.erase(spec.name);
  }
}

// Any eight bytes are a double: infinities and NaN too, which ConsumeFloatingPoint leaves out.
void fillOddDoubles(FuzzedDataProvider& saved) {
  for (auto& [name, param] : project) {
    if (saved.ConsumeIntegralInRange(0, 3) != 3) continue;
    const std::uint64_t bits = saved.ConsumeIntegral<std::uint64_t>();
    std::memcpy(&param.number, &bits, sizeof bits);
  }
}

void useAll(const Instance& instance) {
  const Settings settings = instance.settings(0);
  (void)toWire(settings).SerializeAsString();
  (void)(settings.isIdentity() || settings.usesDepthClip());
  if (settings.widthFactor() * settings.heightFactor() > 2) std::abort();

  const ServiceChoice choice = instance.service(0);
  const Patience patience({std::chrono::duration<double>(choice.timeout_s), nullptr});
  (void)patience.atMost(std::chrono::duration<double>(60)).deadline();
  (void)(instance.preview(0) == Preview::AlwaysFinal || instance.writesLog(0));
  (void)instance.preset(0);
  (void)instance.modelToken(0);
}

}  // namespace
}  // namespace stereo_convert::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stereo_convert;
  static const OfxHost host{nullptr, fuzz::fetchSuite};
  setHost(&host);
  if (!fetchSuites()) std::abort();
  FuzzedDataProvider saved(data, size);
  fuzz::fill(kPluginParams, saved);
  fuzz::fill(kSettingParams, saved);
  fuzz::fillOddDoubles(saved);
  fuzz::useAll(Instance(nullptr));
  return 0;
}
