// Warps scanlines as reference.py defines it: surfaces are painted in source order, so far ones come before near ones.
//
// Only the few columns that a run covers in part need more than one surface; they are noted while painting and blended
// afterwards. Between two changes of floor(disparity) target and source columns advance together, so the weights of a
// column depend on its source pixel alone: they are found for a whole row at once, and painting is a few array loops
// (native_loops.h).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "native_edges.h"
#include "native_loops.h"
#include "native_types.h"

namespace warp {

constexpr int kNone = -1;
constexpr std::size_t kPadding = 16;  // taps of weight 0 may lie this far beyond a row

// Warps one scanline after another; owns the scratch memory of one thread.
class RowWarper {
 public:
  explicit RowWarper(const Frames& frames) : f_(frames), width_(frames.width) {
    const auto width = static_cast<std::size_t>(width_);
    stride_ = width + 2 * kPadding;
    scratch_.resize(stride_ * static_cast<std::size_t>(f_.channels));
    for (std::size_t c = 0; c < static_cast<std::size_t>(f_.channels); ++c)
      source_.push_back(&scratch_[c * stride_ + kPadding]);
    mixed_.resize(source_.size());
    target_.resize(source_.size());
    breaks_.resize(width);
    whole_.resize(width);
    owner_.resize(width);
    lastPartial_.assign(width, kNone);
    weights_.resize(5 * width);
  }

