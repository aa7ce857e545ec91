// The warp of reference.py for CPUs: one scanline at a time, threads over scanlines, surfaces painted far to near.
//
// Runs are painted in source order: where two cover a column, the later one is the nearer. Only the few columns that a
// run covers in part need more than one surface; they are noted while painting and blended afterwards. Between two
// changes of floor(disparity) target and source columns advance together, so the inner loops are plain array loops
// that the compiler vectorises. Built without contraction of a*b+c: cuts and edges fall exactly as in the reference.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

namespace py = pybind11;

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define VECTOR_CLONES __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define VECTOR_CLONES
#endif

namespace {

constexpr float kFoldPx = 0.5f;
constexpr float kMirrorSpeed = 0.5f;
constexpr float kContrastFloor = 0.003f;
constexpr int kNone = -1;
constexpr int kRowsPerTask = 8;

// One frame's planes as the kernel sees them: channel c of row y starts at image + (c * height + y) * width.
struct Frames {
  const float* image;
  const float* disparity;
  float* view;
  bool* disocclusion;
  float* viewDisparity;
  int channels, height, width;
  float threshold;
};

// One surface: source pixels first..last, its edges in px from the centres of those two, its columns in the target.
struct Run {
  int first, last;
  float left, right;
  bool hidden;
};

struct Sample {
  int pixel;
  float fraction, disparity, left, right;
};

// A column that `run` covers in part, and the surface that was there before it was painted.
struct PartialColumn {
  int column, run, below;
  int next;  // earlier entry of the same column, or kNone
};

struct Weights {
  float before, at, next, after;
};

Weights cubicWeights(float t) {
  return {t * (-0.5f + t * (1.0f - 0.5f * t)), 1.0f + t * t * (-2.5f + 1.5f * t), t * (0.5f + t * (2.0f - 1.5f * t)),
          t * t * (-0.5f + 0.5f * t)};
}

VECTOR_CLONES void cubicWeightsOfRow(const float* disparity, int count, float whole, float* const weights[4],
                                     float* newDisparity) {
  for (int n = 0; n < count; ++n) {
    const float step = disparity[n + 1] - disparity[n];
    const float fromPixel = disparity[n] - whole;
    const float t = std::min(fromPixel / (1.0f - step), 1.0f);
    weights[0][n] = t * (-0.5f + t * (1.0f - 0.5f * t));
    weights[1][n] = 1.0f + t * t * (-2.5f + 1.5f * t);
    weights[2][n] = t * (0.5f + t * (2.0f - 1.5f * t));
    weights[3][n] = t * t * (-0.5f + 0.5f * t);
    newDisparity[n] = disparity[n] + t * step;
  }
}

VECTOR_CLONES void blendTaps(const float* source, int count, const float* const weights[4], float* __restrict target) {
  const float *w0 = weights[0], *w1 = weights[1], *w2 = weights[2], *w3 = weights[3];
  for (int n = 0; n < count; ++n)
    target[n] = w0[n] * source[n - 1] + w1[n] * source[n] + w2[n] * source[n + 1] + w3[n] * source[n + 2];
}

// Marks cuts: bit 0 where the surface tears between pixel i and i + 1, bit 1 where it folds; and floors disparities.
VECTOR_CLONES void findCuts(const float* disparity, int width, float threshold, std::uint8_t* cut, int* whole) {
  const float limit = 2.0f * static_cast<float>(width) + 8.0f;
  for (int i = 0; i + 1 < width; ++i) {
    const float step = disparity[i + 1] - disparity[i];
    cut[i] = static_cast<std::uint8_t>((1.0f - step > threshold ? 1 : 0) | (step >= kFoldPx ? 2 : 0));
  }
  for (int i = 0; i < width; ++i)
    whole[i] = static_cast<int>(std::floor(std::min(std::max(disparity[i], -limit), limit)));
}

VECTOR_CLONES bool holdsNonFinite(const float* values, std::size_t count) {
  std::uint32_t largest = 0;
  for (std::size_t n = 0; n < count; ++n) {
    std::uint32_t bits;
    std::memcpy(&bits, values + n, sizeof bits);
    largest = std::max(largest, bits & 0x7fffffffu);
  }
  return largest >= 0x7f800000u;
}

// Warps one scanline after another; owns the scratch memory of one thread.
class RowWarper {
 public:
  explicit RowWarper(const Frames& frames) : f_(frames), width_(frames.width) {
    const auto width = static_cast<std::size_t>(width_);
    scratch_.resize(width * static_cast<std::size_t>(f_.channels));
    source_.resize(static_cast<std::size_t>(f_.channels));
    target_.resize(source_.size());
    cut_.resize(width);
    whole_.resize(width);
    owner_.resize(width);
    lastPartial_.assign(width, kNone);
    for (auto& weights : weights_) weights.resize(width);
  }

