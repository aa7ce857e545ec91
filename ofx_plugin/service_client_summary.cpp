#include "service_client_summary.h"

#include <cstdio>

namespace stereo_convert {
namespace {

template <typename... Values>
std::string formatted(const char* format, Values... values) {
  char text[200];
  std::snprintf(text, sizeof(text), format, values...);
  return text;
}

std::string withLicence(const std::string& name, const Licences& licences) {
  const auto found = licences.find(name);
  return found == licences.end() ? name : name + " (" + found->second + ")";
}

std::string parallax(double percent, int width_px) {
  return formatted("%+.2f %% (%+.0f px)", percent, percent / 100 * width_px);
}

}  // namespace

std::string summaryText(const stereoconvert::v1::WindowSummary& summary, const Licences& licences, int width_px) {
  double total_s = 0;
  for (const auto& time : summary.stage_times()) total_s += time.seconds();
  const std::string& estimator = summary.depth_estimator();
  std::string text = "Device " + summary.device() + ", fill " + withLicence(summary.inpainter(), licences) +
                     ", depth " + (estimator.empty() ? "given" : withLicence(estimator, licences)) + ". " +
                     formatted("%.0f ms for the window, %.1f %% filled, %.0f %% of tokens computed. ", 1e3 * total_s,
                               100.0 * summary.disoccluded(), 100.0 * summary.retention()) +
                     "Parallax " + parallax(summary.min_parallax(), width_px) + " to " +
                     parallax(summary.max_parallax(), width_px) + ", above 0 in front of the screen.";
  for (const std::string& warning : summary.warnings()) text += " Warning: " + warning + ".";
  return text;
}

}  // namespace stereo_convert
