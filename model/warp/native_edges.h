// Where the edges between surfaces lie: measured from the colours of a row, then fitted to the rows above and below.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "native_loops.h"
#include "native_types.h"

namespace warp {

constexpr float kContrastFloor = 0.003f;
constexpr int kEdgeReach = 4;
constexpr float kLargestBend = 2.0f;

// One row of an image of any number of channels, each `stride` pixels after the one before.
template <typename Pixel>
struct ColourRow {
  const Pixel* pixels;
  std::size_t stride;
  int channels;

  [[nodiscard]] float at(int channel, int pixel) const {
    return static_cast<float>(pixels[static_cast<std::size_t>(channel) * stride + static_cast<std::size_t>(pixel)]);
  }
};

// Edge in px from the middle between pixels left and right, given the pixels that are pure on either side.
template <typename Pixel>
float edgeBetween(const ColourRow<Pixel>& row, int left, int right, int pureLeft, int pureRight) {
  float contrast = 0, projectedLeft = 0, projectedRight = 0;
  for (int c = 0; c < row.channels; ++c) {
    const float other = row.at(c, pureRight), difference = row.at(c, pureLeft) - other;
    contrast += difference * difference;
    projectedLeft += (row.at(c, left) - other) * difference;
    projectedRight += (row.at(c, right) - other) * difference;
  }
  const float scale = std::max(contrast, 1e-12f);
  const float alphaLeft = std::clamp(projectedLeft / scale, 0.0f, 1.0f);
  const float alphaRight = std::clamp(projectedRight / scale, 0.0f, 1.0f);
  const float edge = (alphaLeft + alphaRight - 1.0f) * (contrast / (contrast + kContrastFloor));
  return std::isfinite(edge) ? std::clamp(edge, -0.5f, 0.5f) : 0.0f;
}

// The part of a pixel that the other side of a cut covers; `edge` is from the pixel's border towards its inside.
inline float otherPart(float edge, float slope) {
  const float turn = kHalfRow * slope;
  return 0.5f * (std::clamp(edge - turn, 0.0f, 1.0f) + std::clamp(edge + turn, 0.0f, 1.0f));
}

// Takes `part` of the other side's colour out of a pixel's, at most as far as its own side's pure colour.
inline float unmix(float mixed, float pure, float other, float part) {
  const float alone = (mixed - part * other) / (1.0f - part);
  return std::min(std::max(alone, std::min(mixed, pure)), std::max(mixed, pure));
}

// What one row of disparity breaks into.
struct RowBreaks {
  int frame = -1, y = -1;
  bool finite = true;
  std::vector<int> breaks;  // pixels after which the surface ends or floor(disparity) changes; the row's last is one
  std::vector<Cut> cuts;
};

// Finds the cuts of rows that are asked for from top to bottom, measuring each of them once.
template <typename Pixel>
class EdgeFinder {
 public:
  explicit EdgeFinder(const Frames<Pixel>& frames) : f_(frames), kinds_(static_cast<std::size_t>(f_.width)) {}

  [[nodiscard]] ColourRow<Pixel> colours(int frame, int y) const {
    return {f_.image + f_.colourOffset(frame, y), f_.plane(), f_.channels};
  }

  // The breaks of a row; its cuts are those measured in this row alone.
  const RowBreaks& measured(int frame, int y) {
    for (int near = std::max(y - 1, 0); near <= std::min(y + 1, f_.height - 1); ++near)
      if (RowBreaks& row = at(near); row.frame != frame || row.y != near) measure(frame, near, row);
    return at(y);
  }

  // The cuts of the row that was measured last, each moved halfway to the line through the nearest above and below.
  const std::vector<Cut>& fitted(int y) {
    fitted_ = at(y).cuts;
    const std::vector<Cut>* above = y > 0 ? &at(y - 1).cuts : nullptr;
    const std::vector<Cut>* below = y + 1 < f_.height ? &at(y + 1).cuts : nullptr;
    std::size_t fromAbove = 0, fromBelow = 0;
    for (Cut& cut : fitted_) fit(cut, nearestTo(cut, above, fromAbove), nearestTo(cut, below, fromBelow));
    return fitted_;
  }

 private:
  RowBreaks& at(int y) { return rows_[y % 3]; }

  void measure(int frame, int y, RowBreaks& row) {
    const int width = f_.width;
    row.frame = frame;
    row.y = y;
    row.finite = findBreaks(f_.disparity + f_.rowOffset(frame, y), width, f_.threshold, kinds_.data());
    row.breaks.clear();
    row.cuts.clear();
    for (int i = nextBreak(kinds_.data(), 0, width - 1); i + 1 < width;
         i = nextBreak(kinds_.data(), i + 1, width - 1)) {
      row.breaks.push_back(i);
      const std::uint8_t kind = kinds_[static_cast<std::size_t>(i)];
      if ((kind & kCut) != 0) row.cuts.push_back({i, (kind & kFolded) != 0, 0, 0});
    }
    row.breaks.push_back(width - 1);
    const ColourRow<Pixel> colours = this->colours(frame, y);
    for (std::size_t n = 0; n < row.cuts.size(); ++n) {
      const int left = row.cuts[n].pixel;
      const int first = n > 0 ? row.cuts[n - 1].pixel + 1 : 0;
      const int last = n + 1 < row.cuts.size() ? row.cuts[n + 1].pixel : width - 1;
      row.cuts[n].offset = edgeBetween(colours, left, left + 1, std::max(left - 1, first), std::min(left + 2, last));
    }
  }

  // Where the nearest cut of the same kind lies in another row, px from the middle of this one; NaN if out of reach.
  static float nearestTo(const Cut& cut, const std::vector<Cut>* row, std::size_t& from) {
    float position = NAN;
    if (row == nullptr) return position;
    while (from < row->size() && (*row)[from].pixel < cut.pixel - kEdgeReach) ++from;
    int nearest = kEdgeReach;
    for (std::size_t n = from; n < row->size() && (*row)[n].pixel <= cut.pixel + kEdgeReach; ++n) {
      const Cut& other = (*row)[n];
      const int away = other.pixel - cut.pixel;
      if (other.folded != cut.folded || std::abs(away) > nearest) continue;
      nearest = std::abs(away);
      position = static_cast<float>(away) + other.offset;
    }
    return position;
  }

  static void fit(Cut& cut, float above, float below) {
    float slope = 0;
    if (std::isnan(above) || std::isnan(below)) {
      if (!std::isnan(above)) slope = cut.offset - above;
      if (!std::isnan(below)) slope = below - cut.offset;
    } else if (std::fabs(above + below - 2.0f * cut.offset) < kLargestBend) {
      slope = 0.5f * (below - above);
      cut.offset = std::clamp(0.5f * (cut.offset + 0.5f * (above + below)), -0.5f, 0.5f);
    }
    cut.slope = std::clamp(slope, static_cast<float>(-kEdgeReach), static_cast<float>(kEdgeReach));
  }

  const Frames<Pixel> f_;
  std::vector<std::uint8_t> kinds_;
  RowBreaks rows_[3];
  std::vector<Cut> fitted_;
};

}  // namespace warp
