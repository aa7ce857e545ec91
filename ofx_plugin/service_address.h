// What the artist wrote into Address, taken apart.
#pragma once

#include <string>

namespace stereo_convert {

struct ServiceAddress {
  std::string target;  // for gRPC
  std::string name;    // in messages
  bool isLocal = false;
  bool usesTls = false;

  // "": the local service; unix:PATH; HOST:PORT in the clear; tls://HOST:PORT. Throws Failure InvalidInput.
  [[nodiscard]] static ServiceAddress of(const std::string& written);
};

}  // namespace stereo_convert
