// The inner loops of the warp: plain loops over arrays, compiled for several instruction sets where the compiler can.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native_half.h"
#include "native_lanes.h"
#include "native_types.h"

namespace warp {

constexpr float kFoldPx = 0.5f;
constexpr float kHalfRow = 0.25f;   // heights, from a row's middle, at which its edges are followed
constexpr int kAhead = 128;         // columns from where a row is written to where its memory is fetched
constexpr int kRepeatedPixels = 3;  // of each run in the scratch memory: its first once, its last twice

// What lies between a pixel and the next; 0 is a smooth surface whose floor(disparity) does not change.
enum Break : std::uint8_t { kTorn = 1, kFolded = 2, kCut = 3, kNewWhole = 4 };

// Bits of |value|: ordered as the values are, with infinity and NaN on top.
INLINE std::uint32_t magnitude(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits & 0x7fffffffu;
}
constexpr std::uint32_t kInfinity = 0x7f800000u;

// Writes what breaks between each pixel and the next; false when a value is not finite.
VECTOR_CLONES static bool findBreaks(const float* __restrict disparity, int width, float threshold,
                                     std::uint8_t* __restrict breaks) {
  std::uint32_t largest = magnitude(disparity[width - 1]);
  for (int i = 0; i + 1 < width; ++i) {
    const float step = disparity[i + 1] - disparity[i];
    const int torn = 1.0f - step > threshold ? kTorn : 0;
    const int folded = step >= kFoldPx ? kFolded : 0;
    const int newWhole = std::floor(disparity[i]) != std::floor(disparity[i + 1]) ? kNewWhole : 0;
    breaks[i] = static_cast<std::uint8_t>(torn | folded | newWhole);
    largest = std::max(largest, magnitude(disparity[i]));
  }
  return largest < kInfinity;
}

// First index in [from, end) whose byte is not 0, or end.
inline int nextBreak(const std::uint8_t* breaks, int from, int end) {
  for (; from + 8 <= end; from += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, breaks + from, sizeof eight);
    if (eight != 0) break;
  }
  while (from < end && breaks[from] == 0) ++from;
  return from;
}

// Copies pixels; what they add to `check` is 0 where they are finite, else NaN.
template <typename Lanes, typename Pixel>
INLINE void copyLanes(const Pixel* from, float* to, Lanes& check) {
  Lanes values;
  load(from, values);
  store(values, to);
  check += 0.0f * values;
}

// Copies the runs of one channel to their places and repeats their ends; false when a pixel is not finite.
template <typename Pixel>
INLINE bool copyRunsOf(const Pixel* row, int width, const Run* runs, int count, float* scratch) {
  EightFloats checks = {};
  float check = 0;
  for (const Run* run = runs; run != runs + count; ++run) {
    float* const copy = scratch + run->shift;
    int n = run->first;
    // May write past the run what the next run overwrites.
    for (; n <= run->last && n + kCount<EightFloats> <= width; n += kCount<EightFloats>)
      copyLanes(row + n, copy + n, checks);
    for (; n <= run->last; ++n) copyLanes(row + n, copy + n, check);
    copy[run->first - 1] = copy[run->first];
    copy[run->last + 1] = copy[run->last + 2] = copy[run->last];
  }
  float all[kCount<EightFloats>];
  store(checks, all);
  for (const float one : all) check += one;
  return check == 0.0f;
}

VECTOR_CLONES static bool copyRuns(const float* row, int width, const Run* runs, int count, float* scratch) {
  return copyRunsOf(row, width, runs, count, scratch);
}

VECTOR_CLONES static bool copyRuns(const Half* row, int width, const Run* runs, int count, float* scratch) {
  return copyRunsOf(row, width, runs, count, scratch);
}

// The rows that are read and written: of colours, channel c starts c strides further.
struct RowMemory {
  const float* source;  // scratch memory
  const float* disparity;
  float* target;
  float* newDisparity;
  std::size_t sourceStride, targetStride;
  int channels;
  // Rows that are read later and fetched meanwhile: waiting for memory would take a third of the time.
  const char* laterColours;
  std::size_t laterStride, pixelBytes;
  const float* laterDisparity;
};

// Columns from `column` on that show pixels of one run from `pixel` on, which lies `shift` further in the scratch
// memory.
struct Stretch {
  int column, pixel, shift, count;
};

