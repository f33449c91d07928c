#include "env/culture/sites.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"

namespace livnd::env {

std::vector<std::string> SectionNames(const sim::Culture& culture, int64_t gid) {
  const sim::Culture::CellRef cell = culture.Find(gid);
  if (cell.group < 0) return {};
  const sim::CellGroup& group = culture.groups()[cell.group];
  std::vector<std::string> names = {"soma"};
  if (group.geometry.has_dendrite) names.push_back("dend");
  for (int i = 0; i < group.geometry.num_axon_sections; ++i)
    names.push_back(absl::StrCat("ais", i));
  return names;
}

absl::Status CheckSite(absl::string_view field, const Site& site, const sim::Culture& culture) {
  if (culture.SectionRow(site.gid, site.section) >= 0) return absl::OkStatus();
  if (culture.Find(site.gid).group < 0) {
    const std::vector<int64_t>& gids = culture.gids();
    return MakeFieldError(absl::StrCat(field, ".gid"), absl::StrCat(site.gid),
                          gids.empty() ? "nothing: the culture has no cells"
                                       : absl::StrCat("gids of its ", gids.size(), " cells, ",
                                                      gids.front(), " .. ", gids.back()));
  }
  const std::vector<std::string> names = SectionNames(culture, site.gid);
  return MakeFieldError(absl::StrCat(field, ".section"), absl::StrCat(site.section),
                        absl::StrCat("0 .. ", names.size() - 1, " (", absl::StrJoin(names, ", "),
                                     ") of gid ", site.gid));
}

}  // namespace livnd::env
