// Addresses of servers that several threads share out between them.
#ifndef LIVND_SERVER_COMMANDS_REMOTE_SERVER_LIST_H_
#define LIVND_SERVER_COMMANDS_REMOTE_SERVER_LIST_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/machine/mutex.h"

namespace livnd::server {

// The addresses in a text, between commas or lines; a line that begins with "#" is a comment. A field error about
// `field`: none, or one twice.
absl::StatusOr<std::vector<std::string>> ParseAddresses(const std::string& field,
                                                        const std::string& text);

// Each server is one caller's at a time, until that one knows how many it may have at once. Of a file the addresses are
// read again when one is asked for: those of servers that came later are taken, and those that are no more in it
// are not. A server that was lost is offered again after the others, and after a pause. Thread-safe.
class ServerList {
 public:
  // `file` is empty where the addresses are fixed.
  ServerList(std::vector<std::string> addresses, std::string file);

  size_t size() const;

  struct Taken {
    std::string address;
    bool is_known = false;  // somebody has found it to work
  };
  // One that has room for another caller, and of several the one with the least callers for its size; nullopt if there
  // is none at the moment.
  std::optional<Taken> Take() ABSL_LOCKS_EXCLUDED(mu_);
  // A server that was taken works, and may have so many callers at once.
  void Works(const std::string& address, int num_at_once) ABSL_LOCKS_EXCLUDED(mu_);
  // Gives it back: no more needed, or lost and why.
  void Return(const std::string& address) ABSL_LOCKS_EXCLUDED(mu_);
  void Lost(const std::string& address, const absl::Status& why) ABSL_LOCKS_EXCLUDED(mu_);

  // OK while somebody has a server that works, and for so long after that, or after the first Take; then why one was lost.
  absl::Status StatusAfter(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Server {
    std::string address;
    int num_callers = 0;
    int num_at_once = 1;
    bool works = false;
    absl::Time lost = absl::InfinitePast();  // when it was last
  };

  void ReadAgain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool AnyWorks() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string file_;
  mutable Mutex mu_;
  absl::Time read_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();    // the file, when it was last
  absl::Time worked_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();  // when a server did last
  absl::Status why_ ABSL_GUARDED_BY(mu_);                          // the last one was lost
  std::vector<Server> servers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_REMOTE_SERVER_LIST_H_
