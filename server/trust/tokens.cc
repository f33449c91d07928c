#include "server/trust/tokens.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "server/machine/log.h"
#include "server/machine/read_file.h"

namespace livnd::server {
namespace {

constexpr size_t kMinTokenBytes = 32;
constexpr size_t kMaxTokenBytes = 512;
constexpr size_t kMaxTenantBytes = kMinTokenBytes - 1;

bool HasOnly(absl::string_view text, absl::string_view others) {
  for (const char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) &&
        others.find(c) == absl::string_view::npos) {
      return false;
    }
  }
  return true;
}

// What may be shown of text that may be a token.
std::string Measured(absl::string_view text, bool has_only_allowed) {
  return absl::StrCat(text.size(), " characters",
                      has_only_allowed ? "" : ", among them some that are not allowed");
}

absl::Status CheckToken(absl::string_view token) {
  const bool allowed = HasOnly(token, "-._~+/=");
  if (allowed && token.size() >= kMinTokenBytes && token.size() <= kMaxTokenBytes) {
    return absl::OkStatus();
  }
  return MakeFieldError(
      "the token", Measured(token, allowed),
      absl::StrCat(kMinTokenBytes, " .. ", kMaxTokenBytes, " letters, digits and any of -._~+/="));
}

absl::Status CheckTenant(absl::string_view tenant) {
  const bool allowed = HasOnly(tenant, "-_.");
  if (allowed && tenant.size() <= kMaxTenantBytes) return absl::OkStatus();
  return MakeFieldError("the tenant's name", Measured(tenant, allowed),
                        absl::StrCat("1 .. ", kMaxTenantBytes, " letters, digits and any of -_."));
}

}  // namespace

Tokens::Digest Tokens::DigestOf(absl::string_view token) {
  Digest digest;
  if (EVP_Digest(token.data(), token.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    LogError("SHA-256 failed; no token can be told from another");
    std::abort();
  }
  return digest;
}

absl::StatusOr<Tokens> Tokens::Parse(absl::string_view path, absl::string_view text) {
  Tokens tokens;
  std::map<Digest, int> lines;  // of the tokens
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    const std::string place = absl::StrCat(path, ":", number);
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (words.size() != 2) {
      return InFile(place, MakeFieldError("the line", absl::StrCat(words.size(), " word(s)"),
                                          "two: TOKEN TENANT"));
    }
    LIVND_RETURN_IF_ERROR(InFile(place, CheckToken(words[0])));
    LIVND_RETURN_IF_ERROR(InFile(place, CheckTenant(words[1])));
    const Digest digest = DigestOf(words[0]);
    const auto [before, is_new] = lines.emplace(digest, number);
    if (!is_new) {
      return InFile(place, MakeFieldError("the token", "there already",
                                          absl::StrCat("once (line ", before->second, ")")));
    }
    tokens.entries_.push_back({digest, std::string(words[1])});
  }
  if (tokens.entries_.empty()) {
    return InFile(path, MakeFieldError("", "without a token", "a line TOKEN TENANT at least"));
  }
  return tokens;
}

absl::StatusOr<Tokens> Tokens::Read(const std::string& path) {
  LIVND_ASSIGN_OR_RETURN(const std::string text,
                         ReadFile(path, "a file of tokens", kMaxTokensBytes, Readers::kFew));
  return Parse(path, text);
}

const std::string* Tokens::TenantOf(absl::string_view token) const {
  const Digest digest = DigestOf(token);
  const std::string* found = nullptr;
  for (const Entry& entry : entries_) {
    const bool same = CRYPTO_memcmp(entry.sha256.data(), digest.data(), digest.size()) == 0;
    found = same ? &entry.tenant : found;
  }
  return found;
}

size_t Tokens::num_tenants() const {
  std::set<absl::string_view> tenants;
  for (const Entry& entry : entries_) tenants.insert(entry.tenant);
  return tenants.size();
}

}  // namespace livnd::server
