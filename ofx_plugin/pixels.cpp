#include "pixels.h"

#include <cassert>
#include <cstring>

#include "streaming_copy.h"

namespace stereo_convert {

void copyPixels(const PixelView& from, const MutablePixelView& to) noexcept {
  assert(from.width == to.width && from.height == to.height && from.pixelBytes == to.pixelBytes);
  if (from.isTight() && to.isTight()) {
    streamingCopy(to.lowestRow, from.lowestRow, from.rowBytes() * static_cast<std::size_t>(from.height));
    return;
  }
  for (int y = 0; y < from.height; ++y) std::memcpy(to.row(y), from.row(y), from.rowBytes());
}

void clearPixels(const MutablePixelView& view) noexcept {
  for (int y = 0; y < view.height; ++y) std::memset(view.row(y), 0, view.rowBytes());
}

}  // namespace stereo_convert
