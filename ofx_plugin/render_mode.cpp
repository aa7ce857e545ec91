#include "render_mode.h"

#include <algorithm>

namespace stereo_convert {
namespace {

constexpr int kPreviewWindow = 1;
constexpr int kPreviewFillWidth_px = 640;  // the least that max_width allows

constexpr double kThumbnailWidth_px = 256;
constexpr double kThumbnailFraction = 4;  // a thumbnail is at most this part of the project's width

bool says(const Properties& in, const char* property) {
  return in.integer(property).value_or(0) != 0;
}

bool isReduced(const Properties& in) {
  return in.real(kOfxImageEffectPropRenderScale, 0).value_or(1) < 1;
}

// Resolve draws thumbnails at render scale 1; they betray themselves by their size beside that of the project. Where a
// host may ask for a part of the frame the render window says nothing of that.
bool isThumbnail(const Instance& instance, const Properties& in) {
  const auto window = in.rectangle(kOfxImageEffectPropRenderWindow);
  const auto projectWidth = instance.projectWidth();
  if (hostRendersParts() || !window || !projectWidth) return false;
  const double width = window->x2 - window->x1;
  return width <= kThumbnailWidth_px && width * kThumbnailFraction <= *projectWidth;
}

}  // namespace

RenderMode RenderMode::of(const Instance& instance, const Properties& in) {
  RenderMode mode;
  mode.isInteractive = says(in, kOfxImageEffectPropInteractiveRenderStatus);
  if (instance.preview(in.real(kOfxPropTime).value_or(0)) == Preview::AlwaysFinal) return mode;
  // In a sequence the neighbours follow, and one window serves thirteen of them.
  const bool isAlone = !says(in, kOfxImageEffectPropSequentialRenderStatus);
  // Nuke keeps what its viewer showed under a hash of the knobs and may hand it to a Write node: a preview would become
  // the final picture. Its proxy mode changes the hash, so that may be quick.
  const bool isForViewer = mode.isInteractive && !hostIsNuke();
  mode.isPreview = says(in, kOfxImageEffectPropRenderQualityDraft) ||
                   (isAlone && (isForViewer || isReduced(in) || isThumbnail(instance, in)));
  return mode;
}

Settings RenderMode::applied(Settings settings) const {
  if (!isPreview) return settings;
  settings.set(Setting::Window, kPreviewWindow);
  settings.set(Setting::MaxWidth, std::min(settings.integer(Setting::MaxWidth), kPreviewFillWidth_px));
  return settings;
}

std::string RenderMode::note(const Settings& settings) const {
  if (!isPreview) return {};
  return " Preview: this frame alone, filled at " + std::to_string(applied(settings).integer(Setting::MaxWidth)) +
         " px; final renders use windows of " + std::to_string(settings.integer(Setting::Window)) + " frames.";
}

}  // namespace stereo_convert
