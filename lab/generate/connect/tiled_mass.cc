#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "lab/generate/connect/sparse.h"

namespace livnd::lab {
namespace {

// Up to as many pairs are summed up one by one.
constexpr double kMaxPairs = 1 << 22;
// Of the kernel: further away than where it has fallen to exp(-kReach) it adds nothing.
constexpr double kReach = 30.0;
// The points of Gauss and Legendre on [-1, 1] are -kNode, 0 and kNode.
constexpr double kNodeSquared = 0.6;
constexpr size_t kNodes = 9;  // a tile

double ReachOf(const DistanceKernel& kernel) {
  return kernel.sigma_um * (kernel.gaussian ? std::sqrt(2.0 * kReach) : kReach);
}

// The cells of each tile as weights of its nine points.
struct Nodes {
  std::vector<float> x, y;
  std::vector<double> weight;
};

// The polynomials that are 1 at one of the three points and 0 at the others.
std::array<double, 3> Lagrange(double x) {
  const double node = std::sqrt(kNodeSquared);
  return {x * (x - node) / (2.0 * kNodeSquared), 1.0 - x * x / kNodeSquared,
          x * (x + node) / (2.0 * kNodeSquared)};
}

Nodes MakeNodes(const Grid& grid, const Tiles& tiles) {
  const size_t num_nodes = kNodes * static_cast<size_t>(grid.num_tiles());
  Nodes nodes{std::vector<float>(num_nodes), std::vector<float>(num_nodes),
              std::vector<double>(num_nodes)};
  const double half = grid.side_um / 2.0, node = std::sqrt(kNodeSquared);
  for (int tile = 0; tile < grid.num_tiles(); ++tile) {
    const double middle_x = grid.min_x + grid.side_um * (tile % grid.num_x + 0.5);
    const double middle_y = grid.min_y + grid.side_um * (tile / grid.num_x + 0.5);
    const size_t first = kNodes * static_cast<size_t>(tile);
    for (size_t k = 0; k < kNodes; ++k) {
      nodes.x[first + k] =
          static_cast<float>(middle_x + half * node * (static_cast<double>(k % 3) - 1.0));
      nodes.y[first + k] =
          static_cast<float>(middle_y + half * node * (static_cast<double>(k / 3) - 1.0));
    }
    for (uint32_t i = tiles.first[tile]; i < tiles.first[tile + 1]; ++i) {
      const auto along_x = Lagrange((tiles.x[i] - middle_x) / half),
                 along_y = Lagrange((tiles.y[i] - middle_y) / half);
      for (size_t k = 0; k < kNodes; ++k)
        nodes.weight[first + k] += along_x[k % 3] * along_y[k / 3];
    }
  }
  return nodes;
}

double SumOf(const double (&s)[8]) {
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

// In eight sums that take turns.
double Dot(const double* a, const float* b, size_t size) {
  double sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    for (size_t k = 0; k < 8; ++k) sums[k] += a[i + k] * b[i + k];
  }
  for (; i < size; ++i) sums[0] += a[i] * b[i];
  return SumOf(sums);
}

// Adds up what one tile of targets has; used by one thread.
class TileMass {
 public:
  TileMass(const Rule& rule, const Tiles& sources, const Tiles& targets)
      : rule_(rule), sources_(sources), targets_(targets) {}

  // Each target with the sources begin .. end - 1.
  void AddPairs(int target_tile, uint32_t begin, uint32_t end) {
    buffer_.resize(std::max<size_t>(buffer_.size(), end - begin));
    for (uint32_t t = targets_.first[target_tile]; t < targets_.first[target_tile + 1]; ++t) {
      KernelFrom(rule_.kernel, targets_.x[t], targets_.y[t], sources_.x.data() + begin,
                 sources_.y.data() + begin, nullptr, buffer_.data(), end - begin);
      // A population onto itself: both are sorted into the same tiles.
      if (rule_.excludes_self() && t >= begin && t < end) buffer_[t - begin] = 0.0f;
      Add(absl::MakeConstSpan(buffer_.data(), end - begin));
    }
  }

