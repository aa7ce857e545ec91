// Columns that a surface covers in part: noted before it is painted, blended when all of them are.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "native_holes.h"
#include "native_scanline.h"

namespace warp {

// A target column that `front` covers in part, with what lay there before `front` was painted.
struct PartialColumn {
  int column, front, behind;
  int end;     // of `front`, in the scratch memory: the pixel at the edge that crosses the column
  bool owned;  // `front` covers the column's centre, so its colour is the painted one
};

class PartialColumns {
 public:
  PartialColumns(int width, int channels)
      : channels_(static_cast<std::size_t>(channels)),
        latest_(static_cast<std::size_t>(width), kNone),
        blended_(channels_) {}

  // Notes the columns that a run about to be painted in [begin, end) touches without covering them whole.
  void note(const Scanline& line, int index, int begin, int end) {
    const Run& run = line.run(index);
    const float leftTurn = kHalfRow * std::fabs(run.left.slope), rightTurn = kHalfRow * std::fabs(run.right.slope);
    const int from = std::max(run.first + line.roundDown(run.left.offset - leftTurn - 0.5f) + 1, 0);
    const int to = std::min(run.last + line.roundUp(run.right.offset + rightTurn + 0.5f), line.width);
    const int whole = std::min(run.first + line.roundUp(run.left.offset + leftTurn + 0.5f), to);
    const int wholeEnd = std::max(run.last + line.roundDown(run.right.offset - rightTurn - 0.5f) + 1, whole);
    const auto noteColumn = [&](int column) {
      const int pixel = column < begin ? run.first : run.last;
      noteOne(line, {column, index, line.ownerAt(column), pixel + run.shift, column >= begin && column < end});
    };
    for (int column = from; column < whole; ++column) noteColumn(column);
    for (int column = std::max(wholeEnd, from); column < to; ++column) noteColumn(column);
  }

  // Blends the two nearest surfaces by the part of the pixel each covers, the rest with the background.
  void blend(const Scanline& line) {
    for (std::size_t n = 0; n < noted_.size(); ++n) {
      const PartialColumn& entry = noted_[n];
      int& latest = latest_[static_cast<std::size_t>(entry.column)];
      if (latest != static_cast<int>(n)) continue;
      latest = kNone;
      // A run that covers the pixel whole may have been painted since.
      if (line.ownerAt(entry.column) <= entry.front) blendOne(line, entry, &behind_[n * channels_]);
    }
    noted_.clear();
  }

 private:
  // Which part of a target pixel's width a run covers at one height of the row.
  struct Covered {
    float low, high;
    [[nodiscard]] float part() const { return std::max(high - low, 0.0f); }
    [[nodiscard]] float overlap(const Covered& other) const {
      return high > low ? std::max(std::min(high, other.high) - std::max(low, other.low), 0.0f) : 0.0f;
    }
  };

  static Covered coveredBy(const Run& run, int column, float height) {
    const float left = static_cast<float>(run.first - column) + run.left.offset;
    const float right = static_cast<float>(run.last - column) + run.right.offset;
    return {std::clamp(left + height * run.left.slope, -0.5f, 0.5f),
            std::clamp(right + height * run.right.slope, -0.5f, 0.5f)};
  }

  // Keeps the colours of the surface behind.
  void noteOne(const Scanline& line, PartialColumn entry) {
    int& latest = latest_[static_cast<std::size_t>(entry.column)];
    const std::size_t kept = channels_ * noted_.size();
    if (behind_.size() < kept + channels_) behind_.resize(2 * (kept + channels_));
    const PartialColumn* before = latest == kNone ? nullptr : &noted_[static_cast<std::size_t>(latest)];
    // In front of the owner may lie a run that does not reach the centre; of two such the owner takes one's place.
    const int owner = entry.behind;
    const bool sliver = before != nullptr && before->front > owner && (entry.owned || owner == kNone);
    if (sliver) entry.behind = before->front;
    for (int c = 0; c < line.channels; ++c)
      behind_[kept + static_cast<std::size_t>(c)] =
          sliver ? line.sourceAt(c, before->end) : line.targetAt(c, entry.column);
    latest = static_cast<int>(noted_.size());
    noted_.push_back(entry);
  }

  void blendOne(const Scanline& line, const PartialColumn& entry, const float* behindColours) {
    const int column = entry.column;
    float frontPart = 0, behindPart = 0;
    for (const float height : {-kHalfRow, kHalfRow}) {
      const Covered front = coveredBy(line.run(entry.front), column, height);
      frontPart += 0.5f * front.part();
      if (entry.behind == kNone) continue;
      const Covered behind = coveredBy(line.run(entry.behind), column, height);
      behindPart += 0.5f * std::max(behind.part() - front.overlap(behind), 0.0f);
    }
    for (int c = 0; c < line.channels; ++c) {
      float total = frontPart * (entry.owned ? line.targetAt(c, column) : line.sourceAt(c, entry.end));
      if (entry.behind != kNone) total += behindPart * behindColours[c];
      blended_[static_cast<std::size_t>(c)] = total;
    }
    const float rest = std::max(1.0f - frontPart - behindPart, 0.0f);
    if (rest > 0) addBackground(line, column, rest);
    for (int c = 0; c < line.channels; ++c) line.targetAt(c, column) = blended_[static_cast<std::size_t>(c)];
  }

  void addBackground(const Scanline& line, int column, float part) {
    const auto add = [&](int c, float colour) { blended_[static_cast<std::size_t>(c)] += part * colour; };
    if (line.mask[column])  // filled with it already
      for (int c = 0; c < line.channels; ++c) add(c, line.targetAt(c, column));
    else
      line.interpolate(backgroundBehind(line, column), add);
  }

  std::size_t channels_;
  std::vector<PartialColumn> noted_;
  std::vector<int> latest_;     // of each column: its last entry in noted_, or kNone
  std::vector<float> behind_;   // the colours behind each entry
  std::vector<float> blended_;  // of one column
};

}  // namespace warp
