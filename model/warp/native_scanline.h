// The row that is being warped: its surfaces, what each column shows of them so far, and the memory for both.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "native_loops.h"
#include "native_types.h"

namespace warp {

constexpr int kNone = -1;
constexpr int kPadding = 16;  // what the array loops may touch outside a row of scratch memory

// A place in the scratch memory, and how far towards the next it is.
struct Place {
  int index;
  float fraction;
};

struct Scanline {
  int width, channels;
  RowMemory memory{};
  bool* mask = nullptr;  // true where no surface covers the column's centre
  std::vector<float> scratch;
  std::vector<Run> runs;
  std::vector<int> owner;  // of each column: the run that covers its centre, or kNone

  Scanline(int columns, int colours) : width(columns), channels(colours), owner(static_cast<std::size_t>(columns)) {
    memory.channels = channels;
    memory.sourceStride = static_cast<std::size_t>((1 + kRepeatedPixels) * width + 2 * kPadding);
    scratch.resize(memory.sourceStride * static_cast<std::size_t>(channels));
    memory.source = scratch.data() + kPadding;
  }

  [[nodiscard]] const Run& run(int index) const { return runs[static_cast<std::size_t>(index)]; }
  [[nodiscard]] int ownerAt(int column) const { return owner[static_cast<std::size_t>(column)]; }
  [[nodiscard]] float disparityAt(int pixel) const { return memory.disparity[pixel]; }

  [[nodiscard]] float& scratchAt(int channel, int index) {
    return scratch[kPadding + static_cast<std::size_t>(channel) * memory.sourceStride +
                   static_cast<std::size_t>(index)];
  }
  [[nodiscard]] float sourceAt(int channel, int index) const {
    return memory
        .source[static_cast<std::ptrdiff_t>(channel) * static_cast<std::ptrdiff_t>(memory.sourceStride) + index];
  }
  [[nodiscard]] float& targetAt(int channel, int column) const {
    return memory.target[static_cast<std::size_t>(channel) * memory.targetStride + static_cast<std::size_t>(column)];
  }

  // Offsets in px as integers, kept near the frame however large the disparity is.
  [[nodiscard]] int roundDown(float offset) const {
    const float limit = 2.0f * static_cast<float>(width) + 8.0f;
    const float bounded = std::min(std::max(offset, -limit), limit);
    const int towardsZero = static_cast<int>(bounded);
    return towardsZero - static_cast<int>(static_cast<float>(towardsZero) > bounded);
  }
  [[nodiscard]] int roundUp(float offset) const { return -roundDown(-offset); }

  // Hands Catmull-Rom samples (eq. 4) of all channels at a place to `take`.
  template <typename Take>
  void interpolate(const Place& place, const Take& take) const {
    const float t = place.fraction;
    const float before = t * (-0.5f + t * (1.0f - 0.5f * t)), at = 1.0f + t * t * (-2.5f + 1.5f * t);
    const float next = t * (0.5f + t * (2.0f - 1.5f * t)), after = t * t * (-0.5f + 0.5f * t);
    for (int c = 0; c < channels; ++c)
      take(c, before * sourceAt(c, place.index - 1) + at * sourceAt(c, place.index) +
                  next * sourceAt(c, place.index + 1) + after * sourceAt(c, place.index + 2));
  }
};

}  // namespace warp
