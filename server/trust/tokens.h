// The tokens that callers show, and whose they are.
#ifndef LIVND_SERVER_TRUST_TOKENS_H_
#define LIVND_SERVER_TRUST_TOKENS_H_

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace livnd::server {

inline constexpr size_t kMaxTokensBytes = 256 << 10;

// Bearer tokens, each of a tenant. A tenant may have several, so that a new one can be handed out
// before the old one goes. A value; it holds digests, not the tokens.
class Tokens {
 public:
  // A file's text: a line for each token, "TOKEN TENANT"; empty lines, and those that begin with '#',
  // say nothing. A token has 32 .. 512 characters, of those that RFC 6750 allows; a tenant's name has
  // 1 .. 31 letters, digits and any of "-_.", so that the two cannot be exchanged by mistake. A field
  // error with "PATH:LINE" as its file says what is wrong, and shows nothing that could be a token.
  static absl::StatusOr<Tokens> Parse(absl::string_view path, absl::string_view text);
  // As Parse, of the file at `path`, which only the server's user and root may write and few may read.
  static absl::StatusOr<Tokens> Read(const std::string& path);

  // Null if nobody has the token. Takes as long whichever token it is, and whether it is one.
  const std::string* TenantOf(absl::string_view token) const;

  size_t num_tokens() const { return entries_.size(); }
  size_t num_tenants() const;

  friend bool operator==(const Tokens& a, const Tokens& b) { return a.entries_ == b.entries_; }

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Entry {
    Digest sha256;
    std::string tenant;
    friend bool operator==(const Entry& a, const Entry& b) {
      return a.sha256 == b.sha256 && a.tenant == b.tenant;
    }
  };
  static Digest DigestOf(absl::string_view token);

  std::vector<Entry> entries_;  // in the file's order
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_TRUST_TOKENS_H_
