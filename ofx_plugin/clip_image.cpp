#include "clip_image.h"

#include <string>

#include "failure.h"
#include "openfx/resolve_extensions.h"

namespace stereo_convert {
namespace {

[[noreturn]] void refuse(const char* clip, const std::string& what) {
  throw Failure(FailureKind::InvalidInput, std::string(clip) + " " + what);
}

PixelType pixelType(const std::string& depth, const char* clip) {
  if (depth == kOfxBitDepthByte) return PixelType::U8;
  if (depth == kOfxBitDepthShort) return PixelType::U16;
  if (depth == kOfxBitDepthHalf) return PixelType::F16;
  if (depth == kOfxBitDepthFloat) return PixelType::F32;
  refuse(clip, "has pixels of depth \"" + depth + "\"; Byte, Short, Half and Float are handled");
}

ChannelOrder channelOrder(const std::string& components, const char* clip) {
  if (components == kOfxImageComponentRGBA) return ChannelOrder::RGBA;
  if (components == kOfxImageComponentRGB) return ChannelOrder::RGB;
  if (components == kOfxImageComponentAlpha) return ChannelOrder::Gray;
  refuse(clip, "has pixels of components \"" + components + "\"; RGBA and RGB are handled");
}

// The lesser evil for a host that does not say: premultiplied is what OpenFX hosts give most often.
Premultiplication premultiplication(const std::optional<std::string>& state, ChannelOrder order) {
  if (order != ChannelOrder::RGBA || state == kOfxImageOpaque) return Premultiplication::Opaque;
  if (state == kOfxImageUnPreMultiplied) return Premultiplication::Unpremultiplied;
  return Premultiplication::Premultiplied;
}

}  // namespace

ClipImage::ClipImage(OfxPropertySetHandle image, const char* clip) : image_(image) {
  const Properties properties(image);
  data_ = static_cast<std::byte*>(properties.pointer(kOfxImagePropData));
  bounds_ = properties.rectangle(kOfxImagePropBounds).value_or(OfxRectI{});
  format_.width = bounds_.x2 - bounds_.x1;
  format_.height = bounds_.y2 - bounds_.y1;
  if (data_ == nullptr || format_.width <= 0 || format_.height <= 0) {
    data_ = nullptr;
    return;
  }
  format_.pixelType = pixelType(properties.text(kOfxImageEffectPropPixelDepth).value_or(""), clip);
  format_.channelOrder = channelOrder(properties.text(kOfxImageEffectPropComponents).value_or(""), clip);
  format_.premultiplication =
      premultiplication(properties.text(kOfxImageEffectPropPreMultiplication), format_.channelOrder);
  rowBytes_ = properties.integer(kOfxImagePropRowBytes).value_or(static_cast<int>(format_.rowBytes()));
}

MutablePixelView ClipImage::pixels() const {
  return {data_, rowBytes_, format_.width, format_.height, format_.pixelBytes()};
}

Clip::Clip(OfxImageEffectHandle effect, const char* name) : name_(name) {
  if (suites().effect->clipGetHandle(effect, name, &handle_, &properties_) != kOfxStatOK) handle_ = nullptr;
}

bool Clip::isConnected() const {
  // melt knows no such property of a clip that exists, and gives NULL for one that does not.
  return handle_ != nullptr && Properties(properties_).integer(kOfxImageClipPropConnected).value_or(1) != 0;
}

bool Clip::isThumbnail() const {
  return handle_ != nullptr && Properties(properties_).integer(kResolveClipPropThumbnail).value_or(0) != 0;
}

std::optional<OfxRangeD> Clip::frameRange() const {
  const Properties properties(handle_ == nullptr ? nullptr : properties_);
  const auto first = properties.real(kOfxImageEffectPropFrameRange, 0);
  const auto last = properties.real(kOfxImageEffectPropFrameRange, 1);
  if (!first || !last || *last < *first) return {};
  return OfxRangeD{*first, *last};
}

std::optional<OfxRectD> Clip::regionOfDefinition(double time) const {
  OfxRectD region{};
  if (handle_ == nullptr || suites().effect->clipGetRegionOfDefinition(handle_, time, &region) != kOfxStatOK) return {};
  return region;
}

std::optional<ClipImage> Clip::image(double time) const {
  OfxPropertySetHandle image = nullptr;
  if (handle_ == nullptr || suites().effect->clipGetImage(handle_, time, nullptr, &image) != kOfxStatOK) return {};
  if (image == nullptr) return {};
  ClipImage found(image, name_);
  if (found.pixels().lowestRow == nullptr) return {};
  return found;
}

}  // namespace stereo_convert
