#include "server/trust/quotas.h"

#include <functional>
#include <limits>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/nearest_name.h"
#include "base/status_macros.h"
#include "server/machine/bytes.h"
#include "server/machine/read_file.h"
#include "server/machine/yaml.h"

namespace livnd::server {
namespace {

constexpr char kDefault[] = "default";

// A number of a quota: how it is read, false where it is not accepted.
struct Field {
  std::string name;
  std::string accepted;
  std::function<bool(const std::string& text, Quota& quota)> set;
};

bool SetCount(const std::string& text, int& count) {
  int number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < 0) return false;
  count = number;
  return true;
}

const std::vector<Field>& Fields() {
  static const auto* fields = new std::vector<Field>{
      {"max_sessions", "0 .. 2147483647",
       [](const std::string& text, Quota& quota) { return SetCount(text, quota.max_sessions); }},
      {"max_envs", "0 .. 2147483647",
       [](const std::string& text, Quota& quota) { return SetCount(text, quota.max_envs); }},
      {"max_bytes", "bytes, as 4G, 512M or a number",
       [](const std::string& text, Quota& quota) {
         const absl::optional<int64_t> bytes = ParseBytes(text);
         quota.max_bytes = bytes.value_or(0);
         return bytes.has_value();
       }},
      {"max_simulated_s", "seconds, 0 or more",
       [](const std::string& text, Quota& quota) {
         double seconds = 0.0;
         const bool good = absl::SimpleAtod(text, &seconds) && seconds >= 0.0 &&
                           seconds <= std::numeric_limits<double>::max();
         if (good) quota.max_simulated_s = seconds;
         return good;
       }},
  };
  return *fields;
}

absl::Status ReadQuota(const std::string& tenant, const YAML::Node& entries, Quota& quota) {
  if (!entries.IsMap()) {
    return MakeFieldError(ShownText(tenant), ShownValue(entries),
                          "a map of quotas, {max_sessions: 8, max_bytes: 4G}");
  }
  std::vector<std::string> seen;
  for (const auto& entry : entries) {
    const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "";
    const Field* found = nullptr;
    std::vector<std::string> names;
    for (const Field& field : Fields()) {
      if (field.name == name) found = &field;
      names.push_back(field.name);
    }
    const std::string path = absl::StrCat(tenant, ".", name);
    if (found == nullptr) {
      return MakeFieldError(ShownText(path), kUnknownName,
                            NearestAndAll(absl::string_view(name).substr(0, 200), names));
    }
    for (const std::string& before : seen) {
      if (before == name) return MakeFieldError(path, "there already", "once");
    }
    seen.push_back(name);
    const YamlKind kind = KindOf(entry.second);
    const bool plain =
        kind == YamlKind::kNumber || (kind == YamlKind::kText && name == "max_bytes");
    if (!plain || !found->set(entry.second.Scalar(), quota)) {
      return MakeFieldError(path, ShownValue(entry.second), found->accepted);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Quotas> Quotas::Parse(const std::string& path, const std::string& text) {
  constexpr absl::string_view kWhat = "a map of tenants, lines like alice: {max_sessions: 8}";
  Quotas out;
  // What all of them inherit may come after them.
  LIVND_RETURN_IF_ERROR(
      ForEachEntry(path, text, kWhat, [&](const YAML::Node& key, const YAML::Node& value) {
        if (!key.IsScalar() || key.Scalar() != kDefault) return absl::OkStatus();
        return ReadQuota(kDefault, value, out.default_);
      }));
  LIVND_RETURN_IF_ERROR(
      ForEachEntry(path, text, kWhat, [&](const YAML::Node& key, const YAML::Node& value) {
        if (!key.IsScalar())
          return MakeFieldError("a key", ShownValue(key), "the name of a tenant");
        if (key.Scalar() == kDefault) return absl::OkStatus();
        Quota quota = out.default_;
        absl::Status read = ReadQuota(key.Scalar(), value, quota);
        out.by_tenant_[key.Scalar()] = quota;
        return read;
      }));
  return out;
}

absl::StatusOr<Quotas> Quotas::Read(const std::string& path) {
  LIVND_ASSIGN_OR_RETURN(const std::string text,
                         ReadFile(path, "a file of quotas", kMaxQuotasBytes));
  return Parse(path, text);
}

Quota Quotas::Of(absl::string_view tenant) const {
  const auto found = by_tenant_.find(tenant);
  return found == by_tenant_.end() ? default_ : found->second;
}

}  // namespace livnd::server
