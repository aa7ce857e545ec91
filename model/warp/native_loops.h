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

#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address)
#endif

namespace warp {

constexpr float kFoldPx = 0.5f;

// What lies between a pixel and the next; 0 is a smooth surface whose floor(disparity) does not change.
enum Break : std::uint8_t { kTorn = 1, kFolded = 2, kCut = 3, kNewWhole = 4 };

inline void prefetchRow([[maybe_unused]] const float* row, int count) {
  constexpr int kCacheLine = 16;  // floats
  for (int n = 0; n < count; n += kCacheLine) PREFETCH(row + n);
}

// Bits of |value|: ordered as the values are, with infinity and NaN on top.
inline std::uint32_t magnitude(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits & 0x7fffffffu;
}

struct Weights {
  float before, at, next, after;
};

// Catmull-Rom taps at fraction t; exactly 0, 1, 0, 0 at t = 0.
inline Weights cubicWeights(float t) {
  return {t * (-0.5f + t * (1.0f - 0.5f * t)), 1.0f + t * t * (-2.5f + 1.5f * t), t * (0.5f + t * (2.0f - 1.5f * t)),
          t * t * (-0.5f + 0.5f * t)};
}

// Of every source pixel: the weights of the four pixels around its sample, and the disparity there.
struct PixelWeights {
  float *before, *at, *next, *after, *landed;

  PixelWeights from(int pixel) const {
    return {before + pixel, at + pixel, next + pixel, after + pixel, landed + pixel};
  }
};

// Weighs as if all pixels were inside one surface; each lands at a column whose distance is `whole`.
VECTOR_CLONES static void weighPixels(const float* __restrict disparity, int width, const int* __restrict whole,
                                      const PixelWeights& weights) {
  float *__restrict before = weights.before, *__restrict at = weights.at, *__restrict next = weights.next,
        *__restrict after = weights.after, *__restrict landed = weights.landed;
  for (int n = 0; n + 1 < width; ++n) {
    const float step = disparity[n + 1] - disparity[n];
    const float t = std::min((disparity[n] - static_cast<float>(whole[n])) / (1.0f - step), 1.0f);
    before[n] = t * (-0.5f + t * (1.0f - 0.5f * t));
    at[n] = 1.0f + t * t * (-2.5f + 1.5f * t);
    next[n] = t * (0.5f + t * (2.0f - 1.5f * t));
    after[n] = t * t * (-0.5f + 0.5f * t);
    landed[n] = disparity[n] + t * step;
  }
}

// Writes `count` columns from `column` on, which show the pixels from `pixel` on.
VECTOR_CLONES static void blendTaps(const float* const* sources, float* const* targets, int channels, int pixel,
                                    int column, int count, const PixelWeights& weights) {
  constexpr int kBlock = 512;  // so that the weights stay in the nearest cache for all channels
  for (int start = 0; start < count; start += kBlock) {
    const PixelWeights block = weights.from(start);
    const float *__restrict before = block.before, *__restrict at = block.at, *__restrict next = block.next,
                *__restrict after = block.after;
    const int length = std::min(count - start, kBlock);
    for (int c = 0; c < channels; ++c) {
      const float* __restrict source = sources[c] + pixel + start;
      float* __restrict target = targets[c] + column + start;
      for (int n = 0; n < length; ++n)
        target[n] = before[n] * source[n - 1] + at[n] * source[n] + next[n] * source[n + 1] + after[n] * source[n + 2];
    }
  }
}

// Writes floor(disparity), kept inside the integers, and what breaks between each pixel and the next.
VECTOR_CLONES static void findBreaks(const float* __restrict disparity, int width, float threshold,
                                     int* __restrict whole, std::uint8_t* __restrict breaks) {
  const float limit = 2.0f * static_cast<float>(width) + 8.0f;
  prefetchRow(disparity + width, width);
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

// Copies a row while it fetches the next one; false when a value is not finite.
VECTOR_CLONES static bool copyFinite(const float* __restrict values, int count, float* __restrict copy) {
  prefetchRow(values + count, count);
  std::uint32_t largest = 0;
  for (int n = 0; n < count; ++n) {
    copy[n] = values[n];
    largest = std::max(largest, magnitude(values[n]));
  }
  return largest < 0x7f800000u;
}

// Writes `count` columns from `column` on (at most kHoleBlock) with the surface of pixels first..last, mirrored about
// its pixel `end` at half speed.
constexpr int kHoleBlock = 64;
constexpr float kMirrorSpeed = 0.5f;

VECTOR_CLONES static void mirrorSurface(const float* const* sources, float* const* targets, int channels, int first,
                                        int last, int end, float disparity, int column, int count) {
  int pixel[kHoleBlock];
  float fraction[kHoleBlock];
  for (int n = 0; n < count; ++n) {
    const float away = static_cast<float>(end - column - n) - disparity;
    const float inside = std::copysign(kMirrorSpeed * std::max(std::fabs(away) - 1.0f, 0.0f), away);
    const float whole = std::floor(inside);
    const int unbounded = end + static_cast<int>(whole);
    fraction[n] = unbounded < first || unbounded >= last ? 0.0f : inside - whole;
    pixel[n] = std::min(std::max(unbounded, first), last);
  }
  for (int c = 0; c < channels; ++c) {
    const float* __restrict source = sources[c];
    float* __restrict target = targets[c] + column;
    for (int n = 0; n < count; ++n) {
      const float t = fraction[n];
      const float before = t * (-0.5f + t * (1.0f - 0.5f * t)), at = 1.0f + t * t * (-2.5f + 1.5f * t);
      const float next = t * (0.5f + t * (2.0f - 1.5f * t)), after = t * t * (-0.5f + 0.5f * t);
      target[n] = before * source[std::max(pixel[n] - 1, first)] + at * source[pixel[n]] +
                  next * source[std::min(pixel[n] + 1, last)] + after * source[std::min(pixel[n] + 2, last)];
    }
  }
}

VECTOR_CLONES static void markUnowned(const int* __restrict owner, int width, bool* __restrict mask) {
  for (int j = 0; j < width; ++j) mask[j] = owner[j] < 0;
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
