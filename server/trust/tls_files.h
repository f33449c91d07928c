// What TLS takes: one's own certificate and key, and whose certificates the other side may show.
#ifndef LIVND_SERVER_TRUST_TLS_FILES_H_
#define LIVND_SERVER_TRUST_TLS_FILES_H_

#include <string>

#include "absl/status/statusor.h"
#include "server/machine/read_file.h"

namespace livnd::server {

// Paths of files in PEM; empty ones are not given.
struct TlsFiles {
  std::string cert;  // one's own certificate, and those that lead from it to its CA
  std::string key;   // its private key, without a password
  std::string ca;    // the other side must show a certificate that leads to one of these
};

// What they hold. A value; the key is in it.
struct TlsMaterial {
  std::string cert_pem;
  std::string key_pem;
  std::string ca_pem;

  friend bool operator==(const TlsMaterial& a, const TlsMaterial& b) {
    return a.cert_pem == b.cert_pem && a.key_pem == b.key_pem && a.ca_pem == b.ca_pem;
  }
};

// Reads what is given, cert and key both or neither, and checks it as a handshake would: it is PEM, cert
// and key belong together, OpenSSL takes them, and the certificate is valid at the moment. A field
// error with the file says what is wrong; more people than `of_key` can read the key, for one.
absl::StatusOr<TlsMaterial> ReadTls(const TlsFiles& files, Readers of_key = Readers::kFew);

}  // namespace livnd::server

#endif  // LIVND_SERVER_TRUST_TLS_FILES_H_
