#include "settings.h"

#include <algorithm>
#include <string_view>

namespace stereo_convert {
namespace {

// Token of the chosen option, as in model.Settings.
std::string_view token(const Settings& settings, Setting setting) {
  const Options& options = kSettingParams[static_cast<std::size_t>(setting)].options;
  const Option* end = options.first + options.count;
  const int value = settings.integer(setting);
  const Option* found = std::find_if(options.first, end, [value](const Option& o) { return o.value == value; });
  return found == end ? std::string_view() : found->token;
}

}  // namespace

Settings::Settings() {
  std::transform(kSettingParams.begin(), kSettingParams.end(), values_.begin(),
                 [](const ParamSpec& spec) { return spec.defaultValue; });
}

bool Settings::usesDepthClip() const {
  return token(*this, Setting::DepthSource) == "clip";
}

bool Settings::isIdentity() const {
  if (token(*this, Setting::FloatingWindow) != "off") return false;  // each eye may carry a bar
  const std::string_view output = token(*this, Setting::Output);
  const std::string_view meaning = token(*this, Setting::DepthMeaning);
  const bool isDisparity = meaning == "disparity-px" || meaning == "foundry-px";  // Stereo settings then mean nothing
  const bool flat = number(Setting::Disparity) == 0 && !isDisparity;
  return output == "left" || (output == "right" && flat);
}

int Settings::widthFactor() const {
  return token(*this, Setting::Output) == "sbs-full" ? 2 : 1;
}

int Settings::heightFactor() const {
  return token(*this, Setting::Output) == "tb-full" ? 2 : 1;
}

void Settings::addTo(KeyBuilder& key) const {
  for (const double value : values_) key.add(value);
}

}  // namespace stereo_convert
