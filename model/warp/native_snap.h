// Makes soft disparity edges hard, as prepare.snap_edges defines it, a frame at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "native_lanes.h"
#include "native_loops.h"
#include "native_memory.h"
#include "native_parallel.h"

namespace warp {

// What prepare.py decides from the width of the edge fix: radii in px, and thresholds.
struct SnapSettings {
  int reach, growth;
  float rise, containedFraction, rampFraction;
};

// Of `count` windows of values that begin one after another, writes the largest value of each; uses both arrays.
template <typename Value>
INLINE const Value* slideMaximum(Value* __restrict values, Value* __restrict spare, int count, int window) {
  for (int width = 1; width < window;) {
    const int step = std::min(width, window - width), left = count + window - width - step;
    for (int i = 0; i < left; ++i) spare[i] = std::max(values[i], values[i + step]);
    std::swap(values, spare);
    width += step;
  }
  return values;
}

VECTOR_CLONES static const float* slide(float* values, float* spare, int count, int window) {
  return slideMaximum(values, spare, count, window);
}
VECTOR_CLONES static const std::uint8_t* slide(std::uint8_t* values, std::uint8_t* spare, int count, int window) {
  return slideMaximum(values, spare, count, window);
}

VECTOR_CLONES static void raise(float* __restrict largest, const float* __restrict row, int count) {
  for (int i = 0; i < count; ++i) largest[i] = std::max(largest[i], row[i]);
}
VECTOR_CLONES static void raise(std::uint8_t* __restrict largest, const std::uint8_t* __restrict row, int count) {
  for (int i = 0; i < count; ++i) largest[i] = std::max(largest[i], row[i]);
}

VECTOR_CLONES static void scaleRow(const float* __restrict row, int count, float sign, float* __restrict scaled) {
  for (int i = 0; i < count; ++i) scaled[i] = sign * row[i];
}

// The rows that one row of the result is made of; `farthest` is negated, so that it is a maximum, too.
struct SnapRows {
  const float *above, *here, *below, *nearest, *farthest;
};

// A square of twice the reach is what four squares of one reach cover that lie in its corners.
VECTOR_CLONES static void raiseCorners(const float* __restrict above, const float* __restrict below, int reach,
                                       int begin, int end, float* __restrict result) {
  for (int x = begin; x < end; ++x)
    result[x] = std::max(std::max(above[x - reach], above[x + reach]), std::max(below[x - reach], below[x + reach]));
}

// Tells where a neighbourhood's rise is an edge that ends within its reach.
VECTOR_CLONES static void findContained(const float* __restrict nearest, const float* __restrict farthest,
                                        const float* __restrict nearestAround, const float* __restrict farthestAround,
                                        int count, float rise, float fraction, std::uint8_t* __restrict contained) {
  for (int i = 0; i < count; ++i) {
    const float span = nearest[i] + farthest[i], around = nearestAround[i] + farthestAround[i];
    contained[i] = (span > rise) & (span > fraction * around);
  }
}

// Snaps one frame after another; owns the scratch memory for it.
class EdgeSnapper {
 public:
  EdgeSnapper(int height, int width, const SnapSettings& settings, int threads, MemoryPool& pool)
      : height_(height), width_(width), settings_(settings), threads_(threads), pool_(pool) {
    for (Block& block : planes_) block = pool_.lend(plane() * sizeof(float));
    nearest_ = static_cast<float*>(planes_[0].memory.get());
    farthest_ = static_cast<float*>(planes_[1].memory.get());
    contained_.resize(plane());
  }
  ~EdgeSnapper() {
    for (Block& block : planes_) pool_.takeBack(std::move(block));
  }
  EdgeSnapper(const EdgeSnapper&) = delete;
  EdgeSnapper& operator=(const EdgeSnapper&) = delete;

  void snap(const float* disparity, float* result) {
    filter(disparity, 1.0f, settings_.reach, nearest_);
    filter(disparity, -1.0f, settings_.reach, farthest_);
    perRow([&] { return [this, rows = std::vector<float>(2 * at(1))](int y) mutable { markContained(y, rows); }; });
    if (std::find(contained_.begin(), contained_.end(), 1) == contained_.end()) {
      std::copy_n(disparity, plane(), result);
      return;
    }
    perRow([&] {
      return [this, disparity, result, soft = std::vector<std::uint8_t>(at(1))](int y) mutable {
        snapRow(disparity, y, soft, result);
      };
    });
    if (settings_.growth < 1) return;
    filter(result, 1.0f, settings_.growth, nearest_);
    for (std::size_t i = 0; i < plane(); ++i)
      if (nearest_[i] - result[i] > 1) result[i] = nearest_[i];
  }

 private:
  static constexpr int kRowsPerTask = 32;

  [[nodiscard]] std::size_t at(int y) const { return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_); }
  [[nodiscard]] std::size_t plane() const { return at(height_); }
  [[nodiscard]] int row(int y) const { return std::clamp(y, 0, height_ - 1); }

