// The parameters of an instance, by name. Hosts differ in which they know.
#pragma once

#include "suites.h"

namespace stereo_convert {

class ParamSet {
 public:
  explicit ParamSet(OfxImageEffectHandle effect) {
    if (suites().effect->getParamSet(effect, &handle_) != kOfxStatOK) handle_ = nullptr;
  }

  // Null when the host gives none.
  [[nodiscard]] OfxParamSetHandle handle() const { return handle_; }

  // Null when the host does not know it.
  [[nodiscard]] OfxParamHandle find(const char* name) const {
    OfxParamHandle param = nullptr;
    if (handle_ == nullptr) return nullptr;
    return suites().parameter->paramGetHandle(handle_, name, &param, nullptr) == kOfxStatOK ? param : nullptr;
  }

 private:
  OfxParamSetHandle handle_ = nullptr;
};

}  // namespace stereo_convert
