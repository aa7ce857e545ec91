// Parameters: descriptors and instances with animation.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "handle.h"
#include "ofxParam.h"
#include "property_set.h"
#include "property_tables.h"

namespace ofx_host {

// Numbers of any parameter type (an int fits a double exactly), or a text.
struct ParamValue {
  std::vector<double> numbers;
  std::string text;
};

class Param : public Handle {
 public:
  static constexpr HandleKind kHandleKind = HandleKind::kParam;

  Param(std::string name, std::string type, ParamType storage);  // a descriptor
  explicit Param(const Param& descriptor, bool isInstance);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& type() const { return type_; }
  [[nodiscard]] const ParamType& storage() const { return storage_; }
  [[nodiscard]] bool isInstance() const { return isInstance_; }
  [[nodiscard]] PropertySet& properties() { return properties_; }
  [[nodiscard]] OfxParamHandle handle() { return toHandle<OfxParamStruct>(this); }

  void set(ParamValue value);  // drops all keys
  void setKey(double time, ParamValue value);
  [[nodiscard]] ParamValue value() const;
  [[nodiscard]] ParamValue valueAt(double time) const;  // doubles are interpolated, the rest is held
  [[nodiscard]] std::vector<double> keyTimes() const;
  bool deleteKey(double time);

 private:
  [[nodiscard]] ParamValue defaultValue() const;

  std::string name_;
  std::string type_;
  ParamType storage_;
  bool isInstance_ = false;
  PropertySet properties_;
  mutable std::mutex mutex_;
  ParamValue value_;
  std::map<double, ParamValue> keys_;
};

class Effect;

// The parameters of an effect, in the order of their definition.
class ParamSet : public Handle {
 public:
  static constexpr HandleKind kHandleKind = HandleKind::kParamSet;

  explicit ParamSet(Effect* owner) : Handle(kHandleKind), owner_(owner) {}

  [[nodiscard]] Effect& owner() { return *owner_; }
  [[nodiscard]] OfxParamSetHandle handle() { return toHandle<OfxParamSetStruct>(this); }
  [[nodiscard]] Param* find(const std::string& name);
  [[nodiscard]] const std::vector<std::unique_ptr<Param>>& all() const { return params_; }
  Param& add(std::unique_ptr<Param> param);

 private:
  Effect* owner_;
  std::vector<std::unique_ptr<Param>> params_;
};

}  // namespace ofx_host
