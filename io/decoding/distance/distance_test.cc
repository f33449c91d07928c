#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "io/decoding/distance/victor_purpura.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

double VictorPurpuraOf(const std::vector<double>& a, const std::vector<double>& b, double cost) {
  std::vector<double> scratch(b.size() + 1);
  return VictorPurpuraDistance(a, b, cost, absl::MakeSpan(scratch));
}

TEST(DistanceTest, VictorPurpuraMovesOrReplaces) {
  EXPECT_EQ(VictorPurpuraOf({}, {}, 100.0), 0.0);
  EXPECT_EQ(VictorPurpuraOf({0.1, 0.2}, {}, 100.0), 2.0);
  EXPECT_NEAR(VictorPurpuraOf({0.1}, {0.105}, 100.0), 0.5, 1e-12);
  EXPECT_EQ(VictorPurpuraOf({0.1}, {0.2}, 100.0), 2.0);  // moving costs 10
  EXPECT_EQ(VictorPurpuraOf({0.1, 0.2, 0.3}, {0.9}, 0.0), 2.0);
}

TEST(DistanceTest, VictorPurpuraIsAMetric) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> uniform(0.0, 0.1);
  const auto train = [&] {
    std::vector<double> times(random() % 8);
    for (double& time : times) time = uniform(random);
    std::sort(times.begin(), times.end());
    return times;
  };
  for (int i = 0; i < 1000; ++i) {
    const std::vector<double> a = train(), b = train(), c = train();
    ASSERT_DOUBLE_EQ(VictorPurpuraOf(a, b, 100.0), VictorPurpuraOf(b, a, 100.0));
    ASSERT_EQ(VictorPurpuraOf(a, a, 100.0), 0.0);
    ASSERT_LE(VictorPurpuraOf(a, c, 100.0),
              VictorPurpuraOf(a, b, 100.0) + VictorPurpuraOf(b, c, 100.0) + 1e-12);
  }
}

TEST(DistanceTest, VanRossumIsTheSumOverPairs) {
  std::mt19937_64 random(9);
  std::vector<std::vector<double>> trains(4);
  std::vector<int32_t> units;
  std::vector<double> times;
  for (int i = 0; i < 60; ++i) {
    const auto unit = static_cast<int32_t>(random() % 3);  // unit 3 is silent
    const double time = static_cast<double>(random() % 4000) * 0.025;
    units.push_back(unit);
    times.push_back(time);
    trains[static_cast<size_t>(unit)].push_back(time);
  }
  const auto decoded = Decode("{name: van_rossum, tau_ms: 7}", WindowOf(4, 100.0), units, times);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const auto sum = [&](size_t a, size_t b) {
    double total = 0.0;
    for (const double s : trains[a]) {
      for (const double t : trains[b]) total += std::exp(-std::fabs(s - t) / 7.0);
    }
    return total;
  };
  for (size_t a = 0; a < 4; ++a) {
    for (size_t b = 0; b < 4; ++b) {
      EXPECT_NEAR(decoded->at("distance")[a * 4 + b],
                  std::sqrt(std::max(0.0, sum(a, a) + sum(b, b) - 2.0 * sum(a, b))), 1e-9);
    }
  }
}

TEST(DistanceTest, OneSpikeIsOneFromNone) {
  EXPECT_DOUBLE_EQ(Decode("van_rossum", WindowOf(2, 100.0), {0}, {50})->at("distance")[1], 1.0);
}

TEST(DistanceTest, FromReferencesAsFromUnits) {
  for (const char* name : {"van_rossum", "victor_purpura"}) {
    const std::string spec = name;
    const auto pairs =
        Decode(spec, WindowOf(4, 100.0), {0, 0, 1, 2, 2, 2}, {10, 40, 55, 12, 39, 90});
    ASSERT_TRUE(pairs.ok()) << pairs.status();
    const auto references = Decode("{name: " + spec + ", reference_ms: [[12, 39, 90], []]}",
                                   WindowOf(2, 100.0), {0, 0, 1}, {10, 40, 55});
    ASSERT_TRUE(references.ok()) << references.status();
    EXPECT_NEAR(references->at("distance")[0], pairs->at("distance")[2], 1e-12);
    EXPECT_NEAR(references->at("distance")[1], pairs->at("distance")[7], 1e-12);
  }
}

TEST(DistanceTest, ReferencesAreTrainsOfTheWindow) {
  const auto error_of = [](const char* trains) {
    return MakeOfText(std::string("{name: van_rossum, reference_ms: ") + trains + "}",
                      WindowOf(2, 100.0))
        .status();
  };
  EXPECT_THAT(error_of("[[1]]"), IsFieldError("reference_ms", "1 trains", "2, one a unit"));
  EXPECT_THAT(error_of("[[1], [5, 4]]"),
              IsFieldError("reference_ms[1][1]", "4", "5 .. 100, in order, in the window"));
  EXPECT_THAT(error_of("[[100], []]"),
              IsFieldError("reference_ms[0][0]", "100", "0 .. 100, in order, in the window"));
}

}  // namespace
}  // namespace livnd::io
