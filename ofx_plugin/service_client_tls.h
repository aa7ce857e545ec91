// What a channel shows and believes over TLS.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>

#include "tls_files.h"

namespace stereo_convert {

// Throws Failure NotReady for files that hold no certificates or no key.
[[nodiscard]] std::shared_ptr<grpc::ChannelCredentials> tlsCredentials(const TlsFiles& files);

}  // namespace stereo_convert
