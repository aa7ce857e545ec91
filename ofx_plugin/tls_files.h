// Over TLS: whom the plugin believes, and what it shows. PEM files that environment variables name, else those of fixed
// names in the folder "tls" of this user's configuration, so that an artist types no paths.
#pragma once

#include <string>

namespace stereo_convert {

struct TlsFile {
  std::string path;  // empty: there is none
  std::string pem;
};

struct TlsFiles {
  TlsFile authorities;  // STEREO_CONVERT_TLS_CA, else ca.pem; none: those of the system
  TlsFile certificate;  // STEREO_CONVERT_TLS_CERT, else client.pem; for services that ask for it
  TlsFile key;          // STEREO_CONVERT_TLS_KEY, else client.key

  // Throws Failure NotReady for a file that cannot be read, a certificate without its key, a key that others may read.
  [[nodiscard]] static TlsFiles read();
};

}  // namespace stereo_convert
