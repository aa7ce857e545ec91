// Properties, rectangles and pictures between Python and the host.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "effect.h"
#include "property_set.h"

namespace ofx_host {

// int, float, str or None (a NULL pointer), or a list of one of them. Throws py::type_error for anything else.
[[nodiscard]] std::vector<PropertyValue> toValues(const pybind11::handle& object);
[[nodiscard]] pybind11::list toList(const std::vector<PropertyValue>& values);

// Fills `set` from {name: value or list}. The number of values is fixed unless the name ends in `*`.
void fill(PropertySet* set, const pybind11::dict& values);
[[nodiscard]] pybind11::dict toDict(const PropertySet& set);

[[nodiscard]] OfxRectI toRectI(const pybind11::handle& four);
[[nodiscard]] OfxRectD toRectD(const pybind11::handle& four);

// Makes a picture from a personality-free description: the attributes of clips.HostPicture.
[[nodiscard]] Picture toPicture(const pybind11::handle& object);

}  // namespace ofx_host