  template <typename MakeWorker>
  void perRow(const MakeWorker& makeWorker) const {
    inParallel((height_ + kRowsPerTask - 1) / kRowsPerTask, threads_, [&] {
      return [&, worker = makeWorker()](int task) mutable {
        for (int y = task * kRowsPerTask; y < std::min((task + 1) * kRowsPerTask, height_); ++y) worker(y);
      };
    });
  }

  // The largest value, times `sign`, in a square of `radius` around each pixel.
  void filter(const float* values, float sign, int radius, float* result) const {
    const std::size_t padded = static_cast<std::size_t>(width_ + 2 * radius);
    inParallel((height_ + kRowsPerTask - 1) / kRowsPerTask, threads_, [&] {
      return [&, row = std::vector<float>(2 * padded),
              along = std::vector<float>(at(kRowsPerTask + 2 * radius))](int task) mutable {
        const int begin = task * kRowsPerTask, end = std::min(begin + kRowsPerTask, height_);
        const int first = std::max(begin - radius, 0), last = std::min(end + radius, height_);
        for (int y = first; y < last; ++y) {
          std::fill(row.begin(), row.end(), -std::numeric_limits<float>::infinity());
          scaleRow(values + at(y), width_, sign, row.data() + radius);
          const float* const largest = slide(row.data(), row.data() + padded, width_, 2 * radius + 1);
          std::copy(largest, largest + width_, along.data() + at(y - first));
        }
        for (int y = begin; y < end; ++y) {
          const int from = std::max(y - radius, 0), to = std::min(y + radius + 1, height_);
          std::copy_n(along.data() + at(from - first), width_, result + at(y));
          for (int n = from + 1; n < to; ++n) raise(result + at(y), along.data() + at(n - first), width_);
        }
      };
    });
  }

  void around(const float* largest, int y, float* result) const {
    const int reach = settings_.reach, inner = std::min(reach, width_), outer = std::max(width_ - reach, inner);
    const float *above = largest + at(row(y - reach)), *below = largest + at(row(y + reach));
    for (int x = 0; x < inner; ++x) result[x] = largestCorner(above, below, x);
    raiseCorners(above, below, reach, inner, outer, result);
    for (int x = outer; x < width_; ++x) result[x] = largestCorner(above, below, x);
  }

  [[nodiscard]] float largestCorner(const float* above, const float* below, int x) const {
    const int left = std::max(x - settings_.reach, 0), right = std::min(x + settings_.reach, width_ - 1);
    return std::max(std::max(above[left], above[right]), std::max(below[left], below[right]));
  }

  void markContained(int y, std::vector<float>& rows) {
    float *const nearestAround = rows.data(), *const farthestAround = nearestAround + width_;
    around(nearest_, y, nearestAround);
    around(farthest_, y, farthestAround);
    findContained(nearest_ + at(y), farthest_ + at(y), nearestAround, farthestAround, width_, settings_.rise,
                  settings_.containedFraction, contained_.data() + at(y));
  }

  void snapRow(const float* disparity, int y, std::vector<std::uint8_t>& wide, float* result) const {
    const int reach = settings_.reach;
    wide.assign(2 * static_cast<std::size_t>(width_ + 2 * reach), 0);
    for (int n = std::max(y - reach, 0); n < std::min(y + reach + 1, height_); ++n)
      raise(wide.data() + reach, contained_.data() + at(n), width_);
    const std::uint8_t* const soft = slide(wide.data(), wide.data() + width_ + 2 * reach, width_, 2 * reach + 1);
    const SnapRows rows{disparity + at(row(y - 1)), disparity + at(y), disparity + at(row(y + 1)), nearest_ + at(y),
                        farthest_ + at(y)};
    std::copy_n(rows.here, width_, result + at(y));
    for (int x = nextBreak(soft, 0, width_); x < width_; x = nextBreak(soft, x + 1, width_))
      result[at(y) + static_cast<std::size_t>(x)] = snapped(rows, x);
  }

  // The nearer of minimum and maximum where the pixel lies on a ramp along its row or column.
  [[nodiscard]] float snapped(const SnapRows& rows, int x) const {
    const float here = rows.here[x], farthest = -rows.farthest[x], nearest = rows.nearest[x];
    const float least = settings_.rampFraction * (nearest - farthest);
    const auto onRamp = [least](float before, float after) {
      return before * after > 0 && std::min(std::fabs(before), std::fabs(after)) > least;
    };
    const bool soft = onRamp(here - rows.above[x], rows.below[x] - here) ||
                      onRamp(here - rows.here[std::max(x - 1, 0)], rows.here[std::min(x + 1, width_ - 1)] - here);
    return !soft ? here : here - farthest < nearest - here ? farthest : nearest;
  }

  int height_, width_;
  SnapSettings settings_;
  int threads_;
  MemoryPool& pool_;
  Block planes_[2];
  float *nearest_ = nullptr, *farthest_ = nullptr;
  std::vector<std::uint8_t> contained_;
};

}  // namespace warp
