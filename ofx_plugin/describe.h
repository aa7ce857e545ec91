// What the host is told about the effect before any instance exists.
#pragma once

#include "suites.h"

namespace stereo_convert {

constexpr const char* kEffectIdentifier = "org.stereoconvert.StereoConvert";
// In the saved name of a node in some hosts: frozen. The product's version is in version.h.
constexpr unsigned kEffectVersionMajor = 1;
constexpr unsigned kEffectVersionMinor = 0;

[[nodiscard]] OfxStatus describe(OfxImageEffectHandle effect);
[[nodiscard]] OfxStatus describeInContext(OfxImageEffectHandle effect);

}  // namespace stereo_convert
