#include "param.h"

#include "ofxImageEffect.h"

namespace ofx_host {

Param::Param(std::string name, std::string type, ParamType storage)
    : Handle(kHandleKind),
      name_(std::move(name)),
      type_(std::move(type)),
      storage_(storage),
      properties_("param " + name_) {
  for (const PropertyRule& rule : paramRules(type_)) properties_.define(rule);
  for (const char* label :
       {kOfxPropName, kOfxPropLabel, kOfxPropShortLabel, kOfxPropLongLabel, kOfxParamPropScriptName})
    properties_.set(label, {name_}, 1);
}

Param::Param(const Param& descriptor, bool isInstance)
    : Handle(kHandleKind),
      name_(descriptor.name_),
      type_(descriptor.type_),
      storage_(descriptor.storage_),
      isInstance_(isInstance),
      properties_("param " + name_, descriptor.properties_) {
  if (isInstance_) properties_.set(kOfxPropType, {std::string(kOfxTypeParameterInstance)});
  value_ = defaultValue();
}

ParamValue Param::defaultValue() const {
  ParamValue value;
  for (const PropertyValue& part : properties_.values(kOfxParamPropDefault)) {
    if (const int* number = std::get_if<int>(&part)) value.numbers.push_back(*number);
    if (const double* number = std::get_if<double>(&part)) value.numbers.push_back(*number);
    if (const std::string* text = std::get_if<std::string>(&part)) value.text = *text;
  }
  return value;
}

void Param::set(ParamValue value) {
  const std::lock_guard lock(mutex_);
  keys_.clear();
  value_ = std::move(value);
  properties_.set(kOfxParamPropIsAnimating, {0});
}

void Param::setKey(double time, ParamValue value) {
  const std::lock_guard lock(mutex_);
  keys_[time] = std::move(value);
  properties_.set(kOfxParamPropIsAnimating, {1});
}

ParamValue Param::value() const {
  const std::lock_guard lock(mutex_);
  return keys_.empty() ? value_ : keys_.begin()->second;
}

ParamValue Param::valueAt(double time) const {
  const std::lock_guard lock(mutex_);
  if (keys_.empty()) return value_;
  const auto after = keys_.upper_bound(time);
  if (after == keys_.begin()) return after->second;
  const auto before = std::prev(after);
  if (after == keys_.end() || storage_.storage != ParamStorage::kDoubles) return before->second;
  ParamValue between = before->second;
  const double share = (time - before->first) / (after->first - before->first);
  for (std::size_t i = 0; i < between.numbers.size(); ++i)
    between.numbers[i] += share * (after->second.numbers[i] - between.numbers[i]);
  return between;
}

std::vector<double> Param::keyTimes() const {
  const std::lock_guard lock(mutex_);
  std::vector<double> times;
  for (const auto& key : keys_) times.push_back(key.first);
  return times;
}

bool Param::deleteKey(double time) {
  const std::lock_guard lock(mutex_);
  return keys_.erase(time) > 0;
}

Param* ParamSet::find(const std::string& name) {
  for (const auto& param : params_)
    if (param->name() == name) return param.get();
  return nullptr;
}

Param& ParamSet::add(std::unique_ptr<Param> param) {
  params_.push_back(std::move(param));
  return *params_.back();
}

}  // namespace ofx_host
