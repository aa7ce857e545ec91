// A clip of an instance, and one image of it. Images are given back to the host when they leave scope.
#pragma once

#include <memory>
#include <optional>

#include "pixels.h"
#include "properties.h"

namespace stereo_convert {

// Throws Failure InvalidInput for pixels that we do not handle.
class ClipImage {
 public:
  // Takes over an image that clipGetImage gave; `clip` names it in messages.
  ClipImage(OfxPropertySetHandle image, const char* clip);

  [[nodiscard]] const FrameFormat& format() const { return format_; }
  // Pixels in memory, in pixel coordinates at the render scale.
  [[nodiscard]] const OfxRectI& bounds() const { return bounds_; }
  // All of the image; row 0 is bounds().y1.
  [[nodiscard]] MutablePixelView pixels() const;

 private:
  struct Release {
    void operator()(OfxPropertySetHandle image) const { suites().effect->clipReleaseImage(image); }
  };
  std::unique_ptr<OfxPropertySetStruct, Release> image_;
  std::byte* data_ = nullptr;
  OfxRectI bounds_{};
  std::ptrdiff_t rowBytes_ = 0;
  FrameFormat format_;
};

// A view of a clip; the host owns it.
class Clip {
 public:
  Clip(OfxImageEffectHandle effect, const char* name);

  [[nodiscard]] const char* name() const { return name_; }
  // Whether the clip is known and the host says that something feeds it. Some hosts say so of an input that is empty.
  [[nodiscard]] bool isConnected() const;
  // Whether the host says outright that its pictures become a thumbnail.
  [[nodiscard]] bool isThumbnail() const;
  // First and last frame; nothing when the host does not say.
  [[nodiscard]] std::optional<OfxRangeD> frameRange() const;
  // Canonical coordinates.
  [[nodiscard]] std::optional<OfxRectD> regionOfDefinition(double time) const;
  // Nothing when there is no image at that time, or none with data.
  [[nodiscard]] std::optional<ClipImage> image(double time) const;

 private:
  const char* name_;
  OfxImageClipHandle handle_ = nullptr;
  OfxPropertySetHandle properties_ = nullptr;
};

}  // namespace stereo_convert
