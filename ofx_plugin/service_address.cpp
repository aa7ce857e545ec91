#include "service_address.h"

#include <string_view>

#include "failure.h"
#include "local_service.h"

namespace stereo_convert {
namespace {

constexpr std::string_view kTls = "tls://";

bool hasPort(const std::string& target) {
  const std::size_t colon = target.find_last_of(':');
  return colon != std::string::npos && colon > 0 && colon + 1 < target.size() &&
         target.find_first_not_of("0123456789", colon + 1) == std::string::npos;
}

}  // namespace

ServiceAddress ServiceAddress::of(const std::string& written) {
  if (written.empty()) return {localServiceTarget(), "the local service", true, false};
  const std::string name = "the service at " + written;
  const bool usesTls = written.compare(0, kTls.size(), kTls) == 0;
  const bool hasOtherScheme = !usesTls && written.find("://") != std::string::npos;
  std::string target = usesTls ? written.substr(kTls.size()) : written;
  if (hasOtherScheme || (usesTls && !hasPort(target))) {
    throw Failure(FailureKind::InvalidInput,
                  "Address must be blank, unix:PATH, HOST:PORT or tls://HOST:PORT; it is " + written);
  }
  return {std::move(target), name, false, usesTls};
}

}  // namespace stereo_convert
