// Who holds a full server's sessions.
#ifndef LIVND_SERVER_SESSION_HOLDINGS_H_
#define LIVND_SERVER_SESSION_HOLDINGS_H_

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace livnd::server {

// What is told of one session. A value.
struct Holding {
  std::string environment_id;
  int num_envs = 1;
  bool in_use = false;  // a call is running
  absl::Duration idle;  // since the last call; zero while one runs
};

// In a few hundred characters, however many there are: by environment, the most sessions first, how
// many sessions and copies, how long nobody has called them, and when the first of all is let go.
// "60 of TargetRate-EI-100-v0 (3840 copies, idle 2s to 29m20s), 4 of Culture-EI-mini-v0 (4 copies, in
// use); the first is let go in 40s if nobody calls it". Of others' sessions it tells the number alone.
std::string DescribeHoldings(const std::vector<Holding>& holdings, absl::Duration idle_timeout,
                             int num_of_others = 0);

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_HOLDINGS_H_
