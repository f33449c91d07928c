#include "server/wire/sites.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/wire/errors.h"
#include "server/wire/tensor.h"

namespace livnd::server {

absl::StatusOr<std::vector<env::Site>> ParseSites(absl::string_view field, const v1::Sites& sites) {
  LIVND_ASSIGN_OR_RETURN(
      const std::vector<int64_t> gids,
      ParseVector<int64_t>(absl::StrCat(field, ".gids"), sites.gids(), v1::DATA_TYPE_INT64));
  const std::string sections_field = absl::StrCat(field, ".sections");
  LIVND_ASSIGN_OR_RETURN(
      const std::vector<int64_t> sections,
      ParseVector<int64_t>(sections_field, sites.sections(), v1::DATA_TYPE_INT64));
  if (sections.size() != gids.size()) {
    return InvalidField(sections_field, absl::StrCat(sections.size(), " elements"),
                        absl::StrCat(gids.size(), ", as gids"));
  }
  std::vector<env::Site> out;
  out.reserve(gids.size());
  for (size_t i = 0; i < gids.size(); ++i) {
    constexpr int64_t kMax = std::numeric_limits<int>::max();
    const int64_t section = sections[i] < 0 || sections[i] > kMax ? kMax : sections[i];
    out.push_back({gids[i], static_cast<int>(section)});
  }
  return out;
}

void EncodeSites(const std::vector<env::Site>& sites, v1::Sites* message) {
  std::vector<int64_t> gids, sections;
  for (const env::Site& site : sites) {
    gids.push_back(site.gid);
    sections.push_back(site.section);
  }
  EncodeVector(gids, message->mutable_gids());
  EncodeVector(sections, message->mutable_sections());
}

}  // namespace livnd::server
