// Typed access to an OpenFX property set. Hosts differ in what they know, so a getter answers nothing rather than
// inventing a value, and a setter says whether the host took it.
#pragma once

#include <optional>
#include <string>

#include "suites.h"

namespace stereo_convert {

class Properties {
 public:
  explicit Properties(OfxPropertySetHandle handle) : handle_(handle) {}

  [[nodiscard]] std::optional<int> integer(const char* name, int index = 0) const {
    int value = 0;
    if (handle_ == nullptr || suites().property->propGetInt(handle_, name, index, &value) != kOfxStatOK) return {};
    return value;
  }

  [[nodiscard]] std::optional<double> real(const char* name, int index = 0) const {
    double value = 0;
    if (handle_ == nullptr || suites().property->propGetDouble(handle_, name, index, &value) != kOfxStatOK) return {};
    return value;
  }

  [[nodiscard]] std::optional<std::string> text(const char* name, int index = 0) const {
    char* value = nullptr;
    if (handle_ == nullptr || suites().property->propGetString(handle_, name, index, &value) != kOfxStatOK) return {};
    if (value == nullptr) return {};
    return std::string(value);
  }

  [[nodiscard]] void* pointer(const char* name) const {
    void* value = nullptr;
    if (handle_ == nullptr || suites().property->propGetPointer(handle_, name, 0, &value) != kOfxStatOK) return nullptr;
    return value;
  }

  [[nodiscard]] std::optional<OfxRectI> rectangle(const char* name) const {
    const auto x1 = integer(name, 0), y1 = integer(name, 1), x2 = integer(name, 2), y2 = integer(name, 3);
    if (!x1 || !y1 || !x2 || !y2) return {};
    return OfxRectI{*x1, *y1, *x2, *y2};
  }

  bool set(const char* name, int value, int index = 0) const {
    return suites().property->propSetInt(handle_, name, index, value) == kOfxStatOK;
  }
  bool set(const char* name, double value, int index = 0) const {
    return suites().property->propSetDouble(handle_, name, index, value) == kOfxStatOK;
  }
  bool set(const char* name, const char* value, int index = 0) const {
    return suites().property->propSetString(handle_, name, index, value) == kOfxStatOK;
  }
  bool set(const char* name, const OfxRectD& value) const {
    return set(name, value.x1, 0) && set(name, value.y1, 1) && set(name, value.x2, 2) && set(name, value.y2, 3);
  }

 private:
  OfxPropertySetHandle handle_;
};

}  // namespace stereo_convert
