// OfxParameterSuiteV1.
#include <cmath>
#include <cstdarg>
#include <set>

#include "action_scope.h"
#include "effect.h"
#include "param.h"
#include "suites.h"

namespace ofx_host {

namespace {

// Strings handed to plugins live as long as the process, so that a value set meanwhile leaves none dangling.
const char* keep(const std::string& text) {
  static std::mutex mutex;
  static std::set<std::string> texts;
  const std::lock_guard lock(mutex);
  return texts.insert(text).first->c_str();
}

void writeValue(const Param& param, const ParamValue& value, va_list arguments) {
  const ParamType& type = param.storage();
  if (type.storage == ParamStorage::kText) *va_arg(arguments, const char**) = keep(value.text);
  for (int i = 0; i < type.count && type.storage != ParamStorage::kText; ++i) {
    const double number = value.numbers.at(static_cast<std::size_t>(i));
    if (type.storage == ParamStorage::kInts)
      *va_arg(arguments, int*) = static_cast<int>(std::lround(number));
    else
      *va_arg(arguments, double*) = number;
  }
}

ParamValue readValue(const Param& param, va_list arguments) {
  ParamValue value;
  const ParamType& type = param.storage();
  if (type.storage == ParamStorage::kText) {
    const char* text = va_arg(arguments, const char*);
    value.text = text == nullptr ? "" : text;
    return value;
  }
  for (int i = 0; i < type.count; ++i)
    value.numbers.push_back(type.storage == ParamStorage::kInts ? va_arg(arguments, int) : va_arg(arguments, double));
  return value;
}

// A parameter instance that holds a value; notes a problem otherwise.
Param* valueParam(OfxParamHandle handle, const char* function) {
  auto* param = fromHandle<Param>(handle, function);
  if (param == nullptr) return nullptr;
  if (param->isInstance() && param->storage().storage != ParamStorage::kNone) return param;
  currentJournal().problem("bad-handle", std::string(function) + " of " + param->name() +
                                             (param->isInstance() ? ", which has no value" : ", a descriptor"));
  return nullptr;
}

bool gettersMissing() {
  const ActionScope* scope = ActionScope::current();
  return scope != nullptr && scope->host().habits().noParamGetters;
}

OfxStatus define(OfxParamSetHandle handle, const char* type, const char* name, OfxPropertySetHandle* properties) {
  auto* set = fromHandle<ParamSet>(handle, "paramDefine");
  if (set == nullptr || type == nullptr || name == nullptr) return kOfxStatErrBadHandle;
  if (set->owner().isInstance()) {
    currentJournal().problem("forbidden-call", std::string("paramDefine of ") + name + " outside describe");
    return kOfxStatErrBadHandle;
  }
  ParamType storage;
  if (!paramTypeOf(type, &storage)) {
    currentJournal().problem("unknown-type", std::string("paramDefine of ") + name + " as " + type);
    return kOfxStatErrUnknown;
  }
  if (set->find(name) != nullptr) {
    currentJournal().problem("duplicate-name", std::string("param ") + name + " was defined before");
    return kOfxStatErrExists;
  }
  Param& param = set->add(std::make_unique<Param>(name, type, storage));
  if (properties != nullptr) *properties = param.properties().handle();
  return kOfxStatOK;
}

OfxStatus getHandle(OfxParamSetHandle handle, const char* name, OfxParamHandle* param,
                    OfxPropertySetHandle* properties) {
  auto* set = fromHandle<ParamSet>(handle, "paramGetHandle");
  if (set == nullptr || name == nullptr || param == nullptr) return kOfxStatErrBadHandle;
  Param* found = set->find(name);
  *param = found == nullptr ? nullptr : found->handle();
  if (found == nullptr) return kOfxStatErrUnknown;
  if (properties != nullptr) *properties = found->properties().handle();
  return kOfxStatOK;
}

OfxStatus setGetPropertySet(OfxParamSetHandle handle, OfxPropertySetHandle* properties) {
  auto* set = fromHandle<ParamSet>(handle, "paramSetGetPropertySet");
  if (set == nullptr || properties == nullptr) return kOfxStatErrBadHandle;
  *properties = set->owner().properties().handle();
  return kOfxStatOK;
}

OfxStatus getPropertySet(OfxParamHandle handle, OfxPropertySetHandle* properties) {
  auto* param = fromHandle<Param>(handle, "paramGetPropertySet");
  if (param == nullptr || properties == nullptr) return kOfxStatErrBadHandle;
  *properties = param->properties().handle();
  return kOfxStatOK;
}

OfxStatus getValue(OfxParamHandle handle, ...) {
  const Param* param = valueParam(handle, "paramGetValue");
  if (param == nullptr) return kOfxStatErrBadHandle;
  if (gettersMissing()) return kOfxStatErrMissingHostFeature;
  va_list arguments;
  va_start(arguments, handle);
  writeValue(*param, param->value(), arguments);
  va_end(arguments);
  return kOfxStatOK;
}

OfxStatus getValueAtTime(OfxParamHandle handle, OfxTime time, ...) {
  const Param* param = valueParam(handle, "paramGetValueAtTime");
  if (param == nullptr) return kOfxStatErrBadHandle;
  if (gettersMissing()) return kOfxStatErrMissingHostFeature;
  va_list arguments;
  va_start(arguments, time);
  writeValue(*param, param->valueAt(time), arguments);
  va_end(arguments);
  return kOfxStatOK;
}

OfxStatus getDerivative(OfxParamHandle, OfxTime, ...) {
  return kOfxStatErrUnsupported;
}
OfxStatus getIntegral(OfxParamHandle, OfxTime, OfxTime, ...) {
  return kOfxStatErrUnsupported;
}

// Whether the plugin may write now; remembers the param for InstanceChanged.
bool mayWrite(const Param& param) {
  const ActionScope* scope = ActionScope::current();
  if (scope == nullptr) return true;
  if (!scope->mayChangeParam("param " + param.name(), "")) return false;
  if (scope->effect() != nullptr) scope->effect()->notePluginEdit(param.name());
  return true;
}

OfxStatus setValue(OfxParamHandle handle, ...) {
  Param* param = valueParam(handle, "paramSetValue");
  if (param == nullptr) return kOfxStatErrBadHandle;
  if (!mayWrite(*param)) return kOfxStatFailed;
  va_list arguments;
  va_start(arguments, handle);
  param->set(readValue(*param, arguments));
  va_end(arguments);
  return kOfxStatOK;
}

OfxStatus setValueAtTime(OfxParamHandle handle, OfxTime time, ...) {
  Param* param = valueParam(handle, "paramSetValueAtTime");
  if (param == nullptr) return kOfxStatErrBadHandle;
  if (!mayWrite(*param)) return kOfxStatFailed;
  va_list arguments;
  va_start(arguments, time);
  param->setKey(time, readValue(*param, arguments));
  va_end(arguments);
  return kOfxStatOK;
}

OfxStatus getNumKeys(OfxParamHandle handle, unsigned int* count) {
  const Param* param = valueParam(handle, "paramGetNumKeys");
  if (param == nullptr || count == nullptr) return kOfxStatErrBadHandle;
  *count = static_cast<unsigned int>(param->keyTimes().size());
  return kOfxStatOK;
}

OfxStatus getKeyTime(OfxParamHandle handle, unsigned int index, OfxTime* time) {
  const Param* param = valueParam(handle, "paramGetKeyTime");
  if (param == nullptr || time == nullptr) return kOfxStatErrBadHandle;
  const std::vector<double> times = param->keyTimes();
  if (index >= times.size()) return kOfxStatErrBadIndex;
  *time = times[index];
  return kOfxStatOK;
}

OfxStatus getKeyIndex(OfxParamHandle handle, OfxTime time, int direction, int* index) {
  const Param* param = valueParam(handle, "paramGetKeyIndex");
  if (param == nullptr || index == nullptr) return kOfxStatErrBadHandle;
  const std::vector<double> times = param->keyTimes();
  *index = -1;
  for (int i = 0; i < static_cast<int>(times.size()); ++i) {
    const double key = times[static_cast<std::size_t>(i)];
    if (direction == 0 && std::abs(key - time) < 1e-6) *index = i;
    if (direction < 0 && key < time) *index = i;
    if (direction > 0 && key > time && *index < 0) *index = i;
  }
  return *index < 0 ? kOfxStatFailed : kOfxStatOK;
}

OfxStatus deleteKey(OfxParamHandle handle, OfxTime time) {
  Param* param = valueParam(handle, "paramDeleteKey");
  if (param == nullptr) return kOfxStatErrBadHandle;
  if (!mayWrite(*param)) return kOfxStatFailed;
  return param->deleteKey(time) ? kOfxStatOK : kOfxStatErrBadIndex;
}

OfxStatus deleteAllKeys(OfxParamHandle handle) {
  Param* param = valueParam(handle, "paramDeleteAllKeys");
  if (param == nullptr) return kOfxStatErrBadHandle;
  if (!mayWrite(*param)) return kOfxStatFailed;
  for (const double time : param->keyTimes()) param->deleteKey(time);
  return kOfxStatOK;
}

OfxStatus copy(OfxParamHandle, OfxParamHandle, OfxTime, const OfxRangeD*) {
  return kOfxStatErrUnsupported;
}

OfxStatus editBegin(OfxParamSetHandle handle, const char*) {
  return fromHandle<ParamSet>(handle, "paramEditBegin") == nullptr ? kOfxStatErrBadHandle : kOfxStatOK;
}

OfxStatus editEnd(OfxParamSetHandle handle) {
  return fromHandle<ParamSet>(handle, "paramEditEnd") == nullptr ? kOfxStatErrBadHandle : kOfxStatOK;
}

}  // namespace

const OfxParameterSuiteV1* parameterSuite() {
  static const OfxParameterSuiteV1 suite = {
      define,        getHandle,   setGetPropertySet, getPropertySet, getValue,   getValueAtTime,
      getDerivative, getIntegral, setValue,          setValueAtTime, getNumKeys, getKeyTime,
      getKeyIndex,   deleteKey,   deleteAllKeys,     copy,           editBegin,  editEnd};
  return &suite;
}

}  // namespace ofx_host
