// Settings as a message of settings.proto.
#pragma once

#include <stereoconvert/v1/settings.pb.h>

#include "settings.h"

namespace stereo_convert {

[[nodiscard]] stereoconvert::v1::Settings toWire(const Settings& settings);

}  // namespace stereo_convert
