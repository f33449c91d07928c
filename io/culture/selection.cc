#include "io/culture/selection.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/culture/numpy_random.h"
#include "io/system/limits.h"

namespace livnd::io {
namespace {

using Method = SelectionSpec::Method;

absl::Status CheckFraction(absl::string_view field, double fraction) {
  if (fraction > 0.0 && fraction <= 1.0) return absl::OkStatus();
  return MakeFieldError(field, Exact(fraction), "a fraction > 0 and <= 1");
}

absl::Status CheckCount(absl::string_view field, int64_t count, int64_t num_cells) {
  if (count >= 0 && count <= num_cells) return absl::OkStatus();
  return MakeFieldError(field, absl::StrCat(count), absl::StrCat("0 .. ", num_cells, " (cells)"));
}

std::string FieldOf(const std::string& population) {
  return absl::StrCat("cells[", population, "]");
}

// Python's round.
int64_t Round(double x) { return static_cast<int64_t>(std::nearbyint(x)); }

int64_t CountOf(double fraction, int64_t num_cells) {
  if (num_cells == 0) return 0;
  return std::min(num_cells, std::max<int64_t>(1, Round(fraction * num_cells)));
}

absl::StatusOr<std::vector<int64_t>> CheckGids(const Population& population,
                                               std::vector<int64_t> gids) {
  const int64_t first = population.first_gid, end = first + population.num_cells;
  std::set<int64_t> seen;
  for (size_t i = 0; i < gids.size(); ++i) {
    const std::string field = absl::StrCat(FieldOf(population.name), "[", i, "]");
    if (gids[i] < first || gids[i] >= end) {
      return MakeFieldError(field, absl::StrCat(gids[i]),
                            absl::StrCat(first, " .. ", end - 1, " (gids)"));
    }
    if (!seen.insert(gids[i]).second) {
      return MakeFieldError(field, absl::StrCat(gids[i], " for the second time"), "each gid once");
    }
  }
  std::sort(gids.begin(), gids.end());
  return gids;
}

// Cells by distance from the middle of their bounding box, or in a box.
class Patch {
 public:
  Patch(const System& system, const std::vector<const Population*>& populations)
      : system_(system), populations_(populations) {
    for (const Population* p : populations) {
      for (int64_t i = 0; i < p->num_cells; ++i) gids_.push_back(p->first_gid + i);
    }
    for (int axis = 0; axis < 2; ++axis) {
      for (size_t i = 0; i < gids_.size(); ++i) {
        const double x = system.position_um[gids_[i]][axis];
        whole_.min_um[axis] = i == 0 ? x : std::min(whole_.min_um[axis], x);
        whole_.max_um[axis] = i == 0 ? x : std::max(whole_.max_um[axis], x);
      }
    }
  }

  Selection Inside(const AreaExtent& box) const {
    return Where([&](int64_t gid) {
      const auto& p = system_.position_um[gid];
      return p[0] >= box.min_um[0] && p[0] <= box.max_um[0] && p[1] >= box.min_um[1] &&
             p[1] <= box.max_um[1];
    });
  }

  Selection Fraction(double fraction) const {
    if (fraction == 1.0) return Inside(whole_);
    AreaExtent box;
    for (int axis = 0; axis < 2; ++axis) {
      const double half = (whole_.max_um[axis] - whole_.min_um[axis]) * std::sqrt(fraction) / 2.0;
      box.min_um[axis] = Middle(axis) - half;
      box.max_um[axis] = Middle(axis) + half;
    }
    return Inside(box);
  }

  // The nearest; of equally near ones those of lower gid.
  Selection Nearest(int64_t count) const {
    std::vector<std::pair<double, int64_t>> by_distance;
    for (int64_t gid : gids_) {
      const double dx = system_.position_um[gid][0] - Middle(0);
      const double dy = system_.position_um[gid][1] - Middle(1);
      by_distance.push_back({dx * dx + dy * dy, gid});
    }
    std::sort(by_distance.begin(), by_distance.end());
    if (count == 0) return {};
    const std::pair<double, int64_t> last = by_distance[count - 1];
    return Where([&](int64_t gid) {
      const double dx = system_.position_um[gid][0] - Middle(0);
      const double dy = system_.position_um[gid][1] - Middle(1);
      return std::make_pair(dx * dx + dy * dy, gid) <= last;
    });
  }

