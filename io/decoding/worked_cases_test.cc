// The worked cases of decodings, by their names: inputs and numbers as livn's tests assert them, or
// as its code gives them. DE27 and DE28 are of curves and stand in recruitment_test.cc, DE22 in
// baks_test.cc, and DE29 and DE30 in lfp_bands_test.cc.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

double Number(const absl::StatusOr<Decoded>& decoded, const std::string& name) {
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  if (!decoded.ok()) return NAN;
  const auto found = decoded->find(name);
  EXPECT_TRUE(found != decoded->end()) << name;
  return found == decoded->end() ? NAN : found->second.at(0);
}

std::vector<double> Numbers(const absl::StatusOr<Decoded>& decoded, const std::string& name) {
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  return decoded.ok() ? decoded->at(name) : std::vector<double>();
}

void ExpectNear(double value, double expected) {
  EXPECT_NEAR(value, expected, 1e-6 * std::max(1.0, std::fabs(expected)));
}

// 20 spikes, each of 10 units twice.
const std::vector<int32_t> kTwice = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

TEST(WorkedCasesTest, DE1MeanFiringRate) {
  std::vector<double> times;
  for (size_t i = 0; i < kTwice.size(); ++i) times.push_back(static_cast<double>(i) * 45.0);
  const auto decoded = Decode("firing_rates", WindowOf(10, 1000.0), kTwice, times);
  ExpectNear(Number(decoded, "fired_mean_hz"), 1.9999999998);
  EXPECT_EQ(Number(decoded, "num_fired"), 10.0);
}

TEST(WorkedCasesTest, DE2NothingFires) {
  const auto rates = Decode("firing_rates", WindowOf(10, 1000.0), {}, {});
  EXPECT_EQ(Number(rates, "fired_mean_hz"), 0.0);
  EXPECT_EQ(Number(rates, "mean_rate_hz"), 0.0);
  const auto stability = Decode("stability", WindowOf(10, 1000.0), {}, {});
  EXPECT_EQ(Number(stability, "is_quiescent"), 1.0);
  EXPECT_EQ(Number(stability, "global_mean_hz"), 0.0);
}

TEST(WorkedCasesTest, DE3ActiveFraction) {
  const auto decoded =
      Decode("active_fraction", WindowOf(10, 1000.0), {0, 1, 2, 3, 4}, {1, 2, 3, 4, 5});
  EXPECT_EQ(Number(decoded, "active_fraction"), 0.5);
  EXPECT_EQ(Number(decoded, "num_active"), 5.0);
}

