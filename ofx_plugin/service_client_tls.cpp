#include "service_client_tls.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "failure.h"
#include "openssl_owned.h"

namespace stereo_convert {
namespace {

OpensslOwned<BIO> textOf(const TlsFile& file) {
  return OpensslOwned<BIO>(BIO_new_mem_buf(file.pem.data(), static_cast<int>(file.pem.size())));
}

// The first of the file; nobody is asked for a passphrase.
OpensslOwned<X509> certificateOf(const TlsFile& file) {
  OpensslOwned<X509> certificate(PEM_read_bio_X509(textOf(file).get(), nullptr, nullptr, nullptr));
  if (certificate != nullptr) return certificate;
  throw Failure(FailureKind::NotReady, file.path + " holds no certificate in PEM");
}

void checkPair(const TlsFiles& files) {
  const OpensslOwned<X509> certificate = certificateOf(files.certificate);
  char noPassphrase[] = "";
  const OpensslOwned<EVP_PKEY> key(PEM_read_bio_PrivateKey(textOf(files.key).get(), nullptr, nullptr, noPassphrase));
  if (key != nullptr && X509_check_private_key(certificate.get(), key.get()) == 1) return;
  throw Failure(FailureKind::NotReady,
                files.key.path + " is not the key of " + files.certificate.path + ", in PEM without a passphrase");
}

}  // namespace

std::shared_ptr<grpc::ChannelCredentials> tlsCredentials(const TlsFiles& files) {
  // No settings of the system, which may load modules that bring another OpenSSL along; and nothing torn down while the
  // process ends and our threads still run.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  if (!files.authorities.path.empty()) (void)certificateOf(files.authorities);
  if (!files.certificate.path.empty()) checkPair(files);
  return grpc::SslCredentials({files.authorities.pem, files.key.pem, files.certificate.pem});
}

}  // namespace stereo_convert
