// The C++ kernel of the warp as a Python module: checks shapes, shares scanlines among threads.
//
// Built without contraction of a*b+c (setup.py): cuts and edges fall exactly as in the reference.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <vector>

#include "native_half.h"
#include "native_memory.h"
#include "native_parallel.h"
#include "native_row.h"
#include "native_snap.h"

namespace py = pybind11;

namespace {

using warp::Finding;
using warp::Frames;

constexpr int kRowsPerTask = 32;  // the rows above and below a task's are measured twice

using Floats = py::array_t<float, py::array::c_style>;
using Shape = std::vector<py::ssize_t>;

void require(bool fits, const char* message) {
  if (!fits) throw std::invalid_argument(message);
}

const std::shared_ptr<warp::MemoryPool>& memoryPool() {
  static const auto pool = std::make_shared<warp::MemoryPool>();
  return pool;
}

// An array in lent memory, which goes back when nothing refers to it any more.
template <typename Value>
py::array_t<Value> lentArray(const Shape& shape) {
  struct Loan {
    std::shared_ptr<warp::MemoryPool> from;
    warp::Block block;
  };
  std::size_t bytes = sizeof(Value);
  for (const py::ssize_t length : shape) bytes *= static_cast<std::size_t>(length);
  auto loan = std::make_unique<Loan>(Loan{memoryPool(), memoryPool()->lend(bytes)});
  auto* const values = static_cast<Value*>(loan->block.memory.get());
  const py::capsule owner(loan.get(), [](void* pointer) {
    const std::unique_ptr<Loan> ended(static_cast<Loan*>(pointer));
    ended->from->takeBack(std::move(ended->block));
  });
  loan.release();
  return py::array_t<Value>(shape, values, owner);
}

const char* describe(Finding finding) {
  switch (finding) {
    case Finding::kColourNotFinite:
      return "colour not finite";
    case Finding::kDisparityNotFinite:
      return "disparity not finite";
    default:
      return "";
  }
}

// Warps all rows; on a finding the outputs are incomplete.
template <typename Pixel>
Finding warpRows(const Frames<Pixel>& frames, int threads) {
  const int tasksPerFrame = (frames.height + kRowsPerTask - 1) / kRowsPerTask;
  std::atomic<Finding> finding{Finding::kNothing};
  warp::inParallel(frames.count * tasksPerFrame, threads, [&] {
    return [&, warper = warp::RowWarper<Pixel>(frames)](int task) mutable {
      const int begin = task % tasksPerFrame * kRowsPerTask, end = std::min(begin + kRowsPerTask, frames.height);
      for (int y = begin; y < end && finding == Finding::kNothing; ++y)
        if (const Finding found = warpRow(warper, task / tasksPerFrame, y); found != Finding::kNothing) finding = found;
    };
  });
  return finding;
}

template <typename Pixel>
py::tuple warpFramesOf(const py::array& image, const Floats& disparity, float threshold, int threads) {
  const Shape size{image.shape(0), image.shape(1), image.shape(2), image.shape(3)};
  const Shape plane{size[0], 1, size[2], size[3]};
  auto view = lentArray<float>(size), viewDisparity = lentArray<float>(plane);
  auto disocclusion = lentArray<bool>(plane);
  const Frames<Pixel> frames{static_cast<const Pixel*>(image.data()),
                             disparity.data(),
                             view.mutable_data(),
                             disocclusion.mutable_data(),
                             viewDisparity.mutable_data(),
                             static_cast<int>(size[0]),
                             static_cast<int>(size[1]),
                             static_cast<int>(size[2]),
                             static_cast<int>(size[3]),
                             threshold};
  Finding finding;
  {
    const py::gil_scoped_release released;
    finding = warpRows(frames, threads);
  }
  return py::make_tuple(describe(finding), view, disocclusion, viewDisparity);
}

py::tuple warpFrames(const py::array& image, const Floats& disparity, float threshold, int threads) {
  require(image.ndim() == 4 && image.size() > 0, "image must be (T, C, H, W)");
  require((image.flags() & py::array::c_style) != 0 && image.dtype().kind() == 'f' && image.itemsize() <= 4,
          "image must be contiguous float32 or float16");
  require(disparity.ndim() == 4 && disparity.shape(0) == image.shape(0) && disparity.shape(1) == 1 &&
              disparity.shape(2) == image.shape(2) && disparity.shape(3) == image.shape(3),
          "disparity must be (T, 1, H, W)");
  return image.itemsize() == 2 ? warpFramesOf<warp::Half>(image, disparity, threshold, threads)
                               : warpFramesOf<float>(image, disparity, threshold, threads);
}

Floats snapEdges(const Floats& disparity, int reach, int growth, float rise, float containedFraction,
                 float rampFraction, int threads) {
  require(disparity.ndim() == 4 && disparity.shape(1) == 1, "disparity must be (T, 1, H, W)");
  require(reach > 0 && growth >= 0, "reach must be positive, growth must not be negative");
  const auto height = disparity.shape(2), width = disparity.shape(3);
  auto snapped = lentArray<float>({disparity.shape(0), 1, height, width});
  const float* const from = disparity.data();
  float* const to = snapped.mutable_data();
  const py::gil_scoped_release released;
  warp::EdgeSnapper snapper(static_cast<int>(height), static_cast<int>(width),
                            {reach, growth, rise, containedFraction, rampFraction}, threads, *memoryPool());
  for (py::ssize_t frame = 0; frame < disparity.shape(0); ++frame)
    snapper.snap(from + frame * height * width, to + frame * height * width);
  return snapped;
}

}  // namespace

PYBIND11_MODULE(_native, module) {
  module.doc() = "CPU kernel of the warp; model/warp/reference.py is its definition.";
  module.def("warp_frames", &warpFrames, py::arg("image").noconvert(), py::arg("disparity").noconvert(),
             py::arg("threshold"), py::arg("threads"),
             "Returns what kept it from warping (empty: nothing), view, disocclusion and disparity of the view.");
  module.def("snap_edges", &snapEdges, py::arg("disparity").noconvert(), py::arg("reach"), py::arg("growth"),
             py::arg("rise"), py::arg("contained_fraction"), py::arg("ramp_fraction"), py::arg("threads"),
             "Returns what model.warp.prepare.snap_edges defines.");
}
