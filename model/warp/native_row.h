// Warps scanlines as reference.py defines it: surfaces are painted in source order, so far ones come before near ones.
//
// A row is copied into scratch memory, each run with its end pixels repeated beside it, so that no tap leaves its run.
// Between two changes of floor(disparity) target and source columns advance together: painting is a few array loops
// (native_loops.h). Only the few columns that a run covers in part need more than one surface; what lay there before
// is kept while painting and blended afterwards.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "native_edges.h"
#include "native_loops.h"
#include "native_types.h"

namespace warp {

constexpr int kNone = -1;
constexpr std::size_t kRowsAhead = 2;  // the row that is measured next, while this one is painted, and one more
constexpr int kPadding = 16;           // what the array loops may touch outside a row

enum class Finding { kNothing, kColourNotFinite, kDisparityNotFinite };

// Warps one scanline after another; owns the scratch memory of one thread.
template <typename Pixel>
class RowWarper {
 public:
  explicit RowWarper(const Frames<Pixel>& frames)
      : f_(frames), width_(frames.width), edges_(frames), mixed_(edges_.colours(0, 0)) {
    const auto width = static_cast<std::size_t>(width_), channels = static_cast<std::size_t>(f_.channels);
    row_.channels = f_.channels;
    row_.sourceStride = (1 + kRepeatedPixels) * width + 2 * kPadding;
    row_.targetStride = f_.plane();
    row_.laterStride = f_.plane() * sizeof(Pixel);
    row_.pixelBytes = sizeof(Pixel);
    scratch_.resize(row_.sourceStride * channels);
    row_.source = scratch_.data() + kPadding;
    blended_.resize(channels);
    owner_.resize(width);
    lastPartial_.assign(width, kNone);
  }

  // Warps a row, or tells why it cannot.
  Finding warp(int frame, int y) {
    const std::size_t offset = f_.rowOffset(frame, y), later = kRowsAhead * static_cast<std::size_t>(width_);
    mixed_ = edges_.colours(frame, y);
    disparity_ = row_.disparity = f_.disparity + offset;
    newDisparity_ = row_.newDisparity = f_.viewDisparity + offset;
    mask_ = f_.disocclusion + offset;
    row_.target = f_.view + f_.colourOffset(frame, y);
    row_.laterColours = reinterpret_cast<const char*>(mixed_.pixels + later);
    row_.laterDisparity = disparity_ + later;
    farthest_ = NAN;
    const RowBreaks& found = edges_.measured(frame, y);
    if (!found.finite) return Finding::kDisparityNotFinite;
    breaks_ = found.breaks.data();
    const std::vector<Cut>& cuts = edges_.fitted(y);
    findRuns(cuts);
    if (!takeColours()) return Finding::kColourNotFinite;
    unmixEdges(cuts);
    std::fill(owner_.begin(), owner_.end(), kNone);
    partial_.clear();
    for (int run = 0; run < static_cast<int>(runs_.size()); ++run)
      if (!runAt(run).hidden) paint(run);
    markUnowned(owner_.data(), width_, mask_);
    fillHoles();
    blendPartialColumns();
    return Finding::kNothing;
  }

 private:
  const Run& runAt(int index) const { return runs_[static_cast<std::size_t>(index)]; }
  int ownerAt(int column) const { return owner_[static_cast<std::size_t>(column)]; }
  float& scratchAt(int channel, int index) {
    return scratch_[kPadding + static_cast<std::size_t>(channel) * row_.sourceStride + static_cast<std::size_t>(index)];
  }
  float sourceAt(int channel, int index) const {
    return row_.source[static_cast<std::ptrdiff_t>(channel) * static_cast<std::ptrdiff_t>(row_.sourceStride) + index];
  }
  float& targetAt(int channel, int column) const {
    return row_.target[static_cast<std::size_t>(channel) * row_.targetStride + static_cast<std::size_t>(column)];
  }

