#include "property_set.h"

#include <type_traits>

#include "journal.h"

namespace ofx_host {

namespace {

constexpr const char* kTypeNames[] = {"int", "double", "string", "pointer"};

}  // namespace

PropertySet::PropertySet(std::string object, const PropertySet& other)
    : Handle(kHandleKind), object_(std::move(object)) {
  const std::lock_guard lock(other.mutex_);
  properties_ = other.properties_;
}

void PropertySet::define(const PropertyRule& rule) {
  const std::lock_guard lock(mutex_);
  const std::vector<PropertyValue> initial(static_cast<std::size_t>(rule.dimension), rule.initial);
  properties_[rule.name] = {initial, initial, rule.initial.index(), rule.dimension, rule.writable};
}

void PropertySet::set(const std::string& name, std::vector<PropertyValue> values, int dimension, bool writable) {
  const std::lock_guard lock(mutex_);
  const auto known = properties_.find(name);
  if (known != properties_.end()) {
    known->second.values = std::move(values);
    return;
  }
  const std::size_t type = values.empty() ? 2 : values.front().index();
  properties_[name] = {values, values, type, dimension, writable};
}

void PropertySet::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  properties_.erase(name);
}

bool PropertySet::has(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return properties_.count(name) > 0;
}

std::vector<PropertyValue> PropertySet::values(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto known = properties_.find(name);
  return known == properties_.end() ? std::vector<PropertyValue>{} : known->second.values;
}

std::vector<std::string> PropertySet::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& entry : properties_) names.push_back(entry.first);
  return names;
}

std::string PropertySet::text(const std::string& name, const std::string& otherwise) const {
  const auto all = values(name);
  return all.empty() || all.front().index() != 2 ? otherwise : std::get<std::string>(all.front());
}

int PropertySet::integer(const std::string& name, int otherwise) const {
  const auto all = values(name);
  return all.empty() || all.front().index() != 0 ? otherwise : std::get<int>(all.front());
}

OfxStatus PropertySet::refuse(const char* kind, const char* name, const std::string& why, OfxStatus status) const {
  currentJournal().problem(kind, object_ + ", " + name + ": " + why);
  return status;
}

const Property* PropertySet::found(const char* name) const {
  const auto known = properties_.find(name);
  return known == properties_.end() ? nullptr : &known->second;
}

OfxStatus PropertySet::pluginSet(const char* name, int index, PropertyValue value) {
  const std::lock_guard lock(mutex_);
  const auto known = properties_.find(name);
  if (known == properties_.end())
    return refuse("unknown-property", name, "set, but this object has no such property", kOfxStatErrUnknown);
  Property& property = known->second;
  if (!property.writable) return refuse("read-only", name, "only the host may set it", kOfxStatErrValue);
  if (property.type != value.index())
    return refuse("wrong-type", name,
                  std::string("set as ") + kTypeNames[value.index()] + ", it is " + kTypeNames[property.type],
                  kOfxStatErrValue);
  const int size = static_cast<int>(property.values.size());
  const bool mayGrow = property.dimension == 0 && index == size;
  if (index < 0 || (index >= size && !mayGrow))
    return refuse("bad-index", name, "set at " + std::to_string(index) + " of " + std::to_string(size),
                  kOfxStatErrBadIndex);
  if (mayGrow) property.values.emplace_back();
  property.values[static_cast<std::size_t>(index)] = std::move(value);
  return kOfxStatOK;
}

template <typename T>
OfxStatus PropertySet::pluginGet(const char* name, int index, T* value) const {
  using Stored = std::conditional_t<std::is_same_v<T, const char*>, std::string, T>;
  const std::lock_guard lock(mutex_);
  const Property* property = found(name);
  if (property == nullptr) {
    currentJournal().missedProperty(object_, name);
    return kOfxStatErrUnknown;
  }
  if (property->type != PropertyValue(Stored{}).index())
    return refuse(
        "wrong-type", name,
        std::string("got as ") + kTypeNames[PropertyValue(Stored{}).index()] + ", it is " + kTypeNames[property->type],
        kOfxStatErrUnknown);
  if (index < 0 || index >= static_cast<int>(property->values.size())) return kOfxStatErrBadIndex;
  const auto& stored = std::get<Stored>(property->values[static_cast<std::size_t>(index)]);
  if constexpr (std::is_same_v<T, const char*>)
    *value = stored.c_str();
  else
    *value = stored;
  return kOfxStatOK;
}

template OfxStatus PropertySet::pluginGet(const char*, int, int*) const;
template OfxStatus PropertySet::pluginGet(const char*, int, double*) const;
template OfxStatus PropertySet::pluginGet(const char*, int, const char**) const;
template OfxStatus PropertySet::pluginGet(const char*, int, void**) const;

void PropertySet::pluginShrink(const char* name, int count) {
  const std::lock_guard lock(mutex_);
  const auto known = properties_.find(name);
  if (known == properties_.end() || known->second.dimension != 0 || count < 0) return;
  auto& values = known->second.values;
  if (values.size() > static_cast<std::size_t>(count)) values.resize(static_cast<std::size_t>(count));
}

OfxStatus PropertySet::pluginReset(const char* name) {
  const std::lock_guard lock(mutex_);
  const auto known = properties_.find(name);
  if (known == properties_.end())
    return refuse("unknown-property", name, "reset, but this object has no such property", kOfxStatErrUnknown);
  known->second.values = known->second.defaults;
  return kOfxStatOK;
}

OfxStatus PropertySet::pluginDimension(const char* name, int* count) const {
  const std::lock_guard lock(mutex_);
  const Property* property = found(name);
  if (property == nullptr) {
    currentJournal().missedProperty(object_, name);
    return kOfxStatErrUnknown;
  }
  *count = static_cast<int>(property->values.size());
  return kOfxStatOK;
}

}  // namespace ofx_host
