#include "python_values.h"

#include <pybind11/numpy.h>

#include <stdexcept>

namespace py = pybind11;

namespace ofx_host {

namespace {

PropertyValue toValue(const py::handle& object) {
  if (object.is_none()) return static_cast<void*>(nullptr);
  if (py::isinstance<py::bool_>(object) || py::isinstance<py::int_>(object)) return object.cast<int>();
  if (py::isinstance<py::float_>(object)) return object.cast<double>();
  if (py::isinstance<py::str>(object)) return object.cast<std::string>();
  throw py::type_error("a property is an int, a float, a str or None; got " + py::repr(object).cast<std::string>());
}

py::object toObject(const PropertyValue& value) {
  if (const int* number = std::get_if<int>(&value)) return py::int_(*number);
  if (const double* number = std::get_if<double>(&value)) return py::float_(*number);
  if (const std::string* text = std::get_if<std::string>(&value))
    return py::reinterpret_steal<py::object>(
        PyUnicode_DecodeUTF8(text->data(), static_cast<Py_ssize_t>(text->size()), "replace"));
  return py::int_(reinterpret_cast<std::uintptr_t>(std::get<void*>(value)));
}

template <typename Rect, typename Number>
Rect toRect(const py::handle& four) {
  const auto values = four.cast<std::vector<Number>>();
  if (values.size() != 4) throw py::value_error("a rectangle is x1, y1, x2, y2");
  return {values[0], values[1], values[2], values[3]};
}

}  // namespace

std::vector<PropertyValue> toValues(const py::handle& object) {
  if (!py::isinstance<py::list>(object) && !py::isinstance<py::tuple>(object)) return {toValue(object)};
  std::vector<PropertyValue> values;
  for (const py::handle item : object) values.push_back(toValue(item));
  return values;
}

py::list toList(const std::vector<PropertyValue>& values) {
  py::list list;
  for (const PropertyValue& value : values) list.append(toObject(value));
  return list;
}

void fill(PropertySet* set, const py::dict& values) {
  for (const auto& entry : values) {
    auto name = entry.first.cast<std::string>();
    const bool anyNumber = !name.empty() && name.back() == '*';
    if (anyNumber) name.pop_back();
    const std::vector<PropertyValue> initial = toValues(entry.second);
    set->set(name, initial, anyNumber ? 0 : static_cast<int>(initial.size()));
  }
}

py::dict toDict(const PropertySet& set) {
  py::dict dict;
  for (const std::string& name : set.names()) dict[py::str(name)] = toList(set.values(name));
  return dict;
}

OfxRectI toRectI(const py::handle& four) {
  return toRect<OfxRectI, int>(four);
}
OfxRectD toRectD(const py::handle& four) {
  return toRect<OfxRectD, double>(four);
}

Picture toPicture(const py::handle& object) {
  Picture picture;
  picture.facts.regionOfDefinition = toRectI(object.attr("region_of_definition"));
  picture.facts.pixelDepth = object.attr("depth").cast<std::string>();
  picture.facts.components = object.attr("components").cast<std::string>();
  picture.facts.premultiplication = object.attr("premultiplication").cast<std::string>();
  picture.facts.identifier = object.attr("identifier").cast<std::string>();
  const auto scale = object.attr("scale").cast<std::pair<double, double>>();
  picture.facts.scaleX = scale.first;
  picture.facts.scaleY = scale.second;
  const PixelLayout layout = {toRectI(object.attr("bounds")), object.attr("bytes_per_pixel").cast<int>(),
                              object.attr("top_down").cast<bool>(), object.attr("padding_bytes").cast<int>()};
  picture.pixels = std::make_shared<PixelBuffer>(layout);
  const py::object pixels = object.attr("pixels");
  if (pixels.is_none()) return picture;
  const auto rows = py::array_t<std::uint8_t, py::array::c_style>::ensure(pixels);
  const py::ssize_t rowBytes = static_cast<py::ssize_t>(picture.pixels->width()) * layout.bytesPerPixel;
  if (!rows || rows.ndim() != 2 || rows.shape(0) != picture.pixels->height() || rows.shape(1) != rowBytes)
    throw py::value_error("pixels must be uint8 rows, top first, of the size of the bounds");
  picture.pixels->copyFrom(rows.data(), rows.strides(0));
  return picture;
}

}  // namespace ofx_host
