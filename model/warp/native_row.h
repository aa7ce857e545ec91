// Warps scanlines as reference.py defines it: surfaces are painted in source order, so far ones come before near ones.
//
// Only the few columns that a run covers in part need more than one surface; they are noted while painting and blended
// afterwards. Between two changes of floor(disparity) target and source columns advance together, so that the inner
// loops (native_loops.h) are plain array loops.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "native_loops.h"
#include "native_types.h"

namespace warp {

constexpr float kMirrorSpeed = 0.5f;
constexpr float kContrastFloor = 0.003f;
constexpr int kNone = -1;

// Warps one scanline after another; owns the scratch memory of one thread.
class RowWarper {
 public:
  explicit RowWarper(const Frames& frames) : f_(frames), width_(frames.width) {
    const auto width = static_cast<std::size_t>(width_);
    scratch_.resize(width * static_cast<std::size_t>(f_.channels));
    source_.resize(static_cast<std::size_t>(f_.channels));
    target_.resize(source_.size());
    breaks_.resize(width);
    whole_.resize(width);
    owner_.resize(width);
    lastPartial_.assign(width, kNone);
    weights_.resize(4 * width);
  }

  // Returns false when the row holds a colour that is not finite.
  bool warp(int frame, int y) {
    bind(frame, y);
    bool finite = true;
    for (const float* row : source_) finite = finite && !holdsNonFinite(row, width_);
    if (!finite) return false;
    findBreaks(disparity_, width_, f_.threshold, whole_.data(), breaks_.data());
    breaks_.back() = kFolded;  // the frame's edge ends the last run
    findRuns();
    if (runs_.size() > 1) refineEdges();
    std::fill(owner_.begin(), owner_.end(), kNone);
    std::memset(mask_, 1, static_cast<std::size_t>(width_));
    partial_.clear();
    for (int run = 0; run < static_cast<int>(runs_.size()); ++run)
      if (!runs_[static_cast<std::size_t>(run)].hidden) paint(run);
    fillHoles();
    for (const PartialColumn& entry : partial_) {
      int& last = lastPartial_[static_cast<std::size_t>(entry.column)];
      if (last != kNone) blendPartial(entry.column);
      last = kNone;
    }
    return true;
  }

 private:
  const Run& runAt(int index) const { return runs_[static_cast<std::size_t>(index)]; }
  std::uint8_t breakAfter(int pixel) const { return breaks_[static_cast<std::size_t>(pixel)]; }
  int ownerAt(int column) const { return owner_[static_cast<std::size_t>(column)]; }

  void bind(int frame, int y) {
    const auto width = static_cast<std::size_t>(width_);
    const std::size_t row =
        static_cast<std::size_t>(frame) * static_cast<std::size_t>(f_.height) + static_cast<std::size_t>(y);
    for (std::size_t c = 0; c < source_.size(); ++c) {
      const std::size_t plane = static_cast<std::size_t>(frame) * source_.size() + c;
      const std::size_t offset = (plane * static_cast<std::size_t>(f_.height) + static_cast<std::size_t>(y)) * width;
      source_[c] = f_.image + offset;
      target_[c] = f_.view + offset;
    }
    disparity_ = f_.disparity + row * width;
    mask_ = f_.disocclusion + row * width;
    newDisparity_ = f_.viewDisparity + row * width;
    farthest_ = NAN;
  }

  void findRuns() {
    runs_.clear();
    bool tornBefore = false;
    for (int first = 0, last; first < width_; first = last + 1) {
      last = nextBreak(breaks_.data(), first, width_);
      while ((breakAfter(last) & kCut) == 0) last = nextBreak(breaks_.data(), last + 1, width_);
      const bool tornAfter = (breakAfter(last) & kTorn) != 0;
      runs_.push_back({first, last, -0.5f, 0.5f, first == last && tornBefore && tornAfter});
      tornBefore = tornAfter;
    }
  }

