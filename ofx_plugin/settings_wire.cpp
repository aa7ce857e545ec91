#include "settings_wire.h"

namespace stereo_convert {

namespace wire = stereoconvert::v1;

namespace {

// Options are numbered from 0, enum values from 1: 0 is UNSPECIFIED.
template <typename Enum>
Enum choice(const Settings& settings, Setting setting) {
  return static_cast<Enum>(settings.integer(setting) + 1);
}

std::uint32_t whole(const Settings& settings, Setting setting) {
  return static_cast<std::uint32_t>(settings.integer(setting));
}

float real(const Settings& settings, Setting setting) {
  return static_cast<float>(settings.number(setting));
}

}  // namespace

wire::Settings toWire(const Settings& settings) {
  wire::Settings message;
  message.set_output(choice<wire::Output>(settings, Setting::Output));
  message.set_depth_source(choice<wire::DepthSource>(settings, Setting::DepthSource));
  message.set_depth_meaning(choice<wire::DepthMeaning>(settings, Setting::DepthMeaning));
  message.set_range(choice<wire::RangeMode>(settings, Setting::Range));
  message.set_near(real(settings, Setting::Near));
  message.set_far(real(settings, Setting::Far));
  message.set_foreground_scale(real(settings, Setting::ForegroundScale));
  message.set_edge_fix(real(settings, Setting::EdgeFix));
  message.set_disparity(real(settings, Setting::Disparity));
  message.set_convergence(real(settings, Setting::Convergence));
  message.set_floating_window(choice<wire::FloatingWindow>(settings, Setting::FloatingWindow));
  message.set_floating_window_width(real(settings, Setting::FloatingWindowWidth));
  message.set_threshold(real(settings, Setting::Threshold));
  message.set_mask_grow(real(settings, Setting::MaskGrow));
  message.set_dilation(whole(settings, Setting::Dilation));
  message.set_temporal_stride(whole(settings, Setting::TemporalStride));
  message.set_engine(choice<wire::Engine>(settings, Setting::Engine));
  message.set_steps(whole(settings, Setting::Steps));
  message.set_window(whole(settings, Setting::Window));
  message.set_blend(settings.integer(Setting::Blend) != 0);
  message.set_feather(real(settings, Setting::Feather));
  message.set_max_width(whole(settings, Setting::MaxWidth));
  return message;
}

}  // namespace stereo_convert