  // Makes the runs between the cuts, their sides relative to target columns.
  void findRuns(const std::vector<Cut>& cuts) {
    runs_.clear();
    Run run{0, 0, 1, 0, {-0.5f, 0}, {0.5f, 0}, false};
    bool tornBefore = false;
    for (const Cut& cut : cuts) {
      run.last = cut.pixel;
      run.right = {cut.offset + 0.5f, cut.slope};
      run.hidden = run.first == run.last && tornBefore && !cut.folded;
      addRun(run);
      tornBefore = !cut.folded;
      run = {cut.pixel + 1, 0,    run.shift + kRepeatedPixels, run.stretch, {cut.offset - 0.5f, cut.slope},
             {0.5f, 0},     false};
      while (breaks_[run.stretch] < run.first) ++run.stretch;
    }
    run.last = width_ - 1;
    addRun(run);
  }

  void addRun(Run run) {
    run.left.offset -= disparity_[run.first];
    run.right.offset -= disparity_[run.last];
    runs_.push_back(run);
  }

  // Copies all channels into the scratch memory; false when a value is not finite.
  bool takeColours() {
    bool finite = true;
    for (int c = 0; c < f_.channels; ++c)
      finite = copyRuns(mixed_.pixels + static_cast<std::size_t>(c) * mixed_.stride, width_, runs_.data(),
                        static_cast<int>(runs_.size()), &scratchAt(c, 0)) &&
               finite;
    return finite;
  }

  // Takes the other side's colour out of the two pixels beside every cut (reference.unmix_edges).
  void unmixEdges(const std::vector<Cut>& cuts) {
    for (std::size_t n = 0; n < cuts.size(); ++n) {
      const Run &a = runs_[n], &b = runs_[n + 1];
      const int pureA = std::max(a.last - 1, a.first), pureB = std::min(b.first + 1, b.last);
      const float ofB = otherPart(-cuts[n].offset, cuts[n].slope), ofA = otherPart(cuts[n].offset, cuts[n].slope);
      for (int c = 0; ofB > 0 && c < f_.channels; ++c) {
        float* const last = &scratchAt(c, a.shift + a.last);
        last[0] = last[1] = last[2] = unmix(mixed_.at(c, a.last), mixed_.at(c, pureA), mixed_.at(c, pureB), ofB);
      }
      for (int c = 0; ofA > 0 && c < f_.channels; ++c) {
        float* const first = &scratchAt(c, b.shift + b.first);
        first[0] = first[-1] = unmix(mixed_.at(c, b.first), mixed_.at(c, pureB), mixed_.at(c, pureA), ofA);
      }
    }
  }

  // Offsets in px as integers, kept near the frame however large the disparity is.
  int roundDown(float offset) const {
    const float limit = 2.0f * static_cast<float>(width_) + 8.0f;
    const float bounded = std::min(std::max(offset, -limit), limit);
    const int towardsZero = static_cast<int>(bounded);
    return towardsZero - static_cast<int>(static_cast<float>(towardsZero) > bounded);
  }
  int roundUp(float offset) const { return -roundDown(-offset); }

  // The column at which a pixel is the last to have landed.
  int landing(int pixel) const { return pixel - roundDown(disparity_[pixel]); }

  void paint(int index) {
    const Run& run = runAt(index);
    const int begin = std::max(run.first + roundUp(run.left.offset), 0);
    const int end = std::min(run.last + roundUp(run.right.offset), width_);
    notePartialColumns(index, begin, end);
    if (begin >= end) return;
    std::fill(owner_.begin() + begin, owner_.begin() + end, index);
    repeatPixel(run, run.first, begin, std::min(landing(run.first), end));
    // A stretch is a range of pixels with one floor(disparity): source and target advance together.
    const int* stretch = breaks_ + run.stretch;
    for (int first = run.first; *stretch < run.last; first = *stretch++ + 1)
      paintStretch(run, first, *stretch, begin, std::min(landing(*stretch + 1), end));
    const int first = run.stretch < static_cast<std::size_t>(stretch - breaks_) ? stretch[-1] + 1 : run.first;
    paintStretch(run, first, run.last - 1, begin, std::min(landing(run.last), end));
    repeatPixel(run, run.last, std::max(landing(run.last), begin), end);
  }

