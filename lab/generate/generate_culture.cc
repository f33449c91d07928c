#include "lab/generate/generate_culture.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/culture/numpy_random.h"
#include "io/json/json_file.h"
#include "io/neuroh5/write_system.h"
#include "io/system/limits.h"
#include "lab/generate/connect/dense.h"
#include "lab/generate/connect/edges.h"
#include "lab/generate/connect/sparse.h"
#include "lab/generate/culture_config_json.h"
#include "lab/generate/placement.h"
#include "lab/generate/random/named_random.h"
#include "lab/generate/synapses.h"
#include "lab/generate/uuid.h"

namespace livnd::lab {
namespace {

using io::Json;

// Populations by label, with their gids; for each of the configuration's, which one it is.
std::vector<size_t> AddPopulations(const CultureConfig& config, io::System& system) {
  const std::vector<int64_t> counts = NumCells(config);
  std::vector<size_t> order(config.populations.size()), index(order.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return config.populations[a].label < config.populations[b].label;
  });
  uint32_t next_gid = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    index[order[i]] = i;
    const auto num_cells = static_cast<uint32_t>(counts[order[i]]);
    const PopulationConfig& population = config.populations[order[i]];
    system.populations.push_back({population.name, population.label, next_gid, num_cells});
    next_gid += num_cells;
  }
  system.position_um.resize(next_gid);
  system.synapse_sites.resize(order.size());
  return index;
}

void AddPlaces(const CultureConfig& config, const std::vector<PlacedCells>& cells,
               const std::vector<size_t>& index, io::System& system) {
  std::optional<io::AreaExtent> area;
  for (size_t i = 0; i < cells.size(); ++i) {
    const Places& places = cells[i].places;
    const uint32_t first = system.populations[index[i]].first_gid;
    for (size_t c = 0; c < places.size(); ++c) {
      const std::array<double, 2> at = {places.x[c], places.y[c]};
      system.position_um[first + c] = {at[0], at[1], places.z[c]};
      if (!area.has_value()) area = io::AreaExtent{at, at};
      for (size_t axis = 0; axis < 2; ++axis) {
        area->min_um[axis] = std::min(area->min_um[axis], at[axis]);
        area->max_um[axis] = std::max(area->max_um[axis], at[axis]);
      }
    }
  }
  system.area = area;
  const auto [low, high] = config.z_range_um;
  system.layers.push_back(
      {"2D", {area->min_um[0], area->min_um[1], low}, {area->max_um[0], area->max_um[1], high}});
}

// Each cell's inputs are one data set a population, of a size that a reader takes.
absl::Status CheckNumInputs(const CultureConfig& config, const std::vector<int64_t>& num_cells) {
  constexpr double kMost = 0.9 * static_cast<double>(io::kMaxDatasetElements);
  for (size_t post = 0; post < num_cells.size(); ++post) {
    const PopulationConfig& to = config.populations[post];
    double inputs = 0.0;
    for (const PopulationConfig& from : config.populations) {
      inputs += config.DegreeOf(ProjectionName(from, to));
    }
    const double expected = inputs * static_cast<double>(num_cells[post]);
    if (expected <= kMost) continue;
    return MakeFieldError("connectivity.mean_degree",
                          absl::StrFormat("%g inputs for each cell of %s", inputs, to.name),
                          absl::StrFormat("at most %.4g, which is %.4g for all of them",
                                          kMost / static_cast<double>(num_cells[post]), kMost));
  }
  return absl::OkStatus();
}

// Draws the connections of one projection after the other.
class Connector {
 public:
  Connector(const CultureConfig& config, io::NumpyRandom& stream, const Work& work)
      : config_(config), stream_(stream), work_(work) {}

