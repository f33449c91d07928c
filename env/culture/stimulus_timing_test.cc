// When the samples of a live culture's stimuli act.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error.h"
#include "env/culture/culture_model.h"
#include "env/culture/live_culture.h"
#include "env/culture/testing/cultures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/executor.h"

namespace livnd::env {
namespace {

constexpr double kDtMs = 0.025;

// Samples of one channel, of a size that acts but does no harm.
CultureStimulus On(StimulusQuantity quantity, double sample_dt_ms, std::vector<double> samples) {
  CultureStimulus stimulus;
  stimulus.quantity = quantity;
  stimulus.sample_dt_ms = sample_dt_ms;
  double unit = 1.0;
  switch (quantity) {
    case StimulusQuantity::kExtracellularMv:
      unit = 20.0;
      break;
    case StimulusQuantity::kElectrodeUa:
      unit = 2.0;
      break;
    case StimulusQuantity::kCurrentNa:
      unit = 0.1;
      break;
    case StimulusQuantity::kCurrentDensityMaCm2:
      unit = 0.01;
      break;
    case StimulusQuantity::kIrradianceMwMm2:
    case StimulusQuantity::kPhotonFlux:
      unit = quantity == StimulusQuantity::kPhotonFlux ? 1e17 : 1.0;
      break;
    case StimulusQuantity::kFiberMw:
      break;
  }
  if (quantity == StimulusQuantity::kElectrodeUa) {
    stimulus.electrodes = {EiMini()->prepared().setup.electrode_array->electrodes[0].id};
  } else {
    stimulus.sites = {{0, 0}};
  }
  // A field acts between two sections.
  const bool field = quantity == StimulusQuantity::kExtracellularMv;
  if (field) stimulus.sites.push_back({0, 1});
  stimulus.num_samples = static_cast<int64_t>(samples.size());
  for (double x : samples) {
    stimulus.samples.push_back(unit * x);
    if (field) stimulus.samples.push_back(0.0);
  }
  return stimulus;
}

class StimulusTimingTest : public ::testing::TestWithParam<StimulusQuantity> {
 protected:
  // A quiet culture at time 0 that records the somata of cells 0 and 1 in every step.
  std::unique_ptr<LiveCulture> Quiet() {
    auto made = LiveCulture::Create(EiMini(), 1, 1, executor_);
    EXPECT_TRUE(made.ok()) << made.status();
    CultureChange change;
    change.forget_params = true;
    change.recording.emplace();
    change.recording->series.resize(1);
    change.recording->series[0].sites = {{0, 0}, {1, 0}};
    change.recording->series[0].sample_dt_ms = kDtMs;
    EXPECT_TRUE((*made)->Change(change).ok());
    EXPECT_TRUE((*made)->Clear({}).ok());
    return *std::move(made);
  }

  static void RunTicks(LiveCulture& culture, int64_t num_ticks,
                       const std::vector<CultureStimulus>& stimuli = {}) {
    CultureRun run;
    run.duration_ms = static_cast<double>(num_ticks) * kDtMs;
    run.stimuli = stimuli;
    const absl::Status ran = culture.Run(run);
    EXPECT_TRUE(ran.ok()) << ran;
    EXPECT_EQ(culture.recording().num_ticks, num_ticks);
  }

  // The voltages of 8 ms with a stimulus that begins at a tick.
  std::vector<double> Respond(int64_t onset_tick, const CultureStimulus& stimulus) {
    const auto culture = Quiet();
    RunTicks(*culture, onset_tick);
    RunTicks(*culture, 320, {stimulus});
    return culture->recording().series[0].values;
  }