  // Returns false when the row holds a colour that is not finite.
  bool warp(int frame, int y) {
    bind(frame, y);
    bool finite = true;
    for (const float* row : source_) finite = finite && !holdsNonFinite(row, static_cast<std::size_t>(width_));
    if (!finite) return false;
    findCuts(disparity_, width_, f_.threshold, cut_.data(), whole_.data());
    findRuns();
    if (runs_.size() > 1) refineEdges();
    std::fill(owner_.begin(), owner_.end(), kNone);
    partial_.clear();
    for (int run = 0; run < static_cast<int>(runs_.size()); ++run)
      if (!runs_[static_cast<std::size_t>(run)].hidden) paint(run);
    fillHoles();
    for (const PartialColumn& entry : partial_) blendPartial(entry.column);
    for (const PartialColumn& entry : partial_) lastPartial_[static_cast<std::size_t>(entry.column)] = kNone;
    return true;
  }

 private:
  const Run& runAt(int index) const { return runs_[static_cast<std::size_t>(index)]; }
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
    int first = 0;
    for (int i = 0; i < width_; ++i) {
      const bool end = i + 1 == width_ || cut_[static_cast<std::size_t>(i)] != 0;
      if (!end) continue;
      const bool tornBefore = first > 0 && (cut_[static_cast<std::size_t>(first - 1)] & 1) != 0;
      const bool tornAfter = i + 1 < width_ && (cut_[static_cast<std::size_t>(i)] & 1) != 0;
      runs_.push_back({first, i, -0.5f, 0.5f, first == i && tornBefore && tornAfter});
      first = i + 1;
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
      int last = first;
      while (last < run.last && whole_[static_cast<std::size_t>(last + 1)] == whole) ++last;
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
      float* const weights[4] = {weights_[0].data(), weights_[1].data(), weights_[2].data(), weights_[3].data()};
      const int pixel = inner + whole, count = outer - inner;
      cubicWeightsOfRow(disparity_ + pixel, count, static_cast<float>(whole), weights, newDisparity_ + inner);
      for (std::size_t c = 0; c < source_.size(); ++c)
        blendTaps(source_[c] + pixel, count, weights, target_[c] + inner);
    }
    for (int j = outer; j < to; ++j) paintColumn(run, std::clamp(j + whole, first, last), j);
  }

