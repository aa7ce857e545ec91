#include "params.h"

#include <algorithm>
#include <string_view>

#include "version.h"

namespace stereo_convert {
namespace {

constexpr const char* kDepth = "depth_group";
constexpr const char* kStereo = "stereo_group";
constexpr const char* kOcclusion = "occlusion_group";
constexpr const char* kFill = "fill_group";
constexpr const char* kService = "service_group";

constexpr Option kOutputs[] = {
    {"right", "Right eye", 0},
    {"left", "Left eye", 1},
    {"sbs-half", "Side by side, half width", 2},
    {"tb-half", "Top and bottom, half height", 3},
    {"anaglyph", "Anaglyph red-cyan", 4},
    {"disparity", "Disparity map", 5},
    {"mask", "Occlusion mask", 6},
    {"sbs-full", "Side by side, full width", 7},
    {"tb-full", "Top and bottom, full height", 8},
    {"anaglyph-half-colour", "Anaglyph half-colour", 9},
    {"anaglyph-grey", "Anaglyph grey", 10},
    {"difference", "Difference of the eyes", 11},
};
constexpr Option kDepthSources[] = {
    {"estimate", "Estimate from Source", 0}, {"clip", "Depth clip", 1}, {"alpha", "Source alpha", 2}};
constexpr Option kDepthMeanings[] = {{"white-near", "White is near", 0},
                                     {"white-far", "White is far", 1},
                                     {"disparity-px", "Disparity in pixels", 2},
                                     {"foundry-px", "Disparity in pixels (Foundry sign)", 3}};
constexpr Option kRangeModes[] = {{"auto", "Auto", 0}, {"manual", "Manual", 1}};
constexpr Option kFloatingWindows[] = {{"off", "Off", 0}, {"auto", "Auto", 1}, {"manual", "Manual", 2}};
constexpr Option kDilations[] = {{"1", "1", 1}, {"3", "3", 3}, {"5", "5", 5}, {"7", "7", 7}, {"9", "9", 9}};
constexpr Option kTemporalStrides[] = {{"0", "Off", 0}, {"10", "Every 10th", 10}, {"20", "Every 20th", 20}};
constexpr Option kEngines[] = {{"sasi", "SASI", 0}, {"stretch", "Stretch background", 1}, {"none", "None (holes)", 2}};
constexpr Option kWindows[] = {
    {"1", "Single frame", 1}, {"17", "17 frames", 17}, {"33", "33 frames", 33}, {"81", "81 frames", 81}};
constexpr Option kPresetOptions[] = {{"custom", "Custom", kCustomPreset},
                                     {"gentle", "Gentle", 1},
                                     {"standard", "Standard", 2},
                                     {"strong", "Strong", 3},
                                     {"screen-safe", "Screen-safe", 4}};
constexpr Option kPreviews[] = {{"fast", "Fast while adjusting", 0}, {"final", "Always final", 1}};
constexpr Option kOnErrors[] = {{"fail", "Fail render", 0}, {"pass", "Pass through", 1}};

template <std::size_t count>
constexpr ParamSpec choice(const char* name, const char* label, const char* group, const Option (&options)[count],
                           int defaultValue, const char* hint) {
  ParamSpec spec{name, label, group, ParamKind::Choice, hint};
  spec.defaultValue = defaultValue;
  spec.options = {options, count};
  return spec;
}

constexpr ParamSpec number(const char* name, const char* label, const char* group, double defaultValue, Range range,
                           Range slider, const char* hint) {
  return {name, label, group, ParamKind::Double, hint, defaultValue, range, slider, {}, true};
}

constexpr ParamSpec integer(const char* name, const char* label, const char* group, int defaultValue, Range range,
                            Range slider, const char* hint) {
  return {name, label, group, ParamKind::Integer, hint, static_cast<double>(defaultValue), range, slider};
}

constexpr ParamSpec service(const char* name, const char* label, ParamKind kind, const char* hint) {
  return {name, label, kService, kind, hint};
}

constexpr ParamSpec withoutEffect(ParamSpec spec) {
  spec.evaluates = false;
  return spec;
}

}  // namespace

const std::array<GroupSpec, kGroupCount> kGroups = {{
    {kDepth, "Depth", true},
    {kStereo, "Stereo", true},
    {kOcclusion, "Occlusion", false},
    {kFill, "Fill", false},
    {kService, "Service", false},
}};

const std::array<ParamSpec, kSettingCount> kSettingParams = {{
    choice("output", "Output", nullptr, kOutputs, 0,
           "What the effect shows. Right eye is the result; the left eye is the source, untouched. Maps, "
           "anaglyphs and the difference help to judge. Full side by side and full top and bottom work where the host "
           "lets the output grow."),
    choice("depth_source", "Depth source", kDepth, kDepthSources, 0,
           "Where depth comes from: found in the pictures, read from the Depth input, or from the alpha of Source."),
    choice(
        "depth_meaning", "Depth meaning", kDepth, kDepthMeanings, 0,
        "How to read a depth clip or alpha. Disparity in pixels: shift at the width of the depth picture, above 0 is "
        "nearer than the screen; with the Foundry sign (disparityL.x of Nuke) below 0 is nearer. The Stereo settings "
        "then change nothing."),
    choice("range", "Range", kDepth, kRangeModes, 0,
           "Auto finds the nearest and farthest depth of the shot and follows it smoothly. Manual uses Near and Far."),
    number("near", "Near", kDepth, 1.0, {-1e9, 1e9}, {0, 1}, "Depth value of the nearest surface. Manual range only."),
    number("far", "Far", kDepth, 0.0, {-1e9, 1e9}, {0, 1}, "Depth value of the farthest surface. Manual range only."),
    number("foreground_scale", "Foreground scale", kDepth, 0.0, {-3, 3}, {-3, 3},
           "Bends depth between near and far. Above 0 pushes the middle back, so that the foreground stands out; "
           "below 0 brings it forward."),
    number("edge_fix", "Edge fix (px)", kDepth, 2.0, {0, 8}, {0, 8},
           "Hardens soft edges of the depth up to this width, in pixels at 1920 wide; above 2 near regions also grow. "
           "Raise it when outlines of near objects stay behind; 0 for depth that is exact."),
    number("disparity", "Disparity (%)", kStereo, 2.5, {0, 10}, {0, 5},
           "Strength: parallax between nearest and farthest, in percent of the frame width. 0 is flat, 1 to 2 gentle, "
           "above 3 strong. One eye carries all of it."),
    number(
        "convergence", "Convergence", kStereo, 0.5, {-1, 2}, {0, 1},
        "What sits on the screen: 0 the farthest surface, so that all comes forward; 1 the nearest, so that all lies "
        "behind the screen."),
    choice("floating_window", "Floating window", kStereo, kFloatingWindows, 0,
           "Black bars at the frame edges where near objects are cut by them. Auto makes them as wide as needed."),
    number("floating_window_width", "Floating window width (%)", kStereo, 1.0, {0, 5}, {0, 5},
           "Width of the bars in percent of the frame width. Manual only."),
    number(
        "threshold", "Gradient threshold", kOcclusion, 1.5, {1.05, 4}, {1.05, 4},
        "Stretch beyond which a surface counts as torn open and is filled. Lower fills more, higher stretches more."),
    number("mask_grow", "Mask grow (px)", kOcclusion, 0.0, {0, 32}, {0, 16},
           "Grows the filled regions, in pixels at 1920 wide. Raise it when fringes of the foreground remain in them."),
    choice("dilation", "Dilation (tokens)", kOcclusion, kDilations, 5,
           "How far around each hole the network looks, in tokens of 16 pixels. Larger sees more and takes longer."),
    choice("temporal_stride", "Temporal stride", kOcclusion, kTemporalStrides, 0,
           "Compute some frames of the window whole, so that the network sees all of the picture there. Slower."),
    choice("engine", "Engine", kFill, kEngines, 0,
           "What fills the holes: SASI paints them by a network, Stretch extends the background, None leaves them "
           "black with alpha 0 for compositing."),
    integer("steps", "Steps", kFill, 1, {1, 8}, {1, 8}, "Network passes for each window. 1 is what it was made for."),
    choice("window", "Window", kFill, kWindows, 17,
           "Frames that are computed together. Longer is steadier in time and takes more memory; Single frame is for "
           "quick looks and flickers."),
    {"blend", "Blend", kFill, ParamKind::Boolean, "Feather the fill into the warped picture.", 1},
    number("feather", "Feather (px)", kFill, 4.0, {0, 32}, {0, 16}, "Width of that feather, in pixels at 1920 wide."),
    integer("max_width", "Max fill width (px)", kFill, 1280, {640, 3840}, {640, 1920},
            "Width that the fill is computed at, in pixels. All other pixels keep the full size of the frame."),
}};

const std::array<ParamSpec, kPluginParamCount> kPluginParams = {{
    withoutEffect(choice(
        plugin_param::kPreset, "Preset", nullptr, kPresetOptions, 2,
        "Sets Disparity, Convergence and Floating window at once. Gentle for long viewing and small rooms, Strong for "
        "short shots, Screen-safe keeps everything behind the screen. Custom: values of your own.")),
    {plugin_param::kReset, "Reset settings", nullptr, ParamKind::Button,
     "Put all settings of the picture back to their defaults, keyframes too. What belongs to the service stays."},
    choice(
        plugin_param::kPreview, "Preview", kFill, kPreviews, 0,
        "Fast while adjusting: where the host says that a picture is a draft, for its viewer or reduced, the frame is "
        "converted alone with its fill at 640 pixels. Always final: all pictures are as in the final render."),
    service(
        plugin_param::kAddress, "Address", ParamKind::Text,
        "Where the service listens: tls://HOST:PORT on another machine, HOST:PORT or unix:PATH on this one. Blank: a "
        "service on this machine, which starts by itself and leaves when idle."),
    service(plugin_param::kTokenFile, "Token file", ParamKind::FilePath,
            "File with the token that a service on another machine asks for. Blank: the file token in the folder of "
            "this user's settings, ~/.config/stereo-convert on Linux. Not needed when Address is blank."),
    service(plugin_param::kServiceProgram, "Service program", ParamKind::FilePath,
            "Program that starts the service on this machine. Blank: the environment variable STEREO_CONVERT_SERVICE, "
            "else stereo-convert-service beside the bundle."),
    withoutEffect({plugin_param::kTimeout,
                   "Timeout (s)",
                   kService,
                   ParamKind::Double,
                   "Seconds that a window may take, its wait for the service included, before the render counts as "
                   "failed.",
                   120,
                   {1, 3600},
                   {10, 600}}),
    choice(plugin_param::kOnError, "On error", kService, kOnErrors, 0,
           "What a failed frame becomes: an error with a message, or the source picture with a warning."),
    withoutEffect(
        service(plugin_param::kStatus, "Status", ParamKind::Label,
                "What the service said about the last window: device, models and their licences, time, parallax, "
                "warnings. It follows when a setting is touched; most hosts let nothing be shown while they "
                "render.")),
    service(plugin_param::kRefreshStatus, "Refresh status", ParamKind::Button,
            "Ask the service how it is, and show what it said about the last window."),
    service(
        plugin_param::kRefreshModel, "Refresh model", ParamKind::Button,
        "Ask the service which model it runs now and let the host render anew: hosts keep pictures that an older model "
        "made."),
    service(plugin_param::kModelToken, "Model token", ParamKind::Label,
            "The model that Refresh model found, and how often it was pressed. Part of what the host knows the picture "
            "by."),
    withoutEffect(
        {plugin_param::kWriteLog, "Write log", kService, ParamKind::Boolean,
         "Write a line for each render into plugin.log: times, sizes and messages, no pictures. For reports."}),
    service(plugin_param::kOpenLogFolder, "Open log folder", ParamKind::Button,
            "Show the folder of plugin.log and service.log in the file manager of this machine."),
    withoutEffect(service(plugin_param::kVersion, "Version", ParamKind::Label,
                          "Version of the plugin: " STEREO_CONVERT_VERSION ".")),
}};

const ParamSpec& pluginParam(const char* name) {
  const std::string_view wanted = name;
  const auto* found = std::find_if(kPluginParams.begin(), kPluginParams.end(),
                                   [wanted](const ParamSpec& spec) { return spec.name == wanted; });
  return found == kPluginParams.end() ? kPluginParams.front() : *found;  // the names are constants: always found
}

}  // namespace stereo_convert
