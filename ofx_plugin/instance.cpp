#include "instance.h"

#include <cmath>
#include <string_view>

#include "param_set.h"

namespace stereo_convert {
namespace {

// Reads parameters one by one: hosts differ in which they know, and some getters fail and write nothing.
class ParamReader {
 public:
  ParamReader(OfxImageEffectHandle effect, double time) : params_(effect), time_(time) {}

  [[nodiscard]] double number(const ParamSpec& spec) const {
    const OfxParamHandle param = params_.find(spec.name);
    if (param == nullptr) return spec.defaultValue;
    if (spec.kind == ParamKind::Double) {
      double value = spec.defaultValue;
      const OfxStatus status = suites().parameter->paramGetValueAtTime(param, time_, &value);
      return status == kOfxStatOK ? value : spec.defaultValue;
    }
    int value = 0;
    if (suites().parameter->paramGetValueAtTime(param, time_, &value) != kOfxStatOK) return spec.defaultValue;
    if (spec.kind == ParamKind::Boolean) return value != 0 ? 1 : 0;
    if (spec.kind == ParamKind::Integer) return value;
    // A project of a later version may hold an option that we do not have.
    const bool known = value >= 0 && static_cast<std::size_t>(value) < spec.options.count;
    return known ? spec.options.first[value].value : spec.defaultValue;
  }

  [[nodiscard]] std::string text(const char* name) const {
    char* value = nullptr;
    const OfxParamHandle param = params_.find(name);
    if (param == nullptr || suites().parameter->paramGetValueAtTime(param, time_, &value) != kOfxStatOK) return {};
    return value == nullptr ? std::string() : std::string(value);
  }

 private:
  const ParamSet params_;
  const double time_;
};

bool hostSays(const char* property) {
  return Properties(suites().host).integer(property).value_or(0) != 0;
}

}  // namespace

Settings Instance::settings(double time) const {
  const ParamReader params(handle_, time);
  Settings settings;
  for (std::size_t index = 0; index < kSettingCount; ++index) {
    settings.set(static_cast<Setting>(index), params.number(kSettingParams[index]));
  }
  return settings;
}

ServiceChoice Instance::service(double time) const {
  const ParamReader params(handle_, time);
  ServiceChoice choice;
  choice.address = params.text(plugin_param::kAddress);
  choice.tokenFile = params.text(plugin_param::kTokenFile);
  choice.program = params.text(plugin_param::kServiceProgram);
  choice.timeout_s = params.number(pluginParam(plugin_param::kTimeout));
  choice.onError = static_cast<OnError>(params.number(pluginParam(plugin_param::kOnError)));
  return choice;
}

Preview Instance::preview(double time) const {
  return static_cast<Preview>(ParamReader(handle_, time).number(pluginParam(plugin_param::kPreview)));
}

bool Instance::writesLog(double time) const {
  return ParamReader(handle_, time).number(pluginParam(plugin_param::kWriteLog)) != 0;
}

int Instance::preset(double time) const {
  return static_cast<int>(ParamReader(handle_, time).number(pluginParam(plugin_param::kPreset)));
}

std::string Instance::modelToken(double time) const {
  return ParamReader(handle_, time).text(plugin_param::kModelToken);
}

std::optional<double> Instance::projectWidth() const {
  OfxPropertySetHandle properties = nullptr;
  if (suites().effect->getPropertySet(handle_, &properties) != kOfxStatOK) return {};
  return Properties(properties).real(kOfxImageEffectPropProjectSize, 0);
}

bool hostHasTemporalAccess() {
  return hostSays(kOfxImageEffectPropTemporalClipAccess);
}

bool hostLetsOutputGrow() {
  return hostSays(kOfxImageEffectPropSupportsMultiResolution);
}

bool hostIsNuke() {
  constexpr std::string_view kNuke = "uk.co.thefoundry.nuke";
  return Properties(suites().host).text(kOfxPropName).value_or("").compare(0, kNuke.size(), kNuke) == 0;
}

bool hostRendersParts() {
  return hostSays(kOfxImageEffectPropSupportsTiles);
}

}  // namespace stereo_convert
