#include "lab/generate/connect/sparse.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "sim/simd/scalar_math.h"

namespace livnd::lab {
namespace {

// Counters of the random numbers: for which draw they are.
constexpr uint64_t kFirstOfTiles = 0, kWithinTiles = 1;

// What a probability in single precision may be too large by.
constexpr double kRounding = 1e-6;

// log(1 - p) of 0 < p < 1, without cancellation.
double LogOfRest(double p) {
  if (p > 1e-4) return sim::ScalarLog(1.0 - p);
  return -p * (1.0 + p * (1.0 / 2 + p * (1.0 / 3 + p * (1.0 / 4))));
}

// A connection to a cell of a tile.
struct Hit {
  uint32_t target;  // within the tile
  uint32_t source;
  float distance_um;
};

// A pair of cells that may be connected: is, if `draw` is below its probability.
struct Candidate {
  uint32_t target, source;  // positions in the tiles' order
  double draw;
};

// What all tiles share.
struct Job {
  const Rule& rule;
  const Tiles& sources;
  const Tiles& targets;
  const NamedRandom& random;
  float amplitude;
  std::atomic<bool>& beyond_one;
};

// Draws the inputs of the cells of one tile; used by one thread.
class TileDraw {
 public:
  TileDraw(const Job& job, int target_tile)
      : job_(job), tile_(target_tile), first_target_(job.targets.first[target_tile]) {}

  std::vector<Hit> Draw() {
    const std::vector<float> largest = LargestProbabilities();
    NamedRandom::Words words;
    for (size_t source_tile = 0; source_tile < largest.size(); ++source_tile) {
      if (source_tile % 4 == 0) {
        words = job_.random.At({{source_tile / 4, static_cast<uint64_t>(tile_), 0, kFirstOfTiles}});
      }
      if (largest[source_tile] > 0.0f) {
        DrawFrom(source_tile, std::min(1.0, double{largest[source_tile]}),
                 OpenUnit(words[source_tile % 4]));
      }
    }
    Flush();
    return Sorted();
  }

 private:
  static constexpr size_t kBatch = 512;

  // Above the probability of any pair, by tile of sources; 0 where there is none.
  std::vector<float> LargestProbabilities() const {
    const Tiles& from = job_.sources;
    const auto& min = job_.targets.min_um[tile_];
    const auto& max = job_.targets.max_um[tile_];
    std::vector<float> gap(from.min_um.size()), largest(gap.size());
    for (size_t i = 0; i < gap.size(); ++i) {
      float squares = 0.0f;
      for (size_t axis = 0; axis < 2; ++axis) {
        const float d =
            std::max({0.0f, from.min_um[i][axis] - max[axis], min[axis] - from.max_um[i][axis]});
        squares += d * d;
      }
      gap[i] = std::sqrt(squares) * (1.0f - 1e-6f);
    }
    KernelAt(job_.rule.kernel, gap.data(), largest.data(), gap.size());
    const float cutoff = static_cast<float>(job_.rule.cutoff.value_or(0.0));
    for (float& p : largest) {
      p *= job_.amplitude * (1.0f + 1e-5f);
      if (p < cutoff) p = 0.0f;
    }
    return largest;
  }

  // Pairs of the two tiles in order of target and source: how many are passed over before the next candidate is
  // geometric, log(u) / log(1 - p) rounded down.
  void DrawFrom(size_t source_tile, double p, double u) {
    const Tiles& from = job_.sources;
    const uint32_t num_sources = from.first[source_tile + 1] - from.first[source_tile];
    const double num_pairs = static_cast<double>(num_sources) * job_.targets.size(tile_);
    const double log_rest = p < 1.0 ? LogOfRest(p) : -std::numeric_limits<double>::infinity();
    if (1.0 - u >= -num_pairs * log_rest) return;  // and so is -log(u)
    double next = -1.0;
    NamedRandom::Words words;
    for (uint64_t i = 0;; ++i) {
      next += 1.0 + std::floor(sim::ScalarLog(u) / log_rest);
      if (!(next < num_pairs)) return;
      const auto pair = static_cast<uint64_t>(next);
      if (i % 2 == 0) {
        words = job_.random.At({{i / 2, static_cast<uint64_t>(tile_), source_tile, kWithinTiles}});
      }
      candidates_.push_back({first_target_ + static_cast<uint32_t>(pair / num_sources),
                             from.first[source_tile] + static_cast<uint32_t>(pair % num_sources),
                             p * OpenUnit(words[2 * (i % 2)])});
      if (candidates_.size() == kBatch) Flush();
      u = OpenUnit(words[2 * (i % 2) + 1]);
    }
  }

