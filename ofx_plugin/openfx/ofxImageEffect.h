// OpenFX image effect API: contexts, clips, images, regions and rendering.
#pragma once

#include "ofxCore.h"
#include "ofxMemory.h"
#include "ofxMessage.h"
#include "ofxMultiThread.h"
#include "ofxParam.h"

#ifdef __cplusplus
extern "C" {
#endif

#define kOfxImageEffectPluginApi "OfxImageEffectPluginAPI"
#define kOfxImageEffectPluginApiVersion 1

typedef struct OfxImageEffectStruct* OfxImageEffectHandle;
typedef struct OfxImageClipStruct* OfxImageClipHandle;
typedef struct OfxImageMemoryStruct* OfxImageMemoryHandle;

// Values of kOfxPropType.
#define kOfxTypeImageEffectHost "OfxTypeImageEffectHost"
#define kOfxTypeImageEffect "OfxTypeImageEffect"
#define kOfxTypeImageEffectInstance "OfxTypeImageEffectInstance"
#define kOfxTypeClip "OfxTypeClip"
#define kOfxTypeImage "OfxTypeImage"

// Components of a pixel.
#define kOfxImageComponentNone "OfxImageComponentNone"  // unconnected
#define kOfxImageComponentRGBA "OfxImageComponentRGBA"
#define kOfxImageComponentRGB "OfxImageComponentRGB"
#define kOfxImageComponentAlpha "OfxImageComponentAlpha"

// Contexts.
#define kOfxImageEffectContextGenerator "OfxImageEffectContextGenerator"
#define kOfxImageEffectContextFilter "OfxImageEffectContextFilter"
#define kOfxImageEffectContextTransition "OfxImageEffectContextTransition"
#define kOfxImageEffectContextPaint "OfxImageEffectContextPaint"
#define kOfxImageEffectContextGeneral "OfxImageEffectContextGeneral"
#define kOfxImageEffectContextRetimer "OfxImageEffectContextRetimer"

// Names of clips that contexts demand.
#define kOfxImageEffectOutputClipName "Output"
#define kOfxImageEffectSimpleSourceClipName "Source"

// Actions.
#define kOfxImageEffectActionDescribeInContext "OfxImageEffectActionDescribeInContext"
#define kOfxImageEffectActionGetClipPreferences "OfxImageEffectActionGetClipPreferences"
#define kOfxImageEffectActionGetTimeDomain "OfxImageEffectActionGetTimeDomain"
#define kOfxImageEffectActionGetRegionOfDefinition "OfxImageEffectActionGetRegionOfDefinition"
#define kOfxImageEffectActionGetRegionsOfInterest "OfxImageEffectActionGetRegionsOfInterest"
#define kOfxImageEffectActionGetFramesNeeded "OfxImageEffectActionGetFramesNeeded"
#define kOfxImageEffectActionIsIdentity "OfxImageEffectActionIsIdentity"
#define kOfxImageEffectActionBeginSequenceRender "OfxImageEffectActionBeginSequenceRender"
#define kOfxImageEffectActionRender "OfxImageEffectActionRender"
#define kOfxImageEffectActionEndSequenceRender "OfxImageEffectActionEndSequenceRender"

// Properties of host and plugin.
#define kOfxImageEffectHostPropIsBackground "OfxImageEffectHostPropIsBackground"                  // int 1
#define kOfxImageEffectPropSupportedContexts "OfxImageEffectPropSupportedContexts"                // string N
#define kOfxImageEffectPropPluginHandle "OfxImageEffectPropPluginHandle"                          // pointer 1
#define kOfxImageEffectPluginPropGrouping "OfxImageEffectPluginPropGrouping"                      // string 1
#define kOfxImageEffectPluginPropSingleInstance "OfxImageEffectPluginPropSingleInstance"          // int 1
#define kOfxImageEffectPluginRenderThreadSafety "OfxImageEffectPluginRenderThreadSafety"          // string 1
#define kOfxImageEffectPluginPropHostFrameThreading "OfxImageEffectPluginPropHostFrameThreading"  // int 1, default 1
#define kOfxImageEffectPluginPropOverlayInteractV1 "OfxImageEffectPluginPropOverlayInteractV1"    // pointer 1
#define kOfxImageEffectPluginPropFieldRenderTwiceAlways "OfxImageEffectPluginPropFieldRenderTwiceAlways"  // int 1
#define kOfxImageEffectPropSupportsMultipleClipDepths "OfxImageEffectPropMultipleClipDepths"              // int 1, sic
#define kOfxImageEffectPropSupportsMultipleClipPARs "OfxImageEffectPropSupportsMultipleClipPARs"          // int 1
#define kOfxImageEffectPropClipPreferencesSlaveParam "OfxImageEffectPropClipPreferencesSlaveParam"        // string N
#define kOfxImageEffectPropSetableFrameRate "OfxImageEffectPropSetableFrameRate"                          // int 1
#define kOfxImageEffectPropSetableFielding "OfxImageEffectPropSetableFielding"                            // int 1
#define kOfxImageEffectInstancePropSequentialRender "OfxImageEffectInstancePropSequentialRender"          // int 1
#define kOfxImageEffectPropSupportsOverlays "OfxImageEffectPropSupportsOverlays"                          // int 1
#define kOfxImageEffectPropSupportsMultiResolution "OfxImageEffectPropSupportsMultiResolution"            // int 1
#define kOfxImageEffectPropSupportsTiles "OfxImageEffectPropSupportsTiles"                // int 1, default 1
#define kOfxImageEffectPropTemporalClipAccess "OfxImageEffectPropTemporalClipAccess"      // int 1, default 0
#define kOfxImageEffectPropSupportedPixelDepths "OfxImageEffectPropSupportedPixelDepths"  // string N
#define kOfxImageEffectPropSupportedComponents "OfxImageEffectPropSupportedComponents"    // string N

// Values of kOfxImageEffectPluginRenderThreadSafety.
#define kOfxImageEffectRenderUnsafe "OfxImageEffectRenderUnsafe"              // one render in the process
#define kOfxImageEffectRenderInstanceSafe "OfxImageEffectRenderInstanceSafe"  // one render in an instance
#define kOfxImageEffectRenderFullySafe "OfxImageEffectRenderFullySafe"

// Properties of an instance.
#define kOfxImageEffectPropContext "OfxImageEffectPropContext"                                // string 1
#define kOfxImageEffectPropProjectExtent "OfxImageEffectPropProjectExtent"                    // double 2, canonical
#define kOfxImageEffectPropProjectSize "OfxImageEffectPropProjectSize"                        // double 2, canonical
#define kOfxImageEffectPropProjectOffset "OfxImageEffectPropProjectOffset"                    // double 2, canonical
#define kOfxImageEffectPropProjectPixelAspectRatio "OfxImageEffectPropPixelAspectRatio"       // double 1, sic
#define kOfxImageEffectInstancePropEffectDuration "OfxImageEffectInstancePropEffectDuration"  // double 1, frames
#define kOfxImageEffectPropFrameRate "OfxImageEffectPropFrameRate"  // double 1, also clips and preferences

// Properties of a clip.
#define kOfxImageClipPropConnected "OfxImageClipPropConnected"                        // int 1
#define kOfxImageClipPropOptional "OfxImageClipPropOptional"                          // int 1, default 0
#define kOfxImageClipPropIsMask "OfxImageClipPropIsMask"                              // int 1, default 0
#define kOfxImageClipPropContinuousSamples "OfxImageClipPropContinuousSamples"        // int 1, also preferences
#define kOfxImageClipPropUnmappedPixelDepth "OfxImageClipPropUnmappedPixelDepth"      // string 1
#define kOfxImageClipPropUnmappedComponents "OfxImageClipPropUnmappedComponents"      // string 1
#define kOfxImageClipPropFieldOrder "OfxImageClipPropFieldOrder"                      // string 1, also preferences
#define kOfxImageClipPropFieldExtraction "OfxImageClipPropFieldExtraction"            // string 1, default doubled
#define kOfxImageEffectPropFrameRange "OfxImageEffectPropFrameRange"                  // double 2: first, last
#define kOfxImageEffectPropUnmappedFrameRate "OfxImageEffectPropUnmappedFrameRate"    // double 1
#define kOfxImageEffectPropUnmappedFrameRange "OfxImageEffectPropUnmappedFrameRange"  // double 2
#define kOfxImageEffectPropPixelDepth "OfxImageEffectPropPixelDepth"                  // string 1, also images
#define kOfxImageEffectPropComponents "OfxImageEffectPropComponents"                  // string 1, also images
#define kOfxImageEffectPropPreMultiplication "OfxImageEffectPropPreMultiplication"    // string 1, also images
#define kOfxImagePropPixelAspectRatio "OfxImagePropPixelAspectRatio"                  // double 1, also images

// Values of kOfxImageEffectPropPreMultiplication.
#define kOfxImageOpaque "OfxImageOpaque"
#define kOfxImagePreMultiplied "OfxImageAlphaPremultiplied"
#define kOfxImageUnPreMultiplied "OfxImageAlphaUnPremultiplied"

// Properties of an image.
#define kOfxImagePropData "OfxImagePropData"                              // pointer 1: lower left pixel of the bounds
#define kOfxImagePropBounds "OfxImagePropBounds"                          // int 4, pixels in memory
#define kOfxImagePropRegionOfDefinition "OfxImagePropRegionOfDefinition"  // int 4, pixels that exist
#define kOfxImagePropRowBytes "OfxImagePropRowBytes"                      // int 1: to the row above; may be negative
#define kOfxImagePropField "OfxImagePropField"                            // string 1
#define kOfxImagePropUniqueIdentifier "OfxImagePropUniqueIdentifier"      // string 1

// Fields.
#define kOfxImageFieldNone "OfxFieldNone"
#define kOfxImageFieldLower "OfxFieldLower"
#define kOfxImageFieldUpper "OfxFieldUpper"
#define kOfxImageFieldBoth "OfxFieldBoth"
#define kOfxImageFieldSingle "OfxFieldSingle"
#define kOfxImageFieldDoubled "OfxFieldDoubled"

// Arguments of actions. Per clip there are also, with the clip's name behind the underscore:
// OfxImageClipPropComponents_ (string 1), OfxImageClipPropDepth_ (string 1), OfxImageClipPropPAR_ (double 1) in
// GetClipPreferences; OfxImageClipPropRoI_ (double 4, canonical) in GetRegionsOfInterest; OfxImageClipPropFrameRange_
// (double 2N) in GetFramesNeeded. IsIdentity answers by kOfxPropName and kOfxPropTime.
#define kOfxImageEffectPropRenderScale "OfxImageEffectPropRenderScale"                          // double 2
#define kOfxImageEffectPropRenderWindow "OfxImageEffectPropRenderWindow"                        // int 4, pixels
#define kOfxImageEffectPropFieldToRender "OfxImageEffectPropFieldToRender"                      // string 1
#define kOfxImageEffectPropFrameStep "OfxImageEffectPropFrameStep"                              // double 1
#define kOfxImageEffectPropRegionOfDefinition "OfxImageEffectPropRegionOfDefinition"            // double 4, canonical
#define kOfxImageEffectPropRegionOfInterest "OfxImageEffectPropRegionOfInterest"                // double 4, canonical
#define kOfxImageEffectFrameVarying "OfxImageEffectFrameVarying"                                // int 1, preferences
#define kOfxImageEffectPropSequentialRenderStatus "OfxImageEffectPropSequentialRenderStatus"    // int 1
#define kOfxImageEffectPropInteractiveRenderStatus "OfxImageEffectPropInteractiveRenderStatus"  // int 1
#define kOfxImageEffectPropRenderQualityDraft "OfxImageEffectPropRenderQualityDraft"            // int 1, also host

#define kOfxStatErrImageFormat ((int)1000)

#define kOfxImageEffectSuite "OfxImageEffectSuite"

// Every image got by clipGetImage is released by clipReleaseImage before its action ends; kOfxStatFailed means that
// there is no image at that time. A NULL region is the region of interest.
typedef struct OfxImageEffectSuiteV1 {
  OfxStatus (*getPropertySet)(OfxImageEffectHandle imageEffect, OfxPropertySetHandle* propHandle);
  OfxStatus (*getParamSet)(OfxImageEffectHandle imageEffect, OfxParamSetHandle* paramSet);
  OfxStatus (*clipDefine)(OfxImageEffectHandle imageEffect, const char* name, OfxPropertySetHandle* propertySet);
  OfxStatus (*clipGetHandle)(OfxImageEffectHandle imageEffect, const char* name, OfxImageClipHandle* clip,
                             OfxPropertySetHandle* propertySet);
  OfxStatus (*clipGetPropertySet)(OfxImageClipHandle clip, OfxPropertySetHandle* propHandle);
  OfxStatus (*clipGetImage)(OfxImageClipHandle clip, OfxTime time, const OfxRectD* region,
                            OfxPropertySetHandle* imageHandle);
  OfxStatus (*clipReleaseImage)(OfxPropertySetHandle imageHandle);
  OfxStatus (*clipGetRegionOfDefinition)(OfxImageClipHandle clip, OfxTime time, OfxRectD* bounds);
  int (*abort)(OfxImageEffectHandle imageEffect);
  OfxStatus (*imageMemoryAlloc)(OfxImageEffectHandle instanceHandle, size_t nBytes, OfxImageMemoryHandle* memoryHandle);
  OfxStatus (*imageMemoryFree)(OfxImageMemoryHandle memoryHandle);
  OfxStatus (*imageMemoryLock)(OfxImageMemoryHandle memoryHandle, void** returnedPtr);
  OfxStatus (*imageMemoryUnlock)(OfxImageMemoryHandle memoryHandle);
} OfxImageEffectSuiteV1;

#ifdef __cplusplus
}
#endif
