// OpenFX time line suite (optional): where the user's cursor is.
#pragma once

#include "ofxCore.h"

#ifdef __cplusplus
extern "C" {
#endif

#define kOfxTimeLineSuite "OfxTimeLineSuite"

typedef struct OfxTimeLineSuiteV1 {
  OfxStatus (*getTime)(void* instance, double* time);
  OfxStatus (*gotoTime)(void* instance, double time);
  OfxStatus (*getTimeBounds)(void* instance, double* firstTime, double* lastTime);
} OfxTimeLineSuiteV1;

#ifdef __cplusplus
}
#endif
