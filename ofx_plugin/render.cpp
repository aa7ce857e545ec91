#include "render.h"

#include "frame_conversion.h"
#include "log.h"
#include "rectangle.h"
#include "regions.h"
#include "render_mode.h"
#include "status.h"

namespace stereo_convert {
namespace {

struct RenderArguments {
  explicit RenderArguments(const Properties& in)
      : time(in.real(kOfxPropTime).value_or(0)),
        window(in.rectangle(kOfxImageEffectPropRenderWindow).value_or(OfxRectI{})) {}

  double time;
  OfxRectI window;
};

// Pixels of known place, ready to be shown.
struct Picture {
  PixelView pixels;
  OfxRectI bounds;
  FrameFormat format;
};

// Fill the part of Output that the host wants; where the picture does not reach it becomes transparent black.
void show(const Picture& picture, const Instance& instance, const RenderArguments& arguments) {
  const std::optional<ClipImage> output = instance.clip(kOutputClip).image(arguments.time);
  if (!output) throw Failure(FailureKind::Bug, "the host gave no Output image to render into");
  if (output->format().pixelType != picture.format.pixelType ||
      output->format().channelOrder != picture.format.channelOrder) {
    throw Failure(FailureKind::InvalidInput,
                  "Output has another kind of pixels than Source; give both the same depth and components");
  }
  const OfxRectI wanted = intersection(arguments.window, output->bounds());
  const OfxRectI covered = intersection(wanted, picture.bounds);
  if (isEmpty(wanted)) return;
  if (!(covered == wanted)) clearPixels(partOf(output->pixels(), output->bounds(), wanted));
  if (isEmpty(covered)) return;
  copyPixels(partOf(picture.pixels, picture.bounds, covered), partOf(output->pixels(), output->bounds(), covered));
}

void showSource(const Instance& instance, const RenderArguments& arguments) {
  const std::optional<ClipImage> source = instance.clip(kSourceClip).image(arguments.time);
  if (!source) throw Failure(FailureKind::InvalidInput, "Source has no picture; connect a clip");
  show({readOnly(source->pixels()), source->bounds(), source->format()}, instance, arguments);
}

void checkThatItCanWork(const Instance& instance, const Settings& settings) {
  if ((settings.widthFactor() > 1 || settings.heightFactor() > 1) && !hostLetsOutputGrow()) {
    throw Failure(FailureKind::InvalidInput,
                  "this host keeps Output at the size of Source; choose a half-size layout or render each eye");
  }
  if (settings.usesDepthClip() && !instance.clip(kDepthClip).isConnected()) {
    throw Failure(FailureKind::InvalidInput,
                  "Depth source is Depth clip but nothing is connected to Depth; connect it or choose Estimate");
  }
}

void showConverted(const Instance& instance, const Settings& settings, const RenderArguments& arguments,
                   const RenderMode& mode) {
  checkThatItCanWork(instance, settings);
  RenderTrace trace(FrameTime::at(arguments.time).frame, mode.isPreview);
  const ConvertedFrame frame = FrameConversion(instance, settings, arguments.time, mode, trace).run();
  {
    const auto timer = trace.time("copy_out");
    const FrameFormat& format = frame.block->format;
    const OfxRectI bounds{frame.origin.x, frame.origin.y, frame.origin.x + format.width,
                          frame.origin.y + format.height};
    show({readOnly(tightView(frame.block->data(), format)), bounds, format}, instance, arguments);
  }
  trace.write();
  if (logIsWanted(instance.writesLog(arguments.time))) writeLog(trace.text());
}

}  // namespace

OfxStatus render(const Instance& instance, const Properties& in) {
  const RenderArguments arguments(in);
  const Settings settings = instance.settings(arguments.time);
  if (showsSource(instance, settings, in)) {
    showSource(instance, arguments);
  } else {
    showConverted(instance, settings, arguments, RenderMode::of(instance, in));
  }
  clearMessage(instance.handle());
  return kOfxStatOK;
}

OfxStatus settleFailedRender(const Instance& instance, const Properties& in, const Failure& failure) {
  const RenderArguments arguments(in);
  if (logIsWanted(instance.writesLog(arguments.time))) {
    writeLog("frame " + std::to_string(FrameTime::at(arguments.time).frame) + " not rendered: " + failure.what());
  }
  if (failure.kind() == FailureKind::Aborted) return kOfxStatFailed;
  rememberSummary(instance.handle(), std::string("Last render failed: ") + failure.what());
  if (instance.service(arguments.time).onError == OnError::PassThrough) {
    showSource(instance, arguments);
    showMessage(instance.handle(), kOfxMessageWarning,
                std::string("Not converted, the source is shown: ") + failure.what());
    return kOfxStatOK;
  }
  showMessage(instance.handle(), kOfxMessageError, failure.what());
  return ofxStatusOf(failure.kind());
}

}  // namespace stereo_convert