// Catmull-Rom (eq. 4) of the stretch's columns from the n-th on.
template <typename Lanes>
INLINE void blendLanes(RowMemory row, Stretch stretch, int n) {
  const int pixel = stretch.pixel + n, column = stretch.column + n;
  Lanes here, step;
  load(row.disparity + pixel, here);
  load(row.disparity + pixel + 1, step);
  step -= here;
  const Lanes unbounded = (here - static_cast<float>(stretch.pixel - stretch.column)) / (1.0f - step);
  const Lanes t = unbounded < 1.0f ? unbounded : 0.0f * step + 1.0f;
  const Lanes before = t * (-0.5f + t * (1.0f - 0.5f * t)), at = 1.0f + t * t * (-2.5f + 1.5f * t);
  const Lanes next = t * (0.5f + t * (2.0f - 1.5f * t)), after = t * t * (-0.5f + 0.5f * t);
  store<Lanes>(here + t * step, row.newDisparity + column);
  PREFETCH(row.laterDisparity + column);
  PREFETCH_TO_WRITE(row.newDisparity + column + kAhead);
  const float* source = row.source + pixel + stretch.shift;
  float* target = row.target + column;
  const char* later = row.laterColours + static_cast<std::size_t>(column) * row.pixelBytes;
  for (int c = 0; c < row.channels; ++c) {
    PREFETCH(later);
    PREFETCH_TO_WRITE(target + kAhead);
    Lanes taps[4];
    for (int tap = 0; tap < 4; ++tap) load(source + tap - 1, taps[tap]);
    store<Lanes>(before * taps[0] + at * taps[1] + next * taps[2] + after * taps[3], target);
    source += row.sourceStride;
    target += row.targetStride;
    later += row.laterStride;
  }
}

// What does not fill the lanes is written twice.
template <typename Lanes>
INLINE void blendIn(RowMemory row, Stretch stretch) {
  int n = 0;
  for (; n + kCount<Lanes> <= stretch.count; n += kCount<Lanes>) blendLanes<Lanes>(row, stretch, n);
  if (n < stretch.count) blendLanes<Lanes>(row, stretch, stretch.count - kCount<Lanes>);
}

VECTOR_CLONES static void blendStretch(const RowMemory& memory, Stretch stretch) {
  const RowMemory row = memory;  // which no write can change
  if (stretch.count >= kCount<EightFloats>)
    blendIn<EightFloats>(row, stretch);
  else if (stretch.count >= kCount<FourFloats>)
    blendIn<FourFloats>(row, stretch);
  else
    blendIn<float>(row, stretch);
}

// Writes `count` columns from `column` on (at most kHoleBlock) with the surface of pixels first..last, mirrored about
// its pixel `end` at half speed.
constexpr int kHoleBlock = 64;
constexpr float kMirrorSpeed = 0.5f;

VECTOR_CLONES static void mirrorSurface(const RowMemory& row, const Run& run, int end, float disparity, int column,
                                        int count) {
  int pixel[kHoleBlock];
  float before[kHoleBlock], at[kHoleBlock], next[kHoleBlock], after[kHoleBlock];
  for (int n = 0; n < count; ++n) {
    const float away = static_cast<float>(end - column - n) - disparity;
    const float inside = std::copysign(kMirrorSpeed * std::max(std::fabs(away) - 1.0f, 0.0f), away);
    const float whole = std::floor(inside);
    const int unbounded = end + static_cast<int>(whole);
    const float t = unbounded < run.first || unbounded >= run.last ? 0.0f : inside - whole;
    pixel[n] = std::min(std::max(unbounded, run.first), run.last) + run.shift;
    before[n] = t * (-0.5f + t * (1.0f - 0.5f * t));
    at[n] = 1.0f + t * t * (-2.5f + 1.5f * t);
    next[n] = t * (0.5f + t * (2.0f - 1.5f * t));
    after[n] = t * t * (-0.5f + 0.5f * t);
  }
  for (int c = 0; c < row.channels; ++c) {
    const float* __restrict source = row.source + static_cast<std::size_t>(c) * row.sourceStride;
    float* __restrict target = row.target + static_cast<std::size_t>(c) * row.targetStride + column;
    for (int n = 0; n < count; ++n) {
      const float* taps = source + pixel[n];
      target[n] = before[n] * taps[-1] + at[n] * taps[0] + next[n] * taps[1] + after[n] * taps[2];
    }
  }
}

VECTOR_CLONES static void markUnowned(const int* __restrict owner, int width, bool* __restrict mask) {
  for (int j = 0; j < width; ++j) mask[j] = owner[j] < 0;
}

}  // namespace warp
