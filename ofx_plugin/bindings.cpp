// Parts of the plugin for pytest: windows, the table of parameters, pixel packing, keys and the frame store.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

PYBIND11_MODULE(_plugin_units, module) { module.doc() = "Units of the OpenFX plugin"; }
