// ②–⑩ One frame: fetch its window, have it converted, fill Output.
#pragma once

#include "failure.h"
#include "instance.h"

namespace stereo_convert {

// Throws Failure.
[[nodiscard]] OfxStatus render(const Instance& instance, const Properties& in);

// What a failed render leaves behind, as On error asks: an error with a message, or the source with a warning.
[[nodiscard]] OfxStatus settleFailedRender(const Instance& instance, const Properties& in, const Failure& failure);

}  // namespace stereo_convert
