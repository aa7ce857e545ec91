// OpenFX core: handles, status codes, the plugin and host structures, actions and properties of every API.
#pragma once

#include <limits.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define OfxExport extern __declspec(dllexport)
#else
#define OfxExport extern
#endif

typedef int OfxStatus;
typedef double OfxTime;  // in frames
typedef struct OfxPropertySetStruct* OfxPropertySetHandle;

// Given to a plugin by setHost; valid while the binary is loaded.
typedef struct OfxHost {
  OfxPropertySetHandle host;
  // NULL when the host has no such suite in that version.
  const void* (*fetchSuite)(OfxPropertySetHandle host, const char* suiteName, int suiteVersion);
} OfxHost;

typedef OfxStatus(OfxPluginEntryPoint)(const char* action, const void* handle, OfxPropertySetHandle inArgs,
                                       OfxPropertySetHandle outArgs);

// What OfxGetPlugin returns; it outlives every use of the binary.
typedef struct OfxPlugin {
  const char* pluginApi;
  int apiVersion;
  const char* pluginIdentifier;  // reverse domain name
  unsigned int pluginVersionMajor;
  unsigned int pluginVersionMinor;
  void (*setHost)(OfxHost* host);
  OfxPluginEntryPoint* mainEntry;
} OfxPlugin;

// Exported by a plugin binary. A host calls OfxSetHost (1.5, optional) first where it exists.
OfxExport OfxPlugin* OfxGetPlugin(int nth);
OfxExport int OfxGetNumberOfPlugins(void);
OfxExport OfxStatus OfxSetHost(const OfxHost* host);

typedef struct OfxRangeI {
  int min, max;
} OfxRangeI;
typedef struct OfxRangeD {
  double min, max;
} OfxRangeD;
typedef struct OfxPointI {
  int x, y;
} OfxPointI;
typedef struct OfxPointD {
  double x, y;
} OfxPointD;
// Half open: x1 <= x < x2, y upwards. kOfxFlagInfinite* mark a side without end.
typedef struct OfxRectI {
  int x1, y1, x2, y2;
} OfxRectI;
typedef struct OfxRectD {
  double x1, y1, x2, y2;
} OfxRectD;
#define kOfxFlagInfiniteMax INT_MAX
#define kOfxFlagInfiniteMin INT_MIN

// Status codes.
#define kOfxStatOK 0
#define kOfxStatFailed ((int)1)
#define kOfxStatErrFatal ((int)2)
#define kOfxStatErrUnknown ((int)3)
#define kOfxStatErrMissingHostFeature ((int)4)
#define kOfxStatErrUnsupported ((int)5)
#define kOfxStatErrExists ((int)6)
#define kOfxStatErrFormat ((int)7)
#define kOfxStatErrMemory ((int)8)
#define kOfxStatErrBadHandle ((int)9)
#define kOfxStatErrBadIndex ((int)10)
#define kOfxStatErrValue ((int)11)
#define kOfxStatReplyYes ((int)12)
#define kOfxStatReplyNo ((int)13)
#define kOfxStatReplyDefault ((int)14)

// Actions of every API, in the order of a plugin's life.
#define kOfxActionLoad "OfxActionLoad"
#define kOfxActionDescribe "OfxActionDescribe"
#define kOfxActionCreateInstance "OfxActionCreateInstance"
#define kOfxActionBeginInstanceEdit "OfxActionBeginInstanceEdit"
#define kOfxActionBeginInstanceChanged "OfxActionBeginInstanceChanged"
#define kOfxActionInstanceChanged "OfxActionInstanceChanged"
#define kOfxActionEndInstanceChanged "OfxActionEndInstanceChanged"
#define kOfxActionSyncPrivateData "OfxActionSyncPrivateData"
#define kOfxActionPurgeCaches "OfxActionPurgeCaches"
#define kOfxActionEndInstanceEdit "OfxActionEndInstanceEdit"
#define kOfxActionDestroyInstance "OfxActionDestroyInstance"
#define kOfxActionUnload "OfxActionUnload"

// Properties; type and dimension behind each.
#define kOfxPropAPIVersion "OfxPropAPIVersion"                // int N, host; absent means 1.0
#define kOfxPropTime "OfxPropTime"                            // double 1, action argument
#define kOfxPropIsInteractive "OfxPropIsInteractive"          // int 1, instance
#define kOfxPluginPropFilePath "OfxPluginPropFilePath"        // string 1, plugin: the bundle
#define kOfxPropInstanceData "OfxPropInstanceData"            // pointer 1, instance: the plugin's own
#define kOfxPropType "OfxPropType"                            // string 1, every object
#define kOfxPropName "OfxPropName"                            // string 1, every named object
#define kOfxPropVersion "OfxPropVersion"                      // int N, host and plugin
#define kOfxPropVersionLabel "OfxPropVersionLabel"            // string 1, host and plugin
#define kOfxPropPluginDescription "OfxPropPluginDescription"  // string 1, plugin
#define kOfxPropLabel "OfxPropLabel"                          // string 1
#define kOfxPropShortLabel "OfxPropShortLabel"                // string 1, about 13 characters
#define kOfxPropLongLabel "OfxPropLongLabel"                  // string 1, about 32 characters
#define kOfxPropIcon "OfxPropIcon"                            // string 2: SVG, PNG in Resources
#define kOfxPropChangeReason "OfxPropChangeReason"            // string 1, instance changed
#define kOfxPropEffectInstance "OfxPropEffectInstance"        // pointer 1, interacts
#define kOfxPropHostOSHandle "OfxPropHostOSHandle"            // pointer 1, host

// Values of kOfxPropChangeReason.
#define kOfxChangeUserEdited "OfxChangeUserEdited"
#define kOfxChangePluginEdited "OfxChangePluginEdited"
#define kOfxChangeTime "OfxChangeTime"

// Values of the pixel depth properties.
#define kOfxBitDepthNone "OfxBitDepthNone"    // unconnected
#define kOfxBitDepthByte "OfxBitDepthByte"    // 0..255
#define kOfxBitDepthShort "OfxBitDepthShort"  // 0..65535
#define kOfxBitDepthHalf "OfxBitDepthHalf"    // IEEE binary16
#define kOfxBitDepthFloat "OfxBitDepthFloat"  // IEEE binary32

#ifdef __cplusplus
}
#endif
