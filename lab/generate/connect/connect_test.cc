#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/culture/numpy_random.h"
#include "lab/generate/connect/amplitude.h"
#include "lab/generate/connect/dense.h"
#include "lab/generate/connect/edges.h"
#include "lab/generate/connect/sparse.h"
#include "lab/generate/progress.h"
#include "lab/generate/random/named_random.h"
#include "lab/generate/testing/numpy_draws_file.h"
#include "sim/executor.h"
#include "sim/testing/executors.h"

namespace livnd::lab {
namespace {

using testing::HasSubstr;

sim::InlineExecutor inline_executor;
const Work kWork = {&inline_executor, nullptr, nullptr};

// Evenly spread over a square.
Places Spread(size_t size, double side_um, uint64_t seed) {
  io::NumpyRandom random(seed);
  Places places;
  for (size_t i = 0; i < size; ++i) {
    places.x.push_back(static_cast<float>(side_um * random.Double()));
    places.y.push_back(static_cast<float>(side_um * random.Double()));
  }
  places.z.assign(size, 0.0f);
  return places;
}

Rule MakeRule(double sigma_um, double degree, bool same = true) {
  Rule rule;
  rule.name = "A->B";
  rule.kernel = {false, sigma_um};
  rule.mean_degree = degree;
  rule.same_population = same;
  return rule;
}

KernelMass MassByTiles(const Rule& rule, const Places& sources, const Places& targets) {
  const Grid grid = MakeGrid(sources, targets, rule.kernel.sigma_um);
  return TiledKernelMass(rule, grid, MakeTiles(grid, sources), MakeTiles(grid, targets), kWork)
      .value();
}

TEST(LivnKernelMass, IsTheSumThatNumpyTakes) {
  const io::Json draws = ReadNumpyDraws();
  for (const io::Json& of : draws["sums"]) {
    io::NumpyRandom random(of["sources"].get<uint64_t>());
    Places places[2];
    for (size_t which = 0; which < 2; ++which) {
      for (size_t i = 0; i < of[which == 0 ? "sources" : "targets"].get<size_t>(); ++i) {
        places[which].x.push_back(static_cast<float>(random.Double()) * 1000.0f);
        places[which].y.push_back(static_cast<float>(random.Double()) * 1000.0f);
      }
    }
    Rule rule = MakeRule(of["sigma"], 1.0, false);
    rule.kernel.gaussian = of["gaussian"];
    const KernelMass mass = LivnKernelMass(rule, places[0], places[1], kWork).value();
    EXPECT_EQ(mass.sum, of["sum"].get<double>());
    EXPECT_EQ(mass.max, of["max"].get<float>());
  }
}

TEST(TiledKernelMass, OfFarTilesIsNearlyThatOfAllPairs) {
  for (const bool gaussian : {false, true}) {
    for (const double sigma_um : {150.0, 600.0}) {
      const Places sources = Spread(12000, 6000.0, 1), targets = Spread(9000, 6000.0, 2);
      Rule rule = MakeRule(sigma_um, 1.0, false);
      rule.kernel.gaussian = gaussian;
      double exact = 0.0;
      std::vector<float> weight(sources.size());
      for (size_t t = 0; t < targets.size(); ++t) {
        KernelFrom(rule.kernel, targets.x[t], targets.y[t], sources.x.data(), sources.y.data(),
                   nullptr, weight.data(), weight.size());
        for (const float w : weight) exact += w;
      }
      const KernelMass mass = MassByTiles(rule, sources, targets);
      EXPECT_NEAR(mass.sum / exact, 1.0, 1e-5) << gaussian << sigma_um;
      EXPECT_NE(mass.sum, exact);  // so tiles were used
    }
  }
}

// Chi-square of the numbers of edges in bins of distance, against the sum of probabilities in the bin.
TEST(ConnectSparsely, DrawsEachPairWithItsProbability) {
  const Places cells = Spread(3000, 4000.0, 3);
  Rule rule = MakeRule(300.0, 30.0);
  const Edges edges = ConnectSparsely(rule, cells, cells, NamedRandom(5, {"x"}), kWork).value();
  const double width_um = 100.0;
  std::vector<double> expected(60), found(60);
  double expected_var = 0.0;
  std::vector<float> distance(cells.size()), weight(cells.size());
  for (size_t t = 0; t < cells.size(); ++t) {
    KernelFrom(rule.kernel, cells.x[t], cells.y[t], cells.x.data(), cells.y.data(), distance.data(),
               weight.data(), weight.size());
    for (size_t s = 0; s < cells.size(); ++s) {
      if (s == t) continue;
      const double p = edges.amplitude * weight[s];
      expected[static_cast<size_t>(distance[s] / width_um)] += p;
      expected_var += p * (1 - p);
    }
    for (uint64_t e = edges.offsets[t]; e < edges.offsets[t + 1]; ++e) {
      EXPECT_NE(edges.source[e], t);
      EXPECT_TRUE(e == edges.offsets[t] || edges.source[e - 1] < edges.source[e]);
      EXPECT_EQ(edges.distance_um[e], distance[edges.source[e]]);
      found[static_cast<size_t>(edges.distance_um[e] / width_um)] += 1;
    }
  }
  EXPECT_NEAR(static_cast<double>(edges.source.size()), 30.0 * 3000, 5 * std::sqrt(expected_var));
  double chi_square = 0.0;
  int bins = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] < 20) continue;
    ++bins;
    chi_square += (found[i] - expected[i]) * (found[i] - expected[i]) / expected[i];
  }
  EXPECT_GT(bins, 15);
  EXPECT_LT(chi_square, bins + 5 * std::sqrt(2.0 * bins));
  // Also from which cell to which: in-degrees vary as sums of independent draws do.
  double of_degrees = 0.0;
  for (size_t t = 0; t < cells.size(); ++t) {
    const double degree = static_cast<double>(edges.offsets[t + 1] - edges.offsets[t]);
    KernelFrom(rule.kernel, cells.x[t], cells.y[t], cells.x.data(), cells.y.data(), nullptr,
               weight.data(), weight.size());
    double mean = -edges.amplitude * weight[t],
           variance = -edges.amplitude * weight[t] * (1 - edges.amplitude * weight[t]);
    for (const float w : weight) {
      mean += edges.amplitude * w;
      variance += edges.amplitude * w * (1 - edges.amplitude * w);
    }
    of_degrees += (degree - mean) * (degree - mean) / variance;
  }
  EXPECT_NEAR(of_degrees / 3000, 1.0, 5 * std::sqrt(2.0 / 3000));
}

