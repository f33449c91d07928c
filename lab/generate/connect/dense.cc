#include "lab/generate/connect/dense.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/status_macros.h"
#include "lab/generate/connect/amplitude.h"

namespace livnd::lab {
namespace {

// What a piece of work draws, about as many pairs.
constexpr int64_t kPiecePairs = 1 << 18;

int NumPieces(int64_t count, int64_t each) { return static_cast<int>((count + each - 1) / each); }

// Turns the kernel's values into probabilities; that of `self`, if within, into 0.
void ToProbabilities(const Rule& rule, float amplitude, int64_t self, std::vector<float>& p) {
  for (float& x : p) x *= amplitude;
  if (rule.cutoff.has_value()) {
    const float cutoff = static_cast<float>(*rule.cutoff);
    for (float& x : p) x = x >= cutoff ? x : 0.0f;
  }
  if (rule.excludes_self() && self >= 0 && self < static_cast<int64_t>(p.size())) {
    p[static_cast<size_t>(self)] = 0.0f;
  }
}

// The connections of consecutive targets, found by one piece.
struct Found {
  std::vector<uint32_t> num_inputs;  // by target
  std::vector<uint32_t> source;
  std::vector<float> distance_um;
};

// In order of the targets.
Edges Join(std::vector<Found> pieces) {
  Edges edges;
  size_t num_edges = 0;
  for (const Found& piece : pieces) num_edges += piece.source.size();
  edges.offsets.push_back(0);
  edges.source.reserve(num_edges);
  edges.distance_um.reserve(num_edges);
  for (Found& piece : pieces) {
    for (const uint32_t count : piece.num_inputs)
      edges.offsets.push_back(edges.offsets.back() + count);
    edges.source.insert(edges.source.end(), piece.source.begin(), piece.source.end());
    edges.distance_um.insert(edges.distance_um.end(), piece.distance_um.begin(),
                             piece.distance_um.end());
    piece = Found();
  }
  return edges;
}

// A connection within a chunk of targets.
struct Hit {
  uint32_t source, target;
  float distance_um;
};

// Hits by source and, within one, by target, as rows by target.
void AppendByTarget(const std::vector<std::vector<Hit>>& pieces, int64_t from, int64_t width,
                    Edges& edges) {
  std::vector<uint64_t> next(static_cast<size_t>(width) + 1);
  for (const auto& piece : pieces) {
    for (const Hit& hit : piece) ++next[hit.target - from + 1];
  }
  next[0] = edges.offsets.back();
  for (size_t i = 1; i < next.size(); ++i) {
    next[i] += next[i - 1];
    edges.offsets.push_back(next[i]);
  }
  edges.source.resize(edges.offsets.back());
  edges.distance_um.resize(edges.offsets.back());
  for (const auto& piece : pieces) {
    for (const Hit& hit : piece) {
      const uint64_t at = next[hit.target - from]++;
      edges.source[at] = hit.source;
      edges.distance_um[at] = hit.distance_um;
    }
  }
}

}  // namespace

absl::StatusOr<Edges> ConnectAsLivn(const Rule& rule, const Places& sources, const Places& targets,
                                    const NamedRandom& random, const Work& work) {
  LIVND_ASSIGN_OR_RETURN(const KernelMass mass, LivnKernelMass(rule, sources, targets, work));
  LIVND_RETURN_IF_ERROR(CheckReachable(rule, mass, sources.size(), targets.size()));
  const double amplitude = AmplitudeOf(rule, mass, targets.size());
  const auto num_sources = static_cast<int64_t>(sources.size());
  const auto num_targets = static_cast<int64_t>(targets.size());
  const int64_t each = std::max<int64_t>(1, kPiecePairs / num_sources);
  std::vector<Found> pieces(static_cast<size_t>(NumPieces(num_targets, each)));
  LIVND_RETURN_IF_ERROR(work.Run(rule.name, static_cast<int>(pieces.size()), [&](int i) {
    std::vector<float> distance(sources.size()), p(sources.size());
    Found& found = pieces[i];
    for (int64_t target = i * each; target < std::min(num_targets, (i + 1) * each); ++target) {
      KernelFrom(rule.kernel, targets.x[target], targets.y[target], sources.x.data(),
                 sources.y.data(), distance.data(), p.data(), p.size());
      ToProbabilities(rule, static_cast<float>(amplitude), target, p);
      const size_t before = found.source.size();
      const uint64_t block = static_cast<uint64_t>(target) * static_cast<uint64_t>(num_sources);
      for (size_t source = 0; source < p.size(); source += 4) {
        const NamedRandom::Words words = random.NumpyBlock(block, source / 4);
        for (size_t k = 0; k < std::min<size_t>(4, p.size() - source); ++k) {
          if (!(LivnUnit(words[k]) < p[source + k])) continue;
          found.source.push_back(static_cast<uint32_t>(source + k));
          found.distance_um.push_back(distance[source + k]);
        }
      }
      found.num_inputs.push_back(static_cast<uint32_t>(found.source.size() - before));
    }
  }));
  Edges edges = Join(std::move(pieces));
  edges.amplitude = amplitude;
  return edges;
}

absl::StatusOr<Edges> ConnectFromStream(const Rule& rule, const Places& sources,
                                        const Places& targets, io::NumpyRandom& stream,
                                        const Work& work) {
  LIVND_ASSIGN_OR_RETURN(const KernelMass mass, LivnKernelMass(rule, sources, targets, work));
  Edges edges;
  edges.amplitude = AmplitudeOf(rule, mass, targets.size());
  edges.offsets.push_back(0);
  const auto num_sources = static_cast<int64_t>(sources.size());
  const auto num_targets = static_cast<int64_t>(targets.size());
  for (int64_t from = 0; from < num_targets; from += kLivnChunk) {
    const int64_t width = std::min(kLivnChunk, num_targets - from);
    const int64_t each = std::max<int64_t>(1, kPiecePairs / width);
    std::vector<std::vector<Hit>> pieces(static_cast<size_t>(NumPieces(num_sources, each)));
    LIVND_RETURN_IF_ERROR(work.Run(rule.name, static_cast<int>(pieces.size()), [&](int i) {
      io::NumpyRandom own = stream;
      own.SkipFloats(static_cast<uint64_t>(i * each * width));
      std::vector<float> distance(static_cast<size_t>(width)), p(distance.size());
      for (int64_t source = i * each; source < std::min(num_sources, (i + 1) * each); ++source) {
        KernelFrom(rule.kernel, sources.x[source], sources.y[source], targets.x.data() + from,
                   targets.y.data() + from, distance.data(), p.data(), p.size());
        ToProbabilities(rule, static_cast<float>(edges.amplitude), source - from, p);
        for (size_t k = 0; k < p.size(); ++k) {
          if (!(own.Float() < p[k])) continue;
          pieces[i].push_back({static_cast<uint32_t>(source),
                               static_cast<uint32_t>(from + static_cast<int64_t>(k)), distance[k]});
        }
      }
    }));
    stream.SkipFloats(static_cast<uint64_t>(num_sources * width));
    AppendByTarget(pieces, from, width, edges);
  }
  return edges;
}

absl::Status ConnectNearestIfNone(const Rule& rule, const Places& sources, const Places& targets,
                                  const Work& work, Edges& edges) {
  if (!edges.source.empty()) return absl::OkStatus();
  const auto num_targets = static_cast<int64_t>(targets.size());
  float best = 0.0f;
  size_t source = 0, target = 0;
  for (int64_t from = 0; from < num_targets; from += kLivnChunk) {
    std::vector<float> p(static_cast<size_t>(std::min(kLivnChunk, num_targets - from)));
    for (size_t i = 0; i < sources.size(); ++i) {
      if (work.stop && work.stop()) return absl::CancelledError("interrupted");
      KernelFrom(rule.kernel, sources.x[i], sources.y[i], targets.x.data() + from,
                 targets.y.data() + from, nullptr, p.data(), p.size());
      Rule uncut = rule;
      uncut.cutoff.reset();
      ToProbabilities(uncut, static_cast<float>(edges.amplitude), static_cast<int64_t>(i) - from,
                      p);
      const auto largest = std::max_element(p.begin(), p.end());
      if (*largest <= best) continue;
      best = *largest;
      source = i;
      target = static_cast<size_t>(from + (largest - p.begin()));
    }
  }
  if (best == 0.0f) return absl::OkStatus();
  float distance, weight;
  KernelFrom(rule.kernel, targets.x[target], targets.y[target], &sources.x[source],
             &sources.y[source], &distance, &weight, 1);
  edges.source = {static_cast<uint32_t>(source)};
  edges.distance_um = {distance};
  for (size_t i = target + 1; i < edges.offsets.size(); ++i) edges.offsets[i] = 1;
  return absl::OkStatus();
}

}  // namespace livnd::lab
