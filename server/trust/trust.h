// Whom the server trusts: TLS, client certificates, tokens.
#ifndef LIVND_SERVER_TRUST_TRUST_H_
#define LIVND_SERVER_TRUST_TRUST_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_context.h"
#include "server/machine/mutex.h"
#include "server/trust/reread.h"
#include "server/trust/tls_files.h"
#include "server/trust/tokens.h"

namespace livnd::server {

// Paths of files; empty ones are not given.
struct TrustOptions {
  TlsFiles tls;
  std::string tokens;
  std::string admin_tokens;

  bool encrypts() const { return !tls.cert.empty(); }
  // Whether a caller has to show something, a certificate or a token.
  bool asks_who_calls() const { return !tls.ca.empty() || !tokens.empty(); }
};

// Owns what the files hold, and a thread that reads them again once a second. What a file is changed to
// holds within two; one that is changed to something unusable changes nothing, and the log says so.
// Thread-safe.
class Trust {
 public:
  // `sockets_alone`: the server listens on nothing but Unix sockets, which are its owner's to hand out.
  // InvalidArgument: files that do not go together; a field error of a file that is unusable.
  static absl::StatusOr<std::unique_ptr<Trust>> Open(const TrustOptions& options,
                                                     bool sockets_alone = false);
  ~Trust();
  Trust(const Trust&) = delete;
  Trust& operator=(const Trust&) = delete;

  // Of the port: TLS or nothing. They may live longer than this object.
  std::shared_ptr<grpc::ServerCredentials> Credentials() const;

  // The tenant whose token a call shows in its metadata, "authorization: Bearer TOKEN"; "" where the
  // server has no tokens, and all callers are one. UNAUTHENTICATED.
  absl::StatusOr<std::string> TenantOf(const grpc::ServerContextBase& call) const;

  // Whether a call may look after the server: it shows an admin token; or there are no tokens of any
  // kind, and it can only come over a Unix socket. "" then. UNAUTHENTICATED, NOT_ADMIN.
  absl::StatusOr<std::string> AdminOf(const grpc::ServerContextBase& call) const;

  // For the log: "TLS with client certificates, 3 token(s) of 2 tenant(s)"; "nothing".
  std::string Describe() const;

 private:
  Trust() = default;
  void Run();

  std::shared_ptr<Reread<TlsMaterial>> tls_;  // null without TLS
  std::shared_ptr<Reread<Tokens>> tokens_;    // null without tokens
  std::shared_ptr<Reread<Tokens>> admin_tokens_;
  bool sockets_alone_ = false;
  Mutex mu_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_TRUST_TRUST_H_
