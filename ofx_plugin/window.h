// Which frames are computed together: model/window.py told in C++. A function of the frame number alone, so any order
// of requests and any split over machines gives the same windows.
#pragma once

namespace stereo_convert {

constexpr int kContextFrames = 2;  // on each side of a window: computed and dropped; windows of one frame have none

struct Window {
  int firstFrame = 0;
  int length = 1;

  [[nodiscard]] constexpr int context() const { return length == 1 ? 0 : kContextFrames; }
  // Whether the frame at `index` of the window is a result.
  [[nodiscard]] constexpr bool keeps(int index) const { return index >= context() && index < length - context(); }
};

// The one window whose kept frames contain `frame`. `length` is 1, or 4k + 1 frames.
[[nodiscard]] constexpr Window windowOf(int frame, int length) {
  const int context = length == 1 ? 0 : kContextFrames;
  const int kept = length - 2 * context;
  const int index = frame / kept - (frame % kept < 0 ? 1 : 0);  // rounds down, also below 0
  return {index * kept - context, length};
}

}  // namespace stereo_convert
