// The function tables that plugins fetch; each is defined in its own file.
#pragma once

#include "ofxImageEffect.h"
#include "ofxMemory.h"
#include "ofxMessage.h"
#include "ofxMultiThread.h"
#include "ofxParam.h"
#include "ofxProgress.h"
#include "ofxProperty.h"
#include "ofxTimeLine.h"

namespace ofx_host {

[[nodiscard]] const OfxPropertySuiteV1* propertySuite();
[[nodiscard]] const OfxParameterSuiteV1* parameterSuite();
[[nodiscard]] const OfxImageEffectSuiteV1* imageEffectSuite();
[[nodiscard]] const OfxMemorySuiteV1* memorySuite();
[[nodiscard]] const OfxMultiThreadSuiteV1* multiThreadSuite();
[[nodiscard]] const OfxMessageSuiteV1* messageSuiteV1();
[[nodiscard]] const OfxMessageSuiteV2* messageSuiteV2(bool withNullMembers);
[[nodiscard]] const OfxProgressSuiteV1* progressSuiteV1();
[[nodiscard]] const OfxProgressSuiteV2* progressSuiteV2();
[[nodiscard]] const OfxTimeLineSuiteV1* timeLineSuite();

}  // namespace ofx_host
