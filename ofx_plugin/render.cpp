#include "render.h"

#include <utility>

#include "rectangle.h"
#include "regions.h"
#include "service_client.h"
#include "status.h"
#include "window_flights.h"
#include "window_source.h"

namespace stereo_convert {
namespace {

struct RenderArguments {
  explicit RenderArguments(const Properties& in)
      : time(in.real(kOfxPropTime).value_or(0)),
        window(in.rectangle(kOfxImageEffectPropRenderWindow).value_or(OfxRectI{})),
        isInteractive(in.integer(kOfxImageEffectPropInteractiveRenderStatus).value_or(0) != 0) {}

  double time;
  OfxRectI window;
  bool isInteractive;
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

void refuseAlphaOnly(const FrameFormat& format) {
  if (format.channelOrder == ChannelOrder::Gray) {
    throw Failure(FailureKind::InvalidInput, "Source has alpha only; RGBA or RGB is needed to make a picture");
  }
}

void showSource(const Instance& instance, const RenderArguments& arguments) {
  const std::optional<ClipImage> source = instance.clip(kSourceClip).image(arguments.time);
  if (!source) throw Failure(FailureKind::InvalidInput, "Source has no picture; connect a clip");
  show({readOnly(source->pixels()), source->bounds(), source->format()}, instance, arguments);
}

// Indices that the answer should bring: the frame itself first, then what this clip will ask for next.
std::vector<int> wantedOf(const Window& window, const FrameTime& time, const Settings& settings,
                          const Instance& instance) {
  const int centre = time.frame - window.firstFrame;
  const auto range = instance.clip(kSourceClip).frameRange();
  std::vector<int> wanted{centre};
  for (int step = 1; step < window.length; ++step) {
    const int index = (centre + step) % window.length;
    const double at = time.time(window.firstFrame + index);
    const bool isInClip = !range || (at >= range->min && at <= range->max);
    // Keyframes give other frames other settings, and so windows of their own.
    if (window.keeps(index) && isInClip && instance.settings(at) == settings) wanted.push_back(index);
  }
  return wanted;
}

FrameKey keyOf(const WindowRequest& request, const std::string& modelVersion) {
  KeyBuilder key;
  key.add(modelVersion).add(std::int64_t{request.firstFrame});
  request.settings.addTo(key);
  for (const WindowFrame& frame : request.frames) key.add(frame.key);
  for (const WindowFrame& frame : request.depth) key.add(frame.key);
  return key.key();
}

FrameKey resultKey(const FrameKey& window, int index) {
  return KeyBuilder().add(window).add(std::int64_t{index}).key();
}

// The result at `index` of the request's window, from the cache or from the service.
SharedBlock convert(ServiceClient& client, const ServiceSession& session, const WindowRequest& request, int index,
                    const Patience& patience, RenderTrace& trace) {
  const FrameKey window = keyOf(request, session.modelVersion);
  while (true) {
    if (SharedBlock cached = session.store->find(resultKey(window, index)); cached != nullptr) return cached;
    const auto timer = trace.time("wait");
    const auto flight = WindowFlight::takeOrWait(window, patience);
    if (flight == nullptr || session.store->find(resultKey(window, index)) != nullptr) continue;

    const WindowAnswer answer = client.convert(request, patience);
    const FrameKey answered = keyOf(request, answer.summary.modelVersion);
    for (const auto& [at, block] : answer.results) answer.store->publish(resultKey(answered, at), block);
    rememberSummary(answer.summary.text);
    trace.setService(answer.summary.stageTimes_s);
    return answer.results.at(index);
  }
}

WindowRequest requestOf(const Instance& instance, const Settings& settings, const Window& window, const FrameTime& time,
                        const RenderArguments& arguments) {
  WindowRequest request;
  request.settings = settings;
  request.settings.set(Setting::Window, window.length);  // 1 where the host cannot give other frames
  request.firstFrame = window.firstFrame;
  request.wanted = wantedOf(window, time, settings, instance);
  request.isInteractive = arguments.isInteractive;
  return request;
}

}  // namespace

OfxStatus render(const Instance& instance, const Properties& in) {
  const RenderArguments arguments(in);
  const Settings settings = instance.settings(arguments.time);
  if (showsSource(settings, in)) {
    showSource(instance, arguments);
    clearMessage(instance.handle());
    return kOfxStatOK;
  }
  if ((settings.widthFactor() > 1 || settings.heightFactor() > 1) && !hostLetsOutputGrow()) {
    throw Failure(FailureKind::InvalidInput,
                  "this host keeps Output at the size of Source; choose a half-size layout or render each eye");
  }
  if (settings.usesDepthClip() && !instance.clip(kDepthClip).isConnected()) {
    throw Failure(FailureKind::InvalidInput,
                  "Depth source is Depth clip but nothing is connected to Depth; connect it or choose Estimate");
  }

  const FrameTime time = FrameTime::at(arguments.time);
  RenderTrace trace(time.frame);
  const ServiceChoice choice = instance.service(arguments.time);
  const Patience patience(std::chrono::duration<double>(choice.timeout_s), [&] { return instance.isAborted(); });
  const auto client = ServiceClient::of(choice);
  const auto session = [&] {
    const auto timer = trace.time("connect");
    return client->session(patience);
  }();

  const Window window = windowAt(time, settings);
  WindowRequest request = requestOf(instance, settings, window, time, arguments);
  FetchedWindow source = fetchWindow(instance.clip(kSourceClip), window, time, *session->store, patience, trace);
  const FrameFormat format = source.frames.front().block->format;
  refuseAlphaOnly(format);
  request.frames = std::move(source.frames);
  if (settings.usesDepthClip()) {
    request.depth = fetchWindow(instance.clip(kDepthClip), window, time, *session->store, patience, trace).frames;
  }
  trace.setWindow(window.firstFrame, window.length, format.sizeBytes());

  const SharedBlock result = convert(*client, *session, request, time.frame - window.firstFrame, patience, trace);
  {
    const auto timer = trace.time("copy_out");
    OfxRectI bounds = source.bounds;
    bounds.x2 = bounds.x1 + result->format.width;
    bounds.y2 = bounds.y1 + result->format.height;
    show({readOnly(tightView(result->data(), result->format)), bounds, result->format}, instance, arguments);
  }
  clearMessage(instance.handle());
  trace.write();
  return kOfxStatOK;
}

OfxStatus settleFailedRender(const Instance& instance, const Properties& in, const Failure& failure) {
  if (failure.kind() == FailureKind::Aborted) return kOfxStatFailed;
  const RenderArguments arguments(in);
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
