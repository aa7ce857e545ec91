// Python module `_ofx_host`: the host's objects; tests/ofx_host/*.py decides what a host does with them.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <stdexcept>

#include "plugin_binary.h"
#include "python_values.h"

namespace py = pybind11;

namespace ofx_host {

namespace {

// A plugin and the binary that holds its code.
struct Plugin {
  std::shared_ptr<PluginBinary> binary;
  OfxPlugin* plugin;
};

Clip& clipOf(Effect& effect, const std::string& name) {
  Clip* clip = effect.findClip(name);
  if (clip == nullptr) throw py::key_error("the effect has no clip " + name);
  return *clip;
}

Param& paramOf(Effect& effect, const std::string& name) {
  Param* param = effect.params().find(name);
  if (param == nullptr) throw py::key_error("the effect has no param " + name);
  return *param;
}

ParamValue toParamValue(const Param& param, const py::handle& object) {
  ParamValue value;
  if (param.storage().storage == ParamStorage::kText) {
    value.text = object.cast<std::string>();
    return value;
  }
  if (py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object))
    value.numbers = object.cast<std::vector<double>>();
  else
    value.numbers = {object.cast<double>()};
  if (static_cast<int>(value.numbers.size()) != param.storage().count)
    throw py::value_error(param.name() + " takes " + std::to_string(param.storage().count) + " numbers");
  return value;
}

py::object fromParamValue(const Param& param, const ParamValue& value) {
  if (param.storage().storage == ParamStorage::kText) return py::str(value.text);
  py::list numbers;
  for (const double number : value.numbers) {
    if (param.storage().storage == ParamStorage::kInts)
      numbers.append(static_cast<int>(number));
    else
      numbers.append(number);
  }
  return numbers.size() == 1 ? py::object(numbers[0]) : py::object(numbers);
}

// The callables are called from render threads that do not hold the interpreter.
void connect(Effect& effect, const std::string& name, const py::object& source, const py::object& region) {
  Clip& clip = clipOf(effect, name);
  clip.source = nullptr;
  clip.regionOfDefinition = nullptr;
  if (!source.is_none())
    clip.source = [source](double time, double scaleX, double scaleY,
                           const OfxRectD* wanted) -> std::optional<Picture> {
      const py::gil_scoped_acquire interpreter;
      py::object rect = py::none();
      if (wanted != nullptr) rect = py::make_tuple(wanted->x1, wanted->y1, wanted->x2, wanted->y2);
      const py::object picture = source(time, scaleX, scaleY, rect);
      if (picture.is_none()) return std::nullopt;
      return toPicture(picture);
    };
  if (!region.is_none())
    clip.regionOfDefinition = [region](double time) -> std::optional<OfxRectD> {
      const py::gil_scoped_acquire interpreter;
      const py::object rect = region(time);
      if (rect.is_none()) return std::nullopt;
      return toRectD(rect);
    };
}

py::tuple call(const Plugin& plugin, const std::string& action, Host& host, Effect* effect, const py::object& in,
               const py::object& out) {
  PropertySet inArgs(action + " inArgs");
  PropertySet outArgs(action + " outArgs");
  if (!in.is_none()) fill(&inArgs, in.cast<py::dict>());
  if (!out.is_none()) fill(&outArgs, out.cast<py::dict>());
  OfxStatus status;
  {
    const py::gil_scoped_release others;
    status = callAction(*plugin.plugin, action, &host, effect, in.is_none() ? nullptr : &inArgs,
                        out.is_none() ? nullptr : &outArgs);
  }
  return py::make_tuple(status, toDict(outArgs));
}

std::map<std::string, OfxRectD> toRegions(const py::dict& regions) {
  std::map<std::string, OfxRectD> result;
  for (const auto& entry : regions) result[entry.first.cast<std::string>()] = toRectD(entry.second);
  return result;
}

// Renders into a fresh picture like `output` (a clips.HostPicture without pixels); gives status and rows, top first.
py::tuple render(const Plugin& plugin, Host& host, Effect& effect, const py::dict& in, const py::object& output,
                 const py::dict& regions, const py::object& framesNeeded) {
  PropertySet inArgs("Render inArgs");
  fill(&inArgs, in);
  RenderRequest request;
  request.time = std::get<double>(inArgs.values(kOfxPropTime).at(0));
  const auto window = inArgs.values(kOfxImageEffectPropRenderWindow);
  request.window = {std::get<int>(window.at(0)), std::get<int>(window.at(1)), std::get<int>(window.at(2)),
                    std::get<int>(window.at(3))};
  request.output = toPicture(output);
  request.scaleX = request.output.facts.scaleX;
  request.scaleY = request.output.facts.scaleY;
  request.regionsOfInterest = toRegions(regions);
  if (!framesNeeded.is_none()) request.framesNeeded = framesNeeded.cast<std::map<std::string, TimeRanges>>();
  const std::shared_ptr<PixelBuffer> pixels = request.output.pixels;
  OfxStatus status;
  {
    const py::gil_scoped_release others;
    status = callRender(*plugin.plugin, &host, &effect, &inArgs, std::move(request));
  }
  py::array_t<std::uint8_t> rows({pixels->height(), pixels->width() * pixels->layout().bytesPerPixel});
  pixels->copyTo(rows.mutable_data());
  return py::make_tuple(status, rows);
}

py::tuple toTuple(const Message& message) {
  return py::make_tuple(message.type, message.id, py::bytes(message.text).attr("decode")("utf-8", "replace"),
                        message.persistent);
}

void bindHost(py::module_& module) {
  py::enum_<MessageSuite>(module, "MessageSuite")
      .value("V1_ONLY", MessageSuite::kV1Only)
      .value("V2", MessageSuite::kV2)
      .value("V2_WITH_NULL_MEMBERS", MessageSuite::kV2WithNullMembers);
  py::enum_<MissingImage>(module, "MissingImage")
      .value("FAILED", MissingImage::kFailed)
      .value("OK_WITH_NULL", MissingImage::kOkWithNull)
      .value("OK_WITHOUT_DATA", MissingImage::kOkWithoutData);
  py::class_<Habits>(module, "Habits")
      .def(py::init<>())
      .def_readwrite("message_suite", &Habits::messageSuite)
      .def_readwrite("missing_image", &Habits::missingImage)
      .def_readwrite("suites", &Habits::suites)
      .def_readwrite("no_param_set_in", &Habits::noParamSetIn)
      .def_readwrite("freeze_after_describe", &Habits::freezeAfterDescribe)
      .def_readwrite("unknown_clip_is_null", &Habits::unknownClipIsNull)
      .def_readwrite("only_declared_frames", &Habits::onlyDeclaredFrames)
      .def_readwrite("verify_inputs", &Habits::verifyInputs)
      .def_readwrite("no_param_getters", &Habits::noParamGetters)
      .def_readwrite("omitted", &Habits::omitted);
  py::class_<Host, std::shared_ptr<Host>>(module, "Host")
      .def(py::init([](const Habits& habits) { return std::make_shared<Host>(habits); }))
      .def("set_property",
           [](Host& host, const std::string& name, const py::object& value) {
             const std::vector<PropertyValue> values = toValues(value);
             host.properties().set(name, values, static_cast<int>(values.size()), false);
           })
      .def("problems",
           [](const Host& host) {
             py::list list;
             for (const Problem& problem : const_cast<Host&>(host).journal().problems())
               list.append(py::make_tuple(problem.kind, problem.text));
             return list;
           })
      .def("messages",
           [](Host& host) {
             py::list list;
             for (const Message& message : host.journal().messages()) list.append(toTuple(message));
             return list;
           })
      .def("reads",
           [](Host& host) {
             py::list list;
             for (const ClipRead& read : host.journal().reads())
               list.append(py::make_tuple(read.clip, read.time, read.found));
             return list;
           })
      .def("missed_properties", [](Host& host) { return host.journal().missedProperties(); })
      .def("problem",
           [](Host& host, const std::string& kind, const std::string& text) { host.journal().problem(kind, text); })
      .def("clear_journal", [](Host& host) { host.journal().clear(); })
      .def("cancel_progress", [](Host& host, bool cancel) { host.progressCancelled = cancel; })
      .def_property_readonly("memory_out", [](const Host& host) { return host.memoryOut.load(); })
      .def_property_readonly("mutexes_out", [](const Host& host) { return host.mutexesOut.load(); });
}

py::dict describeParam(Param& param) {
  py::dict dict;
  dict["name"] = param.name();
  dict["type"] = param.type();
  dict["properties"] = toDict(param.properties());
  return dict;
}

void bindParams(py::class_<Effect, std::shared_ptr<Effect>>& effect) {
  effect
      .def("params",
           [](Effect& self) {
             py::list list;
             for (const auto& param : self.params().all()) list.append(describeParam(*param));
             return list;
           })
      .def("set_param",
           [](Effect& self, const std::string& name, const py::object& value) {
             Param& param = paramOf(self, name);
             param.set(toParamValue(param, value));
           })
      .def("set_param_key",
           [](Effect& self, const std::string& name, double time, const py::object& value) {
             Param& param = paramOf(self, name);
             param.setKey(time, toParamValue(param, value));
           })
      .def("param_value",
           [](Effect& self, const std::string& name, double time) {
             Param& param = paramOf(self, name);
             return fromParamValue(param, param.valueAt(time));
           })
      .def("param_property",
           [](Effect& self, const std::string& name, const std::string& property) {
             return toList(paramOf(self, name).properties().values(property));
           })
      .def("take_plugin_edits", &Effect::takePluginEdits);
}

void bindClips(py::class_<Effect, std::shared_ptr<Effect>>& effect) {
  effect
      .def("clips",
           [](Effect& self) {
             std::vector<std::string> names;
             for (const auto& clip : self.clips()) names.push_back(clip->name());
             return names;
           })
      .def("connect", &connect)
      .def("clip_property",
           [](Effect& self, const std::string& clip, const std::string& name) {
             return toList(clipOf(self, clip).properties().values(name));
           })
      .def("set_clip_property",
           [](Effect& self, const std::string& clip, const std::string& name, const py::object& value) {
             if (self.host().omits("clip", name)) return;
             const std::vector<PropertyValue> values = toValues(value);
             clipOf(self, clip).properties().set(name, values, static_cast<int>(values.size()), false);
           })
      .def("remove_clip_property", [](Effect& self, const std::string& clip, const std::string& name) {
        clipOf(self, clip).properties().remove(name);
      });
}

void bindEffect(py::module_& module) {
  py::class_<Effect, std::shared_ptr<Effect>> effect(module, "Effect");
  effect
      .def(py::init([](std::shared_ptr<Host> host, const std::string& bundlePath) {
        return std::make_shared<Effect>(std::move(host), bundlePath);
      }))
      .def("context_descriptor",
           [](const Effect& self, const std::string& context) {
             return std::make_shared<Effect>(self, Effect::Stage::kContextDescriptor, context);
           })
      .def("instance",
           [](const Effect& self) { return std::make_shared<Effect>(self, Effect::Stage::kInstance, self.context()); })
      .def("property", [](Effect& self, const std::string& name) { return toList(self.properties().values(name)); })
      .def("set_property",
           [](Effect& self, const std::string& name, const py::object& value) {
             if (self.host().omits("instance", name)) return;
             const std::vector<PropertyValue> values = toValues(value);
             self.properties().set(name, values, static_cast<int>(values.size()), false);
           })
      .def("remove_property", [](Effect& self, const std::string& name) { self.properties().remove(name); })
      .def("request_abort",
           [](Effect& self, double afterMs) {
             self.requestAbort(std::chrono::milliseconds(static_cast<std::int64_t>(afterMs)));
           })
      .def("reset_abort", &Effect::resetAbort)
      .def_property_readonly("is_aborting", &Effect::aborting)
      .def_property_readonly("abort_polls", &Effect::abortPolls)
      .def_property_readonly("images_out", &Effect::imagesOut)
      .def_property_readonly("persistent_message", [](const Effect& self) -> py::object {
        const std::optional<Message> message = self.persistentMessage();
        return message ? py::object(toTuple(*message)) : py::none();
      });
  bindParams(effect);
  bindClips(effect);
}

void bindPlugin(py::module_& module) {
  py::class_<Plugin>(module, "Plugin")
      .def_property_readonly("api", [](const Plugin& self) { return self.plugin->pluginApi; })
      .def_property_readonly("api_version", [](const Plugin& self) { return self.plugin->apiVersion; })
      .def_property_readonly("identifier", [](const Plugin& self) { return self.plugin->pluginIdentifier; })
      .def_property_readonly("version",
                             [](const Plugin& self) {
                               return py::make_tuple(self.plugin->pluginVersionMajor, self.plugin->pluginVersionMinor);
                             })
      .def("set_host", [](const Plugin& self, Host& host) { self.plugin->setHost(host.ofxHost()); })
      .def("call", &call, py::arg("action"), py::arg("host"), py::arg("effect").none(true) = py::none(),
           py::arg("in_args") = py::none(), py::arg("out_args") = py::none())
      .def("render", &render);
  module.def("load", [](const std::string& path, Host& host) {
    const auto binary = std::make_shared<PluginBinary>(path);
    std::vector<Plugin> plugins;
    for (OfxPlugin* plugin : binary->plugins(&host)) plugins.push_back({binary, plugin});
    return plugins;
  });
}

}  // namespace

}  // namespace ofx_host

PYBIND11_MODULE(_ofx_host, module) {
  module.doc() = "A small OpenFX host that checks its plugins";
  ofx_host::bindHost(module);
  ofx_host::bindEffect(module);
  ofx_host::bindPlugin(module);
}
