// What the service said about a window, told to the artist in the panel's Status.
#pragma once

#include <stereoconvert/v1/stereo_convert.pb.h>

#include <map>
#include <string>

namespace stereo_convert {

using Licences = std::map<std::string, std::string>;  // SPDX expression by the name of a filler or depth estimator

// `width_px` is the source's, so that parallax can be told in pixels too.
[[nodiscard]] std::string summaryText(const stereoconvert::v1::WindowSummary& summary, const Licences& licences,
                                      int width_px);

}  // namespace stereo_convert
