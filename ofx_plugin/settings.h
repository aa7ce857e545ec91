// The values that the right eye of one frame depends on.
#pragma once

#include <array>

#include "frame_key.h"
#include "params.h"

namespace stereo_convert {

// Starts with the defaults. A choice holds its Option's value, a boolean 0 or 1.
class Settings {
 public:
  Settings();

  [[nodiscard]] double number(Setting setting) const { return values_[static_cast<std::size_t>(setting)]; }
  [[nodiscard]] int integer(Setting setting) const { return static_cast<int>(number(setting)); }
  void set(Setting setting, double value) { values_[static_cast<std::size_t>(setting)] = value; }

  [[nodiscard]] bool usesDepthClip() const;
  // Whether the result is the source, bit for bit, whatever the pictures show.
  [[nodiscard]] bool isIdentity() const;
  // How many times wider and higher than the source the result is.
  [[nodiscard]] int widthFactor() const;
  [[nodiscard]] int heightFactor() const;

  void addTo(KeyBuilder& key) const;
  [[nodiscard]] bool operator==(const Settings& other) const { return values_ == other.values_; }

 private:
  std::array<double, kSettingCount> values_;
};

}  // namespace stereo_convert
