#include "window_source.h"

#include <algorithm>
#include <cmath>

#include "rectangle.h"

namespace stereo_convert {
namespace {

double clampedTo(const std::optional<OfxRangeD>& range, double time) {
  return range ? std::clamp(time, range->min, range->max) : time;
}

class WindowFetcher {
 public:
  WindowFetcher(const Clip& clip, FrameStore& store, RenderTrace& trace)
      : clip_(clip), range_(clip.frameRange()), store_(store), trace_(trace) {}

  [[nodiscard]] double clamped(double time) const { return clampedTo(range_, time); }

  [[nodiscard]] WindowFrame centre(double time) {
    const std::optional<ClipImage> image = fetch(clamped(time));
    if (!image) {
      throw Failure(FailureKind::InvalidInput, std::string(clip_.name()) + " has no picture at frame " +
                                                   std::to_string(std::lround(time)) + "; connect a clip that has one");
    }
    bounds_ = image->bounds();
    format_ = image->format();
    return keep(*image);
  }

  // The frame at `time`, or `nearer` where there is none.
  [[nodiscard]] WindowFrame orNearer(double time, double nearerTime, const WindowFrame& nearer) {
    if (clamped(time) == clamped(nearerTime)) return nearer;
    const std::optional<ClipImage> image = fetch(clamped(time));
    return image ? keep(*image) : nearer;
  }

  [[nodiscard]] const OfxRectI& bounds() const { return bounds_; }

 private:
  [[nodiscard]] std::optional<ClipImage> fetch(double time) {
    const auto timer = trace_.time("fetch");
    return clip_.image(time);
  }

  [[nodiscard]] WindowFrame keep(const ClipImage& image) {
    if (image.format().pixelBytes() != format_.pixelBytes()) {
      throw Failure(FailureKind::InvalidInput,
                    std::string(clip_.name()) + " changes its kind of pixels within the window; convert it upstream");
    }
    return image.bounds() == bounds_ ? keepAll(image) : keepFitted(image);
  }

  [[nodiscard]] WindowFrame keepAll(const ClipImage& image) {
    const PixelView pixels = readOnly(image.pixels());
    const std::uint64_t sketch = sketchOf(pixels);
    if (store_.mayHold(sketch)) {
      const FrameKey key = keyOf(pixels);
      if (SharedBlock known = store_.find(key); known != nullptr) return {key, known};
    }
    SharedBlock block = makeBlock();
    const auto timer = trace_.time("copy_in");
    const FrameKey key = copyAndKey(pixels, block->data(), format_);
    store_.publish(key, block, sketch);
    return {key, block};
  }

  [[nodiscard]] WindowFrame keepFitted(const ClipImage& image) {
    SharedBlock block = makeBlock();
    const MutablePixelView all = tightView(block->data(), format_);
    const OfxRectI common = intersection(bounds_, image.bounds());
    clearPixels(all);
    if (!isEmpty(common))
      copyPixels(readOnly(partOf(image.pixels(), image.bounds(), common)), partOf(all, bounds_, common));
    const FrameKey key = keyOf(readOnly(all));
    store_.publish(key, block);
    return {key, block};
  }

  [[nodiscard]] SharedBlock makeBlock() {
    const auto timer = trace_.time("copy_in");
    SharedBlock block = store_.allocate(format_.sizeBytes());
    block->format = format_;
    return block;
  }

  [[nodiscard]] std::uint64_t sketchOf(const PixelView& pixels) {
    const auto timer = trace_.time("hash");
    return contentSketch(pixels, format_);
  }

  [[nodiscard]] FrameKey keyOf(const PixelView& pixels) {
    const auto timer = trace_.time("hash");
    return contentKey(pixels, format_);
  }

  const Clip& clip_;
  const std::optional<OfxRangeD> range_;
  FrameStore& store_;
  RenderTrace& trace_;
  OfxRectI bounds_{};
  FrameFormat format_;
};

}  // namespace

FrameTime FrameTime::at(double time) {
  const double whole = std::floor(time);
  return {static_cast<int>(whole), time - whole};
}

Window windowAt(const FrameTime& time, const Settings& settings) {
  return windowOf(time.frame, hostHasTemporalAccess() ? settings.integer(Setting::Window) : 1);
}

std::optional<SeenFrame> look(const Clip& clip, const FrameTime& time, RenderTrace& trace) {
  const auto fetching = trace.time("fetch");
  const std::optional<ClipImage> image = clip.image(clampedTo(clip.frameRange(), time.time(time.frame)));
  if (!image) return {};
  const auto hashing = trace.time("hash");
  return SeenFrame{contentKey(readOnly(image->pixels()), image->format()), image->bounds()};
}

FetchedWindow fetchWindow(const Clip& clip, const Window& window, const FrameTime& time, FrameStore& store,
                          const Patience& patience, RenderTrace& trace) {
  WindowFetcher fetcher(clip, store, trace);
  FetchedWindow fetched;
  fetched.frames.resize(static_cast<std::size_t>(window.length));
  const int centre = time.frame - window.firstFrame;
  const auto timeOf = [&](int index) { return time.time(window.firstFrame + index); };
  fetched.frames[centre] = fetcher.centre(timeOf(centre));
  fetched.bounds = fetcher.bounds();
  for (const int step : {1, -1}) {
    for (int index = centre + step; index >= 0 && index < window.length; index += step) {
      patience.check("fetching frames from the host");
      fetched.frames[index] = fetcher.orNearer(timeOf(index), timeOf(index - step), fetched.frames[index - step]);
    }
  }
  return fetched;
}

}  // namespace stereo_convert
