// What the host asks before it renders: sizes, frames and whether there is anything to do.
#pragma once

#include "instance.h"

namespace stereo_convert {

[[nodiscard]] OfxStatus regionOfDefinition(const Instance& instance, const Properties& in, const Properties& out);
[[nodiscard]] OfxStatus regionsOfInterest(const Instance& instance, const Properties& in, const Properties& out);
[[nodiscard]] OfxStatus framesNeeded(const Instance& instance, const Properties& in, const Properties& out);
[[nodiscard]] OfxStatus identity(const Instance& instance, const Properties& in, const Properties& out);

// Whether these settings and arguments ask for the source itself; also for hosts that never ask for identity.
[[nodiscard]] bool showsSource(const Instance& instance, const Settings& settings, const Properties& in);

}  // namespace stereo_convert
