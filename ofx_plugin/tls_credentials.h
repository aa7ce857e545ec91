// TLS of a channel, and in words why a service cannot be trusted. Only tls_credentials.cpp and tls_diagnosis.cpp see
// OpenSSL; it is our own copy, hidden like gRPC.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

#include "tls_files.h"

namespace stereo_convert {

// Throws Failure NotReady for files that hold no certificates or no key.
[[nodiscard]] std::shared_ptr<grpc::ChannelCredentials> tlsCredentials(const TlsFiles& files);

// Shake hands with "HOST:PORT" once more and say what about its certificate, or about ours, is wrong: gRPC tells only
// that it failed. Empty when nothing is, or when nobody is there. Takes four seconds at most.
[[nodiscard]] std::string whyNotTrusted(const std::string& target, const TlsFiles& files);

}  // namespace stereo_convert