  // Paints the columns before `end` that belong to pixels first..last; those between the last and `end` are stretched.
  void paintStretch(const Run& run, int first, int last, int begin, int end) {
    if (first > last) return;
    const int apart = roundDown(disparity_[first]);
    const int from = std::max(first - apart, begin), to = std::min(last + 1 - apart, end);
    if (from < to) blendStretch(row_, {from, from + apart, run.shift, to - from});
    for (int j = std::max(to, from); j < end; ++j) paintStretched(run, last, j);
  }

  // Paints a column that lies further behind a pixel than one, where the surface is stretched.
  void paintStretched(const Run& run, int pixel, int column) {
    const float step = disparity_[pixel + 1] - disparity_[pixel];
    const float t = std::min((static_cast<float>(column - pixel) + disparity_[pixel]) / (1.0f - step), 1.0f);
    newDisparity_[column] = disparity_[pixel] + t * step;
    interpolate(pixel + run.shift, t, [&](int c, float colour) { targetAt(c, column) = colour; });
  }

  void repeatPixel(const Run& run, int pixel, int from, int to) {
    for (int j = from; j < to; ++j) {
      newDisparity_[j] = disparity_[pixel];
      for (int c = 0; c < f_.channels; ++c) targetAt(c, j) = sourceAt(c, pixel + run.shift);
    }
  }

  // Hands Catmull-Rom samples (eq. 4) of all channels at t behind a place in the scratch memory to `take`.
  template <typename Take>
  void interpolate(int index, float t, const Take& take) const {
    const float before = t * (-0.5f + t * (1.0f - 0.5f * t)), at = 1.0f + t * t * (-2.5f + 1.5f * t);
    const float next = t * (0.5f + t * (2.0f - 1.5f * t)), after = t * t * (-0.5f + 0.5f * t);
    for (int c = 0; c < f_.channels; ++c)
      take(c, before * sourceAt(c, index - 1) + at * sourceAt(c, index) + next * sourceAt(c, index + 1) +
                  after * sourceAt(c, index + 2));
  }

  // Notes the columns that a run about to be painted in [begin, end) touches without covering them whole.
  void notePartialColumns(int index, int begin, int end) {
    const Run& run = runAt(index);
    const float leftTurn = kHalfRow * std::fabs(run.left.slope), rightTurn = kHalfRow * std::fabs(run.right.slope);
    const int from = std::max(run.first + roundDown(run.left.offset - leftTurn - 0.5f) + 1, 0);
    const int to = std::min(run.last + roundUp(run.right.offset + rightTurn + 0.5f), width_);
    const int whole = std::min(run.first + roundUp(run.left.offset + leftTurn + 0.5f), to);
    const int wholeEnd = std::max(run.last + roundDown(run.right.offset - rightTurn - 0.5f) + 1, whole);
    const auto note = [&](int j) { notePartialColumn(run, index, j, j < begin, j >= begin && j < end); };
    for (int j = from; j < whole; ++j) note(j);
    for (int j = std::max(wholeEnd, from); j < to; ++j) note(j);
  }

  // Keeps the colours of the surface behind, and of `front` where it is not going to be painted.
  void notePartialColumn(const Run& run, int index, int column, bool left, bool owned) {
    int& latest = lastPartial_[static_cast<std::size_t>(column)];
    const int owner = ownerAt(column);
    const PartialColumn* before = latest == kNone ? nullptr : &partial_[static_cast<std::size_t>(latest)];
    // In front of the owner may lie a run that does not reach the centre; of two such the owner takes one's place.
    const bool sliver = before != nullptr && before->front > owner && (owned || owner == kNone);
    const std::size_t channels = static_cast<std::size_t>(f_.channels), kept = 2 * channels * partial_.size();
    if (colours_.size() < kept + 2 * channels) colours_.resize(2 * (kept + 2 * channels));
    float *const ofBehind = &colours_[kept], *const ofFront = ofBehind + channels;
    const float* const ofSliver = &colours_[2 * channels * static_cast<std::size_t>(sliver ? latest : 0) + channels];
    const int end = (left ? run.first : run.last) + run.shift;
    for (int c = 0; c < f_.channels; ++c) {
      ofBehind[c] = sliver ? ofSliver[c] : targetAt(c, column);
      ofFront[c] = sourceAt(c, end);
    }
    const int behind = sliver ? before->front : owner;
    latest = static_cast<int>(partial_.size());
    partial_.push_back({column, index, behind, owned});
  }

