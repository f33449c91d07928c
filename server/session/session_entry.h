// What the registry knows of a session.
#ifndef LIVND_SERVER_SESSION_SESSION_ENTRY_H_
#define LIVND_SERVER_SESSION_SESSION_ENTRY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/session/session_registry.h"

namespace livnd::server {

// By what a request is known, and back. No tenant's name has a line break.
inline std::string RequestKey(absl::string_view tenant, absl::string_view request_id) {
  return absl::StrCat(tenant, "\n", request_id);
}
inline std::string RequestIdOf(absl::string_view tenant, absl::string_view request_key) {
  return std::string(request_key.substr(tenant.size() + 1));
}

// Guarded by the registry's mutex; `session` changes only while no call uses it.
struct SessionUse::Entry {
  std::string name;
  std::string tenant;
  std::string request_key;
  std::string environment_id;
  int num_envs = 0;
  int64_t generation = 1;            // of one on the disk
  std::shared_ptr<Session> session;  // null: on the disk
  bool moving = false;               // from there, or to there
  bool removed = false;              // nobody finds it any more
  std::string recording;             // of one on the disk, that goes on when it is back
  bool cut_short = false;            // that one, which does not go on after all
  std::string lost;                  // why it cannot be brought back
  int num_calls = 0;
  absl::Time last_used;
  std::vector<SessionRegistry::Acquired> waiters;  // for it to be in memory
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_SESSION_ENTRY_H_