  // Returns false when the row holds a colour that is not finite.
  bool warp(int frame, int y) {
    if (!take(frame, y)) return false;
    findBreaks(disparity_, width_, f_.threshold, whole_.data(), breaks_.data());
    breaks_.back() = kFolded;  // the frame's edge ends the last run
    findRuns();
    if (runs_.size() > 1) refineEdges();
    weigh();
    std::fill(owner_.begin(), owner_.end(), kNone);
    partial_.clear();
    for (int run = 0; run < static_cast<int>(runs_.size()); ++run)
      if (!runAt(run).hidden) paint(run);
    markUnowned(owner_.data(), width_, mask_);
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

  // Points at a row and copies its colours into the scratch memory, where edges may be un-mixed.
  bool take(int frame, int y) {
    const auto width = static_cast<std::size_t>(width_);
    const std::size_t row =
        static_cast<std::size_t>(frame) * static_cast<std::size_t>(f_.height) + static_cast<std::size_t>(y);
    bool finite = true;
    for (std::size_t c = 0; c < source_.size(); ++c) {
      const std::size_t plane = static_cast<std::size_t>(frame) * source_.size() + c;
      const std::size_t offset = (plane * static_cast<std::size_t>(f_.height) + static_cast<std::size_t>(y)) * width;
      mixed_[c] = f_.image + offset;
      finite = copyFinite(mixed_[c], width_, source_[c]) && finite;
      target_[c] = f_.view + offset;
    }
    disparity_ = f_.disparity + row * width;
    mask_ = f_.disocclusion + row * width;
    newDisparity_ = f_.viewDisparity + row * width;
    farthest_ = NAN;
    return finite;
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
    for (std::size_t r = 0; r + 1 < runs_.size(); ++r) {
      Run &a = runs_[r], &b = runs_[r + 1];
      const int pureA = std::max(a.last - 1, a.first), pureB = std::min(b.first + 1, b.last);
      const float edge = edgeBetween(mixed_, a.last, b.first, pureA, pureB);
      a.right = edge + 0.5f;
      b.left = edge - 0.5f;
      if (edge < 0) unmix(mixed_, source_, a.last, pureA, pureB, -edge);
      if (edge > 0) unmix(mixed_, source_, b.first, pureB, pureA, edge);
    }
  }

  // Finds the weights of every source pixel; those near a run's ends are folded so that no tap leaves the run.
  void weigh() {
    const PixelWeights w = weights();
    weighPixels(disparity_, width_, whole_.data(), w);
    for (const Run& run : runs_) {
      const int last = run.last;
      if (run.first < last) {
        w.next[last - 1] += w.after[last - 1];
        w.after[last - 1] = 0;
        w.at[run.first] += w.before[run.first];
        w.before[run.first] = 0;
      }
      w.before[last] = w.next[last] = w.after[last] = 0;
      w.at[last] = 1;
      w.landed[last] = disparity_[last];
    }
  }

  PixelWeights weights() {
    float* const all = weights_.data();
    return {all, all + width_, all + 2 * width_, all + 3 * width_, all + 4 * width_};
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
    const int inner = std::clamp(first - whole, from, std::max(from, to));
    const int outer = std::clamp(last + 1 - whole, inner, std::max(inner, to));
    for (int j = from; j < inner; ++j) paintColumn(run, first, j);
    if (outer > inner) {
      const PixelWeights shown = weights().from(inner + whole);
      std::memcpy(newDisparity_ + inner, shown.landed, static_cast<std::size_t>(outer - inner) * sizeof(float));
      blendTaps(source_.data(), target_.data(), f_.channels, inner + whole, inner, outer - inner, shown);
    }
    for (int j = outer; j < to; ++j) paintColumn(run, last, j);
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

  // The same without knowing the pixel: the last one that lands at or before the column, most often one of the ends.
  Sample invert(const Run& run, int column) const {
    const auto lands = [&](int pixel) { return pixel - whole_[static_cast<std::size_t>(pixel)] <= column; };
    if (lands(run.last)) return sampleAt(run, run.last, column);
    int low = run.first, high = run.last;
    if (high - low > 1 && !lands(low + 1)) high = low + 1;
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      (lands(middle) ? low : high) = middle;
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

  // The farther of the surfaces seen next on both sides, and the end at which it stops; run kNone if there is none.
  Continued continuedBetween(int before, int after) const {
    Continued found{kNone, 0};
    if (after < width_) found = {ownerAt(after), runAt(ownerAt(after)).first};
    if (before < 0) return found;
    const int run = ownerAt(before), end = runAt(run).last;
    return found.run == kNone || disparity_[end] < disparity_[found.end] ? Continued{run, end} : found;
  }

  // The source sample that continues a surface at a column: mirrored about its end, at half speed.
  Sample backgroundAt(int column, const Continued& surface) {
    if (surface.run == kNone) return outsideAt(column);
    const Run& run = runAt(surface.run);
    const float limit = 2.0f * static_cast<float>(width_);
    const float away = std::clamp(static_cast<float>(surface.end - column) - disparity_[surface.end], -limit, limit);
    const float inside = std::copysign(kMirrorSpeed * std::max(std::fabs(away) - 1.0f, 0.0f), away);
    const int wholeInside = static_cast<int>(inside) - (static_cast<float>(static_cast<int>(inside)) > inside);
    const int pixel = surface.end + wholeInside;
    const bool beyond = pixel < run.first || pixel >= run.last;
    return {std::clamp(pixel, run.first, run.last), beyond ? 0.0f : inside - static_cast<float>(wholeInside),
            disparity_[surface.end], 0, 0};
  }

  // A row that left the frame entirely continues its farthest surface.
  Sample outsideAt(int column) {
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
      fillHole(column, end, continuedBetween(column - 1, end));
      column = nextBreak(uncovered, end, width_);
    }
  }

  void fillHole(int column, int end, const Continued& surface) {
    if (surface.run == kNone) {
      for (; column < end; ++column) {
        const Sample sample = outsideAt(column);
        newDisparity_[column] = sample.disparity;
        writeColour(tapsOf(runOf(surface), sample), column);
      }
      return;
    }
    const Run& run = runAt(surface.run);
    const float limit = static_cast<float>(width_), disparity = disparity_[surface.end];
    std::fill(newDisparity_ + column, newDisparity_ + end, disparity);
    for (; column < end; column += kHoleBlock)
      mirrorSurface(source_.data(), target_.data(), f_.channels, run.first, run.last, surface.end,
                    std::clamp(disparity, -limit, limit), column, std::min(end - column, kHoleBlock));
  }

  // Outside of all surfaces any run will do: at fraction 0 only the pixel itself counts.
  const Run& runOf(const Continued& surface) const { return runAt(std::max(surface.run, 0)); }

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
      parts[count] = rest;
      const Continued surface = continuedBeside(column);
      taps[count++] = tapsOf(runOf(surface), backgroundAt(column, surface));
    }
    for (std::size_t c = 0; c < source_.size(); ++c) {
      float total = 0;
      for (int n = 0; n < count; ++n) total += parts[n] * taps[n].read(source_[c]);
      target_[c][column] = total;
    }
  }

  Continued continuedBeside(int column) const {
    int before = column - 1, after = column + 1;
    while (before >= 0 && ownerAt(before) == kNone) --before;
    while (after < width_ && ownerAt(after) == kNone) ++after;
    return continuedBetween(before, after);
  }

  const Frames& f_;
  int width_;
  std::size_t stride_;
  std::vector<float> scratch_;
  std::vector<const float*> mixed_;
  std::vector<float*> source_, target_;
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
