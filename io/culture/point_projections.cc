#include "io/culture/point_projections.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>

#include "sim/network/populations.h"

namespace livnd::io {
namespace {

constexpr uint32_t kSeed = 123;  // livn's, whatever the seed of the environment

// The words that init_by_array of Matsumoto and Nishimura's MT19937 makes of one key word, in the
// form that std::mt19937 takes a state from.
class ArraySeed {
 public:
  using result_type = uint32_t;
  explicit ArraySeed(uint32_t key) : key_(key) {}

  template <typename Iterator>
  void generate(Iterator begin, Iterator end) const {
    constexpr size_t kN = std::mt19937::state_size;
    std::vector<uint32_t> mt(kN);
    mt[0] = 19650218u;
    for (size_t i = 1; i < kN; ++i) {
      mt[i] = 1812433253u * (mt[i - 1] ^ (mt[i - 1] >> 30)) + static_cast<uint32_t>(i);
    }
    size_t i = 1;
    const auto next = [&] {
      if (++i == kN) {
        mt[0] = mt[kN - 1];
        i = 1;
      }
    };
    for (size_t k = 0; k < kN; ++k) {
      mt[i] = (mt[i] ^ ((mt[i - 1] ^ (mt[i - 1] >> 30)) * 1664525u)) + key_;
      next();
    }
    for (size_t k = 0; k < kN - 1; ++k) {
      mt[i] = (mt[i] ^ ((mt[i - 1] ^ (mt[i - 1] >> 30)) * 1566083941u)) - static_cast<uint32_t>(i);
      next();
    }
    mt[0] = 0x80000000u;
    std::copy_n(mt.begin(), std::min<size_t>(kN, static_cast<size_t>(end - begin)), begin);
  }

 private:
  uint32_t key_;
};

class PythonRandom {
 public:
  explicit PythonRandom(uint32_t seed) : words_(Seeded(seed)) {}
  double operator()() {
    const uint32_t high = words_() >> 5, low = words_() >> 6;
    return (high * 67108864.0 + low) / 9007199254740992.0;
  }

 private:
  static std::mt19937 Seeded(uint32_t seed) {
    ArraySeed words(seed);
    return std::mt19937(words);
  }
  std::mt19937 words_;
};

const sim::PopulationConfig& Find(const std::vector<sim::PopulationConfig>& populations,
                                  const std::string& name) {
  return *std::find_if(populations.begin(), populations.end(),
                       [&](const sim::PopulationConfig& p) { return p.name == name; });
}

// Of a population without selected cells nothing is built and nothing is connected, as in livn.
bool Exists(const sim::PopulationConfig& population, int64_t gid) {
  return !population.selected_gids.has_value() ||
         std::binary_search(population.selected_gids->begin(), population.selected_gids->end(),
                            gid);
}

}  // namespace

std::vector<double> PythonRandoms(uint32_t seed, int64_t count) {
  PythonRandom random(seed);
  std::vector<double> out;
  for (int64_t i = 0; i < count; ++i) out.push_back(random());
  return out;
}

std::vector<sim::ProjectionConfig> PointProjections(
    const System& system, const std::vector<sim::PopulationConfig>& populations) {
  PythonRandom random(kSeed);
  std::vector<sim::ProjectionConfig> out;
  for (const ProjectionConfig& graph : system.projection_configs) {
    const auto edges = std::find_if(
        system.projections.begin(), system.projections.end(),
        [&](const Projection& p) { return p.post == graph.post && p.pre == graph.pre; });
    if (edges == system.projections.end()) continue;
    const sim::PopulationConfig& post = Find(populations, graph.post);
    const sim::PopulationConfig& pre = Find(populations, graph.pre);
    sim::ProjectionConfig projection;
    projection.post = graph.post;
    projection.pre = graph.pre;
    projection.known_swc_types = {sim::kSwcSoma};
    sim::ReceptorConfig current;
    current.receptor = "I_syn";
    current.params["sign"] = graph.type == "inhibitory" ? -1.0 : 1.0;
    projection.receptors[sim::ProjectionConfig::kDefaultReceptors].push_back(current);
    std::map<std::pair<int64_t, int64_t>, sim::Edge> of_pair;  // by target, then source
    for (size_t i = 0; i < edges->source_gid.size(); ++i) {
      sim::Edge edge;
      edge.source_gid = edges->source_gid[i];
      edge.target_gid = edges->target_gid[i];
      edge.swc_type = sim::kSwcSoma;
      edge.distance_um = edges->distance_um[i];
      edge.syn_id = edges->syn_id[i];
      edge.weight = random();
      if (!Exists(pre, edge.source_gid) || !Exists(post, edge.target_gid)) continue;
      of_pair[{edge.target_gid, edge.source_gid}] = edge;
    }
    if (!sim::AreNeurons(graph.post)) continue;
    for (const auto& [pair, edge] : of_pair) projection.edges.push_back(edge);
    out.push_back(std::move(projection));
  }
  return out;
}

}  // namespace livnd::io