  // Keeps of the candidates those that are connected.
  void Flush() {
    const size_t count = candidates_.size();
    dx_.resize(count);
    dy_.resize(count);
    distance_.resize(count);
    weight_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      const Candidate& c = candidates_[i];
      dx_[i] = job_.sources.x[c.source] - job_.targets.x[c.target];
      dy_[i] = job_.sources.y[c.source] - job_.targets.y[c.target];
    }
    KernelFrom(job_.rule.kernel, 0.0f, 0.0f, dx_.data(), dy_.data(), distance_.data(),
               weight_.data(), count);
    const float cutoff = static_cast<float>(job_.rule.cutoff.value_or(0.0));
    for (size_t i = 0; i < count; ++i) {
      const Candidate& c = candidates_[i];
      const uint32_t source = job_.sources.cell[c.source];
      if (job_.rule.excludes_self() && source == job_.targets.cell[c.target]) continue;
      const float p = job_.amplitude * weight_[i];
      if (p > 1.0 + kRounding) job_.beyond_one = true;
      if (p < cutoff || !(c.draw < p)) continue;
      hits_.push_back({c.target - first_target_, source, distance_[i]});
    }
    candidates_.clear();
  }

  // The hits by target and source: counted by target, of which each has few.
  std::vector<Hit> Sorted() const {
    std::vector<size_t> ends(job_.targets.size(tile_) + 1);
    for (const Hit& hit : hits_) ++ends[hit.target + 1];
    for (size_t i = 1; i < ends.size(); ++i) ends[i] += ends[i - 1];
    std::vector<Hit> sorted(hits_.size());
    // Where the next of each target goes; in the end where the next target's begin.
    for (const Hit& hit : hits_) sorted[ends[hit.target]++] = hit;
    size_t begin = 0;
    for (size_t target = 0; target + 1 < ends.size(); ++target) {
      std::sort(sorted.begin() + static_cast<std::ptrdiff_t>(begin),
                sorted.begin() + static_cast<std::ptrdiff_t>(ends[target]),
                [](const Hit& a, const Hit& b) { return a.source < b.source; });
      begin = ends[target];
    }
    return sorted;
  }

  const Job& job_;
  const int tile_;
  const uint32_t first_target_;
  std::vector<Candidate> candidates_;
  std::vector<float> dx_, dy_, distance_, weight_;
  std::vector<Hit> hits_;
};

}  // namespace

absl::StatusOr<Edges> ConnectSparsely(const Rule& rule, const Places& sources,
                                      const Places& targets, const NamedRandom& random,
                                      const Work& work) {
  const Grid grid = MakeGrid(sources, targets, rule.kernel.sigma_um);
  const Tiles from = MakeTiles(grid, sources), to = MakeTiles(grid, targets);
  LIVND_ASSIGN_OR_RETURN(const KernelMass mass, TiledKernelMass(rule, grid, from, to, work));
  LIVND_RETURN_IF_ERROR(CheckReachable(rule, mass, sources.size(), targets.size()));
  Edges edges;
  edges.amplitude = AmplitudeOf(rule, mass, targets.size());
  std::atomic<bool> beyond_one{false};
  const Job job = {rule, from, to, random, static_cast<float>(edges.amplitude), beyond_one};
  std::vector<std::vector<Hit>> hits(static_cast<size_t>(grid.num_tiles()));
  LIVND_RETURN_IF_ERROR(work.Run(rule.name, grid.num_tiles(), [&](int tile) {
    if (to.size(tile) > 0) hits[tile] = TileDraw(job, tile).Draw();
  }));
  if (beyond_one) {
    // Of a pair in tiles that do not touch, which the mass does not tell: its kernel is at least so large.
    const KernelMass with_pair = {mass.sum,
                                  static_cast<float>((1.0 + kRounding) / edges.amplitude)};
    return CheckReachable(rule, with_pair, sources.size(), targets.size());
  }
  edges.offsets.assign(targets.size() + 1, 0);
  for (int tile = 0; tile < grid.num_tiles(); ++tile) {
    for (const Hit& hit : hits[tile]) ++edges.offsets[to.cell[to.first[tile] + hit.target] + 1];
  }
  for (size_t i = 1; i < edges.offsets.size(); ++i) edges.offsets[i] += edges.offsets[i - 1];
  edges.source.resize(edges.offsets.back());
  edges.distance_um.resize(edges.offsets.back());
  LIVND_RETURN_IF_ERROR(work.Run(rule.name, grid.num_tiles(), [&](int tile) {
    for (size_t i = 0; i < hits[tile].size();) {
      const uint32_t target = hits[tile][i].target;
      uint64_t at = edges.offsets[to.cell[to.first[tile] + target]];
      for (; i < hits[tile].size() && hits[tile][i].target == target; ++i, ++at) {
        edges.source[at] = hits[tile][i].source;
        edges.distance_um[at] = hits[tile][i].distance_um;
      }
    }
    std::vector<Hit>().swap(hits[tile]);
  }));
  return edges;
}

}  // namespace livnd::lab
