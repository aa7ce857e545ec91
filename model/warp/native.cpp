// The C++ kernel of the warp as a Python module: checks shapes, shares scanlines among threads.
//
// Built without contraction of a*b+c (setup.py): cuts and edges fall exactly as in the reference.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "native_row.h"

namespace py = pybind11;

namespace {

using warp::Frames;
using warp::RowWarper;

constexpr int kRowsPerTask = 8;

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

// Asks for large pages where the memory is new: a 2160p frame costs 30,000 page faults less. Changes no result.
void useLargePages([[maybe_unused]] void* memory, [[maybe_unused]] py::ssize_t bytes) {
#ifdef __linux__
  constexpr std::uintptr_t kLargePage = 2u << 20;
  const auto begin = (reinterpret_cast<std::uintptr_t>(memory) + kLargePage - 1) / kLargePage * kLargePage;
  const auto end =
      (reinterpret_cast<std::uintptr_t>(memory) + static_cast<std::uintptr_t>(bytes)) / kLargePage * kLargePage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
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
  useLargePages(frames.view, view.nbytes());
  useLargePages(frames.viewDisparity, viewDisparity.nbytes());
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