  sim::InlineExecutor executor_;
};

// A sample of n ticks does what n samples of a tick do, whatever the tick at which it begins.
TEST_P(StimulusTimingTest, ASampleLastsAsManyTicksAsItIsLong) {
  const bool line = GetParam() == StimulusQuantity::kCurrentNa;
  for (const int64_t onset : {int64_t{0}, int64_t{3}, int64_t{168}, int64_t{2020}, int64_t{2057}}) {
    for (const int ticks : {4, 40}) {
      const bool light = GetParam() == StimulusQuantity::kIrradianceMwMm2 ||
                         GetParam() == StimulusQuantity::kPhotonFlux;
      const std::vector<double> phases = {1.0, light ? 0.5 : -1.0};
      std::vector<double> in_ticks;
      for (size_t i = 0; i < phases.size(); ++i) {
        const double next = line ? i + 1 < phases.size() ? phases[i + 1] : 0.0 : phases[i];
        for (int k = 0; k < ticks; ++k) {
          in_ticks.push_back(phases[i] + (next - phases[i]) * k / ticks);
        }
      }
      const std::vector<double> a = Respond(onset, On(GetParam(), ticks * kDtMs, phases));
      const std::vector<double> b = Respond(onset, On(GetParam(), kDtMs, in_ticks));
      ASSERT_EQ(a.size(), b.size());
      double worst = 0.0;
      for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::fabs(a[i] - b[i]));
      // Interpolation rounds on its own way.
      EXPECT_LE(worst, line ? 1e-9 : 0.0) << "from tick " << onset << ", " << ticks << " ticks";
      EXPECT_NE(a, Respond(onset, On(GetParam(), ticks * kDtMs, {0.0, 0.0})));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, StimulusTimingTest,
    ::testing::Values(StimulusQuantity::kExtracellularMv, StimulusQuantity::kElectrodeUa,
                      StimulusQuantity::kCurrentNa, StimulusQuantity::kCurrentDensityMaCm2,
                      StimulusQuantity::kIrradianceMwMm2, StimulusQuantity::kPhotonFlux));

using AnyQuantityTest = StimulusTimingTest;

// The samples of 0.1 ms from 4.2 ms on that livn's rule makes 5 and 3 ticks long.
TEST_F(AnyQuantityTest, LivnsTimingIsLivnsRule) {
  const StimulusQuantity quantity = StimulusQuantity::kCurrentDensityMaCm2;
  CultureStimulus livn = On(quantity, 0.1, {1.0, -1.0});
  livn.timing = sim::SampleTiming::kLivn;
  constexpr int64_t kOnset = 168;
  std::vector<double> in_ticks;
  for (int64_t tick = kOnset; tick < kOnset + 12; ++tick) {
    const auto sample = static_cast<int64_t>(static_cast<double>(tick) * kDtMs / 0.1) - 42;
    in_ticks.push_back(sample == 0 ? 1.0 : sample == 1 ? -1.0 : 0.0);
  }
  const std::vector<double> answer = Respond(kOnset, livn);
  EXPECT_EQ(answer, Respond(kOnset, On(quantity, kDtMs, in_ticks)));
  EXPECT_NE(answer, Respond(kOnset, On(quantity, 0.1, {1.0, -1.0})));
}

// livn keeps the time as the sum of its runs' durations in doubles, and lays a stimulus on the sample
// that is nearest to it: 25 runs of 0.1 ms are a little more than 2.5 ms, one of 2.5 ms is a tie.
TEST_F(AnyQuantityTest, LivnsTimingBeginsAtTheSampleNearestToTheSumOfDurations) {
  CultureStimulus livn = On(StimulusQuantity::kCurrentDensityMaCm2, 1.0, {1.0});
  livn.timing = sim::SampleTiming::kLivn;
  constexpr int64_t kOnset = 100, kTicksOfSample = 40;
  const auto quiet = Quiet();
  RunTicks(*quiet, kOnset);
  RunTicks(*quiet, 320);
  // The first tick after the onset whose start shows the stimulus.
  const auto begins = [&](LiveCulture& culture) {
    RunTicks(culture, 320, {livn});
    const std::vector<double>& with = culture.recording().series[0].values;
    const std::vector<double>& without = quiet->recording().series[0].values;
    return kOnset + (std::mismatch(with.begin(), with.end(), without.begin()).first - with.begin());
  };
  const auto at_once = Quiet();
  RunTicks(*at_once, kOnset);
  // Halves go to the even sample, which has begun.
  EXPECT_EQ(begins(*at_once), kOnset + 1);

  const auto in_pieces = Quiet();
  const auto pieces = [&] {
    for (int i = 0; i < 25; ++i) {
      CultureRun run;
      run.duration_ms = 0.1;
      ASSERT_TRUE(in_pieces->Run(run).ok());
    }
    ASSERT_EQ(in_pieces->tick(), kOnset);
  };
  pieces();
  EXPECT_EQ(begins(*in_pieces), 3 * kTicksOfSample + 1);
  // It begins anew with a Clear.
  ASSERT_TRUE(in_pieces->Clear({}).ok());
  pieces();
  EXPECT_EQ(begins(*in_pieces), 3 * kTicksOfSample + 1);
}

// Runs of any length with stimuli that outlast them and lie across each other, off every grid, are
// what they say at each tick: the same as all of it given as one stimulus at the start.
TEST_F(AnyQuantityTest, StimuliThatOverlapAreWhatTheLaterOneSays) {
  const StimulusQuantity quantity = StimulusQuantity::kCurrentDensityMaCm2;
  constexpr int kSites = 3;
  std::mt19937 random(5);
  const auto draw = [&](int low, int high) {
    return static_cast<int>(low + random() % (high - low + 1));
  };
  for (int round = 0; round < 4; ++round) {
    const auto culture = Quiet();
    std::vector<double> expected;  // [tick][site]
    std::vector<std::vector<double>> voltages(2), whole(2);
    int64_t now = 0;
    for (int r = 0; r < 25; ++r) {
      std::vector<CultureStimulus> stimuli;
      for (int k = draw(0, 2); k > 0; --k) {
        const int ticks = draw(1, 5);
        CultureStimulus s = On(quantity, ticks * kDtMs, {});
        s.sites.clear();
        std::vector<int> sites;
        for (int site = 0; site < kSites; ++site) {
          if (draw(0, 1) == 0 && (site < kSites - 1 || !sites.empty())) continue;
          sites.push_back(site);
          s.sites.push_back({site / 2, site % 2});
        }
        s.num_samples = draw(1, 12);
        for (int64_t i = 0; i < s.num_samples; ++i) {
          for (const int site : sites) {
            s.samples.push_back(0.01 * draw(-3, 3));
            for (int64_t tick = now + i * ticks; tick < now + (i + 1) * ticks; ++tick) {
              expected.resize(std::max(expected.size(), size_t((tick + 1) * kSites)), 0.0);
              expected[tick * kSites + site] = s.samples.back();
            }
          }
        }
        stimuli.push_back(std::move(s));
      }
      if (r == 12) {
        // Built anew: what is still to come goes along.
        CultureChange same;
        same.params = {{"EXC_EXC-dend-AMPA-weight", {0.5}}};
        ASSERT_TRUE(culture->Change(same).ok());
      }
      const int64_t ticks = draw(0, 20);
      RunTicks(*culture, ticks, stimuli);
      now += ticks;
      const std::vector<double>& values = culture->recording().series[0].values;
      for (int site = 0; site < 2; ++site) {
        voltages[site].insert(voltages[site].end(), values.begin() + site * ticks,
                              values.begin() + (site + 1) * ticks);
      }
    }
    CultureStimulus all = On(quantity, kDtMs, {});
    all.sites = {{0, 0}, {0, 1}, {1, 0}};
    all.samples = expected;
    all.num_samples = static_cast<int64_t>(expected.size()) / kSites;
    const auto once = Quiet();
    RunTicks(*once, now, {all});
    const std::vector<double>& values = once->recording().series[0].values;
    for (int site = 0; site < 2; ++site) {
      whole[site].assign(values.begin() + site * now, values.begin() + (site + 1) * now);
      EXPECT_EQ(voltages[site], whole[site]) << "round " << round << ", cell " << site;
    }
  }
}

TEST_F(AnyQuantityTest, AnotherTickMustFitTheStimuliStillToCome) {
  const auto culture = Quiet();
  RunTicks(*culture, 0, {On(StimulusQuantity::kCurrentDensityMaCm2, 0.1, {1.0, -1.0})});
  CultureChange change;
  change.dt_ms = 0.03;
  const auto error = FieldErrorOf(culture->Change(change));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->field, "dt_ms");
  EXPECT_EQ(error->value, "0.03");
  change.dt_ms = 0.0125;
  EXPECT_TRUE(culture->Change(change).ok());
}

// What is charged at one time is charged at any: the phases are as long as each other on the membrane.
TEST_F(AnyQuantityTest, ABalancedPulseIsBalancedAtAnyOnset) {
  const CultureStimulus pulse =
      On(StimulusQuantity::kCurrentDensityMaCm2, 0.2, {1.0, -1.0});  // of 8 ticks each
  const auto quiet = Quiet();
  const auto culture = Quiet();
  for (int i = 0; i < 200; ++i) {
    RunTicks(*culture, 21 + i % 3, {pulse});
    RunTicks(*quiet, 21 + i % 3);
    const std::vector<double>& with = culture->recording().series[0].values;
    const std::vector<double>& without = quiet->recording().series[0].values;
    const auto raised = [&](int64_t tick) { return with[tick] - without[tick]; };
    // It rises in the first 8 ticks and falls in the next 8, in whichever tick of time they begin.
    for (int64_t tick = 1; tick <= 8; ++tick) ASSERT_GT(raised(tick), raised(tick - 1)) << i;
    for (int64_t tick = 9; tick <= 16; ++tick) ASSERT_LT(raised(tick), raised(tick - 1)) << i;
    ASSERT_GT(raised(17), raised(16)) << i;
  }
}

TEST_F(AnyQuantityTest, WhatStimuliTakeUpIsBounded) {
  const StimulusQuantity quantity = StimulusQuantity::kCurrentDensityMaCm2;
  const auto culture = Quiet();
  CultureRun run;
  run.duration_ms = 1.0;
  run.max_stimulus_bytes = 20'000;
  const auto field_of = [&](const absl::Status& status) {
    const auto error = FieldErrorOf(status);
    return error.has_value() ? error->field : std::string(status.message());
  };
  // 1000 samples are 8 kB, 25 ms long.
  const CultureStimulus stimulus = On(quantity, kDtMs, std::vector<double>(1000, 0.1));
  CultureStimulus elsewhere = stimulus;
  elsewhere.sites = {{1, 0}};
  run.stimuli = {stimulus, elsewhere};
  ASSERT_TRUE(culture->Run(run).ok());
  // Together with what earlier runs have left.
  elsewhere.sites = {{2, 0}};
  run.stimuli = {elsewhere};
  EXPECT_EQ(field_of(culture->Run(run)), "stimuli[0].samples");
  EXPECT_EQ(culture->tick(), 40);
  // What is over, or is hidden by a later one, takes up nothing.
  RunTicks(*culture, 960);
  run.stimuli.assign(200, stimulus);
  EXPECT_TRUE(culture->Run(run).ok());
  RunTicks(*culture, 1000);

  // Nor may there be any number of small ones.
  run.max_stimulus_bytes = CultureRun().max_stimulus_bytes;
  run.stimuli.clear();
  for (int i = 0; i < 2000; ++i) {
    run.stimuli.push_back(On(quantity, kDtMs, std::vector<double>(3000 - i, 0.0)));
  }
  EXPECT_EQ(field_of(culture->Run(run)), "stimuli[1024]");
  run.stimuli.resize(1024);
  EXPECT_TRUE(culture->Run(run).ok());
}

// A run that gives nothing new leaves the copies' stimuli as they are, and changes no bit.
TEST_F(AnyQuantityTest, AParameterChangeOrARefusedRunKeepsWhatIsStillToCome) {
  const StimulusQuantity quantity = StimulusQuantity::kCurrentDensityMaCm2;
  const CultureStimulus stimulus = On(quantity, 1.0, {1.0, -1.0, 1.0, -1.0});
  const auto whole = Quiet();
  RunTicks(*whole, 200, {stimulus});
  const auto pieces = Quiet();
  RunTicks(*pieces, 70, {stimulus});
  CultureRun refused;
  refused.duration_ms = 1.0;
  refused.stimuli = {stimulus, On(quantity, 0.11, {1.0})};
  EXPECT_FALSE(pieces->Run(refused).ok());
  RunTicks(*pieces, 130);
  const std::vector<double>& all = whole->recording().series[0].values;
  const std::vector<double>& rest = pieces->recording().series[0].values;
  for (int64_t tick = 0; tick < 130; ++tick) ASSERT_EQ(rest[tick], all[70 + tick]) << tick;
}

}  // namespace
}  // namespace livnd::env
