#include "server/commands/remote/server_list.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/field_error.h"
#include "server/machine/read_file.h"
#include "server/machine/steady_time.h"

namespace livnd::server {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;
// Before a lost server is asked again.
constexpr absl::Duration kPause = absl::Seconds(2);
// Between two looks into the file, however many ask.
constexpr absl::Duration kReadPause = absl::Milliseconds(200);

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseAddresses(const std::string& field,
                                                        const std::string& text) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StartsWith(absl::StripAsciiWhitespace(line), "#")) continue;
    for (const absl::string_view part : absl::StrSplit(line, ',')) {
      const std::string address(absl::StripAsciiWhitespace(part));
      if (address.empty()) continue;
      if (!seen.insert(address).second) {
        return MakeFieldError(field, absl::StrCat(address, " twice"), "each server once");
      }
      out.push_back(address);
    }
  }
  if (out.empty()) {
    return MakeFieldError(field, "without an address",
                          "HOST:PORT or unix:PATH, with commas between");
  }
  return out;
}

ServerList::ServerList(std::vector<std::string> addresses, std::string file)
    : file_(std::move(file)) {
  for (std::string& address : addresses) servers_.push_back({std::move(address)});
}

size_t ServerList::size() const {
  MutexLock lock(mu_);
  return servers_.size();
}

void ServerList::ReadAgain() {
  if (file_.empty() || SteadyNow() - read_ < kReadPause) return;
  read_ = SteadyNow();
  const auto text = ReadFile(file_, "a file of addresses", kMaxBytes);
  if (!text.ok()) return;  // while it is being written, say
  const auto addresses = ParseAddresses(file_, *text);
  if (!addresses.ok()) return;
  std::vector<Server> now;
  for (const std::string& address : *addresses) {
    const auto known = std::find_if(servers_.begin(), servers_.end(),
                                    [&](const Server& s) { return s.address == address; });
    now.push_back(known != servers_.end() ? *known : Server{address});
  }
  servers_ = std::move(now);
}

std::optional<ServerList::Taken> ServerList::Take() {
  MutexLock lock(mu_);
  ReadAgain();
  const absl::Time now = SteadyNow();
  if (worked_ == absl::InfinitePast()) worked_ = now;
  const auto before = [](const Server& a, const Server& b) {
    if (a.lost != b.lost) return a.lost < b.lost;
    return int64_t{a.num_callers} * b.num_at_once < int64_t{b.num_callers} * a.num_at_once;
  };
  Server* best = nullptr;
  for (Server& server : servers_) {
    if (server.num_callers >= server.num_at_once || now - server.lost < kPause) continue;
    if (best == nullptr || before(server, *best)) best = &server;
  }
  if (best == nullptr) return std::nullopt;
  ++best->num_callers;
  return Taken{best->address, best->works};
}

void ServerList::Works(const std::string& address, int num_at_once) {
  MutexLock lock(mu_);
  for (Server& server : servers_) {
    if (server.address != address) continue;
    server.works = true;
    server.num_at_once = std::max(1, num_at_once);
    server.lost = absl::InfinitePast();
  }
}

bool ServerList::AnyWorks() const {
  return std::any_of(servers_.begin(), servers_.end(),
                     [](const Server& s) { return s.works && s.num_callers > 0; });
}

void ServerList::Return(const std::string& address) {
  MutexLock lock(mu_);
  for (Server& server : servers_) {
    if (server.address == address) server.num_callers = std::max(0, server.num_callers - 1);
  }
}

void ServerList::Lost(const std::string& address, const absl::Status& why) {
  MutexLock lock(mu_);
  if (AnyWorks()) worked_ = SteadyNow();
  why_ = why;
  for (Server& server : servers_) {
    if (server.address != address) continue;
    server.num_callers = std::max(0, server.num_callers - 1);
    // Whoever comes next is alone with it, and sees what it is now.
    server.works = false;
    server.num_at_once = 1;
    server.lost = SteadyNow();
  }
}

absl::Status ServerList::StatusAfter(absl::Duration patience) {
  MutexLock lock(mu_);
  if (AnyWorks()) worked_ = SteadyNow();
  return SteadyNow() - worked_ > patience ? why_ : absl::OkStatus();
}

}  // namespace livnd::server
