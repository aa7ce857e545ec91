#include "property_tables.h"

#include <cfloat>
#include <climits>
#include <map>

#include "ofxImageEffect.h"

namespace ofx_host {

namespace {

constexpr int kAny = 0;
constexpr bool kReadOnly = false;
const PropertyValue kText = std::string();
const PropertyValue kNull = static_cast<void*>(nullptr);

const std::map<std::string, ParamType>& paramTypes() {
  static const std::map<std::string, ParamType> types = {
      {kOfxParamTypeInteger, {ParamStorage::kInts, 1}},     {kOfxParamTypeInteger2D, {ParamStorage::kInts, 2}},
      {kOfxParamTypeInteger3D, {ParamStorage::kInts, 3}},   {kOfxParamTypeDouble, {ParamStorage::kDoubles, 1}},
      {kOfxParamTypeDouble2D, {ParamStorage::kDoubles, 2}}, {kOfxParamTypeDouble3D, {ParamStorage::kDoubles, 3}},
      {kOfxParamTypeBoolean, {ParamStorage::kInts, 1}},     {kOfxParamTypeChoice, {ParamStorage::kInts, 1}},
      {kOfxParamTypeRGB, {ParamStorage::kDoubles, 3}},      {kOfxParamTypeRGBA, {ParamStorage::kDoubles, 4}},
      {kOfxParamTypeString, {ParamStorage::kText, 1}},      {kOfxParamTypeCustom, {ParamStorage::kText, 1}},
      {kOfxParamTypeGroup, {ParamStorage::kNone, 0}},       {kOfxParamTypePage, {ParamStorage::kNone, 0}},
      {kOfxParamTypePushButton, {ParamStorage::kNone, 0}},
  };
  return types;
}

void addNumberRules(const std::string& type, const ParamType& kind, std::vector<PropertyRule>* rules) {
  const bool isInt = kind.storage == ParamStorage::kInts;
  PropertyValue low = -DBL_MAX;
  PropertyValue high = DBL_MAX;
  if (isInt) low.emplace<int>(INT_MIN);
  if (isInt) high.emplace<int>(INT_MAX);
  for (const char* name : {kOfxParamPropMin, kOfxParamPropDisplayMin}) rules->push_back({name, low, kind.count});
  for (const char* name : {kOfxParamPropMax, kOfxParamPropDisplayMax}) rules->push_back({name, high, kind.count});
  if (!isInt) {
    rules->push_back({kOfxParamPropIncrement, 1.0});
    rules->push_back({kOfxParamPropDigits, 2});
    rules->push_back({kOfxParamPropDoubleType, std::string(kOfxParamDoubleTypePlain)});
  }
  if (kind.count > 1 && type != kOfxParamTypeRGB && type != kOfxParamTypeRGBA)
    rules->push_back({kOfxParamPropDimensionLabel, kText, kind.count});
}

void addValueRules(const std::string& type, const ParamType& kind, std::vector<PropertyRule>* rules) {
  PropertyValue zero = kText;
  if (kind.storage == ParamStorage::kInts) zero.emplace<int>(0);
  if (kind.storage == ParamStorage::kDoubles) zero.emplace<double>(0.0);
  rules->push_back({kOfxParamPropDefault, zero, kind.count});
  rules->push_back({kOfxParamPropAnimates, type == kOfxParamTypeString || type == kOfxParamTypeBoolean ? 0 : 1});
  rules->push_back({kOfxParamPropIsAnimating, 0, 1, kReadOnly});
  rules->push_back({kOfxParamPropIsAutoKeying, 0, 1, kReadOnly});
  rules->push_back({kOfxParamPropPersistant, 1});
  rules->push_back({kOfxParamPropEvaluateOnChange, 1});
  rules->push_back({kOfxParamPropPluginMayWrite, 0});
  rules->push_back({kOfxParamPropCacheInvalidation, std::string(kOfxParamInvalidateValueChange)});
  rules->push_back({kOfxParamPropCanUndo, 1});
}

}  // namespace

const std::vector<PropertyRule>& pluginDescriptorRules() {
  static const std::vector<PropertyRule> rules = {
      {kOfxPropType, std::string(kOfxTypeImageEffect), 1, kReadOnly},
      {kOfxPropLabel, kText},
      {kOfxPropShortLabel, kText},
      {kOfxPropLongLabel, kText},
      {kOfxPropVersion, 0, kAny},
      {kOfxPropVersionLabel, kText},
      {kOfxPropPluginDescription, kText},
      {kOfxPropIcon, kText, 2},
      {kOfxPluginPropFilePath, kText, 1, kReadOnly},
      {kOfxImageEffectPluginPropGrouping, kText},
      {kOfxImageEffectPropSupportedContexts, kText, kAny},
      {kOfxImageEffectPropSupportedPixelDepths, kText, kAny},
      {kOfxImageEffectPluginPropSingleInstance, 0},
      {kOfxImageEffectPluginRenderThreadSafety, std::string(kOfxImageEffectRenderInstanceSafe)},
      {kOfxImageEffectPluginPropHostFrameThreading, 1},
      {kOfxImageEffectPluginPropOverlayInteractV1, kNull},
      {kOfxImageEffectPluginPropFieldRenderTwiceAlways, 1},
      {kOfxImageEffectPropSupportsMultiResolution, 1},
      {kOfxImageEffectPropSupportsTiles, 1},
      {kOfxImageEffectPropTemporalClipAccess, 0},
      {kOfxImageEffectPropSupportsMultipleClipDepths, 0},
      {kOfxImageEffectPropSupportsMultipleClipPARs, 0},
      {kOfxImageEffectPropClipPreferencesSlaveParam, kText, kAny},
      {kOfxImageEffectInstancePropSequentialRender, 0},
      {kOfxPluginPropParamPageOrder, kText, kAny},
  };
  return rules;
}

const std::vector<PropertyRule>& instanceRules() {
  static const std::vector<PropertyRule> rules = {
      {kOfxPropType, std::string(kOfxTypeImageEffectInstance), 1, kReadOnly},
      {kOfxImageEffectPropContext, kText, 1, kReadOnly},
      {kOfxPropInstanceData, kNull},
      {kOfxImageEffectPropPluginHandle, kNull, 1, kReadOnly},
      {kOfxImageEffectPropProjectSize, 0.0, 2, kReadOnly},
      {kOfxImageEffectPropProjectExtent, 0.0, 2, kReadOnly},
      {kOfxImageEffectPropProjectOffset, 0.0, 2, kReadOnly},
      {kOfxImageEffectPropProjectPixelAspectRatio, 1.0, 1, kReadOnly},
      {kOfxImageEffectInstancePropEffectDuration, 0.0, 1, kReadOnly},
      {kOfxImageEffectPropFrameRate, 24.0, 1, kReadOnly},
      {kOfxPropIsInteractive, 0, 1, kReadOnly},
  };
  return rules;
}

const std::vector<PropertyRule>& clipDescriptorRules() {
  static const std::vector<PropertyRule> rules = {
      {kOfxPropType, std::string(kOfxTypeClip), 1, kReadOnly},
      {kOfxPropName, kText, 1, kReadOnly},
      {kOfxPropLabel, kText},
      {kOfxPropShortLabel, kText},
      {kOfxPropLongLabel, kText},
      {kOfxImageEffectPropSupportedComponents, kText, kAny},
      {kOfxImageEffectPropTemporalClipAccess, 0},
      {kOfxImageClipPropOptional, 0},
      {kOfxImageClipPropIsMask, 0},
      {kOfxImageClipPropFieldExtraction, std::string(kOfxImageFieldDoubled)},
      {kOfxImageEffectPropSupportsTiles, 1},
  };
  return rules;
}

const std::vector<PropertyRule>& clipRules() {
  static const std::vector<PropertyRule> rules = {
      {kOfxImageClipPropConnected, 0, 1, kReadOnly},
      {kOfxImageEffectPropPixelDepth, std::string(kOfxBitDepthNone), 1, kReadOnly},
      {kOfxImageEffectPropComponents, std::string(kOfxImageComponentNone), 1, kReadOnly},
      {kOfxImageClipPropUnmappedPixelDepth, std::string(kOfxBitDepthNone), 1, kReadOnly},
      {kOfxImageClipPropUnmappedComponents, std::string(kOfxImageComponentNone), 1, kReadOnly},
      {kOfxImageEffectPropPreMultiplication, std::string(kOfxImageOpaque), 1, kReadOnly},
      {kOfxImagePropPixelAspectRatio, 1.0, 1, kReadOnly},
      {kOfxImageEffectPropFrameRate, 24.0, 1, kReadOnly},
      {kOfxImageEffectPropFrameRange, 0.0, 2, kReadOnly},
      {kOfxImageClipPropFieldOrder, std::string(kOfxImageFieldNone), 1, kReadOnly},
      {kOfxImageEffectPropUnmappedFrameRange, 0.0, 2, kReadOnly},
      {kOfxImageEffectPropUnmappedFrameRate, 24.0, 1, kReadOnly},
      {kOfxImageClipPropContinuousSamples, 0, 1, kReadOnly},
  };
  return rules;
}

const std::vector<PropertyRule>& imageRules() {
  static const std::vector<PropertyRule> rules = {
      {kOfxPropType, std::string(kOfxTypeImage), 1, kReadOnly},
      {kOfxImageEffectPropPixelDepth, kText, 1, kReadOnly},
      {kOfxImageEffectPropComponents, kText, 1, kReadOnly},
      {kOfxImageEffectPropPreMultiplication, std::string(kOfxImageOpaque), 1, kReadOnly},
      {kOfxImageEffectPropRenderScale, 1.0, 2, kReadOnly},
      {kOfxImagePropPixelAspectRatio, 1.0, 1, kReadOnly},
      {kOfxImagePropData, kNull, 1, kReadOnly},
      {kOfxImagePropBounds, 0, 4, kReadOnly},
      {kOfxImagePropRegionOfDefinition, 0, 4, kReadOnly},
      {kOfxImagePropRowBytes, 0, 1, kReadOnly},
      {kOfxImagePropField, std::string(kOfxImageFieldNone), 1, kReadOnly},
      {kOfxImagePropUniqueIdentifier, kText, 1, kReadOnly},
  };
  return rules;
}

bool paramTypeOf(const std::string& name, ParamType* type) {
  const auto known = paramTypes().find(name);
  if (known == paramTypes().end()) return false;
  *type = known->second;
  return true;
}

std::vector<PropertyRule> paramRules(const std::string& type) {
  ParamType kind;
  if (!paramTypeOf(type, &kind)) return {};
  std::vector<PropertyRule> rules = {
      {kOfxPropType, std::string(kOfxTypeParameter), 1, kReadOnly},
      {kOfxPropName, kText, 1, kReadOnly},
      {kOfxPropLabel, kText},
      {kOfxPropShortLabel, kText},
      {kOfxPropLongLabel, kText},
      {kOfxPropIcon, kText, 2},
      {kOfxParamPropType, type, 1, kReadOnly},
      {kOfxParamPropSecret, 0},
      {kOfxParamPropEnabled, 1},
      {kOfxParamPropHint, kText},
      {kOfxParamPropScriptName, kText},
      {kOfxParamPropParent, kText},
      {kOfxParamPropDataPtr, kNull},
  };
  if (kind.storage != ParamStorage::kNone) addValueRules(type, kind, &rules);
  if (type == kOfxParamTypeGroup) rules.push_back({kOfxParamPropGroupOpen, 1});
  if (type == kOfxParamTypePage) rules.push_back({kOfxParamPropPageChild, kText, kAny});
  if (type == kOfxParamTypeChoice) rules.push_back({kOfxParamPropChoiceOption, kText, kAny});
  if (type == kOfxParamTypePushButton) rules.push_back({kOfxParamPropEvaluateOnChange, 1});
  if (type == kOfxParamTypeString) {
    rules.push_back({kOfxParamPropStringMode, std::string(kOfxParamStringIsSingleLine)});
    rules.push_back({kOfxParamPropStringFilePathExists, 1});
  }
  const bool isNumber = kind.storage == ParamStorage::kInts || kind.storage == ParamStorage::kDoubles;
  if (isNumber && type != kOfxParamTypeBoolean && type != kOfxParamTypeChoice) addNumberRules(type, kind, &rules);
  return rules;
}

}  // namespace ofx_host
