// Warps scanlines as reference.py defines it: surfaces are painted in source order, so far ones come before near ones.
//
// A row is copied into scratch memory, each run with its end pixels repeated beside it, so that no tap leaves its run.
// Between two changes of floor(disparity) target and source columns advance together: painting is a few array loops
// (native_loops.h). Only the few columns that a run covers in part need more than one surface (native_partial.h).
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "native_edges.h"
#include "native_holes.h"
#include "native_loops.h"
#include "native_partial.h"
#include "native_scanline.h"
#include "native_types.h"

namespace warp {

constexpr std::size_t kRowsAhead = 2;  // the row that is measured next, while this one is painted, and one more

enum class Finding { kNothing, kColourNotFinite, kDisparityNotFinite };

// Warps one scanline after another; owns the scratch memory of one thread.
template <typename Pixel>
class RowWarper {
 public:
  explicit RowWarper(const Frames<Pixel>& frames)
      : f_(frames), edges_(frames), line_(frames.width, frames.channels), partial_(frames.width, frames.channels) {
    RowMemory& memory = line_.memory;
    memory.targetStride = f_.plane();
    memory.laterStride = f_.plane() * sizeof(Pixel);
    memory.pixelBytes = sizeof(Pixel);
  }

  // Warps a row, or tells why it cannot.
  Finding warp(int frame, int y) {
    begin(frame, y);
    const RowBreaks& found = edges_.measured(frame, y);
    if (!found.finite) return Finding::kDisparityNotFinite;
    breaks_ = found.breaks.data();
    const std::vector<Cut>& cuts = edges_.fitted(y);
    findRuns(cuts);
    const ColourRow<Pixel> mixed = edges_.colours(frame, y);
    if (!takeColours(mixed)) return Finding::kColourNotFinite;
    unmixEdges(mixed, cuts);
    std::fill(line_.owner.begin(), line_.owner.end(), kNone);
    for (int run = 0; run < static_cast<int>(line_.runs.size()); ++run)
      if (!line_.run(run).hidden) paint(run);
    markUnowned(line_.owner.data(), line_.width, line_.mask);
    fillHoles(line_);
    partial_.blend(line_);
    return Finding::kNothing;
  }

 private:
  void begin(int frame, int y) {
    const std::size_t offset = f_.rowOffset(frame, y), colours = f_.colourOffset(frame, y);
    const std::size_t later = kRowsAhead * static_cast<std::size_t>(f_.width);
    line_.mask = f_.disocclusion + offset;
    RowMemory& memory = line_.memory;
    memory.disparity = f_.disparity + offset;
    memory.newDisparity = f_.viewDisparity + offset;
    memory.target = f_.view + colours;
    memory.laterColours = reinterpret_cast<const char*>(f_.image + colours + later);
    memory.laterDisparity = memory.disparity + later;
  }

  // Makes the runs between the cuts, their sides relative to target columns.
  void findRuns(const std::vector<Cut>& cuts) {
    line_.runs.clear();
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
    run.last = line_.width - 1;
    addRun(run);
  }

  void addRun(Run run) {
    run.left.offset -= line_.disparityAt(run.first);
    run.right.offset -= line_.disparityAt(run.last);
    line_.runs.push_back(run);
  }

  // Copies all channels into the scratch memory; false when a value is not finite.
  bool takeColours(const ColourRow<Pixel>& mixed) {
    bool finite = true;
    for (int c = 0; c < line_.channels; ++c)
      finite = copyRuns(mixed.pixels + static_cast<std::size_t>(c) * mixed.stride, line_.width, line_.runs.data(),
                        static_cast<int>(line_.runs.size()), &line_.scratchAt(c, 0)) &&
               finite;
    return finite;
  }

