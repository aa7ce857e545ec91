#include "describe.h"

#include <string_view>

#include "instance.h"
#include "params.h"
#include "properties.h"
#include "version.h"

namespace stereo_convert {
namespace {

constexpr const char* kDescription =
    "Makes the right eye of a mono clip. The pictures go to the Stereo Convert service on this machine or another, "
    "which finds or reads depth, warps the left eye and fills what it never saw.";

void describeClip(OfxImageEffectHandle effect, const char* name, const char* label, bool isDepth) {
  OfxPropertySetHandle handle = nullptr;
  if (suites().effect->clipDefine(effect, name, &handle) != kOfxStatOK) return;
  const Properties clip(handle);
  clip.set(kOfxPropLabel, label);
  clip.set(kOfxImageEffectPropSupportedComponents, kOfxImageComponentRGBA, 0);
  clip.set(kOfxImageEffectPropSupportedComponents, kOfxImageComponentRGB, 1);
  if (isDepth) {
    clip.set(kOfxImageEffectPropSupportedComponents, kOfxImageComponentAlpha, 2);
    clip.set(kOfxImageClipPropOptional, 1);
  }
  clip.set(kOfxImageEffectPropTemporalClipAccess, name == kOutputClip ? 0 : 1);
  clip.set(kOfxImageEffectPropSupportsTiles, 0);
}

const char* ofxType(ParamKind kind) {
  switch (kind) {
    case ParamKind::Choice:
      return kOfxParamTypeChoice;
    case ParamKind::Double:
      return kOfxParamTypeDouble;
    case ParamKind::Integer:
      return kOfxParamTypeInteger;
    case ParamKind::Boolean:
      return kOfxParamTypeBoolean;
    case ParamKind::Button:
      return kOfxParamTypePushButton;
    default:
      return kOfxParamTypeString;
  }
}

void describeChoice(const Properties& param, const ParamSpec& spec) {
  for (std::size_t index = 0; index < spec.options.count; ++index) {
    const Option& option = spec.options.first[index];
    param.set(kOfxParamPropChoiceOption, option.label, static_cast<int>(index));
    if (option.value == spec.defaultValue) param.set(kOfxParamPropDefault, static_cast<int>(index));
  }
}

// `Number` is double or int: a property that hosts hold as the one refuses the other.
template <typename Number>
void describeNumber(const Properties& param, const ParamSpec& spec) {
  param.set(kOfxParamPropDefault, static_cast<Number>(spec.defaultValue));
  param.set(kOfxParamPropMin, static_cast<Number>(spec.range.low));
  param.set(kOfxParamPropMax, static_cast<Number>(spec.range.high));
  param.set(kOfxParamPropDisplayMin, static_cast<Number>(spec.slider.low));
  param.set(kOfxParamPropDisplayMax, static_cast<Number>(spec.slider.high));
}

void describeText(const Properties& param, const ParamSpec& spec) {
  const bool isVersion = std::string_view(spec.name) == plugin_param::kVersion;
  param.set(kOfxParamPropDefault, isVersion ? STEREO_CONVERT_VERSION : "");
  const char* mode = spec.kind == ParamKind::Label      ? kOfxParamStringIsLabel
                     : spec.kind == ParamKind::FilePath ? kOfxParamStringIsFilePath
                                                        : kOfxParamStringIsSingleLine;
  param.set(kOfxParamPropStringMode, mode);
  if (spec.kind != ParamKind::Label) return;
  param.set(kOfxParamPropPersistant, spec.evaluates ? 1 : 0);  // what hosts know a picture by belongs into the project
  param.set(kOfxParamPropEnabled, 0);
}

void describeParam(OfxParamSetHandle params, const ParamSpec& spec) {
  OfxPropertySetHandle handle = nullptr;
  if (suites().parameter->paramDefine(params, ofxType(spec.kind), spec.name, &handle) != kOfxStatOK) return;
  const Properties param(handle);
  param.set(kOfxPropLabel, spec.label);
  param.set(kOfxParamPropScriptName, spec.name);
  param.set(kOfxParamPropHint, spec.hint);
  if (spec.group != nullptr) param.set(kOfxParamPropParent, spec.group);
  if (spec.kind == ParamKind::Button) return;
  param.set(kOfxParamPropAnimates, spec.animates ? 1 : 0);
  if (!spec.evaluates) param.set(kOfxParamPropEvaluateOnChange, 0);
  switch (spec.kind) {
    case ParamKind::Choice:
      return describeChoice(param, spec);
    case ParamKind::Double:
      param.set(kOfxParamPropDoubleType, kOfxParamDoubleTypePlain);
      return describeNumber<double>(param, spec);
    case ParamKind::Integer:
      return describeNumber<int>(param, spec);
    case ParamKind::Boolean:
      param.set(kOfxParamPropDefault, static_cast<int>(spec.defaultValue));
      return;
    default:
      return describeText(param, spec);
  }
}

void describeParam(OfxParamSetHandle params, const GroupSpec& spec) {
  OfxPropertySetHandle handle = nullptr;
  if (suites().parameter->paramDefine(params, kOfxParamTypeGroup, spec.name, &handle) != kOfxStatOK) return;
  const Properties group(handle);
  group.set(kOfxPropLabel, spec.label);
  group.set(kOfxParamPropGroupOpen, spec.open ? 1 : 0);
}

// Calls `visit(spec)` for every group and parameter in the order of the panel: what is in no group, then each group
// followed by its members.
template <typename Visit>
void forPanel(Visit visit) {
  const auto members = [&visit](const char* group) {
    for (const ParamSpec& param : kSettingParams) {
      if (param.group == group) visit(param);
    }
    for (const ParamSpec& param : kPluginParams) {
      if (param.group == group) visit(param);
    }
  };
  members(nullptr);
  for (const GroupSpec& group : kGroups) {
    visit(group);
    members(group.name);
  }
}

void describePanel(OfxParamSetHandle params) {
  OfxPropertySetHandle handle = nullptr;
  if (suites().parameter->paramDefine(params, kOfxParamTypePage, "controls", &handle) == kOfxStatOK) {
    const Properties page(handle);
    page.set(kOfxPropLabel, "Controls");
    int index = 0;
    forPanel([&](const auto& spec) { page.set(kOfxParamPropPageChild, spec.name, index++); });
  }
  forPanel([params](const auto& spec) { describeParam(params, spec); });
}

}  // namespace

OfxStatus describe(OfxImageEffectHandle effect) {
  OfxPropertySetHandle handle = nullptr;
  if (suites().effect->getPropertySet(effect, &handle) != kOfxStatOK) return kOfxStatErrBadHandle;
  const Properties properties(handle);
  properties.set(kOfxPropLabel, "Stereo Convert");
  properties.set(kOfxPropShortLabel, "Stereo Convert");
  properties.set(kOfxPropLongLabel, "Stereo Convert " STEREO_CONVERT_VERSION);
  properties.set(kOfxImageEffectPluginPropGrouping, "Stereo");
  properties.set(kOfxPropPluginDescription, kDescription);
  properties.set(kOfxImageEffectPropSupportedContexts, kOfxImageEffectContextFilter, 0);
  properties.set(kOfxImageEffectPropSupportedContexts, kOfxImageEffectContextGeneral, 1);
  const char* const depths[] = {kOfxBitDepthFloat, kOfxBitDepthHalf, kOfxBitDepthShort, kOfxBitDepthByte};
  for (int index = 0; index < 4; ++index) {
    properties.set(kOfxImageEffectPropSupportedPixelDepths, depths[index], index);
  }
  properties.set(kOfxImageEffectPropTemporalClipAccess, 1);
  properties.set(kOfxImageEffectPropSupportsTiles, 0);  // depth and fill look at whole frames
  properties.set(kOfxImageEffectPropSupportsMultiResolution, 1);
  properties.set(kOfxImageEffectPropSupportsMultipleClipDepths, 0);
  properties.set(kOfxImageEffectPropSupportsMultipleClipPARs, 0);
  properties.set(kOfxImageEffectPluginPropSingleInstance, 0);
  properties.set(kOfxImageEffectPluginPropHostFrameThreading, 0);
  properties.set(kOfxImageEffectPluginPropFieldRenderTwiceAlways, 0);
  properties.set(kOfxImageEffectPluginRenderThreadSafety, kOfxImageEffectRenderFullySafe);
  return kOfxStatOK;
}

OfxStatus describeInContext(OfxImageEffectHandle effect) {
  describeClip(effect, kOutputClip, "Output", false);
  describeClip(effect, kSourceClip, "Source", false);
  describeClip(effect, kDepthClip, "Depth", true);

  OfxParamSetHandle params = nullptr;
  if (suites().effect->getParamSet(effect, &params) != kOfxStatOK) return kOfxStatErrBadHandle;
  describePanel(params);
  return kOfxStatOK;
}

}  // namespace stereo_convert