  int64_t num_cells() const { return static_cast<int64_t>(gids_.size()); }

 private:
  double Middle(int axis) const { return (whole_.min_um[axis] + whole_.max_um[axis]) / 2.0; }

  template <typename Predicate>
  Selection Where(const Predicate& keep) const {
    Selection out;
    for (const Population* p : populations_) {
      for (int64_t gid = p->first_gid; gid < int64_t{p->first_gid} + p->num_cells; ++gid) {
        if (keep(gid)) out[p->name].push_back(gid);
      }
    }
    return out;
  }

  const System& system_;
  const std::vector<const Population*>& populations_;
  std::vector<int64_t> gids_;
  AreaExtent whole_;
};

absl::StatusOr<Selection> ResolvePatch(const System& system, const SelectionSpec& spec,
                                       const std::vector<const Population*>& populations) {
  const Patch patch(system, populations);
  if (spec.bounds.has_value()) {
    AreaExtent box = *spec.bounds;
    for (int axis = 0; axis < 2; ++axis) {
      for (const auto& [corner, x] :
           {std::make_pair(0, box.min_um[axis]), std::make_pair(1, box.max_um[axis])}) {
        if (std::isfinite(x)) continue;
        return MakeFieldError(absl::StrCat("bounds[", corner, "][", axis, "]"), Exact(x),
                              "a finite number (um)");
      }
      if (box.min_um[axis] > box.max_um[axis]) std::swap(box.min_um[axis], box.max_um[axis]);
    }
    return patch.Inside(box);
  }
  if (const double* fraction = std::get_if<double>(&spec.cells)) {
    LIVND_RETURN_IF_ERROR(CheckFraction("cells", *fraction));
    return patch.Fraction(*fraction);
  }
  const int64_t count = std::get<int64_t>(spec.cells);
  LIVND_RETURN_IF_ERROR(CheckCount("cells", count, patch.num_cells()));
  return patch.Nearest(count);
}

std::string FileOf(const System& system, const std::string& stored) {
  return absl::StrCat(system.directory, "/selection/", stored, ".json");
}

// An error about the shares of a stored selection, as one about its file.
absl::Status InStored(const System& system, const std::string& name, const absl::Status& status) {
  std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value()) return status;
  // "cells[EXC][3]" is "gids.EXC[3]" there.
  const absl::string_view field = error->field;
  const size_t end = field.find(']');
  if (absl::StartsWith(field, "cells[") && end != field.npos) {
    error->field = absl::StrCat("gids.", field.substr(6, end - 6), field.substr(end + 1));
  }
  return InFile(FileOf(system, name), WithFieldError(*error, status));
}

absl::StatusOr<std::map<std::string, PopulationShare>> StoredShares(const System& system,
                                                                    const std::string& name) {
  const auto document = system.selections.find(name);
  if (document == system.selections.end()) {
    const std::string stored = absl::StrJoin(
        system.selections, ", ",
        [](std::string* out, const auto& entry) { absl::StrAppend(out, entry.first); });
    return MakeFieldError("cells", name,
                          stored.empty() ? "no name: the system has no stored selections" : stored);
  }
  const std::string& uuid = document->second.graph_uuid;
  if (!uuid.empty() && !system.graph_uuid.empty() && uuid != system.graph_uuid) {
    return InFile(FileOf(system, name), MakeFieldError("meta.graph", uuid, system.graph_uuid));
  }
  std::map<std::string, PopulationShare> shares;
  for (const auto& [population, gids] : document->second.gids) shares[population] = gids;
  return shares;
}

// Resolves counts to the first cells of a population, or to random ones.
class Chooser {
 public:
  explicit Chooser(const SelectionSpec& spec)
      : random_(spec.method == Method::kRandom), numpy_(spec.seed) {}

  std::vector<int64_t> Choose(const Population& population, int64_t count) {
    std::vector<int64_t> gids;
    if (count <= 0) return gids;
    if (random_) {
      gids = numpy_.Choice(population.num_cells, count);
      std::sort(gids.begin(), gids.end());
    } else {
      for (int64_t i = 0; i < count; ++i) gids.push_back(i);
    }
    for (int64_t& gid : gids) gid += population.first_gid;
    return gids;
  }

