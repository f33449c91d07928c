#include "server/commands/server_list.h"

#include <algorithm>
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
  if (file_.empty()) return;
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

std::optional<std::string> ServerList::Take() {
  MutexLock lock(mu_);
  ReadAgain();
  const absl::Time now = SteadyNow();
  Server* best = nullptr;
  for (Server& server : servers_) {
    if (server.taken || now - server.lost < kPause) continue;
    if (best == nullptr || server.lost < best->lost) best = &server;
  }
  if (best == nullptr) return std::nullopt;
  best->taken = true;
  return best->address;
}

void ServerList::Return(const std::string& address, bool lost) {
  MutexLock lock(mu_);
  for (Server& server : servers_) {
    if (server.address != address) continue;
    server.taken = false;
    if (lost) server.lost = SteadyNow();
  }
}

}  // namespace livnd::server
