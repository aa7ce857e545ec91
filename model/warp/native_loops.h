// The inner loops of the warp: plain loops over arrays, compiled for several instruction sets where the compiler can.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define VECTOR_CLONES __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define VECTOR_CLONES
#endif

namespace warp {

constexpr float kFoldPx = 0.5f;

// What lies between a pixel and the next; 0 is a smooth surface whose floor(disparity) does not change.
enum Break : std::uint8_t { kTorn = 1, kFolded = 2, kCut = 3, kNewWhole = 4 };

struct Weights {
  float before, at, next, after;
};

// Catmull-Rom taps at fraction t; exactly 0, 1, 0, 0 at t = 0.
inline Weights cubicWeights(float t) {
  return {t * (-0.5f + t * (1.0f - 0.5f * t)), 1.0f + t * t * (-2.5f + 1.5f * t), t * (0.5f + t * (2.0f - 1.5f * t)),
          t * t * (-0.5f + 0.5f * t)};
}

// For `count` neighbouring pixels that land at floor(disparity) = whole: weights and disparity of their columns.
VECTOR_CLONES static void weighColumns(const float* __restrict disparity, int count, float whole,
                                       float* __restrict before, float* __restrict at, float* __restrict next,
                                       float* __restrict after, float* __restrict newDisparity) {
  for (int n = 0; n < count; ++n) {
    const float step = disparity[n + 1] - disparity[n];
    const float t = std::min((disparity[n] - whole) / (1.0f - step), 1.0f);
    before[n] = t * (-0.5f + t * (1.0f - 0.5f * t));
    at[n] = 1.0f + t * t * (-2.5f + 1.5f * t);
    next[n] = t * (0.5f + t * (2.0f - 1.5f * t));
    after[n] = t * t * (-0.5f + 0.5f * t);
    newDisparity[n] = disparity[n] + t * step;
  }
}

VECTOR_CLONES static void blendTaps(const float* __restrict source, int count, const float* __restrict before,
                                    const float* __restrict at, const float* __restrict next,
                                    const float* __restrict after, float* __restrict target) {
  for (int n = 0; n < count; ++n)
    target[n] = before[n] * source[n - 1] + at[n] * source[n] + next[n] * source[n + 1] + after[n] * source[n + 2];
}

// Writes floor(disparity), kept inside the integers, and what breaks between each pixel and the next.
VECTOR_CLONES static void findBreaks(const float* __restrict disparity, int width, float threshold,
                                     int* __restrict whole, std::uint8_t* __restrict breaks) {
  const float limit = 2.0f * static_cast<float>(width) + 8.0f;
  for (int i = 0; i < width; ++i)
    whole[i] = static_cast<int>(std::floor(std::min(std::max(disparity[i], -limit), limit)));
  for (int i = 0; i + 1 < width; ++i) {
    const float step = disparity[i + 1] - disparity[i];
    const int torn = 1.0f - step > threshold ? kTorn : 0;
    const int folded = step >= kFoldPx ? kFolded : 0;
    const int newWhole = whole[i] != whole[i + 1] ? kNewWhole : 0;
    breaks[i] = static_cast<std::uint8_t>(torn | folded | newWhole);
  }
}

VECTOR_CLONES static bool holdsNonFinite(const float* values, int count) {
  std::uint32_t largest = 0;
  for (int n = 0; n < count; ++n) {
    std::uint32_t bits;
    std::memcpy(&bits, values + n, sizeof bits);
    largest = std::max(largest, bits & 0x7fffffffu);
  }
  return largest >= 0x7f800000u;
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

}  // namespace warp
