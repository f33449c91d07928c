// Addresses of servers that several threads share out between them.
#ifndef LIVND_SERVER_COMMANDS_SERVER_LIST_H_
#define LIVND_SERVER_COMMANDS_SERVER_LIST_H_

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

// Each server is one caller's at a time. Of a file the addresses are read again when one is asked for: those of
// servers that came later are taken, and those that are no more in it are not. A server that was lost is offered
// again after the others, and after a pause. Thread-safe.
class ServerList {
 public:
  // `file` is empty where the addresses are fixed.
  ServerList(std::vector<std::string> addresses, std::string file);

  size_t size() const;

  // One that nobody has; nullopt if there is none at the moment.
  std::optional<std::string> Take() ABSL_LOCKS_EXCLUDED(mu_);
  // Gives it back: lost, or no more needed.
  void Return(const std::string& address, bool lost) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Server {
    std::string address;
    bool taken = false;
    absl::Time lost = absl::InfinitePast();  // when it was last
  };

  void ReadAgain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string file_;
  mutable Mutex mu_;
  std::vector<Server> servers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_SERVER_LIST_H_
