// Where the edge between two surfaces lies and what its mixed pixel would hold alone (reference.refine_edges).
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace warp {

constexpr float kContrastFloor = 0.003f;

// Channels of one row.
using Channels = std::vector<const float*>;
using MutableChannels = std::vector<float*>;

// Edge in px from the middle between pixels left and right, given the pixels that are pure on either side.
inline float edgeBetween(const Channels& mixed, int left, int right, int pureLeft, int pureRight) {
  float contrast = 0, projectedLeft = 0, projectedRight = 0;
  for (const float* row : mixed) {
    const float difference = row[pureLeft] - row[pureRight];
    contrast += difference * difference;
    projectedLeft += (row[left] - row[pureRight]) * difference;
    projectedRight += (row[right] - row[pureRight]) * difference;
  }
  const float scale = std::max(contrast, 1e-12f);
  const float alphaLeft = std::clamp(projectedLeft / scale, 0.0f, 1.0f);
  const float alphaRight = std::clamp(projectedRight / scale, 0.0f, 1.0f);
  const float edge = (alphaLeft + alphaRight - 1.0f) * (contrast / (contrast + kContrastFloor));
  return std::isfinite(edge) ? std::clamp(edge, -0.5f, 0.5f) : 0.0f;
}

// Takes `part` of the other side out of a pixel, at most as far as its own side's pure colour.
inline void unmix(const Channels& mixed, const MutableChannels& source, int pixel, int pure, int other, float part) {
  for (std::size_t c = 0; c < mixed.size(); ++c) {
    const float* row = mixed[c];
    const float alone = (row[pixel] - part * row[other]) / (1.0f - part);
    const float low = std::min(row[pixel], row[pure]), high = std::max(row[pixel], row[pure]);
    source[c][pixel] = std::min(std::max(alone, low), high);
  }
}

}  // namespace warp
