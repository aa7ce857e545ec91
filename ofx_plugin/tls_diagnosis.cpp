#include "tls_diagnosis.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "openssl_owned.h"

namespace stereo_convert {
namespace {

constexpr int kLimit_s = 2;
constexpr int kNap_ms = 20;

// Of "HOST:PORT"; an IPv6 address stands in brackets there, which belong to neither it nor its certificate.
std::string hostOf(const std::string& target) {
  const std::string host = target.substr(0, target.find_last_of(':'));
  const bool isBracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return isBracketed ? host.substr(1, host.size() - 2) : host;
}

void believe(SSL_CTX& context, const TlsFile& authorities) {
  if (authorities.path.empty()) {
    SSL_CTX_set_default_verify_paths(&context);
    return;
  }
  const OpensslOwned<BIO> text(BIO_new_mem_buf(authorities.pem.data(), static_cast<int>(authorities.pem.size())));
  while (const OpensslOwned<X509> certificate{PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(&context), certificate.get());
  }
}

// tlsCredentials has checked that they belong together.
void show(SSL_CTX& context, const TlsFiles& files) {
  if (files.certificate.path.empty()) return;
  SSL_CTX_use_certificate_chain_file(&context, files.certificate.path.c_str());
  SSL_CTX_use_PrivateKey_file(&context, files.key.path.c_str(), SSL_FILETYPE_PEM);
}

std::string words(long problem, const std::string& host, const TlsFiles& files) {
  const std::string authorities =
      files.authorities.path.empty() ? "the authorities of this system" : files.authorities.path;
  switch (problem) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired; renew it on the service";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet; compare the clocks of both machines";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "its certificate is not for " + host + "; write the name that it is for into Address";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "its certificate was signed by nobody in " + authorities +
             "; put that of its authority into STEREO_CONVERT_TLS_CA";
    default:
      return std::string("its certificate was refused: ") + X509_verify_cert_error_string(problem);
  }
}

// Whether the other end closes with a complaint of TLS instead of saying something: since TLS 1.3 a client learns only
// so that its certificate, or the lack of it, was not accepted.
bool isTurnedAway(BIO* connection) {
  const std::time_t until = std::time(nullptr) + kLimit_s;
  char byte = 0;
  while (BIO_read(connection, &byte, 1) <= 0) {
    if (!BIO_should_retry(connection)) return ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_SSL;
    if (BIO_wait(connection, until, kNap_ms) <= 0) return false;
  }
  return false;
}

std::string turnedAway(const TlsFiles& files) {
  if (files.certificate.path.empty()) {
    return "it asks for a certificate that we do not have; put ours into STEREO_CONVERT_TLS_CERT and its key into "
           "STEREO_CONVERT_TLS_KEY";
  }
  return "it refused our certificate " + files.certificate.path + "; one that its authority has signed is needed";
}

}  // namespace

std::string whyNotTrusted(const std::string& target, const TlsFiles& files) {
  const OpensslOwned<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return {};
  believe(*context, files.authorities);
  show(*context, files);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);

  const OpensslOwned<BIO> connection(BIO_new_ssl_connect(context.get()));
  SSL* handshake = nullptr;
  if (connection == nullptr || BIO_get_ssl(connection.get(), &handshake) <= 0) return {};
  const std::string host = hostOf(target);
  X509_VERIFY_PARAM* const expected = SSL_get0_param(handshake);
  const bool isNumeric = X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
  if (!isNumeric) {
    X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size());
    SSL_set_tlsext_host_name(handshake, host.c_str());
  }
  SSL_set_alpn_protos(handshake, reinterpret_cast<const unsigned char*>("\x02h2"), 3);
  BIO_set_conn_hostname(connection.get(), target.c_str());
  BIO_set_nbio(connection.get(), 1);

  ERR_clear_error();
  const bool hasShaken = BIO_do_connect_retry(connection.get(), kLimit_s, kNap_ms) == 1;
  const long problem = SSL_get_verify_result(handshake);
  if (problem != X509_V_OK) return words(problem, host, files);
  if (hasShaken) return isTurnedAway(connection.get()) ? turnedAway(files) : std::string();
  const bool hasAnswered = ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_SSL;
  return hasAnswered
             ? "what answers there speaks no TLS; leave tls:// out of Address, or give the service a certificate"
             : std::string();
}

}  // namespace stereo_convert
