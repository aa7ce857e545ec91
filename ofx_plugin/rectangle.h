// Rectangles of pixels, half open as OpenFX has them, and the part of a view that one covers.
#pragma once

#include <algorithm>

#include "ofxCore.h"
#include "pixels.h"

[[nodiscard]] inline bool operator==(const OfxRectI& a, const OfxRectI& b) {
  return a.x1 == b.x1 && a.y1 == b.y1 && a.x2 == b.x2 && a.y2 == b.y2;
}

namespace stereo_convert {

[[nodiscard]] inline OfxRectI intersection(const OfxRectI& a, const OfxRectI& b) {
  return {std::max(a.x1, b.x1), std::max(a.y1, b.y1), std::min(a.x2, b.x2), std::min(a.y2, b.y2)};
}

[[nodiscard]] inline bool isEmpty(const OfxRectI& r) {
  return r.x1 >= r.x2 || r.y1 >= r.y2;
}

// The part of `view`, which shows `bounds`, that lies in `part`, which must lie in `bounds`.
template <typename Byte>
[[nodiscard]] BasicPixelView<Byte> partOf(const BasicPixelView<Byte>& view, const OfxRectI& bounds,
                                          const OfxRectI& part) {
  return view.part(part.x1 - bounds.x1, part.y1 - bounds.y1, part.x2 - part.x1, part.y2 - part.y1);
}

}  // namespace stereo_convert
