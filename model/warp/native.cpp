// The C++ kernel of the warp as a Python module: checks shapes, shares scanlines among threads.
//
// Built without contraction of a*b+c (setup.py): cuts and edges fall exactly as in the reference.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "native_half.h"
#include "native_memory.h"
#include "native_row.h"

namespace py = pybind11;

namespace {

using warp::Finding;
using warp::Frames;

constexpr int kRowsPerTask = 32;  // the rows above and below a task's are measured twice

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
using Shape = std::vector<py::ssize_t>;

void require(bool fits, const char* message) {
  if (!fits) throw std::invalid_argument(message);
}

// An array in lent memory, which goes back when nothing refers to it any more.
template <typename Value>
py::array_t<Value> lentArray(const Shape& shape) {
  static const auto pool = std::make_shared<warp::MemoryPool>();
  struct Loan {
    std::shared_ptr<warp::MemoryPool> from;
    warp::Block block;
  };
  std::size_t bytes = sizeof(Value);
  for (const py::ssize_t length : shape) bytes *= static_cast<std::size_t>(length);
  auto loan = std::make_unique<Loan>(Loan{pool, pool->lend(bytes)});
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
  inParallel(frames.count * tasksPerFrame, threads, [&] {
    return [&, warper = warp::RowWarper<Pixel>(frames)](int task) mutable {
      const int begin = task % tasksPerFrame * kRowsPerTask, end = std::min(begin + kRowsPerTask, frames.height);
      for (int y = begin; y < end && finding == Finding::kNothing; ++y)
        if (const Finding found = warper.warp(task / tasksPerFrame, y); found != Finding::kNothing) finding = found;
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

}  // namespace

PYBIND11_MODULE(_native, module) {
  module.doc() = "CPU kernel of the warp; model/warp/reference.py is its definition.";
  module.def("warp_frames", &warpFrames, py::arg("image").noconvert(), py::arg("disparity").noconvert(),
             py::arg("threshold"), py::arg("threads"),
             "Returns what kept it from warping (empty: nothing), view, disocclusion and disparity of the view.");
}