  // Takes the other side's colour out of the two pixels beside every cut (reference.unmix_edges).
  void unmixEdges(const ColourRow<Pixel>& mixed, const std::vector<Cut>& cuts) {
    for (std::size_t n = 0; n < cuts.size(); ++n) {
      const Run &a = line_.runs[n], &b = line_.runs[n + 1];
      const int pureA = std::max(a.last - 1, a.first), pureB = std::min(b.first + 1, b.last);
      const float ofB = otherPart(-cuts[n].offset, cuts[n].slope), ofA = otherPart(cuts[n].offset, cuts[n].slope);
      for (int c = 0; ofB > 0 && c < line_.channels; ++c) {
        float* const last = &line_.scratchAt(c, a.shift + a.last);
        last[0] = last[1] = last[2] = unmix(mixed.at(c, a.last), mixed.at(c, pureA), mixed.at(c, pureB), ofB);
      }
      for (int c = 0; ofA > 0 && c < line_.channels; ++c) {
        float* const first = &line_.scratchAt(c, b.shift + b.first);
        first[0] = first[-1] = unmix(mixed.at(c, b.first), mixed.at(c, pureB), mixed.at(c, pureA), ofA);
      }
    }
  }

  void paint(int index) {
    const Run& run = line_.run(index);
    const int begin = std::max(run.first + line_.roundUp(run.left.offset), 0);
    const int end = std::min(run.last + line_.roundUp(run.right.offset), line_.width);
    partial_.note(line_, index, begin, end);
    if (begin >= end) return;
    std::fill(line_.owner.begin() + begin, line_.owner.begin() + end, index);
    // floor(disparity): a pixel is the last to have landed in the column that lies so far left of it.
    int apart = line_.roundDown(line_.disparityAt(run.first));
    repeatPixel(run, run.first, begin, std::min(run.first - apart, end));
    // A stretch is a range of pixels with one floor(disparity): source and target advance together.
    const int* stretch = breaks_ + run.stretch;
    for (int first = run.first, last = 0; first < run.last; first = last + 1, ++stretch) {
      last = std::min(*stretch, run.last - 1);
      const int nextApart = *stretch < run.last ? line_.roundDown(line_.disparityAt(last + 1)) : apart;
      paintStretch(run, first, last, apart, begin, std::min(last + 1 - nextApart, end));
      apart = nextApart;
    }
    repeatPixel(run, run.last, std::max(run.last - apart, begin), end);
  }

  // Paints the columns before `end` that belong to pixels first..last; those between the last and `end` are stretched.
  void paintStretch(const Run& run, int first, int last, int apart, int begin, int end) {
    const int from = std::max(first - apart, begin), to = std::min(last + 1 - apart, end);
    if (from < to) blendStretch(line_.memory, {from, from + apart, run.shift, to - from});
    for (int column = std::max(to, from); column < end; ++column) paintStretched(run, last, column);
  }

  // Paints a column that lies further behind a pixel than one, where the surface is stretched.
  void paintStretched(const Run& run, int pixel, int column) {
    const float here = line_.disparityAt(pixel), step = line_.disparityAt(pixel + 1) - here;
    const float t = std::min((static_cast<float>(column - pixel) + here) / (1.0f - step), 1.0f);
    line_.memory.newDisparity[column] = here + t * step;
    line_.interpolate({pixel + run.shift, t}, [&](int c, float colour) { line_.targetAt(c, column) = colour; });
  }

  void repeatPixel(const Run& run, int pixel, int from, int to) {
    for (int column = from; column < to; ++column) {
      line_.memory.newDisparity[column] = line_.disparityAt(pixel);
      for (int c = 0; c < line_.channels; ++c) line_.targetAt(c, column) = line_.sourceAt(c, pixel + run.shift);
    }
  }

  const Frames<Pixel> f_;
  EdgeFinder<Pixel> edges_;
  Scanline line_;
  PartialColumns partial_;
  const int* breaks_ = nullptr;
};

VECTOR_CLONES FLATTEN static Finding warpRow(RowWarper<float>& warper, int frame, int y) {
  return warper.warp(frame, y);
}

VECTOR_CLONES FLATTEN static Finding warpRow(RowWarper<Half>& warper, int frame, int y) {
  return warper.warp(frame, y);
}

}  // namespace warp