  absl::StatusOr<Edges> Connect(size_t pre, size_t post, const Places& sources,
                                const Places& targets) {
    const PopulationConfig& from = config_.populations[pre];
    const PopulationConfig& to = config_.populations[post];
    Rule rule;
    rule.name = ProjectionName(from, to);
    rule.kernel = config_.kernel;
    rule.mean_degree = config_.DegreeOf(rule.name);
    rule.cutoff = config_.cutoff;
    rule.same_population = pre == post;
    rule.allow_self_connections = config_.allow_self_connections;
    LIVND_ASSIGN_OR_RETURN(Edges edges, Draw(rule, from.name, to.name, sources, targets));
    LIVND_RETURN_IF_ERROR(ConnectNearestIfNone(rule, sources, targets, work_, edges));
    return edges;
  }

 private:
  absl::StatusOr<Edges> Draw(const Rule& rule, const std::string& pre, const std::string& post,
                             const Places& sources, const Places& targets) {
    switch (config_.rng) {
      case Rng::kLivn:
        return ConnectAsLivn(rule, sources, targets,
                             NamedRandom(config_.random_seed, {"connectivity", pre, post}), work_);
      case Rng::kNumpy:
        return ConnectFromStream(rule, sources, targets, stream_, work_);
      case Rng::kPhilox:
        break;
    }
    return ConnectSparsely(rule, sources, targets,
                           NamedRandom(config_.random_seed, {"livnd", "connectivity", pre, post}),
                           work_);
  }

  const CultureConfig& config_;
  io::NumpyRandom& stream_;
  const Work& work_;
};

Json KernelJson(const CultureConfig& config, double amplitude) {
  Json kernel = {{"amplitude", amplitude},
                 {"kernel", config.kernel.gaussian ? "gaussian" : "exponential"},
                 {"sigma", config.kernel.sigma_um},
                 {"allow_self_connections", config.allow_self_connections}};
  if (config.cutoff.has_value()) kernel["cutoff"] = *config.cutoff;
  return kernel;
}

// The inputs of one population: each connection has a site of its own on its target, numbered within the target
// projection by projection.
void AddInputs(std::vector<std::pair<const io::ProjectionConfig*, Edges>> inputs,
               const io::System& shape, uint32_t first_gid, io::SynapseSites& sites,
               std::vector<io::Projection>& projections) {
  const size_t num_cells = sites.offsets.size() - 1;
  for (const auto& [config, edges] : inputs) {
    for (size_t c = 0; c <= num_cells; ++c) sites.offsets[c] += edges.offsets[c];
  }
  const uint64_t num_sites = sites.offsets.back();
  sites.syn_id.resize(num_sites);
  sites.syn_type.resize(num_sites);
  sites.swc_type.resize(num_sites);
  sites.section.resize(num_sites);
  sites.layer.assign(num_sites, 0);
  sites.location.assign(num_sites, 0.5f);
  sites.path_distance_um.resize(num_sites);
  std::vector<uint32_t> used(num_cells);
  for (auto& [config, edges] : inputs) {
    const SiteKind kind = SitesOf(*config);
    const size_t num_edges = edges.source.size();
    io::Projection projection;
    projection.post = config->post;
    projection.pre = config->pre;
    projection.target_gid.resize(num_edges);
    projection.syn_id.resize(num_edges);
    for (size_t c = 0; c < num_cells; ++c) {
      for (uint64_t e = edges.offsets[c]; e < edges.offsets[c + 1]; ++e) {
        const uint32_t id = used[c]++;
        const uint64_t site = sites.offsets[c] + id;
        sites.syn_id[site] = projection.syn_id[e] = id;
        sites.syn_type[site] = kind.syn_type;
        sites.swc_type[site] = kind.swc_type;
        sites.section[site] = kind.section;
        sites.path_distance_um[site] = edges.distance_um[e];
        projection.target_gid[e] = first_gid + static_cast<uint32_t>(c);
      }
    }
    const uint32_t first_source =
        shape.populations[static_cast<size_t>(shape.FindPopulation(config->pre))].first_gid;
    for (uint32_t& source : edges.source) source += first_source;
    projection.source_gid = std::move(edges.source);
    projection.distance_um = std::move(edges.distance_um);
    edges = Edges();
    if (num_edges > 0) projections.push_back(std::move(projection));
  }
}

