// Which properties each kind of object has by the standard, with types, dimensions and defaults.
#pragma once

#include <string>
#include <vector>

#include "property_set.h"

namespace ofx_host {

[[nodiscard]] const std::vector<PropertyRule>& pluginDescriptorRules();
[[nodiscard]] const std::vector<PropertyRule>& instanceRules();  // besides the descriptor's
[[nodiscard]] const std::vector<PropertyRule>& clipDescriptorRules();
[[nodiscard]] const std::vector<PropertyRule>& clipRules();  // besides the descriptor's
[[nodiscard]] const std::vector<PropertyRule>& imageRules();
[[nodiscard]] std::vector<PropertyRule> paramRules(const std::string& type);  // empty if no such type

// Holds of a parameter's value: how many numbers, or a text.
enum class ParamStorage { kNone, kInts, kDoubles, kText };
struct ParamType {
  ParamStorage storage;
  int count;
};
[[nodiscard]] bool paramTypeOf(const std::string& name, ParamType* type);

}  // namespace ofx_host
