// The inner loops of the warp: plain loops over arrays, parts of whatever function calls them (VECTOR_CLONES).
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
INLINE bool findBreaks(const float* __restrict disparity, int width, float threshold, std::uint8_t* __restrict breaks) {
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
    if (eight != 0) return from + firstByte(eight);
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
INLINE bool copyRuns(const Pixel* row, int width, const Run* runs, int count, float* scratch) {
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

INLINE void blendStretch(const RowMemory& memory, Stretch stretch) {
  const RowMemory row = memory;  // which no write can change
  if (stretch.count >= kCount<EightFloats>)
    blendIn<EightFloats>(row, stretch);
  else if (stretch.count >= kCount<FourFloats>)
    blendIn<FourFloats>(row, stretch);
  else
    blendIn<float>(row, stretch);
}

// The source pixel of each column of a hole, in the scratch memory, and the weights of the taps around it.
constexpr int kHoleBlock = 64;
constexpr float kMirrorSpeed = 0.5f;

struct HoleTaps {
  int pixel[kHoleBlock];
  float before[kHoleBlock], at[kHoleBlock], next[kHoleBlock], after[kHoleBlock];
};

// Mirrors a run about its pixel `end` at half speed, `count` columns from `column` on.
INLINE void mirror(const Run& run, int end, float disparity, int column, int count, HoleTaps& taps) {
  for (int n = 0; n < count; ++n) {
    const float away = static_cast<float>(end - column - n) - disparity;
    const float inside = std::copysign(kMirrorSpeed * std::max(std::fabs(away) - 1.0f, 0.0f), away);
    const float whole = std::floor(inside);
    const int unbounded = end + static_cast<int>(whole);
    const float t = unbounded < run.first || unbounded >= run.last ? 0.0f : inside - whole;
    taps.pixel[n] = std::min(std::max(unbounded, run.first), run.last) + run.shift;
    taps.before[n] = t * (-0.5f + t * (1.0f - 0.5f * t));
    taps.at[n] = 1.0f + t * t * (-2.5f + 1.5f * t);
    taps.next[n] = t * (0.5f + t * (2.0f - 1.5f * t));
    taps.after[n] = t * t * (-0.5f + 0.5f * t);
  }
}

// Writes `count` columns from `column` on (at most kHoleBlock). Eight columns mirror at most five pixels, so all their
// taps lie in one vector: to gather each from its own address takes several times as long.
INLINE void mirrorSurface(const RowMemory& row, const Run& run, int end, float disparity, int column, int count) {
  constexpr int kLanes = kCount<EightFloats>;
  HoleTaps taps;
  mirror(run, end, disparity, column, (count + kLanes - 1) / kLanes * kLanes, taps);
  for (int n = 0; n < count; n += kLanes) {
    EightFloats before, at, next, after;
    load(taps.before + n, before), load(taps.at + n, at), load(taps.next + n, next), load(taps.after + n, after);
    EightInts pixel;
    std::memcpy(&pixel, taps.pixel + n, sizeof pixel);
    const int lowest = std::min(taps.pixel[n], taps.pixel[n + kLanes - 1]) - 1;
    pixel -= lowest;
    for (int c = 0; c < row.channels; ++c) {
      const float* const source = row.source + static_cast<std::size_t>(c) * row.sourceStride + lowest;
      float* const target = row.target + static_cast<std::size_t>(c) * row.targetStride + column + n;
      EightFloats taps[4];
      for (int tap = 0; tap < 4; ++tap) pick(source, pixel + (tap - 1), taps[tap]);
      const EightFloats mixed = before * taps[0] + at * taps[1] + next * taps[2] + after * taps[3];
      if (n + kLanes <= count)
        store(mixed, target);
      else
        storeFirst(mixed, count - n, target);
    }
  }
}

INLINE void markUnowned(const int* __restrict owner, int width, bool* __restrict mask) {
  for (int j = 0; j < width; ++j) mask[j] = owner[j] < 0;
}

}  // namespace warp
