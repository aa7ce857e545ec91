// What a frame's bytes mean, and rows of pixels in memory that someone else owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace stereo_convert {

// The values of these enums are those of frame.proto.
enum class PixelType : std::uint8_t { U8 = 1, U16 = 2, F16 = 3, F32 = 4 };
enum class ChannelOrder : std::uint8_t { RGBA = 1, RGB = 2, Gray = 3 };
enum class Premultiplication : std::uint8_t { Opaque = 1, Premultiplied = 2, Unpremultiplied = 3 };

[[nodiscard]] constexpr std::size_t bytesOf(PixelType type) {
  return type == PixelType::U8 ? 1 : type == PixelType::F32 ? 4 : 2;
}
[[nodiscard]] constexpr std::size_t channelsOf(ChannelOrder order) {
  return order == ChannelOrder::RGBA ? 4 : order == ChannelOrder::RGB ? 3 : 1;
}

// A frame with tight rows, the lowest row first, as OpenFX counts them.
struct FrameFormat {
  int width = 0;   // px
  int height = 0;  // px
  PixelType pixelType = PixelType::F32;
  ChannelOrder channelOrder = ChannelOrder::RGBA;
  Premultiplication premultiplication = Premultiplication::Opaque;
  std::string colorSpace;  // as the host names it; empty: display-referred

  [[nodiscard]] std::size_t pixelBytes() const { return bytesOf(pixelType) * channelsOf(channelOrder); }
  [[nodiscard]] std::size_t rowBytes() const { return pixelBytes() * static_cast<std::size_t>(width); }
  [[nodiscard]] std::size_t sizeBytes() const { return rowBytes() * static_cast<std::size_t>(height); }
};

[[nodiscard]] inline bool operator==(const FrameFormat& a, const FrameFormat& b) {
  return a.width == b.width && a.height == b.height && a.pixelType == b.pixelType && a.channelOrder == b.channelOrder &&
         a.premultiplication == b.premultiplication && a.colorSpace == b.colorSpace;
}
[[nodiscard]] inline bool operator!=(const FrameFormat& a, const FrameFormat& b) {
  return !(a == b);
}

// Rows of pixels, row 0 the lowest. `stride` is the way from a row to the one above it, in bytes: larger than a row
// where the host pads, negative where memory runs from the top down.
template <typename Byte>
struct BasicPixelView {
  Byte* lowestRow = nullptr;
  std::ptrdiff_t stride = 0;
  int width = 0;
  int height = 0;
  std::size_t pixelBytes = 0;

  [[nodiscard]] Byte* row(int y) const { return lowestRow + y * stride; }
  [[nodiscard]] std::size_t rowBytes() const { return pixelBytes * static_cast<std::size_t>(width); }
  [[nodiscard]] bool isTight() const { return stride == static_cast<std::ptrdiff_t>(rowBytes()); }
  // The part [x, x + columns) × [y, y + rows), which must lie inside.
  [[nodiscard]] BasicPixelView part(int x, int y, int columns, int rows) const {
    return {row(y) + static_cast<std::ptrdiff_t>(pixelBytes) * x, stride, columns, rows, pixelBytes};
  }
};
using PixelView = BasicPixelView<const std::byte>;
using MutablePixelView = BasicPixelView<std::byte>;

[[nodiscard]] inline PixelView readOnly(const MutablePixelView& view) {
  return {view.lowestRow, view.stride, view.width, view.height, view.pixelBytes};
}

// A view of tight rows.
template <typename Byte>
[[nodiscard]] BasicPixelView<Byte> tightView(Byte* pixels, const FrameFormat& format) {
  return {pixels, static_cast<std::ptrdiff_t>(format.rowBytes()), format.width, format.height, format.pixelBytes()};
}

// Copy views of equal size and pixel size.
void copyPixels(const PixelView& from, const MutablePixelView& to) noexcept;

// Make every byte 0: transparent black.
void clearPixels(const MutablePixelView& view) noexcept;

}  // namespace stereo_convert
