// How a client behaves towards its server.
#ifndef LIVND_CLIENTS_CPP_CLIENT_OPTIONS_H_
#define LIVND_CLIENTS_CPP_CLIENT_OPTIONS_H_

#include <chrono>
#include <optional>
#include <string>

namespace livnd::client {

struct ClientOptions {
  // Deadline of one attempt of a call. The server finishes what it has begun in any case; calling
  // again with the same arguments gives the answer.
  std::chrono::milliseconds call_timeout{60'000};
  // The same for the run of a culture, which may simulate for long.
  std::chrono::milliseconds run_timeout{600'000};
  // The same for making a session, which may have to settle a large culture.
  std::chrono::milliseconds create_timeout{600'000};
  // How long the first call waits for the server to appear.
  std::chrono::milliseconds connect_timeout{10'000};
  // How long after its first failure a call is repeated, with growing pauses, while the server is
  // away or ending (UNAVAILABLE), has asked for it because it has no room at the moment (retry_after of
  // the error says after how long), or has broken off a call for want of memory (RESOURCE_EXHAUSTED
  // without a reason). Nothing else is repeated.
  std::chrono::milliseconds retry_time{15'000};

  // What is not set the environment says: LIVND_TOKEN or LIVND_TOKEN_FILE, LIVND_TLS_CA,
  // LIVND_TLS_CERT, LIVND_TLS_KEY. "" is none, whatever it says. Files that cannot be used, and what
  // does not go together, are an INVALID_FIELD of every call.
  //
  // Names the caller to a server that asks for a token; or a file that holds it alone, read again
  // when the server refuses it. Without TLS it crosses the network in clear.
  std::optional<std::string> token;
  std::optional<std::string> token_file;
  // Calls with TLS: a file of the CAs, in PEM, to one of which the server's certificate has to lead.
  // It names the host as the address does; "localhost" for a Unix socket.
  std::optional<std::string> tls_ca;
  // A certificate to show, and its private key, in PEM. All three are read again when they change.
  std::optional<std::string> tls_cert;
  std::optional<std::string> tls_key;
};

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_CLIENT_OPTIONS_H_
