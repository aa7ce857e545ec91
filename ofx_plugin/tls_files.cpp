#include "tls_files.h"

#include <fstream>
#include <iterator>

#include "environment.h"
#include "failure.h"
#include "platform/platform.h"

namespace stereo_convert {
namespace {

TlsFile fileOf(const char* variable, const char* usualName) {
  const std::string named = environmentText(variable);
  TlsFile file{named.empty() ? configFolder() + "/tls/" + usualName : named, {}};
  std::ifstream stream(file.path, std::ios::binary);
  file.pem.assign(std::istreambuf_iterator<char>(stream), {});
  if (!file.pem.empty()) return file;
  if (named.empty() && !platform::exists(file.path)) return {};
  throw Failure(FailureKind::NotReady, "cannot read " + file.path + "; correct " + variable + " or the file");
}

}  // namespace

TlsFiles TlsFiles::read() {
  TlsFiles files{fileOf("STEREO_CONVERT_TLS_CA", "ca.pem"), fileOf("STEREO_CONVERT_TLS_CERT", "client.pem"),
                 fileOf("STEREO_CONVERT_TLS_KEY", "client.key")};
  if (files.certificate.path.empty() != files.key.path.empty()) {
    const bool hasKey = files.certificate.path.empty();
    throw Failure(FailureKind::NotReady, "a certificate and its key go together; there is only " +
                                             (hasKey ? files.key.path : files.certificate.path));
  }
  if (!files.key.path.empty() && platform::othersMayRead(files.key.path)) {
    throw Failure(FailureKind::NotReady,
                  "others may read the key " + files.key.path + "; run: chmod 600 " + files.key.path);
  }
  return files;
}

}  // namespace stereo_convert
