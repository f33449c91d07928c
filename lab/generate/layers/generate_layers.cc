#include "lab/generate/layers/generate_layers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/json/json_file.h"
#include "io/system/limits.h"
#include "lab/generate/layers/morphology.h"
#include "lab/generate/random/named_random.h"
#include "lab/generate/uuid.h"

namespace livnd::lab {
namespace {

using io::Json;
using io::System;

// How our streams are made. A culture of another number would not come out the same.
constexpr int kStreams = 1;
constexpr char kGenerator[] = "livnd generate, layers";
constexpr double kTwoPi = 6.283185307179586;
// The density is drawn anew for each such piece of a stretch, as MiV-Simulator does for NEURON's segments.
constexpr double kPieceUm = 10.0;
// Of one cell; what is beyond it is a mistake of units.
constexpr size_t kMaxSynapsesOfCell = 10'000'000;

// One synapse, and what contacts it.
struct Synapse {
  Stretch const* stretch = nullptr;
  bool inhibitory = false;
  float location = 0.0f, soma_um = 0.0f;
  int32_t projection = -1;  // of the configuration; -1: nobody does
  uint32_t source = 0;      // among the cells of its population
};
using Synapses = std::vector<Synapse>;

// Densities of one kind of section and type, by layer.
struct Kind {
  uint8_t swc_type = 0;
  bool inhibitory = false;
  std::vector<const SynapseDensity*> densities;
};

std::vector<Kind> KindsOf(const LayeredPopulation& population) {
  std::vector<Kind> kinds;
  for (const SynapseDensity& density : population.densities) {
    auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) {
      return k.swc_type == density.swc_type && k.inhibitory == density.inhibitory;
    });
    if (kind == kinds.end()) {
      kind = kinds.insert(kinds.end(), {density.swc_type, density.inhibitory, {}});
    }
    kind->densities.push_back(&density);
  }
  return kinds;
}

// The density of a stretch, or nullptr: there are no synapses of this kind.
const SynapseDensity* DensityOf(const Kind& kind, const Stretch& stretch, bool of_last_layer) {
  if (kind.swc_type != stretch.swc_type) return nullptr;
  const SynapseDensity* found = nullptr;
  for (const SynapseDensity* density : kind.densities) {
    if (!density->layer.has_value() && found == nullptr) found = density;
    if (density->layer == stretch.layer) found = density;
  }
  return found != nullptr && of_last_layer ? kind.densities.back() : found;
}

// Which sources contact a cell: sums of weights, ascending.
class Sources {
 public:
  Sources(const AxonExtent& axon, const System& system, const io::Population& pre,
          const std::array<double, 3>& place_um) {
    sums_.reserve(pre.num_cells);
    double sum = 0.0;
    for (uint32_t i = 0; i < pre.num_cells; ++i) {
      const auto& from = system.position_um[pre.first_gid + i];
      double exponent = 0.0;
      bool reached = true;
      for (size_t axis = 0; axis < 2; ++axis) {
        const double distance_um = std::abs(from[axis] - place_um[axis]);
        // MiV-Simulator measures the reach from the offset on.
        reached &= distance_um < axon.reach_um[axis] + axon.offset_um[axis];
        const double z = (distance_um - axon.offset_um[axis]) / (axon.reach_um[axis] / 3);
        exponent -= z * z / 2;
      }
      if (reached) sum += std::exp(exponent);
      sums_.push_back(sum);
    }
  }

  // By a number of 0 .. 1; nullopt: no axon comes so far.
  std::optional<uint32_t> Choose(double unit) const {
    if (sums_.empty() || !(sums_.back() > 0.0)) return std::nullopt;
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), unit * sums_.back());
    return static_cast<uint32_t>(
        std::min<ptrdiff_t>(found - sums_.begin(), static_cast<ptrdiff_t>(sums_.size()) - 1));
  }

 private:
  std::vector<double> sums_;
};

class Maker {
 public:
  Maker(const LayersConfig& config, const Work& work, System& system)
      : config_(config), work_(work), system_(system) {}

  void Place() {
    uint32_t next_gid = 0;
    for (const LayeredPopulation& population : config_.populations) {
      const NamedRandom random(config_.random_seed, {"livnd", "layers", "places", population.name});
      const uint32_t first = next_gid;
      for (const LayerCells& cells : population.cells) {
        const auto layer = std::find_if(config_.layers.begin(), config_.layers.end(),
                                        [&](const auto& l) { return l.name == cells.layer; });
        for (int64_t i = 0; i < cells.num_cells; ++i, ++next_gid) {
          const NamedRandom::Words words = random.At({{next_gid - first, 0, 0, 0}});
          std::array<double, 3>& place = system_.position_um.emplace_back();
          for (size_t axis = 0; axis < 3; ++axis) {
            const double low = layer->min_um[axis], high = layer->max_um[axis];
            place[axis] = static_cast<float>(low + (high - low) * OpenUnit(words[axis]));
          }
        }
      }
      system_.populations.push_back({population.name, population.label, first, next_gid - first});
    }
    system_.synapse_sites.resize(system_.populations.size());
  }

