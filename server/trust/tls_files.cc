#include "server/trust/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::server {
namespace {

// A bundle of all public CAs has a quarter of it.
constexpr size_t kMaxPemBytes = 1 << 20;

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;

Bio Open(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// OpenSSL's word for what went wrong last, and none for what comes next.
std::string Why() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "not taken by OpenSSL" : reason;
}

absl::Status Fault(const std::string& path, absl::string_view value, absl::string_view accepted) {
  return InFile(path, MakeFieldError("", value, accepted));
}

constexpr char kCertificates[] = "certificates in PEM, -----BEGIN CERTIFICATE-----";
constexpr char kKey[] = "a private key in PEM, without a password";

absl::StatusOr<std::vector<Certificate>> ParseCertificates(const std::string& path,
                                                           const std::string& pem) {
  ERR_clear_error();
  std::vector<Certificate> certificates;
  const Bio bio = Open(pem);
  while (X509* read = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(read);
  }
  // At the end of the file it looks for one more.
  const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string why = Why();
  if (!is_end) return Fault(path, absl::StrCat("damaged (", why, ")"), kCertificates);
  if (certificates.empty()) return Fault(path, "without a certificate", kCertificates);
  return certificates;
}

// A key with a password is none: nobody is there to be asked for it.
int NoPassword(char*, int, int, void*) { return -1; }

absl::StatusOr<Key> ParseKey(const std::string& path, const std::string& pem) {
  ERR_clear_error();
  Key key(PEM_read_bio_PrivateKey(Open(pem).get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) return Fault(path, absl::StrCat("no key (", Why(), ")"), kKey);
  return key;
}

std::string Shown(const ASN1_TIME* time) {
  const Bio bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(bio.get(), time);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

absl::Status CheckDates(const std::string& path, const X509* certificate) {
  const ASN1_TIME* from = X509_get0_notBefore(certificate);
  const ASN1_TIME* until = X509_get0_notAfter(certificate);
  if (X509_cmp_current_time(until) < 0) {
    return Fault(path, absl::StrCat("expired since ", Shown(until)), "a certificate valid now");
  }
  if (X509_cmp_current_time(from) > 0) {
    return Fault(path, absl::StrCat("not valid before ", Shown(from)), "a certificate valid now");
  }
  return absl::OkStatus();
}

// As a handshake would take them.
absl::Status CheckPair(const TlsFiles& files, const TlsMaterial& material) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<Certificate> chain,
                         ParseCertificates(files.cert, material.cert_pem));
  X509* const own = chain.front().get();
  LIVND_ASSIGN_OR_RETURN(const Key key, ParseKey(files.key, material.key_pem));
  LIVND_RETURN_IF_ERROR(CheckDates(files.cert, own));
  if (X509_check_private_key(own, key.get()) != 1) {
    ERR_clear_error();
    return Fault(files.key, "not the key of the first certificate",
                 absl::StrCat("the key of ", files.cert));
  }
  // What is too weak for OpenSSL's level of security, say.
  ERR_clear_error();
  const Context context(SSL_CTX_new(TLS_method()));
  if (context == nullptr) return absl::InternalError(absl::StrCat("OpenSSL: ", Why()));
  bool taken = SSL_CTX_use_certificate(context.get(), own) == 1;
  for (size_t i = 1; i < chain.size() && taken; ++i) {
    taken = SSL_CTX_add1_chain_cert(context.get(), chain[i].get()) == 1;
  }
  if (!taken)
    return Fault(files.cert, absl::StrCat("refused (", Why(), ")"), "certificates for TLS");
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    return Fault(files.key, absl::StrCat("refused (", Why(), ")"), "a key for TLS");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TlsMaterial> ReadTls(const TlsFiles& files, Readers of_key) {
  constexpr char kOfCertificates[] = "a file of certificates";
  TlsMaterial material;
  if (!files.ca.empty()) {
    LIVND_ASSIGN_OR_RETURN(material.ca_pem, ReadFile(files.ca, kOfCertificates, kMaxPemBytes));
    LIVND_RETURN_IF_ERROR(ParseCertificates(files.ca, material.ca_pem).status());
  }
  if (!files.cert.empty()) {
    LIVND_ASSIGN_OR_RETURN(material.cert_pem, ReadFile(files.cert, kOfCertificates, kMaxPemBytes));
    LIVND_ASSIGN_OR_RETURN(material.key_pem,
                           ReadFile(files.key, "a file with a private key", kMaxPemBytes, of_key));
    LIVND_RETURN_IF_ERROR(CheckPair(files, material));
  }
  return material;
}

}  // namespace livnd::server
