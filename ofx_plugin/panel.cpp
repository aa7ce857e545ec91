#include "panel.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include "log.h"
#include "param_set.h"
#include "platform/platform.h"
#include "service_client.h"
#include "status.h"

namespace stereo_convert {
namespace {

constexpr std::chrono::seconds kServicePatience{3};  // the panel waits for it

struct PresetValue {
  Setting setting;
  double value;
};
constexpr std::size_t kPresetSize = 3;
using PresetValues = std::array<PresetValue, kPresetSize>;

// What a preset sets; the first entry of the choice, Custom, sets nothing.
constexpr PresetValues preset(double disparity, double convergence, double floatingWindow) {
  return {{{Setting::Disparity, disparity},
           {Setting::Convergence, convergence},
           {Setting::FloatingWindow, floatingWindow}}};
}
constexpr std::array kPresets = {
    preset(1.5, 0.5, 0),  // Gentle
    preset(2.5, 0.5, 0),  // Standard
    preset(4.0, 0.5, 1),  // Strong: what comes far forward is masked where the frame's edge cuts it
    preset(2.0, 1.0, 0),  // Screen-safe: nothing comes forward, so no edge can cut it
};

const ParamSpec& specOf(Setting setting) {
  return kSettingParams[static_cast<std::size_t>(setting)];
}

// Sets parameters; what the host does not know is passed over.
class ParamWriter {
 public:
  explicit ParamWriter(const Instance& instance) : params_(instance.handle()) {}

  void put(const ParamSpec& spec, double value) const {
    const OfxParamHandle param = params_.find(spec.name);
    if (param == nullptr) return;
    if (spec.animates) suites().parameter->paramDeleteAllKeys(param);
    if (spec.kind == ParamKind::Double) {
      suites().parameter->paramSetValue(param, value);
    } else if (spec.kind == ParamKind::Choice) {
      suites().parameter->paramSetValue(param, indexOf(spec.options, static_cast<int>(value)));
    } else {
      suites().parameter->paramSetValue(param, static_cast<int>(value));
    }
  }

  void put(const char* name, const std::string& text) const {
    if (const OfxParamHandle param = params_.find(name); param != nullptr) {
      suites().parameter->paramSetValue(param, text.c_str());
    }
  }

  // One step of undo for all that is put before `endEdit`.
  void beginEdit(const char* label) const { suites().parameter->paramEditBegin(params_.handle(), label); }
  void endEdit() const { suites().parameter->paramEditEnd(params_.handle()); }

 private:
  [[nodiscard]] static int indexOf(const Options& options, int value) {
    const Option* end = options.first + options.count;
    return static_cast<int>(std::find_if(options.first, end, [value](const Option& o) { return o.value == value; }) -
                            options.first);
  }

  const ParamSet params_;
};

void applyPreset(const Instance& instance, double time) {
  const int chosen = instance.preset(time);
  if (chosen == kCustomPreset) return;
  const ParamWriter writer(instance);
  writer.beginEdit("Preset");
  for (const auto& [setting, value] : kPresets[static_cast<std::size_t>(chosen - 1)]) {
    writer.put(specOf(setting), value);
  }
  writer.endEdit();
}

// A preset whose values the artist moved away from is none any more.
void nameOwnValues(const Instance& instance, const std::string& changed, double time) {
  const int chosen = instance.preset(time);
  if (chosen == kCustomPreset) return;
  const Settings settings = instance.settings(time);
  for (const auto& [setting, value] : kPresets[static_cast<std::size_t>(chosen - 1)]) {
    if (changed == specOf(setting).name && settings.number(setting) != value) {
      ParamWriter(instance).put(pluginParam(plugin_param::kPreset), kCustomPreset);
    }
  }
}

void reset(const Instance& instance) {
  const ParamWriter writer(instance);
  writer.beginEdit("Reset");
  for (const ParamSpec& spec : kSettingParams) writer.put(spec, spec.defaultValue);
  for (const char* name : {plugin_param::kPreset, plugin_param::kPreview}) {
    writer.put(pluginParam(name), pluginParam(name).defaultValue);
  }
  writer.endEdit();
}

std::shared_ptr<const ServiceSession> freshSession(const Instance& instance, double time) {
  const Patience patience(kServicePatience, [] { return false; });
  const auto client = ServiceClient::of(instance.service(time));
  client->forgetSession();
  return client->session(patience);
}

// Hosts keep pictures under a hash of the parameters, so a changed model must change one of them. The count tells two
// presses with the same model apart.
void refreshModel(const Instance& instance, double time) {
  const auto session = freshSession(instance, time);
  const std::string before = instance.modelToken(time);
  const std::size_t mark = before.rfind('#');
  const unsigned long count = mark == std::string::npos ? 0 : std::strtoul(before.c_str() + mark + 1, nullptr, 10);
  ParamWriter(instance).put(plugin_param::kModelToken, session->modelVersion + " #" + std::to_string(count + 1));
  showStatus(instance, session->text);
}

void openLogFolder() {
  const auto [folder, problem] = logFolder();
  const std::string all = problem.empty() ? platform::showFolder(folder) : problem;
  if (!all.empty()) {
    throw Failure(FailureKind::NotReady, "cannot show the folder of the logs, " + folder + ": " + all);
  }
}

}  // namespace

void panelTouched(const Instance& instance, const std::string& name, double time) {
  if (name == plugin_param::kOpenLogFolder) return openLogFolder();
  if (name == plugin_param::kRefreshModel) return refreshModel(instance, time);
  if (name == plugin_param::kRefreshStatus) {
    const Patience patience(kServicePatience, [] { return false; });
    const auto session = ServiceClient::of(instance.service(time))->session(patience);
    return showStatus(instance, session->text + ". " + lastSummary(instance.handle()));
  }
  if (name == plugin_param::kPreset) applyPreset(instance, time);
  if (name == plugin_param::kReset) reset(instance);
  nameOwnValues(instance, name, time);
  showStatus(instance);
}

void showStatus(const Instance& instance, const std::string& text) {
  const std::string shown = text.empty() ? lastSummary(instance.handle()) : text;
  if (!shown.empty()) ParamWriter(instance).put(plugin_param::kStatus, shown);
}

}  // namespace stereo_convert