  void paintColumn(const Run& run, int pixel, int column) {
    const Sample sample = sampleAt(run, pixel, column);
    newDisparity_[column] = sample.disparity;
    for (std::size_t c = 0; c < source_.size(); ++c)
      target_[c][column] = colourAt(run, sample.pixel, sample.fraction, c);
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

  float colourAt(const Run& run, int pixel, float fraction, std::size_t channel) const {
    const Weights w = cubicWeights(fraction);
    const float* row = source_[channel];
    return w.before * row[std::max(pixel - 1, run.first)] + w.at * row[pixel] +
           w.next * row[std::min(pixel + 1, run.last)] + w.after * row[std::min(pixel + 2, run.last)];
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
    int column = 0;
    while (column < width_) {
      if (ownerAt(column) != kNone) {
        ++column;
        continue;
      }
      int end = column;
      while (end < width_ && ownerAt(end) == kNone) ++end;
      for (int j = column; j < end; ++j) {
        int run;
        const Sample sample = backgroundAt(j, column - 1, end, run);
        mask_[j] = true;
        newDisparity_[j] = sample.disparity;
        for (std::size_t c = 0; c < source_.size(); ++c)
          target_[c][j] = colourAt(runAt(run), sample.pixel, sample.fraction, c);
      }
      column = end;
    }
  }

  // Blends the two nearest surfaces of a column by the part of the pixel each covers, the rest with the background.
  void blendPartial(int column) {
    int nearest[2] = {kNone, kNone};
    const auto consider = [&nearest](int run) {
      if (run == kNone || run == nearest[0] || run == nearest[1]) return;
      if (run > nearest[0]) {
        nearest[1] = nearest[0];
        nearest[0] = run;
      } else if (run > nearest[1]) {
        nearest[1] = run;
      }
    };
    for (int n = lastPartial_[static_cast<std::size_t>(column)]; n != kNone;
         n = partial_[static_cast<std::size_t>(n)].next) {
      consider(partial_[static_cast<std::size_t>(n)].run);
      consider(partial_[static_cast<std::size_t>(n)].below);
    }
    const int owner = ownerAt(column);
    consider(owner);
    if (owner != kNone && owner != nearest[0] && owner != nearest[1]) nearest[1] = owner;
    Sample samples[2];
    float parts[2] = {0, 0}, left = 0, right = 0, rest = 1;
    for (int n = 0; n < 2; ++n) {
      if (nearest[n] == kNone) continue;
      samples[n] = invert(runAt(nearest[n]), column);
      const float low = std::clamp(samples[n].left, -0.5f, 0.5f), high = std::clamp(samples[n].right, -0.5f, 0.5f);
      const float hidden = right > left ? std::max(std::min(high, right) - std::max(low, left), 0.0f) : 0.0f;
      parts[n] = std::max(std::max(high - low, 0.0f) - hidden, 0.0f);
      rest -= parts[n];
      left = low;
      right = high;
    }
    rest = std::max(rest, 0.0f);
    int run = nearest[0];
    Sample background = samples[0];
    if (rest > 0) {
      int before = column - 1, after = column + 1;
      while (before >= 0 && ownerAt(before) == kNone) --before;
      while (after < width_ && ownerAt(after) == kNone) ++after;
      background = backgroundAt(column, before, after, run);
    }
    for (std::size_t c = 0; c < source_.size(); ++c) {
      float total = 0;
      for (int n = 0; n < 2; ++n)
        if (nearest[n] != kNone)
          total += parts[n] * colourAt(runAt(nearest[n]), samples[n].pixel, samples[n].fraction, c);
      target_[c][column] = total + rest * colourAt(runAt(run), background.pixel, background.fraction, c);
    }
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
  std::vector<std::uint8_t> cut_;
  std::vector<int> whole_;
  std::vector<int> owner_;
  std::vector<int> lastPartial_;
  std::vector<Run> runs_;
  std::vector<PartialColumn> partial_;
  std::vector<float> weights_[4];
};

// Runs task(0..tasks-1) on `threads` threads; which thread takes which task changes no result.
template <typename Task>
void inParallel(int tasks, int threads, const Task& makeWorker) {
  std::atomic<int> next{0};
  const auto work = [&] {
    auto worker = makeWorker();
    for (int task = next++; task < tasks; task = next++) worker(task);
  };
  std::vector<std::thread> pool;
  for (int n = 1; n < std::min(threads, tasks); ++n) pool.emplace_back(work);
  work();
  for (std::thread& thread : pool) thread.join();
}

using Floats = py::array_t<float, py::array::c_style>;
using Bools = py::array_t<bool, py::array::c_style>;

void require(bool fits, const char* message) {
  if (!fits) throw std::invalid_argument(message);
}

bool sameShape(const py::array& array, py::ssize_t frames, py::ssize_t channels, py::ssize_t height,
               py::ssize_t width) {
  return array.ndim() == 4 && array.shape(0) == frames && array.shape(1) == channels && array.shape(2) == height &&
         array.shape(3) == width;
}

// Returns false when the image holds a colour that is not finite; the outputs are then incomplete.
bool warpFrames(const Floats& image, const Floats& disparity, float threshold, Floats& view, Bools& disocclusion,
                Floats& viewDisparity, int threads) {
  require(image.ndim() == 4 && image.size() > 0, "image must be (T, C, H, W)");
  const auto count = image.shape(0), channels = image.shape(1), height = image.shape(2), width = image.shape(3);
  require(sameShape(disparity, count, 1, height, width), "disparity must be (T, 1, H, W)");
  require(sameShape(view, count, channels, height, width), "view must have the shape of image");
  require(sameShape(disocclusion, count, 1, height, width), "disocclusion must have the shape of disparity");
  require(sameShape(viewDisparity, count, 1, height, width), "view disparity must have the shape of disparity");
  const Frames frames{image.data(),
                      disparity.data(),
                      view.mutable_data(),
                      disocclusion.mutable_data(),
                      viewDisparity.mutable_data(),
                      static_cast<int>(channels),
                      static_cast<int>(height),
                      static_cast<int>(width),
                      threshold};
  const int rows = static_cast<int>(count * height);
  const int tasks = (rows + kRowsPerTask - 1) / kRowsPerTask;
  std::atomic<bool> finite{true};
  const py::gil_scoped_release released;
  inParallel(tasks, threads, [&] {
    return [&, warper = RowWarper(frames)](int task) mutable {
      for (int row = task * kRowsPerTask; row < std::min(rows, (task + 1) * kRowsPerTask) && finite; ++row)
        if (!warper.warp(row / frames.height, row % frames.height)) finite = false;
    };
  });
  return finite;
}

}  // namespace

PYBIND11_MODULE(_native, module) {
  module.doc() = "CPU kernel of the warp; model/warp/reference.py is its definition.";
  module.def("warp_frames", &warpFrames, py::arg("image").noconvert(), py::arg("disparity").noconvert(),
             py::arg("threshold"), py::arg("view").noconvert(), py::arg("disocclusion").noconvert(),
             py::arg("view_disparity").noconvert(), py::arg("threads"));
}