  // Places every edge between two runs by alpha and un-mixes the pixel it lies in (reference.refine_edges).
  void refineEdges() {
    const auto width = static_cast<std::size_t>(width_);
    for (std::size_t c = 0; c < source_.size(); ++c) {
      std::memcpy(&scratch_[c * width], source_[c], width * sizeof(float));
    }
    for (std::size_t r = 0; r + 1 < runs_.size(); ++r) {
      Run &a = runs_[r], &b = runs_[r + 1];
      const int pureA = std::max(a.last - 1, a.first), pureB = std::min(b.first + 1, b.last);
      const float edge = edgeBetween(a.last, b.first, pureA, pureB);
      a.right = edge + 0.5f;
      b.left = edge - 0.5f;
      if (edge < 0) unmix(a.last, pureA, pureB, -edge);
      if (edge > 0) unmix(b.first, pureB, pureA, edge);
    }
    for (std::size_t c = 0; c < source_.size(); ++c) source_[c] = &scratch_[c * width];
  }

  float edgeBetween(int left, int right, int pureLeft, int pureRight) const {
    float contrast = 0, projectedLeft = 0, projectedRight = 0;
    for (const float* row : source_) {
      const float difference = row[pureLeft] - row[pureRight];
      contrast += difference * difference;
      projectedLeft += (row[left] - row[pureRight]) * difference;
      projectedRight += (row[right] - row[pureRight]) * difference;
    }
    const float scale = std::max(contrast, 1e-12f);
    const float alphaLeft = std::clamp(projectedLeft / scale, 0.0f, 1.0f);
    const float alphaRight = std::clamp(projectedRight / scale, 0.0f, 1.0f);
    const float edge = (alphaLeft + alphaRight - 1.0f) * (contrast / (contrast + kContrastFloor));
    return std::isfinite(edge) ? std::clamp(edge, -0.5f, 0.5f) : 0.0f;
  }

  void unmix(int pixel, int pure, int other, float part) {
    for (std::size_t c = 0; c < source_.size(); ++c) {
      const float* row = source_[c];
      const float alone = (row[pixel] - part * row[other]) / (1.0f - part);
      const float low = std::min(row[pixel], row[pure]), high = std::max(row[pixel], row[pure]);
      scratch_[c * static_cast<std::size_t>(width_) + static_cast<std::size_t>(pixel)] =
          std::min(std::max(alone, low), high);
    }
  }

  // Columns offset px from `pixel`, kept inside the integers however large the disparity is.
  int column(int pixel, float offset) const {
    const float limit = 2.0f * static_cast<float>(width_) + 8.0f;
    return pixel + static_cast<int>(std::min(std::max(offset, -limit), limit));
  }

  void paint(int index) {
    const Run& run = runAt(index);
    const float toLeft = run.left - disparity_[run.first], toRight = run.right - disparity_[run.last];
    notePartialColumns(index, toLeft, toRight);
    const int begin = std::max(column(run.first, std::ceil(toLeft)), 0);
    const int end = std::min(column(run.last, std::ceil(toRight)), width_);
    if (begin >= end) return;
    std::fill(owner_.begin() + begin, owner_.begin() + end, index);
    std::memset(mask_ + begin, 0, static_cast<std::size_t>(end - begin));
    // A stretch is a range of pixels with one floor(disparity): source and target advance together.
    int first = run.first;
    while (first <= run.last) {
      const int whole = whole_[static_cast<std::size_t>(first)];
      const int last = nextBreak(breaks_.data(), first, run.last);
      const int from = first == run.first ? begin : std::max(first - whole, begin);
      const int to = last == run.last ? end : std::min(last + 1 - whole_[static_cast<std::size_t>(last + 1)], end);
      paintStretch(run, first, last, whole, from, to);
      first = last + 1;
    }
  }

  // Paints columns [from, to), of which those of pixels first..last map one to one and the rest belong to its ends.
  void paintStretch(const Run& run, int first, int last, int whole, int from, int to) {
    const int inner = std::clamp(std::max(first, run.first + 1) - whole, from, std::max(from, to));
    const int outer = std::clamp(std::min(last, run.last - 2) + 1 - whole, inner, std::max(inner, to));
    for (int j = from; j < inner; ++j) paintColumn(run, std::clamp(j + whole, first, last), j);
    if (outer > inner) {
      const int pixel = inner + whole, count = outer - inner;
      float* const weights = weights_.data();
      float *before = weights, *at = weights + width_, *next = weights + 2 * width_, *after = weights + 3 * width_;
      weighColumns(disparity_ + pixel, count, static_cast<float>(whole), before, at, next, after,
                   newDisparity_ + inner);
      for (std::size_t c = 0; c < source_.size(); ++c)
        blendTaps(source_[c] + pixel, count, before, at, next, after, target_[c] + inner);
    }
    for (int j = outer; j < to; ++j) paintColumn(run, std::clamp(j + whole, first, last), j);
  }

