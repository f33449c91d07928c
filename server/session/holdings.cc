#include "server/session/holdings.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include "absl/strings/str_cat.h"

namespace livnd::server {
namespace {

constexpr size_t kMaxEnvironments = 4;

// The sessions of one environment.
struct Group {
  std::string environment_id;
  int num_sessions = 0;
  int64_t num_copies = 0;
  int num_in_use = 0;
  absl::Duration shortest_idle = absl::InfiniteDuration();  // of those that are not in use
  absl::Duration longest_idle = -absl::InfiniteDuration();
};

std::string Seconds(absl::Duration duration) {
  return absl::FormatDuration(absl::Trunc(duration, absl::Seconds(1)));
}

std::string Describe(const Group& group) {
  std::string text = absl::StrCat(group.num_sessions, " of ", group.environment_id, " (",
                                  group.num_copies, group.num_copies == 1 ? " copy" : " copies");
  if (group.num_in_use == group.num_sessions) return absl::StrCat(text, ", in use)");
  if (group.num_in_use > 0) absl::StrAppend(&text, ", ", group.num_in_use, " in use");
  absl::StrAppend(&text, ", idle ", Seconds(group.shortest_idle));
  const std::string longest = Seconds(group.longest_idle);
  if (longest != Seconds(group.shortest_idle)) absl::StrAppend(&text, " to ", longest);
  return text + ")";
}

}  // namespace

std::string DescribeHoldings(const std::vector<Holding>& holdings, absl::Duration idle_timeout,
                             int num_of_others) {
  std::map<std::string, Group> by_environment;
  absl::Duration longest_idle = -absl::InfiniteDuration();
  for (const Holding& holding : holdings) {
    Group& group = by_environment[holding.environment_id];
    group.environment_id = holding.environment_id;
    ++group.num_sessions;
    group.num_copies += holding.num_envs;
    if (holding.in_use) {
      ++group.num_in_use;
      continue;
    }
    group.shortest_idle = std::min(group.shortest_idle, holding.idle);
    group.longest_idle = std::max(group.longest_idle, holding.idle);
    longest_idle = std::max(longest_idle, holding.idle);
  }
  std::vector<Group> groups;
  for (auto& [id, group] : by_environment) groups.push_back(group);
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.num_sessions > b.num_sessions; });

  std::string text;
  int num_untold = 0;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i < kMaxEnvironments) {
      absl::StrAppend(&text, i == 0 ? "" : ", ", Describe(groups[i]));
    } else {
      num_untold += groups[i].num_sessions;
    }
  }
  if (num_untold > 0) {
    absl::StrAppend(&text, ", ", num_untold, " of ", groups.size() - kMaxEnvironments,
                    " other environments");
  }
  if (num_of_others > 0) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", num_of_others, " of other tenants");
  }
  if (text.empty()) text = "all are being made";
  if (idle_timeout == absl::InfiniteDuration()) {
    return absl::StrCat(text, "; none is let go for being idle");
  }
  if (longest_idle < absl::ZeroDuration()) return text;
  return absl::StrCat(text, "; the first is let go in ",
                      Seconds(std::max(absl::ZeroDuration(), idle_timeout - longest_idle)),
                      " if nobody calls it");
}

}  // namespace livnd::server
