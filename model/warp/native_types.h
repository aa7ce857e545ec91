// What the native warp talks about: frames, cuts, runs of source pixels, columns that they cover in part.
#pragma once

#include <cstddef>

namespace warp {

// The frames as the kernel sees them: channel c of row y of frame t starts at image + ((t * channels + c) * height +
// y) * width.
template <typename Pixel>
struct Frames {
  const Pixel* image;
  const float* disparity;
  float* view;
  bool* disocclusion;
  float* viewDisparity;
  int count, channels, height, width;
  float threshold;

  [[nodiscard]] std::size_t plane() const { return static_cast<std::size_t>(height) * static_cast<std::size_t>(width); }
  // Where a row starts in arrays of one channel, and in those of all.
  [[nodiscard]] std::size_t rowOffset(int frame, int y) const {
    return static_cast<std::size_t>(frame) * plane() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
  }
  [[nodiscard]] std::size_t colourOffset(int frame, int y) const {
    return static_cast<std::size_t>(frame) * static_cast<std::size_t>(channels) * plane() + rowOffset(0, y);
  }
};

// Where one surface ends and the next begins: between `pixel` and the next, `offset` px from the middle of the two at
// the height of the row, and `slope` px further right in the row below.
struct Cut {
  int pixel;
  bool folded;
  float offset, slope;
};

// One edge of a run, in px from the centre of the run's end pixel, and how far it moves from row to row.
struct Side {
  float offset, slope;
};

// One surface: source pixels first..last, kept in the scratch memory `shift` further to the right.
struct Run {
  int first, last, shift;
  std::size_t stretch;  // its first entry in the row's list of breaks
  Side left, right;     // after the warp: relative to the target columns of the same numbers as first and last
  bool hidden;
};

}  // namespace warp
