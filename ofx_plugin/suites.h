// The host's function tables. Some hosts load us once a frame on several threads, so a table never changes in place.
#pragma once

#include "ofxImageEffect.h"

namespace stereo_convert {

struct Suites {
  OfxPropertySetHandle host = nullptr;
  const OfxPropertySuiteV1* property = nullptr;
  const OfxImageEffectSuiteV1* effect = nullptr;
  const OfxParameterSuiteV1* parameter = nullptr;
  const OfxMessageSuiteV1* message = nullptr;            // null: the host shows no messages
  const OfxMessageSuiteV2* persistentMessage = nullptr;  // null: absent or with NULL members
};

// Remember the host; cheap, and allowed before the host has any suite.
void setHost(const OfxHost* host) noexcept;

// Fetch the suites of the host that was set last. False when one that we cannot do without is missing.
[[nodiscard]] bool fetchSuites();

// Those of the last successful fetchSuites().
[[nodiscard]] const Suites& suites() noexcept;

}  // namespace stereo_convert
