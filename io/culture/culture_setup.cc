#include "io/culture/culture_setup.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/culture/model_options.h"
#include "io/culture/point_projections.h"

namespace livnd::io {
namespace {

struct Site {
  int swc_type;
  double location;
};
// (cell within its population, syn_id) -> site.
using SiteIndex = absl::flat_hash_map<std::pair<uint32_t, uint32_t>, Site>;

SiteIndex IndexSites(const SynapseSites& sites) {
  SiteIndex index;
  index.reserve(sites.syn_id.size());
  for (size_t cell = 0; cell + 1 < sites.offsets.size(); ++cell) {
    for (uint64_t i = sites.offsets[cell]; i < sites.offsets[cell + 1]; ++i) {
      index[{static_cast<uint32_t>(cell), sites.syn_id[i]}] = {sites.swc_type[i],
                                                               sites.location[i]};
    }
  }
  return index;
}

// Which cells of a population exist.
class Presence {
 public:
  // `selected` is ascending; null: all of them.
  explicit Presence(const std::vector<int64_t>* selected) : selected_(selected) {}
  bool operator()(int64_t gid) const {
    return selected_ == nullptr || std::binary_search(selected_->begin(), selected_->end(), gid);
  }

 private:
  const std::vector<int64_t>* selected_;
};

std::string MechanismsField(absl::string_view post, absl::string_view pre, absl::string_view rest) {
  return absl::StrCat("synapses.", post, ".", pre, ".mechanisms.", rest);
}

absl::Status CopyReceptors(const ProjectionConfig& graph, sim::ProjectionConfig& out) {
  for (const auto& [key, receptors] : graph.mechanisms) {
    int swc = sim::ProjectionConfig::kDefaultReceptors;
    if (key != "default" && !absl::SimpleAtoi(key, &swc)) {
      return MakeFieldError(MechanismsField(graph.post, graph.pre, key), kUnknownName,
                            "\"default\" or an SWC number");
    }
    for (const ReceptorConfig& r : receptors) {
      if (!r.disabled) out.receptors[swc].push_back({r.receptor, r.params});
    }
  }
  return absl::OkStatus();
}

void CopyEdges(const Projection& projection, const Population& post, const SiteIndex& sites,
               const Presence& post_has, const Presence& pre_has, sim::ProjectionConfig& out) {
  std::vector<sim::Edge>& edges = out.edges;
  edges.reserve(projection.source_gid.size());
  for (size_t i = 0; i < projection.source_gid.size(); ++i) {
    const uint32_t source = projection.source_gid[i], target = projection.target_gid[i];
    const auto site = sites.find({target - post.first_gid, projection.syn_id[i]});
    if (site == sites.end()) continue;
    out.known_swc_types.insert(site->second.swc_type);
    if (!post_has(target) || !pre_has(source)) continue;
    edges.push_back({source, target, site->second.swc_type, site->second.location,
                     projection.distance_um[i], int64_t{projection.syn_id[i]}});
  }
  // The order of events of equal time must not depend on how the file was written.
  std::stable_sort(edges.begin(), edges.end(), [](const sim::Edge& a, const sim::Edge& b) {
    return std::make_pair(a.target_gid, a.syn_id) < std::make_pair(b.target_gid, b.syn_id);
  });
}

absl::Status CopyProjections(const System& system, const std::optional<Selection>& selection,
                             CultureSetup& setup) {
  const auto selected = [&](const std::string& name) -> const std::vector<int64_t>* {
    if (!selection.has_value()) return nullptr;
    const auto it = selection->find(name);
    return it == selection->end() ? nullptr : &it->second;
  };
  std::vector<SiteIndex> sites;
  for (const SynapseSites& s : system.synapse_sites) sites.push_back(IndexSites(s));
  for (const Projection& projection : system.projections) {
    const ProjectionConfig* graph = system.FindProjectionConfig(projection.post, projection.pre);
    const int post = system.FindPopulation(projection.post);
    // Without receptors, or onto event sources, edges carry nothing.
    if (graph == nullptr || !setup.Builds(projection.post)) continue;
    sim::ProjectionConfig out;
    out.post = projection.post;
    out.pre = projection.pre;
    LIVND_RETURN_IF_ERROR(InFile(system.directory + "/graph.json", CopyReceptors(*graph, out)));
    const std::vector<int64_t> none;
    const std::vector<int64_t>* targets = selected(projection.post);
    if (selection.has_value() && targets == nullptr) targets = &none;
    if (!projection.source_gid.empty() && system.synapse_sites[post].syn_id.empty()) {
      return InFile(system.cells_path,
                    MakeFieldError(
                        absl::StrCat("/Populations/", projection.post), "without synapses",
                        absl::StrCat("those that ", projection.source_gid.size(),
                                     " connections of ", system.connections_path, ": /Projections/",
                                     projection.post, "/", projection.pre, " end on")));
    }
    CopyEdges(projection, system.populations[post], sites[post], Presence(targets),
              Presence(selected(projection.pre)), out);
    setup.culture.projections.push_back(std::move(out));
  }
  return absl::OkStatus();
}

// An error about a model document, as one about the options' model or about the system's file.
absl::Status AtModel(const System& system, const SetupOptions& options,
                     const absl::Status& status) {
  return options.model.has_value() ? AtField("model", status)
                                   : InFile(system.directory + "/model.json", status);
}

}  // namespace

absl::StatusOr<CultureSetup> SetUpCulture(const System& system, const SetupOptions& options) {
  absl::StatusOr<ModelOptions> resolved =
      ResolveModel(options.model.has_value() ? options.model : system.model);
  if (!resolved.ok()) return AtModel(system, options, resolved.status());
  ModelOptions& model = *resolved;
  CultureSetup setup;
  setup.system = system.name;
  setup.params_key = std::move(model.params_key);
  setup.built_populations = std::move(model.built_populations);
  setup.culture.model = std::move(model.model);
  setup.orientation = model.orientation;
  setup.electrode_array = system.electrode_array;
  std::optional<Selection> selection;
  if (options.selection.has_value()) {
    absl::StatusOr<Selection> cells =
        ResolveSelection(system, *options.selection, setup.built_populations);
    if (!cells.ok()) return AtField("selection", cells.status());
    selection = *std::move(cells);
    if (const auto* name = std::get_if<std::string>(&options.selection->cells)) {
      setup.selection = *name;
    }
  }
  for (const Population& p : system.populations) {
    sim::PopulationConfig& population = setup.culture.populations.emplace_back();
    population.name = p.name;
    population.first_gid = p.first_gid;
    population.num_cells = p.num_cells;
    if (!selection.has_value() || !setup.Builds(p.name)) continue;
    const auto gids = selection->find(p.name);
    population.selected_gids = gids == selection->end() ? std::vector<int64_t>() : gids->second;
  }
  if (setup.culture.model.point.has_value()) {
    setup.culture.projections = PointProjections(system, setup.culture.populations);
    return setup;
  }
  LIVND_RETURN_IF_ERROR(CopyProjections(system, selection, setup));
  return setup;
}

absl::Status FaultOfSetup(const System& system, const SetupOptions& options,
                          const absl::Status& status) {
  std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value() || !error->file.empty()) return status;
  absl::string_view field = error->field;
  if (absl::ConsumePrefix(&field, "model.")) {
    // "size_cv[EXC]", "point.params[tau_m]": arguments of the document and their members.
    absl::ConsumePrefix(&field, "point.");
    if (absl::ConsumePrefix(&field, "refractory_period_ms")) field = "refractory_period";
    error->field = absl::StrCat("kwargs.", absl::StrReplaceAll(field, {{"[", "."}, {"]", ""}}));
    return AtModel(system, options, WithFieldError(*error, status));
  }
  if (!absl::ConsumePrefix(&field, "projections[")) return status;
  const size_t arrow = field.find("<-"), end = field.find(']');
  if (arrow == field.npos || end == field.npos) return status;
  const absl::string_view post = field.substr(0, arrow);
  const absl::string_view pre = field.substr(arrow + 2, end - arrow - 2);
  absl::string_view rest = field.substr(end + 1);
  if (absl::ConsumePrefix(&rest, ".receptors.")) {
    error->field = MechanismsField(post, pre, rest);
    return InFile(system.directory + "/graph.json", WithFieldError(*error, status));
  }
  error->field = absl::StrCat("Projections/", post, "/", pre);
  return InFile(system.directory + "/connections.h5", WithFieldError(*error, status));
}

bool CultureSetup::Builds(absl::string_view population) const {
  return std::find(built_populations.begin(), built_populations.end(), population) !=
         built_populations.end();
}

std::vector<int64_t> CultureSetup::BuiltGids() const {
  std::vector<int64_t> gids;
  for (const sim::PopulationConfig& p : culture.populations) {
    if (!Builds(p.name)) continue;
    if (p.selected_gids.has_value()) {
      gids.insert(gids.end(), p.selected_gids->begin(), p.selected_gids->end());
    } else {
      for (int64_t i = 0; i < p.num_cells; ++i) gids.push_back(p.first_gid + i);
    }
  }
  return gids;
}

}  // namespace livnd::io
