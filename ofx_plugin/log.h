// plugin.log: one line for each render where the panel's Write log or STEREO_CONVERT_LOG=1 asks for it. Made to be read
// by people and sent with a report: times, sizes and messages, never pixels or tokens. A log that cannot be written
// fails no render.
#pragma once

#include <string>

namespace stereo_convert {

constexpr const char* kLogName = "plugin.log";

// Folder of the logs of plugin and service: STEREO_CONVERT_LOG_DIR, else STEREO_CONVERT_RUNTIME_DIR, else on Linux
// XDG_STATE_HOME/stereo-convert (~/.local/state by default). `problem` says why it cannot be used; empty when it can.
struct LogFolder {
  std::string path;
  std::string problem;
};
[[nodiscard]] LogFolder logFolder();

[[nodiscard]] bool logIsWanted(bool panelAsks);

// Append `text` as one line after the time and this process; before its first line a process names its host.
void writeLog(const std::string& text);

// Begin a new file when this one has grown past a mebibyte; the last three are kept as .1, .2 and .3.
void rotateLog(const std::string& path);

}  // namespace stereo_convert
