// OfxPropertySuiteV1.
#include <type_traits>

#include "action_scope.h"
#include "property_set.h"
#include "suites.h"

namespace ofx_host {

namespace {

// Enabling, hiding and choice lists of an instance's params are not always the plugin's to change.
bool mayChange(PropertySet* set, const char* name) {
  const ActionScope* scope = ActionScope::current();
  if (scope == nullptr || set->text(kOfxPropType) != kOfxTypeParameterInstance) return true;
  return scope->mayChangeParam(set->object(), name);
}

template <typename T>
PropertyValue toValue(T value) {
  if constexpr (std::is_same_v<T, const char*>)
    return std::string(value == nullptr ? "" : value);
  else
    return value;
}

template <typename T>
OfxStatus setOne(OfxPropertySetHandle handle, const char* name, int index, T value) {
  auto* set = fromHandle<PropertySet>(handle, "propSet");
  if (set == nullptr || name == nullptr) return kOfxStatErrBadHandle;
  if (!mayChange(set, name)) return kOfxStatErrValue;
  return set->pluginSet(name, index, toValue(value));
}

template <typename T>
OfxStatus setMany(OfxPropertySetHandle handle, const char* name, int count, const T* values) {
  auto* set = fromHandle<PropertySet>(handle, "propSetN");
  if (set == nullptr || name == nullptr) return kOfxStatErrBadHandle;
  if (!mayChange(set, name)) return kOfxStatErrValue;
  set->pluginShrink(name, count);
  for (int index = 0; index < count; ++index) {
    const OfxStatus status = set->pluginSet(name, index, toValue(values[index]));
    if (status != kOfxStatOK) return status;
  }
  return kOfxStatOK;
}

template <typename T>
OfxStatus getOne(OfxPropertySetHandle handle, const char* name, int index, T* value) {
  const auto* set = fromHandle<PropertySet>(handle, "propGet");
  if (set == nullptr || name == nullptr || value == nullptr) return kOfxStatErrBadHandle;
  return set->pluginGet(name, index, value);
}

template <typename T>
OfxStatus getMany(OfxPropertySetHandle handle, const char* name, int count, T* values) {
  const auto* set = fromHandle<PropertySet>(handle, "propGetN");
  if (set == nullptr || name == nullptr || values == nullptr) return kOfxStatErrBadHandle;
  for (int index = 0; index < count; ++index) {
    const OfxStatus status = set->pluginGet(name, index, values + index);
    if (status != kOfxStatOK) return status;
  }
  return kOfxStatOK;
}

OfxStatus setPointer(OfxPropertySetHandle h, const char* n, int i, void* v) {
  return setOne(h, n, i, v);
}
OfxStatus setString(OfxPropertySetHandle h, const char* n, int i, const char* v) {
  return setOne(h, n, i, v);
}
OfxStatus setDouble(OfxPropertySetHandle h, const char* n, int i, double v) {
  return setOne(h, n, i, v);
}
OfxStatus setInt(OfxPropertySetHandle h, const char* n, int i, int v) {
  return setOne(h, n, i, v);
}
OfxStatus setPointerN(OfxPropertySetHandle h, const char* n, int c, void* const* v) {
  return setMany(h, n, c, v);
}
OfxStatus setStringN(OfxPropertySetHandle h, const char* n, int c, const char* const* v) {
  return setMany(h, n, c, v);
}
OfxStatus setDoubleN(OfxPropertySetHandle h, const char* n, int c, const double* v) {
  return setMany(h, n, c, v);
}
OfxStatus setIntN(OfxPropertySetHandle h, const char* n, int c, const int* v) {
  return setMany(h, n, c, v);
}
OfxStatus getPointer(OfxPropertySetHandle h, const char* n, int i, void** v) {
  return getOne(h, n, i, v);
}
OfxStatus getDouble(OfxPropertySetHandle h, const char* n, int i, double* v) {
  return getOne(h, n, i, v);
}
OfxStatus getInt(OfxPropertySetHandle h, const char* n, int i, int* v) {
  return getOne(h, n, i, v);
}
OfxStatus getPointerN(OfxPropertySetHandle h, const char* n, int c, void** v) {
  return getMany(h, n, c, v);
}
OfxStatus getDoubleN(OfxPropertySetHandle h, const char* n, int c, double* v) {
  return getMany(h, n, c, v);
}
OfxStatus getIntN(OfxPropertySetHandle h, const char* n, int c, int* v) {
  return getMany(h, n, c, v);
}

// The interface hands strings out as char*, but they are the host's.
OfxStatus getString(OfxPropertySetHandle h, const char* n, int i, char** v) {
  return getOne(h, n, i, const_cast<const char**>(v));
}
OfxStatus getStringN(OfxPropertySetHandle h, const char* n, int c, char** v) {
  return getMany(h, n, c, const_cast<const char**>(v));
}

OfxStatus reset(OfxPropertySetHandle handle, const char* name) {
  auto* set = fromHandle<PropertySet>(handle, "propReset");
  if (set == nullptr || name == nullptr) return kOfxStatErrBadHandle;
  return mayChange(set, name) ? set->pluginReset(name) : kOfxStatErrValue;
}

OfxStatus dimension(OfxPropertySetHandle handle, const char* name, int* count) {
  const auto* set = fromHandle<PropertySet>(handle, "propGetDimension");
  if (set == nullptr || name == nullptr || count == nullptr) return kOfxStatErrBadHandle;
  return set->pluginDimension(name, count);
}

}  // namespace

const OfxPropertySuiteV1* propertySuite() {
  static const OfxPropertySuiteV1 suite = {setPointer,  setString,  setDouble,  setInt,    setPointerN, setStringN,
                                           setDoubleN,  setIntN,    getPointer, getString, getDouble,   getInt,
                                           getPointerN, getStringN, getDoubleN, getIntN,   reset,       dimension};
  return &suite;
}

}  // namespace ofx_host