  // The synapses of the cells of one population, and their sources.
  absl::Status Connect(size_t index, const Morphology& shape) {
    const io::Population& post = system_.populations[index];
    const std::vector<Kind> kinds = KindsOf(config_.populations[index]);
    std::vector<Synapses> cells(post.num_cells);
    std::vector<uint8_t> too_many(post.num_cells);
    const NamedRandom places(config_.random_seed, {"livnd", "layers", "synapses", post.name});
    const NamedRandom choices(config_.random_seed, {"livnd", "layers", "sources", post.name});
    LIVND_RETURN_IF_ERROR(work_.Run(
        absl::StrCat("synapses of ", post.name), static_cast<int>(post.num_cells), [&](int i) {
          const auto cell = static_cast<uint32_t>(i);
          too_many[cell] = !Spread(cell, kinds, shape, places, cells[cell]);
          Choose(post, cell, choices, cells[cell]);
        }));
    uint64_t total = 0;
    for (const Synapses& synapses : cells) total += synapses.size();
    if (total > io::kMaxDatasetElements ||
        std::find(too_many.begin(), too_many.end(), 1) != too_many.end()) {
      return MakeFieldError(
          absl::StrCat("Cell Types.", post.name, ".synapses.density"),
          absl::StrCat(total, " synapses or more"),
          absl::StrCat("at most ", io::kMaxDatasetElements, " of a population, and ",
                       kMaxSynapsesOfCell, " of a cell"));
    }
    Store(index, cells);
    return absl::OkStatus();
  }

 private:
  // False: more than a cell may have.
  bool Spread(uint32_t cell, const std::vector<Kind>& kinds, const Morphology& shape,
              const NamedRandom& random, Synapses& synapses) const {
    for (size_t k = 0; k < kinds.size(); ++k) {
      for (size_t s = 0; s < shape.size(); ++s) {
        const Stretch& stretch = shape[s];
        const SynapseDensity* density = DensityOf(kinds[k], stretch, config_.density_of_last_layer);
        if (density == nullptr) continue;
        const uint64_t place = (uint64_t{s} << 16) | k;
        // Gaps of a Poisson process, four of a block: what is left of the next one's exponent.
        uint64_t num_gaps = 0;
        const auto next_gap = [&] {
          const uint64_t n = num_gaps++;
          return -std::log(OpenUnit(random.At({{cell, place, n / 4, 0}})[n % 4]));
        };
        double left = next_gap();
        for (uint64_t piece = 0;; ++piece) {
          double at_um = static_cast<double>(piece) * kPieceUm;
          if (at_um >= stretch.length_um) break;
          const double end_um = std::min(at_um + kPieceUm, stretch.length_um);
          const double per_um = Positive(*density, random, cell, place, piece);
          for (; left <= (end_um - at_um) * per_um; left = next_gap()) {
            at_um += left / per_um;
            if (synapses.size() == kMaxSynapsesOfCell) return false;
            const double share = std::min(at_um / stretch.length_um, 1.0);
            synapses.push_back(
                {&stretch, kinds[k].inhibitory,
                 static_cast<float>(stretch.begin + (stretch.end - stretch.begin) * share),
                 static_cast<float>(stretch.soma_um + at_um), -1, 0});
          }
          left -= (end_um - at_um) * per_um;
        }
      }
    }
    return true;
  }

  // Normally distributed about the mean, and drawn again until it is positive.
  static double Positive(const SynapseDensity& density, const NamedRandom& random, uint64_t cell,
                         uint64_t place, uint64_t piece) {
    for (uint64_t attempt = 0;; ++attempt) {
      const NamedRandom::Words words = random.At({{cell, place, attempt, 1 + piece}});
      const double normal =
          std::sqrt(-2.0 * std::log(OpenUnit(words[0]))) * std::cos(kTwoPi * OpenUnit(words[1]));
      const double drawn = density.mean + density.deviation * normal;
      if (drawn > 0.0) return drawn;
    }
  }

  struct Candidate {
    int32_t projection = 0;
    double proportion = 0.0;
    std::string layer;
  };

