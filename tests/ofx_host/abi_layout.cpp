// Compiles only if the OpenFX headers in use have the layout that every host and plugin binary on earth has.
//
// A suite is an array of function pointers, so the offset of a member is its place in the specification.
#include <cstddef>
#include <type_traits>

#include "ofxCore.h"
#include "ofxImageEffect.h"
#include "ofxMemory.h"
#include "ofxMessage.h"
#include "ofxMultiThread.h"
#include "ofxParam.h"
#include "ofxPixels.h"
#include "ofxProgress.h"
#include "ofxProperty.h"
#include "ofxTimeLine.h"

namespace {

constexpr std::size_t kWord = sizeof(void*);

#define MEMBER(type, member, place) static_assert(offsetof(type, member) == (place)*kWord, #type "::" #member)
#define SIZE(type, words) static_assert(sizeof(type) == (words)*kWord, #type)
#define SIGNATURE(type, member, ...) \
  static_assert(std::is_same_v<decltype(type::member), __VA_ARGS__>, #type "::" #member)

SIZE(OfxHost, 2);
MEMBER(OfxHost, host, 0);
MEMBER(OfxHost, fetchSuite, 1);

static_assert(sizeof(void*) != 8 || sizeof(OfxPlugin) == 48, "OfxPlugin");
static_assert(sizeof(void*) != 8 || offsetof(OfxPlugin, apiVersion) == 8, "OfxPlugin::apiVersion");
static_assert(sizeof(void*) != 8 || offsetof(OfxPlugin, pluginIdentifier) == 16, "OfxPlugin::pluginIdentifier");
static_assert(sizeof(void*) != 8 || offsetof(OfxPlugin, pluginVersionMajor) == 24, "OfxPlugin::pluginVersionMajor");
static_assert(sizeof(void*) != 8 || offsetof(OfxPlugin, pluginVersionMinor) == 28, "OfxPlugin::pluginVersionMinor");
static_assert(sizeof(void*) != 8 || offsetof(OfxPlugin, setHost) == 32, "OfxPlugin::setHost");
static_assert(sizeof(void*) != 8 || offsetof(OfxPlugin, mainEntry) == 40, "OfxPlugin::mainEntry");
SIGNATURE(OfxPlugin, mainEntry, OfxStatus (*)(const char*, const void*, OfxPropertySetHandle, OfxPropertySetHandle));
SIGNATURE(OfxPlugin, setHost, void (*)(OfxHost*));

static_assert(std::is_same_v<OfxStatus, int> && std::is_same_v<OfxTime, double>);
static_assert(sizeof(OfxRectI) == 16 && offsetof(OfxRectI, y1) == 4 && offsetof(OfxRectI, x2) == 8);
static_assert(sizeof(OfxRectD) == 32 && offsetof(OfxRectD, y1) == 8 && offsetof(OfxRectD, x2) == 16);
static_assert(sizeof(OfxRangeD) == 16 && sizeof(OfxRangeI) == 8 && sizeof(OfxPointD) == 16 && sizeof(OfxPointI) == 8);
static_assert(sizeof(OfxRGBAColourB) == 4 && sizeof(OfxRGBAColourS) == 8 && sizeof(OfxRGBAColourF) == 16);
static_assert(sizeof(OfxRGBColourB) == 3 && sizeof(OfxRGBColourS) == 6 && sizeof(OfxRGBColourF) == 12);
static_assert(offsetof(OfxRGBAColourF, a) == 12 && offsetof(OfxRGBColourF, b) == 8);

SIZE(OfxPropertySuiteV1, 18);
MEMBER(OfxPropertySuiteV1, propSetPointer, 0);
MEMBER(OfxPropertySuiteV1, propSetString, 1);
MEMBER(OfxPropertySuiteV1, propSetDouble, 2);
MEMBER(OfxPropertySuiteV1, propSetInt, 3);
MEMBER(OfxPropertySuiteV1, propSetPointerN, 4);
MEMBER(OfxPropertySuiteV1, propSetStringN, 5);
MEMBER(OfxPropertySuiteV1, propSetDoubleN, 6);
MEMBER(OfxPropertySuiteV1, propSetIntN, 7);
MEMBER(OfxPropertySuiteV1, propGetPointer, 8);
MEMBER(OfxPropertySuiteV1, propGetString, 9);
MEMBER(OfxPropertySuiteV1, propGetDouble, 10);
MEMBER(OfxPropertySuiteV1, propGetInt, 11);
MEMBER(OfxPropertySuiteV1, propGetPointerN, 12);
MEMBER(OfxPropertySuiteV1, propGetStringN, 13);
MEMBER(OfxPropertySuiteV1, propGetDoubleN, 14);
MEMBER(OfxPropertySuiteV1, propGetIntN, 15);
MEMBER(OfxPropertySuiteV1, propReset, 16);
MEMBER(OfxPropertySuiteV1, propGetDimension, 17);
SIGNATURE(OfxPropertySuiteV1, propGetString, OfxStatus (*)(OfxPropertySetHandle, const char*, int, char**));
SIGNATURE(OfxPropertySuiteV1, propSetStringN,
          OfxStatus (*)(OfxPropertySetHandle, const char*, int, const char* const*));

SIZE(OfxParameterSuiteV1, 18);
MEMBER(OfxParameterSuiteV1, paramDefine, 0);
MEMBER(OfxParameterSuiteV1, paramGetHandle, 1);
MEMBER(OfxParameterSuiteV1, paramSetGetPropertySet, 2);
MEMBER(OfxParameterSuiteV1, paramGetPropertySet, 3);
MEMBER(OfxParameterSuiteV1, paramGetValue, 4);
MEMBER(OfxParameterSuiteV1, paramGetValueAtTime, 5);
MEMBER(OfxParameterSuiteV1, paramGetDerivative, 6);
MEMBER(OfxParameterSuiteV1, paramGetIntegral, 7);
MEMBER(OfxParameterSuiteV1, paramSetValue, 8);
MEMBER(OfxParameterSuiteV1, paramSetValueAtTime, 9);
MEMBER(OfxParameterSuiteV1, paramGetNumKeys, 10);
MEMBER(OfxParameterSuiteV1, paramGetKeyTime, 11);
MEMBER(OfxParameterSuiteV1, paramGetKeyIndex, 12);
MEMBER(OfxParameterSuiteV1, paramDeleteKey, 13);
MEMBER(OfxParameterSuiteV1, paramDeleteAllKeys, 14);
MEMBER(OfxParameterSuiteV1, paramCopy, 15);
MEMBER(OfxParameterSuiteV1, paramEditBegin, 16);
MEMBER(OfxParameterSuiteV1, paramEditEnd, 17);
SIGNATURE(OfxParameterSuiteV1, paramGetValueAtTime, OfxStatus (*)(OfxParamHandle, OfxTime, ...));

SIZE(OfxImageEffectSuiteV1, 13);
MEMBER(OfxImageEffectSuiteV1, getPropertySet, 0);
MEMBER(OfxImageEffectSuiteV1, getParamSet, 1);
MEMBER(OfxImageEffectSuiteV1, clipDefine, 2);
MEMBER(OfxImageEffectSuiteV1, clipGetHandle, 3);
MEMBER(OfxImageEffectSuiteV1, clipGetPropertySet, 4);
MEMBER(OfxImageEffectSuiteV1, clipGetImage, 5);
MEMBER(OfxImageEffectSuiteV1, clipReleaseImage, 6);
MEMBER(OfxImageEffectSuiteV1, clipGetRegionOfDefinition, 7);
MEMBER(OfxImageEffectSuiteV1, abort, 8);
MEMBER(OfxImageEffectSuiteV1, imageMemoryAlloc, 9);
MEMBER(OfxImageEffectSuiteV1, imageMemoryFree, 10);
MEMBER(OfxImageEffectSuiteV1, imageMemoryLock, 11);
MEMBER(OfxImageEffectSuiteV1, imageMemoryUnlock, 12);
SIGNATURE(OfxImageEffectSuiteV1, clipGetImage,
          OfxStatus (*)(OfxImageClipHandle, OfxTime, const OfxRectD*, OfxPropertySetHandle*));
SIGNATURE(OfxImageEffectSuiteV1, abort, int (*)(OfxImageEffectHandle));

SIZE(OfxMemorySuiteV1, 2);
MEMBER(OfxMemorySuiteV1, memoryAlloc, 0);
MEMBER(OfxMemorySuiteV1, memoryFree, 1);

SIZE(OfxMessageSuiteV1, 1);
SIZE(OfxMessageSuiteV2, 3);
MEMBER(OfxMessageSuiteV2, message, 0);
MEMBER(OfxMessageSuiteV2, setPersistentMessage, 1);
MEMBER(OfxMessageSuiteV2, clearPersistentMessage, 2);
SIGNATURE(OfxMessageSuiteV1, message, OfxStatus (*)(void*, const char*, const char*, const char*, ...));

SIZE(OfxMultiThreadSuiteV1, 9);
MEMBER(OfxMultiThreadSuiteV1, multiThread, 0);
MEMBER(OfxMultiThreadSuiteV1, multiThreadNumCPUs, 1);
MEMBER(OfxMultiThreadSuiteV1, multiThreadIndex, 2);
MEMBER(OfxMultiThreadSuiteV1, multiThreadIsSpawnedThread, 3);
MEMBER(OfxMultiThreadSuiteV1, mutexCreate, 4);
MEMBER(OfxMultiThreadSuiteV1, mutexDestroy, 5);
MEMBER(OfxMultiThreadSuiteV1, mutexLock, 6);
MEMBER(OfxMultiThreadSuiteV1, mutexUnLock, 7);
MEMBER(OfxMultiThreadSuiteV1, mutexTryLock, 8);

SIZE(OfxProgressSuiteV1, 3);
MEMBER(OfxProgressSuiteV1, progressStart, 0);
MEMBER(OfxProgressSuiteV1, progressUpdate, 1);
MEMBER(OfxProgressSuiteV1, progressEnd, 2);
SIZE(OfxProgressSuiteV2, 3);

SIZE(OfxTimeLineSuiteV1, 3);
MEMBER(OfxTimeLineSuiteV1, getTime, 0);
MEMBER(OfxTimeLineSuiteV1, gotoTime, 1);
MEMBER(OfxTimeLineSuiteV1, getTimeBounds, 2);

static_assert(kOfxStatOK == 0 && kOfxStatFailed == 1 && kOfxStatErrFatal == 2 && kOfxStatErrUnknown == 3);
static_assert(kOfxStatErrMissingHostFeature == 4 && kOfxStatErrUnsupported == 5 && kOfxStatErrExists == 6);
static_assert(kOfxStatErrFormat == 7 && kOfxStatErrMemory == 8 && kOfxStatErrBadHandle == 9);
static_assert(kOfxStatErrBadIndex == 10 && kOfxStatErrValue == 11 && kOfxStatReplyYes == 12);
static_assert(kOfxStatReplyNo == 13 && kOfxStatReplyDefault == 14 && kOfxStatErrImageFormat == 1000);

}  // namespace