  // Blends the two nearest surfaces by the part of the pixel each covers, the rest with the background.
  void blendPartialColumns() {
    for (std::size_t n = 0; n < partial_.size(); ++n) {
      const PartialColumn& entry = partial_[n];
      int& latest = lastPartial_[static_cast<std::size_t>(entry.column)];
      if (latest != static_cast<int>(n)) continue;
      latest = kNone;
      // A run that covers the pixel whole may have been painted since.
      if (ownerAt(entry.column) <= entry.front)
        blendPartial(entry, &colours_[2 * n * static_cast<std::size_t>(f_.channels)]);
    }
  }

  void blendPartial(const PartialColumn& entry, const float* colours) {
    const int j = entry.column;
    float frontPart = 0, behindPart = 0;
    for (const float height : {-kHalfRow, kHalfRow}) {
      const Covered front = coveredBy(entry.front, j, height);
      frontPart += 0.5f * front.part();
      if (entry.behind == kNone) continue;
      const Covered behind = coveredBy(entry.behind, j, height);
      behindPart += 0.5f * std::max(behind.part() - front.overlap(behind), 0.0f);
    }
    const float rest = std::max(1.0f - frontPart - behindPart, 0.0f);
    const float* ofBehind = colours;
    const float* ofFront = colours + f_.channels;
    for (int c = 0; c < f_.channels; ++c) {
      float total = frontPart * (entry.owned ? targetAt(c, j) : ofFront[c]);
      if (entry.behind != kNone) total += behindPart * ofBehind[c];
      blended_[static_cast<std::size_t>(c)] = total;
    }
    if (rest > 0) addBackground(j, rest);
    for (int c = 0; c < f_.channels; ++c) targetAt(c, j) = blended_[static_cast<std::size_t>(c)];
  }

  // Which part of a target pixel's width a run covers at one height of the row.
  struct Covered {
    float low, high;
    [[nodiscard]] float part() const { return std::max(high - low, 0.0f); }
    [[nodiscard]] float overlap(const Covered& other) const {
      return high > low ? std::max(std::min(high, other.high) - std::max(low, other.low), 0.0f) : 0.0f;
    }
  };

  Covered coveredBy(int index, int column, float height) const {
    const Run& run = runAt(index);
    const float left = static_cast<float>(run.first - column) + run.left.offset;
    const float right = static_cast<float>(run.last - column) + run.right.offset;
    return {std::clamp(left + height * run.left.slope, -0.5f, 0.5f),
            std::clamp(right + height * run.right.slope, -0.5f, 0.5f)};
  }

  void addBackground(int column, float part) {
    if (mask_[column]) {  // filled with it already
      for (int c = 0; c < f_.channels; ++c) blended_[static_cast<std::size_t>(c)] += part * targetAt(c, column);
      return;
    }
    const Place place = backgroundAt(column, continuedBeside(column));
    interpolate(place.index, place.fraction,
                [&](int c, float colour) { blended_[static_cast<std::size_t>(c)] += part * colour; });
  }

  // A place in the scratch memory, and how far towards the next it is.
  struct Place {
    int index;
    float fraction;
  };

