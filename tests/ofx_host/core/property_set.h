// Property sets: typed, indexed values behind a handle.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "handle.h"
#include "ofxCore.h"

namespace ofx_host {

class Effect;

using PropertyValue = std::variant<int, double, std::string, void*>;

struct Property {
  std::vector<PropertyValue> values;
  std::vector<PropertyValue> defaults;
  std::size_t type;      // index into PropertyValue
  int dimension;         // 0: any number of values
  bool writable = true;  // by the plugin
};

// A line of property_tables.cpp: what a kind of object has by the standard.
struct PropertyRule {
  const char* name;
  PropertyValue initial;
  int dimension = 1;
  bool writable = true;
};

class PropertySet : public Handle {
 public:
  static constexpr HandleKind kHandleKind = HandleKind::kPropertySet;

  // `object` names the owner in problems, such as "clip Source".
  explicit PropertySet(std::string object) : Handle(kHandleKind), object_(std::move(object)) {}
  PropertySet(std::string object, const PropertySet& other);

  // The host's own access: creates what is missing, asks no questions.
  void define(const PropertyRule& rule);
  void set(const std::string& name, std::vector<PropertyValue> values, int dimension = 0, bool writable = true);
  void remove(const std::string& name);
  [[nodiscard]] bool has(const std::string& name) const;
  [[nodiscard]] std::vector<PropertyValue> values(const std::string& name) const;  // empty if missing
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = "") const;
  [[nodiscard]] int integer(const std::string& name, int otherwise = 0) const;

  // The plugin's access, with the status codes of the property suite. Rule breaks are noted as problems.
  OfxStatus pluginSet(const char* name, int index, PropertyValue value);
  template <typename T>
  OfxStatus pluginGet(const char* name, int index, T* value) const;
  void pluginShrink(const char* name, int count);  // before setting `count` values of a property of any length
  OfxStatus pluginReset(const char* name);
  OfxStatus pluginDimension(const char* name, int* count) const;

  Effect* imageOwner = nullptr;  // of images only: whose clip handed it out

  [[nodiscard]] const std::string& object() const { return object_; }
  [[nodiscard]] OfxPropertySetHandle handle() { return toHandle<OfxPropertySetStruct>(this); }

 private:
  OfxStatus refuse(const char* kind, const char* name, const std::string& why, OfxStatus status) const;
  const Property* found(const char* name) const;

  std::string object_;
  mutable std::mutex mutex_;
  std::map<std::string, Property> properties_;
};

}  // namespace ofx_host