  void paintColumn(const Run& run, int pixel, int column) {
    const Sample sample = sampleAt(run, pixel, column);
    newDisparity_[column] = sample.disparity;
    writeColour(tapsOf(run, sample), column);
  }

  void writeColour(const Taps& taps, int column) {
    for (std::size_t c = 0; c < source_.size(); ++c) target_[c][column] = taps.read(source_[c]);
  }

  // Inverts the map (eq. 3) at a column for which `pixel` is responsible.
  Sample sampleAt(const Run& run, int pixel, int column) const {
    const float fromPixel = static_cast<float>(column - pixel) + disparity_[pixel];
    float fraction = 0, step = 0;
    if (pixel < run.last) {
      step = disparity_[pixel + 1] - disparity_[pixel];
      if (fromPixel > 0) fraction = std::min(fromPixel / (1.0f - step), 1.0f);
    }
    return {pixel, fraction, disparity_[pixel] + fraction * step,
            static_cast<float>(run.first - column) + (run.left - disparity_[run.first]),
            static_cast<float>(run.last - column) + (run.right - disparity_[run.last])};
  }

  // The same without knowing the pixel: the last one that lands at or before the column.
  Sample invert(const Run& run, int column) const {
    int low = run.first, high = run.last;
    while (low < high) {
      const int middle = (low + high + 1) / 2;
      if (middle - whole_[static_cast<std::size_t>(middle)] <= column) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return sampleAt(run, low, column);
  }

  // The four pixels around a sample, none of which leaves the run, and their weights (eq. 4).
  static Taps tapsOf(const Run& run, const Sample& sample) {
    const int p = sample.pixel;
    return {std::max(p - 1, run.first), p, std::min(p + 1, run.last), std::min(p + 2, run.last),
            cubicWeights(sample.fraction)};
  }

  void notePartialColumns(int index, float toLeft, float toRight) {
    const Run& run = runAt(index);
    const int begin = column(run.first, std::floor(toLeft - 0.5f) + 1.0f);
    const int end = column(run.last, std::ceil(toRight + 0.5f));
    int column = begin;
    for (; column<end&& static_cast<float>(run.first - column) + toLeft> - 0.5f; ++column)
      notePartialColumn(index, column);
    for (int back = end - 1; back >= column && static_cast<float>(run.last - back) + toRight < 0.5f; --back)
      notePartialColumn(index, back);
  }

  void notePartialColumn(int index, int column) {
    if (column < 0 || column >= width_) return;
    int& latest = lastPartial_[static_cast<std::size_t>(column)];
    partial_.push_back({column, index, ownerAt(column), latest});
    latest = static_cast<int>(partial_.size()) - 1;
  }

  // The source sample that continues the farther neighbour at a column, seen from the next owners on both sides.
  Sample backgroundAt(int column, int before, int after, int& run) {
    run = kNone;
    int end = 0;
    if (after < width_) {
      run = ownerAt(after);
      end = runAt(run).first;
    }
    if (before >= 0 && (run == kNone || disparity_[runAt(ownerAt(before)).last] < disparity_[end])) {
      run = ownerAt(before);
      end = runAt(run).last;
    }
    if (run == kNone) return outsideAt(column, run);
    const float limit = 2.0f * static_cast<float>(width_);
    const float away = std::clamp(static_cast<float>(end - column) - disparity_[end], -limit, limit);
    const float inside = std::copysign(kMirrorSpeed * std::max(std::fabs(away) - 1.0f, 0.0f), away);
    const float wholeInside = std::floor(inside);
    const int pixel = end + static_cast<int>(wholeInside);
    const bool beyond = pixel < runAt(run).first || pixel >= runAt(run).last;
    return {std::clamp(pixel, runAt(run).first, runAt(run).last), beyond ? 0.0f : inside - wholeInside, disparity_[end],
            0, 0};
  }

  // A row that left the frame entirely continues its farthest surface.
  Sample outsideAt(int column, int& run) {
    run = 0;  // any will do: at fraction 0 only the pixel itself counts
    const float source = std::nearbyint(static_cast<float>(column) + farthest());
    const int pixel = static_cast<int>(std::clamp(source, 0.0f, static_cast<float>(width_ - 1)));
    return {pixel, 0.0f, farthest(), 0, 0};
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
      for (int j = column; j < end; ++j) {
        int run;
        const Sample sample = backgroundAt(j, column - 1, end, run);
        newDisparity_[j] = sample.disparity;
        writeColour(tapsOf(runAt(run), sample), j);
      }
      column = nextBreak(uncovered, end, width_);
    }
  }

