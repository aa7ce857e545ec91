// Every parameter of the effect: names, units, ranges, defaults and words. The settings among them are those of
// model/settings.py, in its order; tests/ofx_plugin/test_params.py holds the two together.
#pragma once

#include <array>
#include <cstddef>

namespace stereo_convert {

enum class ParamKind { Choice, Double, Integer, Boolean, Text, FilePath, Label, Button };

struct Range {
  double low, high;
};

// One entry of a choice: `token` is its name in model.Settings, `value` what the wire carries.
struct Option {
  const char* token;
  const char* label;
  int value;
};

struct Options {
  const Option* first = nullptr;
  std::size_t count = 0;
};

struct ParamSpec {
  const char* name;
  const char* label;
  const char* group;  // name of a kGroups entry, null for the top of the panel
  ParamKind kind;
  const char* hint;
  double defaultValue = 0;  // of a choice: an Option's value
  Range range = {0, 0};     // hard
  Range slider = {0, 0};    // shown
  Options options = {};
  bool animates = false;
  bool evaluates = true;  // false: pictures do not depend on it
};

struct GroupSpec {
  const char* name;
  const char* label;
  bool open;
};

// In the order of model.Settings and settings.proto.
enum class Setting : std::size_t {
  Output,
  DepthSource,
  DepthMeaning,
  Range,
  Near,
  Far,
  ForegroundScale,
  EdgeFix,
  Disparity,
  Convergence,
  FloatingWindow,
  FloatingWindowWidth,
  Threshold,
  MaskGrow,
  Dilation,
  TemporalStride,
  Engine,
  Steps,
  Window,
  Blend,
  Feather,
  MaxWidth,
};
constexpr std::size_t kSettingCount = 22;

constexpr std::size_t kGroupCount = 5;
extern const std::array<GroupSpec, kGroupCount> kGroups;
extern const std::array<ParamSpec, kSettingCount> kSettingParams;

// What belongs to the plugin and not to the picture.
namespace plugin_param {
constexpr const char* kPreset = "preset";
constexpr const char* kReset = "reset";
constexpr const char* kPreview = "preview";
constexpr const char* kAddress = "address";
constexpr const char* kTokenFile = "token_file";
constexpr const char* kServiceProgram = "service_program";
constexpr const char* kTimeout = "timeout";
constexpr const char* kOnError = "on_error";
constexpr const char* kWriteLog = "write_log";
constexpr const char* kOpenLogFolder = "open_log_folder";
constexpr const char* kStatus = "status";
constexpr const char* kRefreshStatus = "refresh_status";
constexpr const char* kRefreshModel = "refresh_model";
constexpr const char* kModelToken = "model_token";
constexpr const char* kVersion = "version";
}  // namespace plugin_param
enum class OnError { FailRender, PassThrough };
constexpr int kCustomPreset = 0;  // the others are numbered from 1, gentlest first, Screen-safe last
enum class Preview { FastWhileAdjusting, AlwaysFinal };
constexpr std::size_t kPluginParamCount = 15;
extern const std::array<ParamSpec, kPluginParamCount> kPluginParams;
// `name` is one of plugin_param.
[[nodiscard]] const ParamSpec& pluginParam(const char* name);

}  // namespace stereo_convert
