// What the columns show that no surface covers: the farther of the surfaces beside them, mirrored about its end.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "native_loops.h"
#include "native_scanline.h"

namespace warp {

// A surface that continues under the mask, and its end pixel that the mask begins at; run kNone if there is none.
struct Continued {
  int run, end;
};

// The farther of the surfaces that are seen in two columns, either of which may lie outside the row.
inline Continued continuedBetween(const Scanline& line, int before, int after) {
  Continued found{kNone, 0};
  if (after < line.width) found = {line.ownerAt(after), line.run(line.ownerAt(after)).first};
  if (before < 0) return found;
  const int run = line.ownerAt(before), end = line.run(run).last;
  return found.run == kNone || line.disparityAt(end) < line.disparityAt(found.end) ? Continued{run, end} : found;
}

// A row that left the frame entirely continues its farthest surface.
inline float farthestDisparity(const Scanline& line) {
  return *std::min_element(line.memory.disparity, line.memory.disparity + line.width);
}

// The source pixel that such a row shows in a column, without interpolation.
inline Place outside(const Scanline& line, int column, float farthest) {
  const float source = std::nearbyint(static_cast<float>(column) + farthest);
  const int pixel = static_cast<int>(std::clamp(source, 0.0f, static_cast<float>(line.width - 1)));
  const auto holds = [](const Run& run, int wanted) { return run.last < wanted; };
  return {pixel + std::lower_bound(line.runs.begin(), line.runs.end(), pixel, holds)->shift, 0.0f};
}

// The source sample that continues a surface at a column.
inline Place mirrored(const Scanline& line, const Continued& surface, int column) {
  const Run& run = line.run(surface.run);
  const float limit = 2.0f * static_cast<float>(line.width);
  const float away =
      std::clamp(static_cast<float>(surface.end - column) - line.disparityAt(surface.end), -limit, limit);
  const float inside = std::copysign(kMirrorSpeed * std::max(std::fabs(away) - 1.0f, 0.0f), away);
  const float whole = std::floor(inside);
  const int pixel = surface.end + static_cast<int>(whole);
  const bool beyond = pixel < run.first || pixel >= run.last;
  return {std::clamp(pixel, run.first, run.last) + run.shift, beyond ? 0.0f : inside - whole};
}

// What a column shows behind the surface that covers only a part of it.
inline Place backgroundBehind(const Scanline& line, int column) {
  int before = column - 1, after = column + 1;
  while (before >= 0 && line.ownerAt(before) == kNone) --before;
  while (after < line.width && line.ownerAt(after) == kNone) ++after;
  const Continued surface = continuedBetween(line, before, after);
  return surface.run == kNone ? outside(line, column, farthestDisparity(line)) : mirrored(line, surface, column);
}

inline void fillHole(const Scanline& line, int column, int end, const Continued& surface) {
  const bool isOutside = surface.run == kNone;
  const float disparity = isOutside ? farthestDisparity(line) : line.disparityAt(surface.end);
  std::fill(line.memory.newDisparity + column, line.memory.newDisparity + end, disparity);
  if (isOutside) {
    for (; column < end; ++column)
      line.interpolate(outside(line, column, disparity),
                       [&](int c, float colour) { line.targetAt(c, column) = colour; });
    return;
  }
  const float limit = static_cast<float>(line.width);
  for (; column < end; column += kHoleBlock)
    mirrorSurface(line.memory, line.run(surface.run), surface.end, std::clamp(disparity, -limit, limit), column,
                  std::min(end - column, kHoleBlock));
}

// Fills the masked columns of a row whose surfaces are painted.
inline void fillHoles(const Scanline& line) {
  const auto* uncovered = reinterpret_cast<const std::uint8_t*>(line.mask);
  for (int column = nextBreak(uncovered, 0, line.width); column < line.width;) {
    int end = column;
    while (end < line.width && line.mask[end]) ++end;
    fillHole(line, column, end, continuedBetween(line, column - 1, end));
    column = nextBreak(uncovered, end, line.width);
  }
}

}  // namespace warp
