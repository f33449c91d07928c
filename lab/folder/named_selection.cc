#include "lab/folder/named_selection.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::lab {
namespace {

using io::Json;
using io::System;

// Those to draw from, in the order of the system.
absl::StatusOr<std::vector<std::string>> Eligible(const System& system,
                                                  absl::Span<const std::string> named) {
  std::vector<std::string> all, out;
  for (const io::Population& p : system.populations) all.push_back(p.name);
  for (const std::string& name : named) {
    if (std::find(all.begin(), all.end(), name) == all.end()) {
      return MakeFieldError(absl::StrCat("populations[", name, "]"), kUnknownName,
                            absl::StrJoin(all, ", "));
    }
  }
  if (named.empty()) return all;
  for (const std::string& name : all) {
    if (std::find(named.begin(), named.end(), name) != named.end()) out.push_back(name);
  }
  return out;
}

// How the cells were asked for, as livn writes it.
Json MetaOf(const System& system, const Json& spec, absl::Span<const std::string> populations,
            const io::Selection& gids) {
  const bool with_members = spec.is_object() && (spec.contains("cells") || spec.contains("bounds"));
  Json meta = {{"spec", with_members ? spec.value("cells", Json()) : spec}};
  for (const char* name : {"method", "bounds", "seed"}) {
    if (with_members && spec.contains(name) && !spec[name].is_null()) meta[name] = spec[name];
  }
  if (!populations.empty()) meta["populations"] = populations;
  Json& counts = meta["counts"] = Json::object();
  for (const auto& [population, cells] : gids) counts[population] = cells.size();
  meta["graph"] = system.graph_uuid.empty() ? Json() : Json(system.graph_uuid);
  return meta;
}

}  // namespace

absl::Status CheckSelectionName(const std::string& name) {
  const bool is_name = !name.empty() && name.size() <= 64 && name[0] != '.' &&
                       std::all_of(name.begin(), name.end(), [](unsigned char c) {
                         return c > ' ' && c < 0x7f && c != '/' && c != '\\';
                       });
  if (!is_name) {
    return MakeFieldError("name", name,
                          "up to 64 letters, digits and signs, no / and no dot first");
  }
  double number = 0.0;
  if (absl::SimpleAtod(name, &number)) {
    return MakeFieldError(
        "name", name,
        absl::StrCat("a name that is no number, as e", name, ": a number asks for so many cells"));
  }
  return absl::OkStatus();
}

absl::StatusOr<NamedSelection> SelectCells(const System& system, const io::JsonView& spec,
                                           absl::Span<const std::string> populations) {
  LIVND_ASSIGN_OR_RETURN(const io::SelectionSpec parsed, io::ParseSelectionSpec(spec));
  LIVND_ASSIGN_OR_RETURN(const std::vector<std::string> eligible, Eligible(system, populations));
  NamedSelection selection;
  LIVND_ASSIGN_OR_RETURN(selection.gids, io::ResolveSelection(system, parsed, eligible));
  Json gids = Json::object();
  std::vector<bool> selected(system.num_cells());
  for (const std::string& name : eligible) {
    const auto found = selection.gids.find(name);
    if (found == selection.gids.end() || found->second.empty()) continue;
    gids[name] = found->second;
    for (const int64_t gid : found->second) selected[static_cast<size_t>(gid)] = true;
  }
  selection.document = {{"gids", std::move(gids)},
                        {"meta", MetaOf(system, spec.json(), populations, selection.gids)}};
  uint64_t num_inputs = 0;
  for (const io::Projection& projection : system.projections) {
    for (size_t e = 0; e < projection.target_gid.size(); ++e) {
      if (!selected[projection.target_gid[e]]) continue;
      ++num_inputs;
      if (selected[projection.source_gid[e]]) ++selection.num_edges;
    }
  }
  if (num_inputs > 0) {
    selection.kept_inputs =
        static_cast<double>(selection.num_edges) / static_cast<double>(num_inputs);
  }
  return selection;
}

Json SquareSpec(const System& system, double side_um,
                const std::optional<std::array<double, 2>>& center_um) {
  std::array<double, 2> min = {0, 0}, max = {0, 0};
  for (size_t i = 0; i < system.position_um.size(); ++i) {
    for (size_t axis = 0; axis < 2; ++axis) {
      const double x = system.position_um[i][axis];
      min[axis] = i == 0 ? x : std::min(min[axis], x);
      max[axis] = i == 0 ? x : std::max(max[axis], x);
    }
  }
  Json from = Json::array(), to = Json::array();
  for (size_t axis = 0; axis < 2; ++axis) {
    const double middle = center_um.has_value() ? (*center_um)[axis] : (min[axis] + max[axis]) / 2;
    from.push_back(middle - side_um / 2);
    to.push_back(middle + side_um / 2);
  }
  return {{"method", "patch"}, {"bounds", {std::move(from), std::move(to)}}};
}

}  // namespace livnd::lab