  // The source sample that continues a surface at a column: mirrored about its end, at half speed.
  Place backgroundAt(int column, const Continued& surface) {
    if (surface.run == kNone) return {outsideAt(column), 0.0f};
    const Run& run = runAt(surface.run);
    const float limit = 2.0f * static_cast<float>(width_);
    const float away = std::clamp(static_cast<float>(surface.end - column) - disparity_[surface.end], -limit, limit);
    const float inside = std::copysign(kMirrorSpeed * std::max(std::fabs(away) - 1.0f, 0.0f), away);
    const float whole = std::floor(inside);
    const int pixel = surface.end + static_cast<int>(whole);
    const bool beyond = pixel < run.first || pixel >= run.last;
    return {std::clamp(pixel, run.first, run.last) + run.shift, beyond ? 0.0f : inside - whole};
  }

  // A row that left the frame entirely continues its farthest surface, without interpolation.
  int outsideAt(int column) {
    const float source = std::nearbyint(static_cast<float>(column) + farthest());
    const int pixel = static_cast<int>(std::clamp(source, 0.0f, static_cast<float>(width_ - 1)));
    const auto holds = [](const Run& run, int wanted) { return run.last < wanted; };
    return pixel + std::lower_bound(runs_.begin(), runs_.end(), pixel, holds)->shift;
  }

  // Smallest disparity of the row, looked for once and only in rows that need it.
  float farthest() {
    if (std::isnan(farthest_)) farthest_ = *std::min_element(disparity_, disparity_ + width_);
    return farthest_;
  }

  void fillHoles() {
    const auto* uncovered = reinterpret_cast<const std::uint8_t*>(mask_);
    for (int column = nextBreak(uncovered, 0, width_); column < width_;) {
      int end = column;
      while (end < width_ && mask_[end]) ++end;
      fillHole(column, end, continuedBetween(column - 1, end));
      column = nextBreak(uncovered, end, width_);
    }
  }

  void fillHole(int column, int end, const Continued& surface) {
    if (surface.run == kNone) {
      for (; column < end; ++column) {
        newDisparity_[column] = farthest();
        interpolate(outsideAt(column), 0.0f, [&](int c, float colour) { targetAt(c, column) = colour; });
      }
      return;
    }
    const Run& run = runAt(surface.run);
    const float limit = static_cast<float>(width_), disparity = disparity_[surface.end];
    std::fill(newDisparity_ + column, newDisparity_ + end, disparity);
    for (; column < end; column += kHoleBlock)
      mirrorSurface(row_, run, surface.end, std::clamp(disparity, -limit, limit), column,
                    std::min(end - column, kHoleBlock));
  }

  // The farther of the surfaces seen next on both sides, and the end at which it stops; run kNone if there is none.
  Continued continuedBetween(int before, int after) const {
    Continued found{kNone, 0};
    if (after < width_) found = {ownerAt(after), runAt(ownerAt(after)).first};
    if (before < 0) return found;
    const int run = ownerAt(before), end = runAt(run).last;
    return found.run == kNone || disparity_[end] < disparity_[found.end] ? Continued{run, end} : found;
  }

  Continued continuedBeside(int column) const {
    int before = column - 1, after = column + 1;
    while (before >= 0 && ownerAt(before) == kNone) --before;
    while (after < width_ && ownerAt(after) == kNone) ++after;
    return continuedBetween(before, after);
  }

  const Frames<Pixel> f_;
  int width_;
  EdgeFinder<Pixel> edges_;
  RowMemory row_{};
  std::vector<float> scratch_;
  ColourRow<Pixel> mixed_;
  const float* disparity_ = nullptr;
  bool* mask_ = nullptr;
  float* newDisparity_ = nullptr;
  float farthest_ = NAN;
  const int* breaks_ = nullptr;
  std::vector<int> owner_;
  std::vector<int> lastPartial_;
  std::vector<Run> runs_;
  std::vector<PartialColumn> partial_;
  std::vector<float> colours_, blended_;
};

VECTOR_CLONES FLATTEN static Finding warpRow(RowWarper<float>& warper, int frame, int y) {
  return warper.warp(frame, y);
}

VECTOR_CLONES FLATTEN static Finding warpRow(RowWarper<Half>& warper, int frame, int y) {
  return warper.warp(frame, y);
}

}  // namespace warp
