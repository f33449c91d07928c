#include "lab/tune/search.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::lab {
namespace {

using Points = std::vector<std::vector<double>>;

SearchConfig Config(SearchConfig::Algorithm algorithm) {
  SearchConfig config;
  config.algorithm = algorithm;
  config.population = 24;
  config.evaluations = 24 * 25;
  config.seed = 3;
  config.low = {0.0, 0.0, 0.0};
  config.high = {1.0, 1.0, 1.0};
  return config;
}

// Schaffer's and more: the best lie on x1 = x2 = 0.5, where f0 = x0 and f1 = (1 - x0)^2.
std::vector<double> Problem(const std::vector<double>& x) {
  const double off = std::fabs(x[1] - 0.5) + std::fabs(x[2] - 0.5);
  return {x[0] + off, (1.0 - x[0]) * (1.0 - x[0]) + off};
}

Points Evaluate(const SearchConfig& config,
                const std::function<std::vector<double>(const std::vector<double>&)>& f) {
  Points all;
  const absl::Status status = Search(config, [&](const Points& points) -> absl::StatusOr<Points> {
    EXPECT_EQ(points.size(), static_cast<size_t>(config.population));
    Points values;
    for (const auto& x : points) {
      all.push_back(x);
      values.push_back(f(x));
    }
    return values;
  });
  EXPECT_TRUE(status.ok()) << status;
  return all;
}

class Algorithms : public testing::TestWithParam<SearchConfig::Algorithm> {};

TEST_P(Algorithms, FindTheFront) {
  const Points points = Evaluate(Config(GetParam()), Problem);
  ASSERT_EQ(points.size(), 600u);
  // Of the first and the last generation, how far off the front, and how much of it.
  const auto off = [&](size_t from) {
    double sum = 0.0;
    for (size_t i = from; i < from + 24; ++i) {
      sum += (std::fabs(points[i][1] - 0.5) + std::fabs(points[i][2] - 0.5)) / 24.0;
    }
    return sum;
  };
  EXPECT_GT(off(0), 0.4);
  EXPECT_LT(off(576), 0.1);
  std::set<int> tenths;
  for (size_t i = 480; i < 600; ++i) tenths.insert(static_cast<int>(points[i][0] * 9.999));
  EXPECT_GE(tenths.size(), 7u);
  for (const auto& x : points) {
    for (const double coordinate : x) EXPECT_TRUE(coordinate >= 0.0 && coordinate <= 1.0);
  }
}

TEST_P(Algorithms, GoTheSameWayForASeedAndFurtherWithMoreEvaluations) {
  SearchConfig config = Config(GetParam());
  const Points points = Evaluate(config, Problem);
  config.evaluations = 24 * 30;
  const Points more = Evaluate(config, Problem);
  ASSERT_EQ(more.size(), 720u);
  EXPECT_TRUE(std::equal(points.begin(), points.end(), more.begin()));
  config.seed = 4;
  EXPECT_NE(Evaluate(config, Problem), more);
}

TEST_P(Algorithms, LeaveWhatIsNotFeasible) {
  // Feasible where x0 >= 0.9: a tenth of the space.
  const Points points = Evaluate(Config(GetParam()), [](const std::vector<double>& x) {
    return Penalised(Problem(x), std::max(0.0, 0.9 - x[0]));
  });
  EXPECT_GE(
      std::count_if(points.end() - 24, points.end(), [](const auto& x) { return x[0] >= 0.9; }),
      16);
}

TEST_P(Algorithms, GiveBackTheFirstError) {
  int calls = 0;
  const absl::Status status =
      Search(Config(GetParam()), [&](const Points& points) -> absl::StatusOr<Points> {
        if (++calls == 3) return absl::CancelledError("stop");
        Points values;
        for (const auto& x : points) values.push_back(Problem(x));
        return values;
      });
  EXPECT_EQ(status, absl::CancelledError("stop"));
  EXPECT_EQ(calls, 3);
}

INSTANTIATE_TEST_SUITE_P(All, Algorithms,
                         testing::Values(SearchConfig::Algorithm::kNsga2,
                                         SearchConfig::Algorithm::kMoead));

TEST(Search, BeginsWithASymmetricLatinHypercube) {
  SearchConfig config = Config(SearchConfig::Algorithm::kNsga2);
  config.evaluations = 24;
  config.low = {-3.0};
  config.high = {5.0};
  const Points points = Evaluate(config, [](const std::vector<double>& x) {
    return std::vector<double>{x[0], -x[0]};
  });
  ASSERT_EQ(points.size(), 24u);
  std::set<int> strata;
  for (size_t i = 0; i < 24; ++i) {
    strata.insert(static_cast<int>((points[i][0] + 3.0) * 3.0));
    EXPECT_NEAR(points[i][0] + points[23 - i][0], 2.0, 1e-12);
  }
  EXPECT_EQ(strata.size(), 24u);
}

TEST(Penalised, OrdersByFeasibilityThenViolation) {
  EXPECT_EQ(Penalised({1.0, 2.0}, 0.0), (std::vector<double>{1.0, 2.0}));
  const auto a = Penalised({1.0, 2.0}, 0.5), b = Penalised({0.0, 0.0}, 0.75);
  for (int i : {0, 1}) {
    EXPECT_GT(a[static_cast<size_t>(i)], 1e6);
    EXPECT_LT(a[static_cast<size_t>(i)], b[static_cast<size_t>(i)]);
  }
}

}  // namespace
}  // namespace livnd::lab
