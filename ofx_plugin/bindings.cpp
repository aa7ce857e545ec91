// Parts of the plugin for pytest: windows, the table of parameters, pixel packing, keys and the frame store.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "frame_store.h"
#include "params.h"
#include "pixel_hash_kernel.h"
#include "platform/platform.h"
#include "settings.h"
#include "window.h"

namespace py = pybind11;

namespace stereo_convert {
namespace {

const char* wordOf(ParamKind kind) {
  constexpr const char* kWords[] = {"choice", "double", "integer", "boolean", "text", "file", "label", "button"};
  return kWords[static_cast<std::size_t>(kind)];
}

py::dict dictionaryOf(const ParamSpec& spec) {
  py::list options;
  for (std::size_t index = 0; index < spec.options.count; ++index) {
    const Option& option = spec.options.first[index];
    options.append(py::make_tuple(option.token, option.label, option.value));
  }
  py::dict param;
  param["name"] = spec.name;
  param["label"] = spec.label;
  param["group"] = spec.group == nullptr ? py::object(py::none()) : py::str(spec.group);
  param["kind"] = wordOf(spec.kind);
  param["hint"] = spec.hint;
  param["default"] = spec.defaultValue;
  param["range"] = py::make_tuple(spec.range.low, spec.range.high);
  param["slider"] = py::make_tuple(spec.slider.low, spec.slider.high);
  param["options"] = options;
  return param;
}

template <typename Specs>
py::list tableOf(const Specs& specs) {
  py::list table;
  for (const ParamSpec& spec : specs) table.append(dictionaryOf(spec));
  return table;
}

// A view of a (height, width, channels) array whose first row is the lowest; rows may be padded or run backwards.
MutablePixelView viewOf(const py::buffer_info& array) {
  const auto pixelBytes = static_cast<std::size_t>(array.shape[2] * array.itemsize);
  return {static_cast<std::byte*>(array.ptr), array.strides[0], static_cast<int>(array.shape[1]),
          static_cast<int>(array.shape[0]), pixelBytes};
}

FrameFormat formatOf(const py::buffer_info& array) {
  FrameFormat format;
  format.height = static_cast<int>(array.shape[0]);
  format.width = static_cast<int>(array.shape[1]);
  format.channelOrder = array.shape[2] == 4   ? ChannelOrder::RGBA
                        : array.shape[2] == 3 ? ChannelOrder::RGB
                                              : ChannelOrder::Gray;
  format.pixelType = array.itemsize == 1 ? PixelType::U8 : array.itemsize == 4 ? PixelType::F32 : PixelType::U16;
  return format;
}

py::bytes bytesOf(const FrameKey& key) {
  return {reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()};
}

FrameKey keyFrom(const std::string& bytes) {
  FrameKey key;
  std::memcpy(key.bytes.data(), bytes.data(), std::min(bytes.size(), key.bytes.size()));
  return key;
}

// Hash `data`, or hash and copy it into `to`, by every kernel that this processor can run.
py::dict hashesOf(const py::buffer& data, std::optional<py::buffer> to, bool pastCaches) {
  std::vector<const PixelHashKernel*> kernels{&kBaselineHash};
#ifdef STEREO_CONVERT_HAS_AVX2_HASH
  if (platform::hasAvx2()) kernels.push_back(&kAvx2Hash);
#endif
  const py::buffer_info bytes = data.request();
  const auto* const from = static_cast<const std::byte*>(bytes.ptr);
  const auto size = static_cast<std::size_t>(bytes.size * bytes.itemsize);
  py::dict hashes;
  for (const PixelHashKernel* kernel : kernels) {
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    if (to) {
      kernel->addCopying(&state, from, static_cast<std::byte*>(to->request(true).ptr), size, pastCaches);
    } else {
      kernel->add(&state, from, size);
    }
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    hashes[kernel->name] = py::bytes(reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest));
  }
  return hashes;
}

bool isIdentity(const std::map<std::size_t, double>& changed) {
  Settings settings;
  for (const auto& [index, value] : changed) settings.set(static_cast<Setting>(index), value);
  return settings.isIdentity();
}

void bindFrameStore(py::module_& module) {
  py::class_<FrameBlock, SharedBlock>(module, "FrameBlock").def_property_readonly("size", &FrameBlock::size);
  py::class_<FrameStore>(module, "FrameStore")
      .def(py::init<std::size_t>())
      .def("allocate", &FrameStore::allocate)
      .def("find", [](FrameStore& store, const std::string& key) { return store.find(keyFrom(key)); })
      .def(
          "publish",
          [](FrameStore& store, const std::string& key, SharedBlock block, std::optional<std::uint64_t> sketch) {
            store.publish(keyFrom(key), std::move(block), sketch);
          },
          py::arg("key"), py::arg("block"), py::arg("sketch") = py::none())
      .def("may_hold", &FrameStore::mayHold)
      .def("offset_of", [](const FrameStore& store, const FrameBlock& block) { return block.offsetIn(store.arena()); })
      .def_property_readonly("used_bytes", [](const FrameStore& store) { return store.arena().usedBytes(); })
      .def_property_readonly("shared_name", [](const FrameStore& store) {
        const SharedRegion* region = store.arena().region();
        return region == nullptr ? std::string() : region->name();
      });
}

}  // namespace
}  // namespace stereo_convert

PYBIND11_MODULE(_plugin_units, module) {
  using namespace stereo_convert;
  module.doc() = "Units of the OpenFX plugin";
  module.def("setting_params", [] { return tableOf(kSettingParams); });
  module.def("plugin_params", [] { return tableOf(kPluginParams); });
  module.def("is_identity", &isIdentity, "settings that differ from the defaults, by index");
  module.def("window_of", [](int frame, int length) {
    const Window window = windowOf(frame, length);
    std::vector<int> kept;
    for (int index = 0; index < window.length; ++index) {
      if (window.keeps(index)) kept.push_back(index);
    }
    return py::make_tuple(window.firstFrame, window.length, kept);
  });
  module.def("copy_pixels", [](const py::buffer& from, const py::buffer& to) {
    const py::buffer_info source = from.request();
    const py::buffer_info target = to.request(true);
    copyPixels(readOnly(viewOf(source)), viewOf(target));
  });
  module.def("content_key", [](const py::buffer& pixels) {
    const py::buffer_info array = pixels.request();
    return bytesOf(contentKey(readOnly(viewOf(array)), formatOf(array)));
  });
  module.def("copy_and_key", [](const py::buffer& from, const py::buffer& to) {
    const py::buffer_info source = from.request();
    auto* const target = static_cast<std::byte*>(to.request(true).ptr);
    return bytesOf(copyAndKey(readOnly(viewOf(source)), target, formatOf(source)));
  });
  module.def("content_sketch", [](const py::buffer& pixels) {
    const py::buffer_info array = pixels.request();
    return contentSketch(readOnly(viewOf(array)), formatOf(array));
  });
  module.def("hashes", &hashesOf, "of contiguous bytes, by the name of the kernel");
  module.attr("hash_kernel") = pixelHashKernel().name;
  bindFrameStore(module);
}
