// What the native warp talks about: frames, runs of source pixels, samples of them.
#pragma once

#include "native_loops.h"

namespace warp {

// One frame's planes as the kernel sees them: channel c of row y starts at image + (c * height + y) * width.
struct Frames {
  const float* image;
  const float* disparity;
  float* view;
  bool* disocclusion;
  float* viewDisparity;
  int channels, height, width;
  float threshold;
};

// One surface: source pixels first..last, its edges in px from the centres of those two, its columns in the target.
struct Run {
  int first, last;
  float left, right;
  bool hidden;
};

struct Sample {
  int pixel;
  float fraction, disparity, left, right;
};

struct Taps {
  int before, at, next, after;
  Weights weights;

  float read(const float* row) const {
    return weights.before * row[before] + weights.at * row[at] + weights.next * row[next] + weights.after * row[after];
  }
};

// A surface that continues under the mask, and its end pixel that the mask begins at.
struct Continued {
  int run, end;
};

// A column that `run` covers in part, and the surface that was there before it was painted.
struct PartialColumn {
  int column, run, below;
  int next;  // earlier entry of the same column, or kNone
};

}  // namespace warp
