#include "io/culture/culture_config_of.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace livnd::io {
namespace {

struct Site {
  int swc_type;
  double location;
};

// (cell within its population, syn_id) -> site.
absl::flat_hash_map<std::pair<uint32_t, uint32_t>, Site> IndexSites(const SynapseSites& sites) {
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, Site> index;
  index.reserve(sites.syn_id.size());
  for (size_t cell = 0; cell + 1 < sites.offsets.size(); ++cell) {
    for (uint64_t i = sites.offsets[cell]; i < sites.offsets[cell + 1]; ++i) {
      index[{static_cast<uint32_t>(cell), sites.syn_id[i]}] = {sites.swc_type[i],
                                                               sites.location[i]};
    }
  }
  return index;
}

}  // namespace

absl::StatusOr<sim::CultureConfig> CultureConfigOf(const System& system) {
  sim::CultureConfig config;
  for (const Population& p : system.populations) {
    config.populations.push_back({p.name, p.first_gid, p.num_cells});
  }
  std::vector<absl::flat_hash_map<std::pair<uint32_t, uint32_t>, Site>> sites;
  for (const SynapseSites& s : system.synapse_sites) sites.push_back(IndexSites(s));
  for (const Projection& projection : system.projections) {
    const ProjectionConfig* graph = system.FindProjectionConfig(projection.post, projection.pre);
    const int post = system.FindPopulation(projection.post);
    // Without receptors, or onto a population of event sources, edges carry nothing.
    if (graph == nullptr || (projection.post != "EXC" && projection.post != "INH")) continue;
    sim::ProjectionConfig out;
    out.post = projection.post;
    out.pre = projection.pre;
    for (const auto& [key, receptors] : graph->mechanisms) {
      int swc = sim::ProjectionConfig::kDefaultReceptors;
      if (key != "default" && !absl::SimpleAtoi(key, &swc)) {
        return absl::InvalidArgumentError(absl::StrCat(system.name, ": ", projection.post, "<-",
                                                       projection.pre, ": mechanisms under '", key,
                                                       "'; takes 'default' or an SWC number"));
      }
      for (const ReceptorConfig& r : receptors) {
        if (!r.disabled) out.receptors[swc].push_back({r.receptor, r.params});
      }
    }
    const Population& population = system.populations[post];
    std::vector<std::pair<uint32_t, sim::Edge>> edges;  // with syn_id
    edges.reserve(projection.source_gid.size());
    for (size_t i = 0; i < projection.source_gid.size(); ++i) {
      const auto site =
          sites[post].find({projection.target_gid[i] - population.first_gid, projection.syn_id[i]});
      if (site == sites[post].end()) continue;
      edges.push_back({projection.syn_id[i],
                       {projection.source_gid[i], projection.target_gid[i], site->second.swc_type,
                        site->second.location, projection.distance_um[i]}});
    }
    // The order of events of equal time must not depend on how the file was written.
    std::stable_sort(edges.begin(), edges.end(), [](const auto& a, const auto& b) {
      return std::make_pair(a.second.target_gid, a.first) <
             std::make_pair(b.second.target_gid, b.first);
    });
    for (auto& [syn_id, edge] : edges) out.edges.push_back(edge);
    config.projections.push_back(std::move(out));
  }
  return config;
}

absl::Status ApplyParams(const std::map<std::string, double>& params, sim::CultureConfig& config) {
  for (const auto& [key, value] : params) {
    if (absl::StartsWith(key, "noise-")) {
      if (!config.noise.has_value()) config.noise.emplace();
      (*config.noise)[key.substr(6)] = value;
    } else if (absl::StartsWith(key, "weight-")) {
      config.weights[key.substr(7)] = value;
    } else if (absl::EndsWith(key, "-weight")) {
      config.weights[key] = value;
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown parameter '", key,
                       "'; accepted: weight-POST_PRE-SECTION-RECEPTOR-weight, noise-NAME, "
                       "noise-POPULATION-NAME"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, double>> DefaultParams(const System& system) {
  const auto missing = [&](absl::string_view what) {
    return absl::NotFoundError(
        absl::StrCat(system.name, ": params/default.json has no ", what, " and so no parameters"));
  };
  const auto document = system.params.find("default");
  if (document == system.params.end()) return missing("document");
  const auto model = document->second.find(kModelClass);
  if (model == document->second.end()) return missing(kModelClass);
  const auto group = model->second.find("default");
  if (group == model->second.end()) return missing("group 'default'");
  return group->second;
}

}  // namespace livnd::io
