#include "regions.h"

#include <algorithm>

#include "openfx/resolve_extensions.h"
#include "window_source.h"

namespace stereo_convert {
namespace {

double timeOf(const Properties& in) {
  return in.real(kOfxPropTime).value_or(0);
}

void needWholeClip(const Clip& clip, double time, const char* property, const Properties& out) {
  if (const auto region = clip.regionOfDefinition(time)) out.set(property, *region);
}

void needFrames(const Clip& clip, const Window& window, const FrameTime& time, const char* property,
                const Properties& out) {
  double first = time.time(window.firstFrame);
  double last = time.time(window.firstFrame + window.length - 1);
  if (const auto range = clip.frameRange()) {
    first = std::clamp(first, range->min, range->max);
    last = std::clamp(last, range->min, range->max);
  }
  out.set(property, first, 0);
  out.set(property, last, 1);
}

}  // namespace

bool showsSource(const Instance& instance, const Settings& settings, const Properties& in) {
  return settings.isIdentity() || in.integer(kResolvePropEyeToRender) == kResolveEyeLeft ||
         instance.clip(kSourceClip).isThumbnail();
}

OfxStatus regionOfDefinition(const Instance& instance, const Properties& in, const Properties& out) {
  const double time = timeOf(in);
  auto region = instance.clip(kSourceClip).regionOfDefinition(time);
  if (!region) return kOfxStatReplyDefault;
  const Settings settings = instance.settings(time);
  if (hostLetsOutputGrow() && !showsSource(instance, settings, in)) {
    region->x2 = region->x1 + settings.widthFactor() * (region->x2 - region->x1);
    region->y2 = region->y1 + settings.heightFactor() * (region->y2 - region->y1);
  }
  // Said even where it equals the source: the default is the union with Depth, which may be of another size.
  return out.set(kOfxImageEffectPropRegionOfDefinition, *region) ? kOfxStatOK : kOfxStatReplyDefault;
}

OfxStatus regionsOfInterest(const Instance& instance, const Properties& in, const Properties& out) {
  const double time = timeOf(in);
  needWholeClip(instance.clip(kSourceClip), time, "OfxImageClipPropRoI_Source", out);
  if (instance.settings(time).usesDepthClip()) {
    needWholeClip(instance.clip(kDepthClip), time, "OfxImageClipPropRoI_Depth", out);
  }
  return kOfxStatOK;
}

OfxStatus framesNeeded(const Instance& instance, const Properties& in, const Properties& out) {
  const FrameTime time = FrameTime::at(timeOf(in));
  const Settings settings = instance.settings(timeOf(in));
  const Window window = showsSource(instance, settings, in) ? Window{time.frame, 1} : windowAt(time, settings);
  needFrames(instance.clip(kSourceClip), window, time, "OfxImageClipPropFrameRange_Source", out);
  if (settings.usesDepthClip()) {
    needFrames(instance.clip(kDepthClip), window, time, "OfxImageClipPropFrameRange_Depth", out);
  }
  return kOfxStatOK;
}

OfxStatus identity(const Instance& instance, const Properties& in, const Properties& out) {
  const double time = timeOf(in);
  if (!showsSource(instance, instance.settings(time), in)) return kOfxStatReplyDefault;
  out.set(kOfxPropName, kSourceClip);
  out.set(kOfxPropTime, time);
  return kOfxStatOK;
}

}  // namespace stereo_convert