  // Projections that have synapses like this one.
  std::vector<Candidate> CandidatesFor(const io::Population& post, const Synapse& synapse) const {
    std::vector<Candidate> candidates;
    for (size_t p = 0; p < config_.projections.size(); ++p) {
      const io::ProjectionConfig& projection = config_.projections[p];
      if (projection.post != post.name || (projection.type == "inhibitory") != synapse.inhibitory) {
        continue;
      }
      for (size_t i = 0; i < projection.sections.size(); ++i) {
        if (SwcTypeOf(projection.sections[i]) != synapse.stretch->swc_type ||
            config_.layer_numbers.at(projection.layers[i]) != synapse.stretch->layer ||
            projection.proportions[i] <= 0.0) {
          continue;
        }
        candidates.push_back(
            {static_cast<int32_t>(p), projection.proportions[i], projection.layers[i]});
      }
    }
    return candidates;
  }

  void Choose(const io::Population& post, uint32_t cell, const NamedRandom& random,
              Synapses& synapses) const {
    const auto& place_um = system_.position_um[post.first_gid + cell];
    std::map<std::pair<std::string, std::string>, Sources> sources;  // by population and layer
    const Stretch* of_stretch = nullptr;
    bool of_type = false;
    std::vector<Candidate> candidates;
    for (size_t n = 0; n < synapses.size(); ++n) {
      Synapse& synapse = synapses[n];
      if (synapse.stretch != of_stretch || synapse.inhibitory != of_type) {
        candidates = CandidatesFor(post, synapse);
        of_stretch = synapse.stretch;
        of_type = synapse.inhibitory;
      }
      if (candidates.empty()) continue;
      const NamedRandom::Words words = random.At({{cell, n, 0, 0}});
      double sum = 0.0;
      for (const Candidate& candidate : candidates) sum += candidate.proportion;
      double rest = OpenUnit(words[0]) * sum;
      size_t chosen = 0;
      while (chosen + 1 < candidates.size() && rest >= candidates[chosen].proportion) {
        rest -= candidates[chosen++].proportion;
      }
      const Candidate& candidate = candidates[chosen];
      const std::string& pre = config_.projections[static_cast<size_t>(candidate.projection)].pre;
      auto found = sources.find({pre, candidate.layer});
      if (found == sources.end()) {
        const auto index = static_cast<size_t>(system_.FindPopulation(pre));
        const auto& axons = config_.populations[index].axons;
        const auto axon = axons.find(candidate.layer);
        found = sources
                    .emplace(std::make_pair(pre, candidate.layer),
                             Sources(axon != axons.end() ? axon->second : axons.at("default"),
                                     system_, system_.populations[index], place_um))
                    .first;
      }
      const std::optional<uint32_t> source = found->second.Choose(OpenUnit(words[1]));
      if (!source.has_value()) continue;
      synapse.projection = candidate.projection;
      synapse.source = *source;
    }
  }

  void Store(size_t index, std::vector<Synapses>& cells) {
    const io::Population& post = system_.populations[index];
    io::SynapseSites& sites = system_.synapse_sites[index];
    sites.offsets = {0};
    std::vector<int> projection_of(config_.projections.size(), -1);
    for (uint32_t cell = 0; cell < post.num_cells; ++cell) {
      const Synapses& synapses = cells[cell];
      std::vector<uint32_t> order;
      for (uint32_t id = 0; id < synapses.size(); ++id) {
        const Synapse& synapse = synapses[id];
        sites.syn_id.push_back(id);
        sites.syn_type.push_back(synapse.inhibitory ? 1 : 0);
        sites.swc_type.push_back(synapse.stretch->swc_type);
        sites.section.push_back(synapse.stretch->section);
        sites.layer.push_back(synapse.stretch->layer);
        sites.location.push_back(synapse.location);
        sites.path_distance_um.push_back(synapse.soma_um);
        if (synapse.projection >= 0) order.push_back(id);
      }
      sites.offsets.push_back(sites.syn_id.size());
      // Inputs of a cell by source, as MiV-Simulator stores them.
      std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
        return synapses[a].source < synapses[b].source;
      });
      for (const uint32_t id : order) Add(post, cell, synapses[id], id, projection_of);
      Synapses().swap(cells[cell]);
    }
  }

  void Add(const io::Population& post, uint32_t cell, const Synapse& synapse, uint32_t id,
           std::vector<int>& projection_of) {
    const auto p = static_cast<size_t>(synapse.projection);
    if (projection_of[p] < 0) {
      projection_of[p] = static_cast<int>(system_.projections.size());
      io::Projection& made = system_.projections.emplace_back();
      made.post = config_.projections[p].post;
      made.pre = config_.projections[p].pre;
    }
    io::Projection& projection = system_.projections[static_cast<size_t>(projection_of[p])];
    const io::Population& pre =
        system_.populations[static_cast<size_t>(system_.FindPopulation(projection.pre))];
    const uint32_t source = pre.first_gid + synapse.source, target = post.first_gid + cell;
    const auto &from = system_.position_um[source], &to = system_.position_um[target];
    projection.source_gid.push_back(source);
    projection.target_gid.push_back(target);
    projection.distance_um.push_back(
        static_cast<float>(std::abs(from[0] - to[0]) + std::abs(from[1] - to[1])));
    projection.syn_id.push_back(id);
  }

  const LayersConfig& config_;
  const Work& work_;
  System& system_;
};

