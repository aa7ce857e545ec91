// OpenFX parameter suite: what the panel shows and projects save.
#pragma once

#include "ofxCore.h"
#include "ofxProperty.h"

#ifdef __cplusplus
extern "C" {
#endif

#define kOfxParameterSuite "OfxParameterSuite"
#define kOfxTypeParameter "OfxTypeParameter"
#define kOfxTypeParameterInstance "OfxTypeParameterInstance"

typedef struct OfxParamStruct* OfxParamHandle;
typedef struct OfxParamSetStruct* OfxParamSetHandle;

// Types for paramDefine. Behind each: what paramGetValue writes to and paramSetValue takes.
#define kOfxParamTypeInteger "OfxParamTypeInteger"        // int
#define kOfxParamTypeDouble "OfxParamTypeDouble"          // double
#define kOfxParamTypeBoolean "OfxParamTypeBoolean"        // int, 0 or 1
#define kOfxParamTypeChoice "OfxParamTypeChoice"          // int, index of the option
#define kOfxParamTypeRGBA "OfxParamTypeRGBA"              // 4 double
#define kOfxParamTypeRGB "OfxParamTypeRGB"                // 3 double
#define kOfxParamTypeDouble2D "OfxParamTypeDouble2D"      // 2 double
#define kOfxParamTypeInteger2D "OfxParamTypeInteger2D"    // 2 int
#define kOfxParamTypeDouble3D "OfxParamTypeDouble3D"      // 3 double
#define kOfxParamTypeInteger3D "OfxParamTypeInteger3D"    // 3 int
#define kOfxParamTypeString "OfxParamTypeString"          // char*
#define kOfxParamTypeCustom "OfxParamTypeCustom"          // char*
#define kOfxParamTypeGroup "OfxParamTypeGroup"            // no value
#define kOfxParamTypePage "OfxParamTypePage"              // no value
#define kOfxParamTypePushButton "OfxParamTypePushButton"  // no value

// Host properties: int 1 unless said otherwise.
#define kOfxParamHostPropSupportsCustomAnimation "OfxParamHostPropSupportsCustomAnimation"
#define kOfxParamHostPropSupportsStringAnimation "OfxParamHostPropSupportsStringAnimation"
#define kOfxParamHostPropSupportsBooleanAnimation "OfxParamHostPropSupportsBooleanAnimation"
#define kOfxParamHostPropSupportsChoiceAnimation "OfxParamHostPropSupportsChoiceAnimation"
#define kOfxParamHostPropSupportsCustomInteract "OfxParamHostPropSupportsCustomInteract"
#define kOfxParamHostPropMaxParameters "OfxParamHostPropMaxParameters"  // -1: no limit
#define kOfxParamHostPropMaxPages "OfxParamHostPropMaxPages"
#define kOfxParamHostPropPageRowColumnCount "OfxParamHostPropPageRowColumnCount"  // int 2

// Parameter properties.
#define kOfxParamPropType "OfxParamPropType"                            // string 1
#define kOfxParamPropAnimates "OfxParamPropAnimates"                    // int 1, default 1
#define kOfxParamPropCanUndo "OfxParamPropCanUndo"                      // int 1, default 1
#define kOfxParamPropIsAnimating "OfxParamPropIsAnimating"              // int 1, host sets
#define kOfxParamPropIsAutoKeying "OfxParamPropIsAutoKeying"            // int 1, host sets
#define kOfxParamPropPluginMayWrite "OfxParamPropPluginMayWrite"        // int 1, default 0
#define kOfxParamPropPersistant "OfxParamPropPersistant"                // int 1, default 1: saved
#define kOfxParamPropEvaluateOnChange "OfxParamPropEvaluateOnChange"    // int 1, default 1
#define kOfxParamPropSecret "OfxParamPropSecret"                        // int 1, default 0
#define kOfxParamPropEnabled "OfxParamPropEnabled"                      // int 1, default 1
#define kOfxParamPropScriptName "OfxParamPropScriptName"                // string 1
#define kOfxParamPropCacheInvalidation "OfxParamPropCacheInvalidation"  // string 1
#define kOfxParamPropHint "OfxParamPropHint"                            // string 1: the tooltip
#define kOfxParamPropDefault "OfxParamPropDefault"                      // of the parameter's own type
#define kOfxParamPropDoubleType "OfxParamPropDoubleType"                // string 1
#define kOfxParamPropDataPtr "OfxParamPropDataPtr"                      // pointer 1
#define kOfxParamPropParent "OfxParamPropParent"                        // string 1: a group's name
#define kOfxParamPropGroupOpen "OfxParamPropGroupOpen"                  // int 1, default 1
#define kOfxPluginPropParamPageOrder "OfxPluginPropParamPageOrder"      // string N, plugin
#define kOfxParamPropPageChild "OfxParamPropPageChild"                  // string N
#define kOfxParamPropChoiceOption "OfxParamPropChoiceOption"            // string N
#define kOfxParamPropMin "OfxParamPropMin"                              // of the parameter's own type
#define kOfxParamPropMax "OfxParamPropMax"
#define kOfxParamPropDisplayMin "OfxParamPropDisplayMin"  // of the slider
#define kOfxParamPropDisplayMax "OfxParamPropDisplayMax"
#define kOfxParamPropIncrement "OfxParamPropIncrement"                        // double 1
#define kOfxParamPropDigits "OfxParamPropDigits"                              // int 1
#define kOfxParamPropDimensionLabel "OfxParamPropDimensionLabel"              // string 2 or 3
#define kOfxParamPropStringMode "OfxParamPropStringMode"                      // string 1
#define kOfxParamPropStringFilePathExists "OfxParamPropStringFilePathExists"  // int 1, default 1

// Values of kOfxParamPropCacheInvalidation.
#define kOfxParamInvalidateValueChange "OfxParamInvalidateValueChange"
#define kOfxParamInvalidateValueChangeToEnd "OfxParamInvalidateValueChangeToEnd"
#define kOfxParamInvalidateAll "OfxParamInvalidateAll"

// Values of kOfxParamPropDoubleType.
#define kOfxParamDoubleTypePlain "OfxParamDoubleTypePlain"
#define kOfxParamDoubleTypeScale "OfxParamDoubleTypeScale"
#define kOfxParamDoubleTypeAngle "OfxParamDoubleTypeAngle"
#define kOfxParamDoubleTypeTime "OfxParamDoubleTypeTime"

// Values of kOfxParamPropStringMode.
#define kOfxParamStringIsSingleLine "OfxParamStringIsSingleLine"
#define kOfxParamStringIsMultiLine "OfxParamStringIsMultiLine"
#define kOfxParamStringIsFilePath "OfxParamStringIsFilePath"
#define kOfxParamStringIsDirectoryPath "OfxParamStringIsDirectoryPath"
#define kOfxParamStringIsLabel "OfxParamStringIsLabel"

// The variable arguments have no types: a wrong one corrupts the stack.
typedef struct OfxParameterSuiteV1 {
  OfxStatus (*paramDefine)(OfxParamSetHandle paramSet, const char* paramType, const char* name,
                           OfxPropertySetHandle* propertySet);
  OfxStatus (*paramGetHandle)(OfxParamSetHandle paramSet, const char* name, OfxParamHandle* param,
                              OfxPropertySetHandle* propertySet);
  OfxStatus (*paramSetGetPropertySet)(OfxParamSetHandle paramSet, OfxPropertySetHandle* propHandle);
  OfxStatus (*paramGetPropertySet)(OfxParamHandle param, OfxPropertySetHandle* propHandle);
  OfxStatus (*paramGetValue)(OfxParamHandle paramHandle, ...);
  OfxStatus (*paramGetValueAtTime)(OfxParamHandle paramHandle, OfxTime time, ...);
  OfxStatus (*paramGetDerivative)(OfxParamHandle paramHandle, OfxTime time, ...);
  OfxStatus (*paramGetIntegral)(OfxParamHandle paramHandle, OfxTime time1, OfxTime time2, ...);
  OfxStatus (*paramSetValue)(OfxParamHandle paramHandle, ...);
  OfxStatus (*paramSetValueAtTime)(OfxParamHandle paramHandle, OfxTime time, ...);
  OfxStatus (*paramGetNumKeys)(OfxParamHandle paramHandle, unsigned int* numberOfKeys);
  OfxStatus (*paramGetKeyTime)(OfxParamHandle paramHandle, unsigned int nthKey, OfxTime* time);
  OfxStatus (*paramGetKeyIndex)(OfxParamHandle paramHandle, OfxTime time, int direction, int* index);
  OfxStatus (*paramDeleteKey)(OfxParamHandle paramHandle, OfxTime time);
  OfxStatus (*paramDeleteAllKeys)(OfxParamHandle paramHandle);
  OfxStatus (*paramCopy)(OfxParamHandle paramTo, OfxParamHandle paramFrom, OfxTime dstOffset,
                         const OfxRangeD* frameRange);
  OfxStatus (*paramEditBegin)(OfxParamSetHandle paramSet, const char* name);
  OfxStatus (*paramEditEnd)(OfxParamSetHandle paramSet);
} OfxParameterSuiteV1;

#ifdef __cplusplus
}
#endif
