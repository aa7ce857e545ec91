# `_plugin_units`: parts of the plugin as a Python module, so that pytest can compare them with the Python side.
find_program(PROJECT_PYTHON python HINTS ${PROJECT_SOURCE_DIR}/.venv/bin NO_DEFAULT_PATH)
if(PROJECT_PYTHON)
  execute_process(COMMAND ${PROJECT_PYTHON} -m pybind11 --cmakedir
    OUTPUT_VARIABLE pybind11_dir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT pybind11_dir)
  message(STATUS "No pybind11 in .venv: the tests' Python modules are not built")
  return()
endif()

set(Python_EXECUTABLE ${PROJECT_PYTHON})
set(PYBIND11_FINDPYTHON ON)
find_package(Python COMPONENTS Interpreter Development.Module REQUIRED)
find_package(pybind11 CONFIG REQUIRED PATHS ${pybind11_dir} NO_DEFAULT_PATH)
pybind11_add_module(_plugin_units ofx_plugin/bindings.cpp)
target_link_libraries(_plugin_units PRIVATE stereo_convert_units)
set_target_properties(_plugin_units PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${STEREO_CONVERT_BUNDLE_DIR}/python)
