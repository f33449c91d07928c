// How much each tenant may have.
#ifndef LIVND_SERVER_TRUST_QUOTAS_H_
#define LIVND_SERVER_TRUST_QUOTAS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace livnd::server {

inline constexpr size_t kMaxQuotasBytes = 256 << 10;

// 0: as much as there is.
struct Quota {
  int max_sessions = 0;  // in memory and on the disk
  int max_envs = 0;      // copies, in all of them
  int64_t max_bytes = 0;
  double max_simulated_s = 0.0;  // of all copies, since the server started

  friend bool operator==(const Quota& a, const Quota& b) {
    return a.max_sessions == b.max_sessions && a.max_envs == b.max_envs &&
           a.max_bytes == b.max_bytes && a.max_simulated_s == b.max_simulated_s;
  }
};

// A value.
class Quotas {
 public:
  // A file's text, YAML: tenants, each with a map of Quota's names; bytes as 4G, 512M or a number. What a
  // tenant's leaves open is that of `default`, as are those of tenants that are not there. A field error
  // with "PATH:LINE" as its file says what is wrong.
  static absl::StatusOr<Quotas> Parse(const std::string& path, const std::string& text);
  // As Parse, of the file at `path`.
  static absl::StatusOr<Quotas> Read(const std::string& path);

  Quota Of(absl::string_view tenant) const;

  friend bool operator==(const Quotas& a, const Quotas& b) {
    return a.default_ == b.default_ && a.by_tenant_ == b.by_tenant_;
  }

 private:
  Quota default_;
  std::map<std::string, Quota, std::less<>> by_tenant_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_TRUST_QUOTAS_H_