  // The points of a tile with the points begin .. end - 1 of the sources.
  void AddNodes(const Nodes& of_targets, int target_tile, const Nodes& of_sources, size_t begin,
                size_t end) {
    if (begin >= end) return;
    buffer_.resize(std::max(buffer_.size(), end - begin));
    for (size_t k = 0; k < kNodes; ++k) {
      const size_t node = kNodes * static_cast<size_t>(target_tile) + k;
      KernelFrom(rule_.kernel, of_targets.x[node], of_targets.y[node], of_sources.x.data() + begin,
                 of_sources.y.data() + begin, nullptr, buffer_.data(), end - begin);
      mass_.sum += of_targets.weight[node] *
                   Dot(of_sources.weight.data() + begin, buffer_.data(), end - begin);
    }
  }

  const KernelMass& mass() const { return mass_; }

 private:
  void Add(absl::Span<const float> weights) {
    double sums[8] = {};
    float most[8] = {};
    AddEighths(weights.data(), weights.size(), sums, most);
    mass_.sum += SumOf(sums);
    mass_.max = std::max(mass_.max, *std::max_element(most, most + 8));
  }

  const Rule& rule_;
  const Tiles& sources_;
  const Tiles& targets_;
  std::vector<float> buffer_;
  KernelMass mass_;
};

}  // namespace

absl::StatusOr<KernelMass> TiledKernelMass(const Rule& rule, const Grid& grid, const Tiles& sources,
                                           const Tiles& targets, const Work& work) {
  const bool each_pair =
      static_cast<double>(sources.cell.size()) * static_cast<double>(targets.cell.size()) <=
      kMaxPairs;
  Nodes of_sources, of_targets;
  if (!each_pair) {
    of_sources = MakeNodes(grid, sources);
    of_targets = MakeNodes(grid, targets);
  }
  // Tiles between which all pairs are further apart.
  const double reach = std::min(ReachOf(rule.kernel) / grid.side_um + 1.0, 2.0 * grid.num_tiles());
  const int far = static_cast<int>(std::ceil(reach));
  std::vector<KernelMass> masses(static_cast<size_t>(grid.num_tiles()));
  LIVND_RETURN_IF_ERROR(
      work.Run(absl::StrCat(rule.name, " kernel"), grid.num_tiles(), [&](int tile) {
        TileMass sum(rule, sources, targets);
        if (each_pair) {
          sum.AddPairs(tile, 0, static_cast<uint32_t>(sources.cell.size()));
        } else if (targets.size(tile) > 0) {
          const int x = tile % grid.num_x, y = tile / grid.num_x;
          const int left = std::max(0, x - far), right = std::min(grid.num_x - 1, x + far);
          for (int row = std::max(0, y - far); row <= std::min(grid.num_y - 1, y + far); ++row) {
            const auto node_of = [&](int column) {
              return kNodes * static_cast<size_t>(row * grid.num_x + column);
            };
            if (std::abs(row - y) > 1) {
              sum.AddNodes(of_targets, tile, of_sources, node_of(left), node_of(right + 1));
              continue;
            }
            const int near_left = std::max(0, x - 1), near_right = std::min(grid.num_x - 1, x + 1);
            sum.AddNodes(of_targets, tile, of_sources, node_of(left), node_of(near_left));
            sum.AddNodes(of_targets, tile, of_sources, node_of(near_right + 1), node_of(right + 1));
            sum.AddPairs(tile, sources.first[row * grid.num_x + near_left],
                         sources.first[row * grid.num_x + near_right + 1]);
          }
        }
        masses[tile] = sum.mass();
      }));
  KernelMass all;
  for (const KernelMass& mass : masses) {
    all.sum += mass.sum;
    all.max = std::max(all.max, mass.max);
  }
  return all;
}

}  // namespace livnd::lab