 private:
  bool random_;
  NumpyRandom numpy_;
};

absl::StatusOr<Selection> ResolveShares(const std::map<std::string, PopulationShare>& shares,
                                        const std::vector<const Population*>& populations,
                                        Chooser chooser) {
  const auto buildable = [&](const std::string& name) {
    return std::any_of(populations.begin(), populations.end(),
                       [&](const Population* p) { return p->name == name; });
  };
  for (const auto& [name, share] : shares) {
    if (!buildable(name)) {
      return MakeFieldError(
          FieldOf(name), kUnknownName,
          absl::StrJoin(populations, ", ", [](std::string* out, const Population* p) {
            absl::StrAppend(out, p->name);
          }));
    }
  }
  Selection out;
  for (const Population* p : populations) {
    const auto share = shares.find(p->name);
    if (share == shares.end()) continue;
    if (const auto* gids = std::get_if<std::vector<int64_t>>(&share->second)) {
      LIVND_ASSIGN_OR_RETURN(out[p->name], CheckGids(*p, *gids));
    } else if (const double* fraction = std::get_if<double>(&share->second)) {
      LIVND_RETURN_IF_ERROR(CheckFraction(FieldOf(p->name), *fraction));
      out[p->name] = chooser.Choose(*p, CountOf(*fraction, p->num_cells));
    } else {
      const int64_t count = std::get<int64_t>(share->second);
      LIVND_RETURN_IF_ERROR(CheckCount(FieldOf(p->name), count, p->num_cells));
      out[p->name] = chooser.Choose(*p, count);
    }
  }
  return out;
}

absl::StatusOr<Selection> Resolve(const System& system, const SelectionSpec& spec,
                                  const std::vector<const Population*>& populations) {
  const auto* shares = std::get_if<std::map<std::string, PopulationShare>>(&spec.cells);
  if (const auto* name = std::get_if<std::string>(&spec.cells)) {
    if (spec.method != Method::kFirst || spec.bounds.has_value()) {
      return MakeFieldError(spec.bounds.has_value() ? "bounds" : "method", "present",
                            "absent: a stored selection takes neither method nor bounds");
    }
    LIVND_ASSIGN_OR_RETURN(const auto stored, StoredShares(system, *name));
    absl::StatusOr<Selection> selection = ResolveShares(stored, populations, Chooser(spec));
    if (!selection.ok()) return InStored(system, *name, selection.status());
    return selection;
  }
  if (spec.bounds.has_value() && spec.method != Method::kPatch) {
    return MakeFieldError("bounds", "present", "absent: bounds are for the method 'patch' alone");
  }
  if (spec.cells.index() == 0 && !spec.bounds.has_value()) {
    return MakeFieldError("cells", "absent",
                          "a name, a number of cells, a fraction, cells by population, or bounds");
  }
  if (spec.method == Method::kPatch && shares == nullptr) {
    return ResolvePatch(system, spec, populations);
  }
  std::map<std::string, PopulationShare> each;
  if (shares != nullptr) {
    for (const auto& [name, share] : *shares) {
      if (spec.method == Method::kPatch && !std::holds_alternative<std::vector<int64_t>>(share)) {
        return MakeFieldError(
            FieldOf(name), "a count or fraction of one population",
            "of the method 'patch', which takes one region for all: a fraction of "
            "the area, a number of cells, bounds, or gids by population");
      }
    }
    each = *shares;
  } else if (const double* fraction = std::get_if<double>(&spec.cells)) {
    LIVND_RETURN_IF_ERROR(CheckFraction("cells", *fraction));
    for (const Population* p : populations) each[p->name] = *fraction;
  } else {
    const int64_t count = std::get<int64_t>(spec.cells);
    int64_t total = 0;
    for (const Population* p : populations) total += p->num_cells;
    LIVND_RETURN_IF_ERROR(CheckCount("cells", count, total));
    for (const Population* p : populations) {
      const double part = static_cast<double>(count * p->num_cells) / static_cast<double>(total);
      each[p->name] = std::min<int64_t>(p->num_cells, Round(part));
    }
  }
  return ResolveShares(each, populations, Chooser(spec));
}

absl::StatusOr<PopulationShare> ParseShare(const JsonView& view) {
  if (view.is_array()) {
    LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> elements, view.Elements());
    std::vector<int64_t> gids;
    for (const JsonView& element : elements) {
      LIVND_ASSIGN_OR_RETURN(gids.emplace_back(),
                             element.Integer(0, static_cast<int64_t>(kMaxCells) - 1));
    }
    return PopulationShare(std::move(gids));
  }
  if (view.is_integer()) {
    LIVND_ASSIGN_OR_RETURN(const int64_t count, view.Integer(0, static_cast<int64_t>(kMaxCells)));
    return PopulationShare(count);
  }
  const absl::StatusOr<double> fraction = view.Number();
  if (fraction.ok()) return PopulationShare(*fraction);
  return view.Refused("a number of cells, a fraction (0.5; 1.0 is all) or a list of gids");
}

