// `service.wire._pixel_copy`: the plugin's copy for frames, for the service's side of shared memory.

#include <pybind11/pybind11.h>

#include "streaming_copy.h"

namespace py = pybind11;

namespace {

void copy(const py::buffer& target, const py::buffer& source) {
  const py::buffer_info to = target.request(/*writable=*/true), from = source.request();
  if (PyBuffer_IsContiguous(to.view(), 'C') == 0 || PyBuffer_IsContiguous(from.view(), 'C') == 0) {
    throw py::value_error("both buffers must be contiguous");
  }
  if (to.size * to.itemsize != from.size * from.itemsize) {
    throw py::value_error("both buffers must have the same number of bytes");
  }
  const py::gil_scoped_release released;
  stereo_convert::streamingCopy(static_cast<std::byte*>(to.ptr), static_cast<const std::byte*>(from.ptr),
                                static_cast<std::size_t>(to.size * to.itemsize));
}

}  // namespace

PYBIND11_MODULE(_pixel_copy, module) {
  module.def("copy", &copy, py::arg("target"), py::arg("source"),
             "Copy all bytes of one contiguous buffer into another of the same size, without the GIL.");
}
