// Says in words why a service cannot be trusted, or does not trust us: gRPC tells only that the handshake failed.
#pragma once

#include <string>

#include "tls_files.h"

namespace stereo_convert {

// Shake hands with "HOST:PORT" once more, by OpenSSL: what about its certificate, or about ours, is wrong. Empty when
// nothing is, or when nobody is there. Takes four seconds at most.
[[nodiscard]] std::string whyNotTrusted(const std::string& target, const TlsFiles& files);

}  // namespace stereo_convert