TEST(Connect, DoesNotDependOnTheOrderOfPieces) {
  const Places sources = Spread(700, 1500.0, 1), targets = Spread(2500, 1500.0, 2);
  const Rule rule = MakeRule(200.0, 12.0, false);
  sim::BackwardExecutor backward(3);
  const Work other = {&backward, nullptr, nullptr};
  const NamedRandom random(9, {"x"});
  io::NumpyRandom stream(4), same_stream(4);
  const auto same = [](const Edges& a, const Edges& b) {
    return a.amplitude == b.amplitude && a.offsets == b.offsets && a.source == b.source &&
           a.distance_um == b.distance_um && !a.source.empty();
  };
  EXPECT_TRUE(same(ConnectSparsely(rule, sources, targets, random, kWork).value(),
                   ConnectSparsely(rule, sources, targets, random, other).value()));
  EXPECT_TRUE(same(ConnectAsLivn(rule, sources, targets, random, kWork).value(),
                   ConnectAsLivn(rule, sources, targets, random, other).value()));
  EXPECT_TRUE(same(ConnectFromStream(rule, sources, targets, stream, kWork).value(),
                   ConnectFromStream(rule, sources, targets, same_stream, other).value()));
  EXPECT_EQ(stream.Float(), same_stream.Float());
}

TEST(ConnectSparsely, KeepsToCutoffAndSelfConnections) {
  const Places cells = Spread(400, 500.0, 3);
  Rule rule = MakeRule(100.0, 20.0);
  rule.cutoff = 0.1;
  rule.allow_self_connections = true;
  const Edges edges = ConnectSparsely(rule, cells, cells, NamedRandom(5, {"x"}), kWork).value();
  bool any_self = false;
  for (size_t t = 0; t < cells.size(); ++t) {
    for (uint64_t e = edges.offsets[t]; e < edges.offsets[t + 1]; ++e) {
      any_self |= edges.source[e] == t;
      EXPECT_GE(edges.amplitude * std::exp(-edges.distance_um[e] / 100.0), 0.1 - 1e-6);
    }
  }
  EXPECT_TRUE(any_self);
}

TEST(Connect, RefusesDegreesThatNeedMoreThanCertainty) {
  const Places cells = Spread(100, 3000.0, 3);
  const Rule rule = MakeRule(100.0, 90.0);
  const auto refused = IsFieldError("connectivity.mean_degree[A->B]", "90", HasSubstr("at most "));
  EXPECT_THAT(ConnectSparsely(rule, cells, cells, NamedRandom(5, {"x"}), kWork).status(), refused);
  EXPECT_THAT(ConnectAsLivn(rule, cells, cells, NamedRandom(5, {"x"}), kWork).status(), refused);
}

TEST(Connect, TakesCellsOnOnePlaceAndFewCells) {
  Places one = Spread(1, 10.0, 1), pile;
  pile.x.assign(300, 5.0f);
  pile.y.assign(300, 5.0f);
  const Edges edges =
      ConnectSparsely(MakeRule(10.0, 150.0), pile, pile, NamedRandom(5, {"x"}), kWork).value();
  EXPECT_NEAR(static_cast<double>(edges.source.size()), 150.0 * 300, 5 * std::sqrt(75.0 * 300));
  const Edges none =
      ConnectSparsely(MakeRule(10.0, 1.0), one, one, NamedRandom(5, {"x"}), kWork).value();
  EXPECT_TRUE(none.source.empty());
}

TEST(ConnectNearestIfNone, TakesTheMostProbablePair) {
  Places sources, targets;
  sources.x = {0, 100, 200};
  sources.y = {0, 0, 0};
  targets.x = {900, 230, 500};
  targets.y = {0, 0, 0};
  const Rule rule = MakeRule(50.0, 1e-9, false);
  Edges edges = ConnectAsLivn(rule, sources, targets, NamedRandom(5, {"x"}), kWork).value();
  ASSERT_TRUE(edges.source.empty());
  ASSERT_TRUE(ConnectNearestIfNone(rule, sources, targets, kWork, edges).ok());
  EXPECT_EQ(edges.source, std::vector<uint32_t>{2});
  EXPECT_EQ(edges.offsets, (std::vector<uint64_t>{0, 0, 1, 1}));
  EXPECT_EQ(edges.distance_um, std::vector<float>{30});
}

TEST(Work, StopsBetweenPiecesAndTellsHowFarItIs) {
  int done = 0;
  std::vector<int64_t> told;
  Work work = {&inline_executor, [&](const std::string&, int64_t d, int64_t) { told.push_back(d); },
               [&] { return done >= 8; }};
  EXPECT_EQ(work.Run("x", 100, [&](int) { ++done; }).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(done, 8);
  EXPECT_EQ(told, (std::vector<int64_t>{4, 8}));
}

}  // namespace
}  // namespace livnd::lab
