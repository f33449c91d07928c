#include "lab/generate/connect/amplitude.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::lab {
namespace {

// A piece of the sum is computed in one go, in a buffer of at most as many numbers.
constexpr int64_t kPieceElements = 1 << 18;

// numpy.sum of contiguous single-precision numbers (NumPy, pairwise summation): halves that are multiples of 8, down
// to 128 numbers, which eight sums take in turn.
float PairwiseSum(const float* x, int64_t size) {
  if (size < 8) {
    float sum = -0.0f;
    for (int64_t i = 0; i < size; ++i) sum += x[i];
    return sum;
  }
  if (size <= 128) {
    float r[8];
    std::copy(x, x + 8, r);
    int64_t i = 8;
    for (; i + 8 <= size; i += 8) {
      for (int64_t k = 0; k < 8; ++k) r[k] += x[i + k];
    }
    float sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < size; ++i) sum += x[i];
    return sum;
  }
  const int64_t half = size / 2 - size / 2 % 8;
  return PairwiseSum(x, half) + PairwiseSum(x + half, size - half);
}

// The ranges into which the pairwise summation of `size` numbers comes apart, in order, and how their sums are put
// together again.
void CutPairwise(int64_t begin, int64_t size, std::vector<std::pair<int64_t, int64_t>>& ranges) {
  if (size <= kPieceElements) {
    ranges.emplace_back(begin, size);
    return;
  }
  const int64_t half = size / 2 - size / 2 % 8;
  CutPairwise(begin, half, ranges);
  CutPairwise(begin + half, size - half, ranges);
}

float JoinPairwise(int64_t size, const float*& sums) {
  if (size <= kPieceElements) return *sums++;
  const int64_t half = size / 2 - size / 2 % 8;
  const float first = JoinPairwise(half, sums);
  return first + JoinPairwise(size - half, sums);
}

// The weights of pairs begin .. begin + size - 1 of a chunk, whose targets are from .. from + width - 1: all targets of
// the first source, then of the second.
void ChunkWeights(const Rule& rule, const Places& sources, const Places& targets, int64_t from,
                  int64_t width, int64_t begin, int64_t size, float* out) {
  while (size > 0) {
    const int64_t source = begin / width, first = begin % width;
    const int64_t count = std::min(size, width - first);
    KernelFrom(rule.kernel, sources.x[source], sources.y[source], targets.x.data() + from + first,
               targets.y.data() + from + first, nullptr, out, static_cast<size_t>(count));
    const int64_t self = source - from - first;
    if (rule.excludes_self() && self >= 0 && self < count) out[self] = 0.0f;
    begin += count;
    out += count;
    size -= count;
  }
}

}  // namespace

double AmplitudeOf(const Rule& rule, const KernelMass& mass, size_t num_targets) {
  return mass.sum > 0.0 ? rule.mean_degree * static_cast<double>(num_targets) / mass.sum : 0.0;
}

absl::Status CheckReachable(const Rule& rule, const KernelMass& mass, size_t num_sources,
                            size_t num_targets) {
  const double largest = AmplitudeOf(rule, mass, num_targets) * mass.max;
  if (largest <= 1.0) return absl::OkStatus();
  const double reachable = mass.sum / (static_cast<double>(num_targets) * mass.max);
  return MakeFieldError(absl::StrCat("connectivity.mean_degree[", rule.name, "]"),
                        Exact(rule.mean_degree),
                        absl::StrFormat("at most %.4g, where the closest pair is always connected "
                                        "(it would need a probability of %.3g: "
                                        "%d sources within this area, sigma %g um)",
                                        reachable, largest, num_sources, rule.kernel.sigma_um));
}

absl::StatusOr<KernelMass> LivnKernelMass(const Rule& rule, const Places& sources,
                                          const Places& targets, const Work& work) {
  const auto num_targets = static_cast<int64_t>(targets.size());
  KernelMass mass;
  for (int64_t from = 0; from < num_targets; from += kLivnChunk) {
    const int64_t width = std::min(kLivnChunk, num_targets - from);
    const int64_t size = static_cast<int64_t>(sources.size()) * width;
    std::vector<std::pair<int64_t, int64_t>> ranges;
    CutPairwise(0, size, ranges);
    std::vector<float> sums(ranges.size()), largest(ranges.size());
    LIVND_RETURN_IF_ERROR(
        work.Run(absl::StrCat(rule.name, " kernel"), static_cast<int>(ranges.size()), [&](int i) {
          std::vector<float> weights(static_cast<size_t>(ranges[i].second));
          ChunkWeights(rule, sources, targets, from, width, ranges[i].first, ranges[i].second,
                       weights.data());
          sums[i] = PairwiseSum(weights.data(), ranges[i].second);
          largest[i] = *std::max_element(weights.begin(), weights.end());
        }));
    const float* next = sums.data();
    mass.sum += JoinPairwise(size, next);
    mass.max = std::max(mass.max, *std::max_element(largest.begin(), largest.end()));
  }
  return mass;
}

}  // namespace livnd::lab