template <typename T>
void SortByPopulation(const System& system, std::vector<T>& values) {
  std::stable_sort(values.begin(), values.end(), [&](const T& a, const T& b) {
    return std::make_pair(system.FindPopulation(a.post), system.FindPopulation(a.pre)) <
           std::make_pair(system.FindPopulation(b.post), system.FindPopulation(b.pre));
  });
}

}  // namespace

absl::StatusOr<GeneratedCulture> GenerateLayers(const LayersConfig& config,
                                                const MorphologyTexts& morphologies,
                                                const Work& work) {
  GeneratedCulture culture;
  System& system = culture.system;
  system.graph_uuid = UuidOfText(absl::StrCat(io::JsonText(config.source), "\n", config.random_seed,
                                              "\n", io::JsonText(Json(morphologies))));
  system.layers = config.layers;
  system.projection_configs = config.projections;
  Maker maker(config, work, system);
  maker.Place();
  for (size_t i = 0; i < config.populations.size(); ++i) {
    const LayeredPopulation& population = config.populations[i];
    Morphology shape;
    if (!population.densities.empty()) {
      const auto text = morphologies.find(population.name);
      if (text == morphologies.end()) {
        return MakeFieldError(absl::StrCat("morphologies.", population.name), "absent",
                              "the shape of its cells");
      }
      LIVND_ASSIGN_OR_RETURN(shape,
                             ParseMorphology(absl::StrCat(population.name, ".swc"), text->second));
    }
    LIVND_RETURN_IF_ERROR(maker.Connect(i, shape));
  }
  SortByPopulation(system, system.projections);
  SortByPopulation(system, system.projection_configs);
  // A projection that nobody is in is not in the files.
  auto& configs = system.projection_configs;
  configs.erase(std::remove_if(configs.begin(), configs.end(),
                               [&](const io::ProjectionConfig& c) {
                                 return std::none_of(system.projections.begin(),
                                                     system.projections.end(), [&](const auto& p) {
                                                       return p.post == c.post && p.pre == c.pre;
                                                     });
                               }),
                configs.end());
  Json cells = Json::object();
  for (const LayeredPopulation& population : config.populations) {
    Json& row = cells[population.name] = Json::object();
    for (const LayerCells& layer : population.cells) row[layer.layer] = layer.num_cells;
  }
  culture.graph = {
      {"architecture", {{"config", {{"cell_distributions", std::move(cells)}}}}},
      {"connections",
       {{"connections", {{"config", {{"layer_definitions", config.layer_numbers}}}}}}}};
  return culture;
}

Json LayersProvenance(const LayersConfig& config, const MorphologyTexts& morphologies,
                      const std::string& version) {
  Json settings = config.source;
  settings["random_seed"] = config.random_seed;
  Json shapes = Json::object();
  for (const auto& [name, text] : morphologies) {
    shapes[name] = std::vector<std::string>(absl::StrSplit(text, '\n'));
  }
  return {{"generator", kGenerator},
          {"livnd", version},
          {"streams", kStreams},
          {"config", std::move(settings)},
          {"morphologies", std::move(shapes)}};
}

absl::StatusOr<std::optional<LayersOrigin>> ParseLayersProvenance(const io::JsonView& document) {
  if (!document.is_object()) return std::nullopt;
  LIVND_ASSIGN_OR_RETURN(const auto generator, document.Find("generator"));
  if (!generator.has_value() || generator->json() != kGenerator) return std::nullopt;
  LIVND_ASSIGN_OR_RETURN(const io::JsonView streams, document.Member("streams"));
  LIVND_RETURN_IF_ERROR(streams.Integer(kStreams, kStreams).status());
  LIVND_ASSIGN_OR_RETURN(const io::JsonView config, document.Member("config"));
  LayersOrigin origin;
  LIVND_ASSIGN_OR_RETURN(origin.config, ParseLayersConfig(config));
  LIVND_ASSIGN_OR_RETURN(const io::JsonView shapes, document.Member("morphologies"));
  LIVND_RETURN_IF_ERROR(
      shapes.ForEachMember([&](const std::string& name, const io::JsonView& lines) -> absl::Status {
        LIVND_ASSIGN_OR_RETURN(const std::vector<std::string> text, lines.Strings());
        origin.morphologies[name] = absl::StrJoin(text, "\n");
        return absl::OkStatus();
      }));
  return std::optional<LayersOrigin>(std::move(origin));
}

}  // namespace livnd::lab