Json GraphAdditions(const CultureConfig& config, const io::System& system, Json kernels) {
  const Json settings = CultureConfigToJson(config);
  Json cells = Json::object();
  for (const io::Population& p : system.populations) cells[p.name] = {{"2d", p.num_cells}};
  return {{"architecture",
           {{"config",
             {{"area_shape", settings["area"]},
              {"area_kwargs", settings["area_kwargs"]},
              {"margin", config.margin_um},
              {"z_range", config.z_range_um},
              {"cell_distributions", std::move(cells)}}}}},
          {"connections", {{"connections", {{"config", {{"synapses", std::move(kernels)}}}}}}}};
}

// Of populations, by (post, pre) in the order of the system.
template <typename T>
void SortByPopulation(const io::System& system, std::vector<T>& values) {
  std::stable_sort(values.begin(), values.end(), [&](const T& a, const T& b) {
    return std::make_pair(system.FindPopulation(a.post), system.FindPopulation(a.pre)) <
           std::make_pair(system.FindPopulation(b.post), system.FindPopulation(b.pre));
  });
}

}  // namespace

absl::StatusOr<GeneratedCulture> GenerateCulture(const CultureConfig& config, const Work& work) {
  LIVND_RETURN_IF_ERROR(CheckNumInputs(config, NumCells(config)));
  GeneratedCulture culture;
  io::System& system = culture.system;
  system.graph_uuid = UuidOfText(io::JsonText(CultureConfigToJson(config)));
  const std::vector<size_t> index = AddPopulations(config, system);

  io::NumpyRandom stream(config.random_seed);
  std::vector<PlacedCells> cells;
  for (size_t i = 0; i < index.size(); ++i) {
    const io::Population& population = system.populations[index[i]];
    cells.push_back(PlaceCells(config, population.name, population.num_cells, stream));
    if (config.margin_um > 0.0) culture.interior[population.name] = cells.back().interior;
  }
  AddPlaces(config, cells, index, system);

  Connector connector(config, stream, work);
  Json kernels = Json::object();
  system.projection_configs.reserve(index.size() * index.size());
  for (size_t post = 0; post < index.size(); ++post) {
    const io::Population& target = system.populations[index[post]];
    io::SynapseSites& sites = system.synapse_sites[index[post]];
    sites.offsets.assign(size_t{target.num_cells} + 1, 0);
    std::vector<std::pair<const io::ProjectionConfig*, Edges>> inputs;
    for (size_t pre = 0; pre < index.size(); ++pre) {
      const PopulationConfig& from = config.populations[pre];
      const PopulationConfig& to = config.populations[post];
      const Places& sources = cells[pre].places;
      const Places& targets = cells[post].places;
      if (config.DegreeOf(ProjectionName(from, to)) <= 0.0 || sources.size() == 0 ||
          targets.size() == 0) {
        continue;
      }
      LIVND_ASSIGN_OR_RETURN(Edges edges, connector.Connect(pre, post, sources, targets));
      kernels[to.name][from.name]["kernel"] = KernelJson(config, edges.amplitude);
      system.projection_configs.push_back(SynapsesOf(config, from, to));
      inputs.emplace_back(&system.projection_configs.back(), std::move(edges));
    }
    AddInputs(std::move(inputs), system, target.first_gid, sites, system.projections);
  }
  SortByPopulation(system, system.projections);
  SortByPopulation(system, system.projection_configs);
  culture.graph = GraphAdditions(config, system, std::move(kernels));
  return culture;
}

absl::Status WriteCulture(const GeneratedCulture& culture, const CultureConfig& config,
                          const std::string& version, const std::string& directory,
                          const Work& work) {
  return WriteCulture(culture, ProvenanceJson(config, version), directory, work);
}

absl::Status WriteCulture(const GeneratedCulture& culture, io::Json provenance,
                          const std::string& directory, const Work& work) {
  io::SystemExtras extras;
  extras.graph = culture.graph;
  extras.files["provenance.json"] = std::move(provenance);
  extras.interior = culture.interior;
  extras.stop = work.stop;
  return io::WriteSystem(culture.system, directory, extras);
}

}  // namespace livnd::lab