  // The two nearest of the runs that touch a column, nearer first; the owner of its centre is always one of them.
  std::array<int, 2> nearestAt(int column) const {
    std::array<int, 2> nearest{kNone, kNone};
    const auto consider = [&nearest](int run) {
      if (run == nearest[0] || run <= nearest[1]) return;
      nearest[1] = std::min(run, nearest[0]);
      nearest[0] = std::max(run, nearest[0]);
    };
    const int owner = ownerAt(column);
    consider(owner);
    for (int n = lastPartial_[static_cast<std::size_t>(column)]; n != kNone;) {
      const PartialColumn& entry = partial_[static_cast<std::size_t>(n)];
      consider(entry.run);
      consider(entry.below);
      n = entry.next;
    }
    if (owner != kNone && owner != nearest[0]) nearest[1] = owner;
    return nearest;
  }

  // Blends the two nearest surfaces by the part of the pixel each covers, the rest with the background.
  void blendPartial(int column) {
    const std::array<int, 2> nearest = nearestAt(column);
    Taps taps[3];
    float parts[3] = {0, 0, 0}, left = 0, right = 0, rest = 1;
    int count = 0;
    for (const int run : nearest) {
      if (run == kNone) continue;
      const Sample sample = invert(runAt(run), column);
      const float low = std::clamp(sample.left, -0.5f, 0.5f), high = std::clamp(sample.right, -0.5f, 0.5f);
      const float hidden = right > left ? std::max(std::min(high, right) - std::max(low, left), 0.0f) : 0.0f;
      parts[count] = std::max(std::max(high - low, 0.0f) - hidden, 0.0f);
      rest -= parts[count];
      if (rest <= 0 && count == 0) return;  // covered whole by the nearest: painted already
      taps[count++] = tapsOf(runAt(run), sample);
      left = low;
      right = high;
    }
    if (rest > 0) {
      int run;
      parts[count] = rest;
      const Sample background = backgroundBeside(column, run);
      taps[count++] = tapsOf(runAt(run), background);
    }
    for (std::size_t c = 0; c < source_.size(); ++c) {
      float total = 0;
      for (int n = 0; n < count; ++n) total += parts[n] * taps[n].read(source_[c]);
      target_[c][column] = total;
    }
  }

  Sample backgroundBeside(int column, int& run) {
    int before = column - 1, after = column + 1;
    while (before >= 0 && ownerAt(before) == kNone) --before;
    while (after < width_ && ownerAt(after) == kNone) ++after;
    return backgroundAt(column, before, after, run);
  }

  const Frames& f_;
  int width_;
  std::vector<float> scratch_;
  std::vector<const float*> source_;
  std::vector<float*> target_;
  const float* disparity_ = nullptr;
  bool* mask_ = nullptr;
  float* newDisparity_ = nullptr;
  float farthest_ = NAN;
  std::vector<std::uint8_t> breaks_;
  std::vector<int> whole_;
  std::vector<int> owner_;
  std::vector<int> lastPartial_;
  std::vector<Run> runs_;
  std::vector<PartialColumn> partial_;
  std::vector<float> weights_;
};

}  // namespace warp
