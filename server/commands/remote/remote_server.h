// One server at a time out of a list, for work that any of them may do.
#ifndef LIVND_SERVER_COMMANDS_REMOTE_REMOTE_SERVER_H_
#define LIVND_SERVER_COMMANDS_REMOTE_REMOTE_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clients/cpp/client.h"
#include "clients/cpp/culture_session.h"
#include "io/culture/culture_setup.h"
#include "server/commands/remote/server_list.h"

namespace livnd::server {

// What all that share a list have in common. Constant while they work.
struct RemoteTerms {
  std::string system;                           // its name, here and there
  absl::Duration patience = absl::Seconds(60);  // without a server that works, before all give up
  std::function<bool()> stop;                   // true: give up
};

// Holds a server of the list with a session on it, and takes another, or the same one again, when that one is lost.
// Thread-compatible; the list and the terms must outlive it.
class RemoteServer {
 public:
  RemoteServer(const RemoteTerms& terms, ServerList& servers) : terms_(terms), servers_(servers) {}
  ~RemoteServer();
  RemoteServer(const RemoteServer&) = delete;
  RemoteServer& operator=(const RemoteServer&) = delete;

  // What is asked of a server that was just taken: whether it is of use, and how many may work on it at once.
  // `is_known`: somebody has asked it before. Errors as those of a call; Unavailable goes on to another server.
  using Begin =
      absl::FunctionRef<absl::StatusOr<int>(const v1::GetServerInfoResponse&, bool is_known)>;

  // Takes a server where it has none. False: there is none at the moment. Unavailable: none could be reached for as long
  // as the patience. FailedPrecondition names one that is of no use. Cancelled: asked to stop.
  absl::StatusOr<bool> Ready(Begin begin);

  // Cultures on the server, so many copies: those of the last call where it had as many; otherwise new ones, which are
  // told `first`. Statuses as StatusOf.
  absl::StatusOr<client::CultureSession*> Session(int64_t num_copies,
                                                  absl::FunctionRef<v1::ConfigureRequest()> first);
  void EndSession() { session_.reset(); }

  // How the work with it has ended; after Unavailable there is no server any more.
  void Note(const absl::Status& status);

  // What to do about a failed call: Unavailable, to go to another server; ResourceExhausted, to ask for less; else it is
  // the work that is wrong (FailedPrecondition). Names the server.
  absl::Status StatusOf(const client::Error& error) const;

  const std::string& address() const { return address_; }
  const RemoteTerms& terms() const { return terms_; }

 private:
  absl::Status Try(const std::string& address, bool is_known, Begin begin);
  void Leave();
  void Lose(const absl::Status& why);

  const RemoteTerms& terms_;
  ServerList& servers_;
  std::string address_;  // empty: none
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::CultureSession> session_;
};

// Asks for the cells that are built, each by its gid: the same whatever the selection was called.
void EncodeCells(const io::CultureSetup& setup, v1::ConfigureRequest* request);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_REMOTE_REMOTE_SERVER_H_
