// What the panel does when the artist touches it: presets, Reset, Status and the buttons. Only here may the plugin set
// parameters: several hosts forbid it while they create, describe or render.
#pragma once

#include <string>

#include "instance.h"

namespace stereo_convert {

// The artist changed the parameter `name` or pressed it. Throws Failure where a button cannot do what it is for.
void panelTouched(const Instance& instance, const std::string& name, double time);

// Show in Status what is known of the last window, or `text` where that is not empty.
void showStatus(const Instance& instance, const std::string& text = {});

}  // namespace stereo_convert
