// All that the plugin reads from its surroundings, in one place.
#pragma once

#include <cstddef>
#include <string>

namespace stereo_convert {

// Value of an environment variable; empty when unset.
[[nodiscard]] std::string environmentText(const char* name);

// Folder of what this user has set up for all projects: STEREO_CONVERT_CONFIG_DIR, else on Linux
// XDG_CONFIG_HOME/stereo-convert (~/.config by default). It need not exist.
[[nodiscard]] std::string configFolder();

// Bytes that frames and results may take: STEREO_CONVERT_CACHE_MB, 2048 by default.
[[nodiscard]] std::size_t cacheBytes();

// Folder of this user's socket: STEREO_CONVERT_RUNTIME_DIR, else on Linux XDG_RUNTIME_DIR/stereo-convert, else
// /tmp/stereo-convert-UID. Made with mode 0700. Throws Failure NotReady when it belongs to somebody else.
[[nodiscard]] std::string runtimeFolder();

// The program that starts the service: `chosen` when not empty, else STEREO_CONVERT_SERVICE, else
// stereo-convert-service beside the bundle. Throws Failure NotReady when there is none.
[[nodiscard]] std::string serviceProgram(const std::string& chosen);

}  // namespace stereo_convert