TEST(WorkedCasesTest, DE4ActiveFractionOfTwoSpikes) {
  const auto decoded = Decode("{name: active_fraction, min_spikes: 2}", WindowOf(5, 1000.0),
                              {0, 0, 1, 2, 3, 4}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(Number(decoded, "active_fraction"), 0.2);
  EXPECT_EQ(Numbers(decoded, "is_active"), (std::vector<double>{1, 0, 0, 0, 0}));
}

// Cells 0 .. 3 of A, and 10, 11 of B.
DecodingWindow TwoPopulations(double duration_ms) {
  return WindowOf(6, duration_ms, {{"A", 0, 4}, {"B", 4, 2}});
}
const std::vector<int32_t> kUnits5 = {0, 0, 1, 4, 2};
const std::vector<double> kTimes5 = {1, 2, 30, 10, 60};

TEST(WorkedCasesTest, DE5ActiveFractionByPopulation) {
  const auto decoded =
      Decode("{name: binned_active_fraction, bin_ms: 50}", TwoPopulations(100.0), kUnits5, kTimes5);
  EXPECT_EQ(Numbers(decoded, "mean"), (std::vector<double>{0.375, 0.25}));
  EXPECT_EQ(Numbers(decoded, "std"), (std::vector<double>{0.125, 0.25}));
}

TEST(WorkedCasesTest, DE6RatesByPopulation) {
  const auto rates =
      Numbers(Decode("firing_rates", TwoPopulations(100.0), kUnits5, kTimes5), "group_rate_hz");
  ExpectNear(rates.at(0), 9.999999975);
  ExpectNear(rates.at(1), 4.999999975);
}

TEST(WorkedCasesTest, DE7CountsInBins) {
  const auto decoded = Decode("{name: count_statistics, bin_ms: 100}", WindowOf(1, 400.0),
                              {0, 0, 0, 0, 0, 0}, {10, 20, 30, 150, 250, 350});
  ExpectNear(Number(decoded, "mean_count"), 1.5);
  ExpectNear(Number(decoded, "std_count"), 0.8660254038);
  ExpectNear(Number(decoded, "cv"), 0.5773502692);
  ExpectNear(Number(decoded, "fano_factor"), 0.5);
}

TEST(WorkedCasesTest, DE8IntervalsOfUnits) {
  const auto decoded =
      Decode("isi_statistics", WindowOf(3, 1000.0), {0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2},
             {0, 10, 20, 30, 40, 0, 10, 30, 60, 100, 5, 50, 51});
  ExpectNear(Number(decoded, "mean_cv"), 0.2236067977);
  EXPECT_EQ(Number(decoded, "num_used"), 2.0);
  EXPECT_EQ(Numbers(decoded, "is_used"), (std::vector<double>{1, 1, 0}));
}

TEST(WorkedCasesTest, DE9PeakSynchrony) {
  const auto decoded = Decode("{name: synchrony, bin_ms: 2}", WindowOf(10, 100.0), {0, 1, 2, 3, 0},
                              {10.1, 10.5, 11.9, 50, 51});
  EXPECT_EQ(Number(decoded, "max_count"), 3.0);
  EXPECT_EQ(Number(decoded, "peak"), 0.75);
  EXPECT_EQ(Number(decoded, "num_fired"), 4.0);
}

TEST(WorkedCasesTest, DE10PairwiseCorrelation) {
  const auto decoded = Decode("{name: correlation, bin_ms: 20}", WindowOf(10, 100.0),
                              {0, 0, 1, 1, 2}, {5, 45, 6, 46, 85});
  ExpectNear(Number(decoded, "mean"), 0.0611678064);
  EXPECT_EQ(Number(decoded, "num_pairs"), 3.0);
}

TEST(WorkedCasesTest, DE11RatesByUnit) {
  const auto decoded =
      Decode("firing_rates", WindowOf(10, 2000.0), {0, 0, 0, 1, 5}, {1, 2, 3, 4, 5});
  EXPECT_EQ(Numbers(decoded, "rate_hz"), (std::vector<double>{1.5, 0.5, 0, 0, 0, 0.5, 0, 0, 0, 0}));
  ExpectNear(Number(decoded, "fired_mean_hz"), 0.8333333333);
  ExpectNear(Number(decoded, "fired_cv"), 0.5656854249);
  EXPECT_EQ(Number(decoded, "fired_max_hz"), 1.5);
  EXPECT_EQ(Number(decoded, "fired_min_hz"), 0.5);
}

TEST(WorkedCasesTest, DE12Runaway) {
  std::vector<double> times;
  for (int i = 0; i < 500; ++i) times.push_back(1500.0 + 499.0 * i / 499.0);
  const auto decoded = Decode("{name: stability, tail_ms: 500, max_rate_hz: 10}",
                              WindowOf(10, 2000.0), std::vector<int32_t>(500, 0), times);
  EXPECT_EQ(Number(decoded, "is_runaway"), 1.0);
  EXPECT_EQ(Number(decoded, "is_stable"), 0.0);
  ExpectNear(Number(decoded, "tail_mean_hz"), 1000.0);
  ExpectNear(Number(decoded, "global_mean_hz"), 250.0);
}

TEST(WorkedCasesTest, DE13Stable) {
  const auto decoded = Decode("{name: stability, tail_ms: 500}", WindowOf(10, 1000.0),
                              {0, 0, 0, 0, 0}, {50, 150, 250, 650, 950});
  ExpectNear(Number(decoded, "tail_mean_hz"), 4.0);
  ExpectNear(Number(decoded, "global_mean_hz"), 5.0);
  EXPECT_EQ(Number(decoded, "is_stable"), 1.0);
}

TEST(WorkedCasesTest, DE14LoneSpikesAreAvalanches) {
  const auto decoded = Decode("{name: avalanches, bin_ms: 5}", WindowOf(10, 1000.0), {0, 0, 0, 0},
                              {100, 200, 300, 400});
  EXPECT_EQ(Number(decoded, "num_avalanches"), 4.0);
  EXPECT_EQ(Number(decoded, "mean_size"), 1.0);
  EXPECT_EQ(Number(decoded, "mean_duration"), 1.0);
  EXPECT_EQ(Number(decoded, "branching_ratio"), 0.0);
}

const std::vector<int32_t> kEight(8, 0);
const std::vector<double> kTimes15 = {10, 15, 20, 50, 55, 60, 100, 105};

TEST(WorkedCasesTest, DE15OneAvalanche) {
  const auto decoded =
      Decode("{name: avalanches, bin_ms: 50}", WindowOf(10, 1000.0), kEight, kTimes15);
  EXPECT_EQ(Number(decoded, "num_avalanches"), 1.0);
  EXPECT_EQ(Number(decoded, "mean_size"), 8.0);
  EXPECT_EQ(Number(decoded, "mean_duration"), 2.0);
  ExpectNear(Number(decoded, "branching_ratio"), 0.6);
}

TEST(WorkedCasesTest, DE16EightAvalanches) {
  const auto decoded =
      Decode("{name: avalanches, bin_ms: 2}", WindowOf(10, 1000.0), kEight, kTimes15);
  EXPECT_EQ(Number(decoded, "num_avalanches"), 8.0);
  EXPECT_EQ(Number(decoded, "mean_size"), 1.0);
}

TEST(WorkedCasesTest, DE17TwoAvalanches) {
  const auto decoded = Decode("{name: avalanches, bin_ms: 4}", WindowOf(10, 1000.0),
                              std::vector<int32_t>(7, 0), {0, 1, 5, 6, 7, 40, 41});
  EXPECT_EQ(Number(decoded, "num_avalanches"), 2.0);
  EXPECT_EQ(Number(decoded, "mean_size"), 3.5);
  EXPECT_EQ(Number(decoded, "mean_duration"), 1.5);
  ExpectNear(Number(decoded, "branching_ratio"), 1.5);
}

TEST(WorkedCasesTest, DE18ABurstIsOne) {
  const std::vector<double> times(20, 125.0);
  const auto decoded =
      Decode("{name: network_bursts, bin_ms: 50}", WindowOf(10, 1000.0), kTwice, times);
  ExpectNear(Number(decoded, "threshold"), 7.413);
  EXPECT_EQ(Number(decoded, "num_bursts"), 1.0);
  EXPECT_EQ(Number(decoded, "rate_hz"), 1.0);
  EXPECT_EQ(Numbers(decoded, "in_burst").at(2), 1.0);
  // As livn counted before 2.0.0.
  const auto edges = Decode("{name: network_bursts, bin_ms: 50, count: edges}",
                            WindowOf(10, 1000.0), kTwice, times);
  EXPECT_EQ(Number(edges, "num_bursts"), 2.0);
  EXPECT_EQ(Number(edges, "rate_hz"), 2.0);
}

TEST(WorkedCasesTest, DE19TwoBurstsAreTwo) {
  std::vector<int32_t> units;
  std::vector<double> times;
  for (const double onset : {125.0, 525.0}) {
    for (const int32_t unit : kTwice) {
      units.push_back(unit);
      times.push_back(onset);
    }
  }
  for (const double time : {10.0, 210.0, 310.0, 410.0, 610.0, 710.0, 810.0, 910.0}) {
    units.push_back(0);
    times.push_back(time);
  }
  const char* spec = "{name: network_bursts, bin_ms: 50}";
  const auto decoded = Decode(spec, WindowOf(10, 1000.0), units, times);
  EXPECT_EQ(Number(decoded, "num_bursts"), 2.0);
  ExpectNear(Number(decoded, "threshold"), 4.2065);
  const auto edges =
      Decode("{name: network_bursts, count: edges}", WindowOf(10, 1000.0), units, times);
  EXPECT_EQ(Number(edges, "num_bursts"), 4.0);
}

TEST(WorkedCasesTest, DE20AutocorrelationTime) {
  std::vector<double> times;
  for (const double onset : {0.0, 300.0, 600.0}) {
    for (int i = 0; i < 25; ++i) times.push_back(onset + 2.0 * i);
  }
  const auto decoded = Decode("{name: autocorrelation_time, bin_ms: 10}", WindowOf(10, 1000.0),
                              std::vector<int32_t>(75, 0), times);
  ExpectNear(Number(decoded, "tau_ms"), 44.94117647);
}

TEST(WorkedCasesTest, DE21ARegularTrainHasNoTime) {
  std::vector<double> times;
  for (int i = 0; i < 100; ++i) times.push_back(10.0 * i);
  const auto decoded = Decode("{name: autocorrelation_time, bin_ms: 10}", WindowOf(10, 1000.0),
                              std::vector<int32_t>(100, 0), times);
  EXPECT_EQ(Number(decoded, "tau_ms"), 10.0);
}

TEST(WorkedCasesTest, DE23SpikeDensityOfPopulations) {
  const auto decoded = Decode("spike_density", TwoPopulations(500.0), {0, 0, 0, 1, 4, 4},
                              {100, 200, 300, 50, 100, 102});
  ExpectNear(Numbers(decoded, "mean_rate_hz").at(0), 2.881036044);
  ExpectNear(Numbers(decoded, "mean_rate_hz").at(1), 1.731641207);
  EXPECT_EQ(Numbers(decoded, "num_active"), (std::vector<double>{1, 1}));
  EXPECT_EQ(Numbers(decoded, "fraction_active"), (std::vector<double>{0.25, 0.5}));
}

TEST(WorkedCasesTest, DE24SpikesAroundPulses) {
  const auto decoded = Decode(
      "{name: peristimulus_histogram, onsets_ms: [100, 500], pre_ms: 10, post_ms: 20, bin_ms: 5}",
      WindowOf(10, 1000.0), {0, 0, 0, 0}, {95, 101, 506, 519.9});
  EXPECT_EQ(Numbers(decoded, "counts"), (std::vector<double>{0, 0.5, 0.5, 0.5, 0, 0.5}));
}

TEST(WorkedCasesTest, DE25UnitsThatAnswer) {
  // The first spike before the onset, the others after it.
  const auto decoded =
      Decode("{name: stimulus_response, onset_ms: 1000, pre_ms: 1000, post_ms: 500}",
             WindowOf(3, 2000.0), {0, 0, 1, 1, 1, 2}, {500, 1010, 1020, 1030, 1040, 1050});
  EXPECT_EQ(Numbers(decoded, "has_answered"), (std::vector<double>{0, 1, 0}));
}

TEST(WorkedCasesTest, DE26ResponseToAPulse) {
  const auto decoded = Decode("{name: stimulus_response, onset_ms: 1000}", WindowOf(10, 2000.0),
                              {0, 1, 2, 3, 0, 1, 2, 3, 4, 5},
                              {100, 300, 500, 700, 1005, 1007, 1009, 1012, 1015, 1300});
  ExpectNear(Number(decoded, "evoked_rate_hz"), 0.8);
  ExpectNear(Number(decoded, "gain"), 3.0);
  ExpectNear(Number(decoded, "peak_hz"), 30.0);
  EXPECT_EQ(Number(decoded, "latency_ms"), -1.0);  // livn: NaN
  EXPECT_EQ(Number(decoded, "probability"), 0.0);
}

TEST(WorkedCasesTest, RL2FirstSpikeDecoder) {
  EXPECT_EQ(Number(Decode("first_spike_action", WindowOf(4, 1000.0), {2}, {250}), "action"), -1.0);
  EXPECT_EQ(Number(Decode("first_spike_action", WindowOf(4, 1000.0), {}, {}), "action"), 0.0);
}

// One set of spikes under every metric: 4 of 5 units fire.
TEST(WorkedCasesTest, MetricsOfOneWindow) {
  const std::vector<std::vector<double>> trains = {
      {10, 30, 60, 100, 150, 210}, {12, 32, 55, 101, 149, 260, 900}, {500}, {11, 31, 58, 99, 152}};
  std::vector<int32_t> units;
  std::vector<double> times;
  for (size_t u = 0; u < trains.size(); ++u) {
    for (const double time : trains[u]) {
      units.push_back(static_cast<int32_t>(u));
      times.push_back(time);
    }
  }
  const DecodingWindow window = WindowOf(5, 1000.0);
  const auto decode = [&](const char* spec) { return Decode(spec, window, units, times); };
  ExpectNear(Number(decode("firing_rates"), "fired_mean_hz"), 4.75);
  ExpectNear(Number(decode("active_fraction"), "active_fraction"), 0.8);
  ExpectNear(Number(decode("isi_statistics"), "mean_cv"), 0.73839940);
  EXPECT_NEAR(Number(decode("count_statistics"), "cv"), 1.62136, 1e-5);
  ExpectNear(Number(decode("count_statistics"), "fano_factor"), 4.994737);
  EXPECT_NEAR(Number(decode("autocorrelation_time"), "tau_ms"), 54.1506, 1e-4);
  EXPECT_NEAR(Number(decode("{name: correlation, bin_ms: 10}"), "mean"), 0.22466, 1e-5);
  ExpectNear(Number(decode("synchrony"), "peak"), 0.5);
  const auto bursts =
      decode("{name: network_bursts, mad_k: 3, min_floor_fraction: 0.1, min_floor: 2}");
  EXPECT_NEAR(Number(bursts, "threshold"), 4.4478, 1e-9);
  EXPECT_EQ(Number(bursts, "num_bursts"), 1.0);
  const auto avalanches = decode("avalanches");
  EXPECT_EQ(Number(avalanches, "num_avalanches"), 9.0);
  EXPECT_NEAR(Number(avalanches, "mean_size"), 2.1111, 1e-4);
  ExpectNear(Number(avalanches, "branching_ratio"), 2.0);
}

}  // namespace
}  // namespace livnd::io