absl::Status ParseCells(const JsonView& view, SelectionSpec& spec) {
  if (view.is_object()) {
    auto& shares = spec.cells.emplace<std::map<std::string, PopulationShare>>();
    return view.ForEachMember(
        [&](const std::string& population, const JsonView& share) -> absl::Status {
          LIVND_ASSIGN_OR_RETURN(shares[population], ParseShare(share));
          return absl::OkStatus();
        });
  }
  if (const auto name = view.String(); name.ok()) {
    spec.cells = *name;
    return absl::OkStatus();
  }
  if (view.is_array()) return view.Refused("gids by population: {\"EXC\": [gid, ...]}");
  LIVND_ASSIGN_OR_RETURN(const PopulationShare share, ParseShare(view));
  if (const auto* count = std::get_if<int64_t>(&share)) spec.cells = *count;
  if (const auto* fraction = std::get_if<double>(&share)) spec.cells = *fraction;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Selection> ResolveSelection(const System& system, const SelectionSpec& spec,
                                           absl::Span<const std::string> populations) {
  std::vector<const Population*> eligible;
  for (const std::string& name : populations) {
    const int index = system.FindPopulation(name);
    if (index >= 0) eligible.push_back(&system.populations[index]);
  }
  LIVND_ASSIGN_OR_RETURN(Selection selection, Resolve(system, spec, eligible));
  for (auto it = selection.begin(); it != selection.end();) {
    it = it->second.empty() ? selection.erase(it) : std::next(it);
  }
  if (selection.empty()) {
    return MakeFieldError(spec.bounds.has_value() ? "bounds" : "cells",
                          "what comes to no cell at all", "at least one cell");
  }
  return selection;
}

absl::StatusOr<SelectionSpec> ParseSelectionSpec(const JsonView& view) {
  SelectionSpec spec;
  constexpr absl::string_view kMembers[] = {"cells", "method", "bounds", "seed"};
  if (!view.is_object() || !view.CheckMembers(kMembers).ok()) {
    LIVND_RETURN_IF_ERROR(ParseCells(view, spec));
    return spec;
  }
  LIVND_ASSIGN_OR_RETURN(const auto cells, view.Find("cells"));
  if (cells.has_value()) LIVND_RETURN_IF_ERROR(ParseCells(*cells, spec));
  LIVND_ASSIGN_OR_RETURN(const auto method, view.Find("method"));
  if (method.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const std::string name, method->String());
    if (name != "first" && name != "random" && name != "patch") {
      return method->Refused("\"first\", \"random\", \"patch\"");
    }
    spec.method = name == "first"    ? Method::kFirst
                  : name == "random" ? Method::kRandom
                                     : Method::kPatch;
  }
  LIVND_ASSIGN_OR_RETURN(const auto bounds, view.Find("bounds"));
  if (bounds.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> corners, bounds->Elements(2));
    LIVND_ASSIGN_OR_RETURN(const std::vector<double> from, corners[0].Numbers(2));
    LIVND_ASSIGN_OR_RETURN(const std::vector<double> to, corners[1].Numbers(2));
    spec.bounds = AreaExtent{{from[0], from[1]}, {to[0], to[1]}};
  }
  LIVND_ASSIGN_OR_RETURN(const auto seed, view.Find("seed"));
  if (seed.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const int64_t number, seed->Integer(0, int64_t{1} << 53));
    spec.seed = static_cast<uint64_t>(number);
  }
  return spec;
}

}  // namespace livnd::io
