#include "env/culture/live_culture.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "env/culture/culture_model.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

std::shared_ptr<const CultureModel> Model() {
  static const auto* model = [] {
    auto system = io::ReadSystem("systems/EI-mini");
    EXPECT_TRUE(system.ok()) << system.status();
    auto made = CultureModel::Create(std::make_shared<const io::System>(*std::move(system)));
    EXPECT_TRUE(made.ok()) << made.status();
    return new std::shared_ptr<const CultureModel>(*made);
  }();
  return *model;
}

// With seeds 100, 101 ...
CultureClear Seeded(int num_copies) {
  CultureClear clear;
  for (int c = 0; c < num_copies; ++c) clear.seeds.push_back(100 + c);
  return clear;
}

class LiveCultureTest : public ::testing::Test {
 protected:
  // Cleared with seeds 100, 101 ...; fires a lot, and learns.
  std::unique_ptr<LiveCulture> Busy(int num_copies) {
    auto made = LiveCulture::Create(Model(), num_copies, 1, executor_);
    EXPECT_TRUE(made.ok()) << made.status();
    CultureChange change;
    change.params = {{"noise-std_e", {0.002}},
                     {"EXC_EXC-dend-AMPA-weight", {5.0}},
                     {"EXC_EXC-dend-NMDA-weight", {5.0}}};
    change.plasticity_on = true;
    change.recording.emplace();
    change.recording->series.resize(2);
    change.recording->series[0].sites = {{0, 0}, {0, 6}, {9, 0}};
    change.recording->series[1].quantity = RecordedQuantity::kLearnedWeight;
    change.recording->series[1].sample_dt_ms = 1.0;
    EXPECT_TRUE((*made)->Change(change).ok());
    EXPECT_TRUE((*made)->Clear(Seeded(num_copies)).ok());
    return *std::move(made);
  }

  static CultureRun For(double duration_ms) {
    CultureRun run;
    run.duration_ms = duration_ms;
    return run;
  }
  // 0.5 nA into the soma of cell 0 from 2 to 6 ms of the run.
  static CultureStimulus Current() {
    CultureStimulus stimulus;
    stimulus.quantity = StimulusQuantity::kCurrentNa;
    stimulus.sites = {{0, 0}};
    stimulus.num_samples = 8;
    stimulus.samples = {0, 0, 0.5, 0.5, 0.5, 0.5, 0, 0};
    return stimulus;
  }

  sim::ThreadsExecutor executor_{2};
};

// Everything that one copy left, as text that differs if a bit does.
std::string Print(const CultureRecording& r, int copy) {
  std::string out;
  for (int64_t i = r.spike_offsets[copy]; i < r.spike_offsets[copy + 1]; ++i) {
    absl::StrAppend(&out, r.spike_gids[i], "@", r.spike_ticks[i], " ");
  }
  const auto num_copies = static_cast<int64_t>(r.spike_offsets.size()) - 1;
  for (const RecordedSeries& s : r.series) {
    const int64_t n = static_cast<int64_t>(s.values.size()) / num_copies;
    for (int64_t i = copy * n; i < (copy + 1) * n; ++i) {
      char number[40];
      std::snprintf(number, sizeof number, "%a ", s.values[i]);
      out += number;
    }
  }
  return out;
}

// The number at the start of a text, after "0 .. " if it has that.
double NumberIn(absl::string_view text) {
  absl::ConsumePrefix(&text, "0 .. ");
  return std::strtod(std::string(text).c_str(), nullptr);
}

TEST_F(LiveCultureTest, SpikesOfSomePopulationsOnly) {
  CultureRun run;
  run.duration_ms = 60.0;
  const auto spikes_of = [&](std::vector<std::string> populations) {
    const auto culture = Busy(2);
    CultureChange change;
    change.recording = culture->selection();
    change.recording->spike_populations = std::move(populations);
    EXPECT_TRUE(culture->Change(change).ok());
    EXPECT_TRUE(culture->Run(run).ok());
    return culture->TakeRecording().spike_gids;
  };
  const std::vector<int64_t> all = spikes_of({});
  const std::vector<int64_t> exc = spikes_of({"EXC"});
  const std::vector<int64_t> inh = spikes_of({"INH"});
  ASSERT_FALSE(exc.empty());
  ASSERT_FALSE(inh.empty());
  EXPECT_EQ(exc.size() + inh.size(), all.size());
  EXPECT_EQ(spikes_of({"INH", "EXC"}), all);
  EXPECT_LT(*std::max_element(exc.begin(), exc.end()), *std::min_element(inh.begin(), inh.end()));

  const auto culture = Busy(1);
  CultureChange change;
  change.recording.emplace().spike_populations = {"EXC", "exc"};
  const auto error = FieldErrorOf(culture->Change(change));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->field, "recording.spike_populations[1]");
  EXPECT_EQ(error->accepted, "EXC, INH");
}

TEST_F(LiveCultureTest, TheLongestRunThatIsToldIsTheLongestThereIs) {
  const auto culture = Busy(3);
  for (const int64_t max_bytes : {30'000, 31'415, 47'000, 99'999}) {
    CultureRun run;
    run.max_recording_bytes = max_bytes;
    run.duration_ms = 100'000.0;
    const auto error = FieldErrorOf(culture->Run(run));
    ASSERT_TRUE(error.has_value());
    const double longest_ms = NumberIn(error->accepted);
    run.duration_ms = longest_ms + culture->culture().dt_ms();
    const auto beyond = FieldErrorOf(culture->Run(run));
    ASSERT_TRUE(beyond.has_value()) << longest_ms;
    EXPECT_GT(NumberIn(beyond->value), NumberIn(beyond->accepted));
    EXPECT_EQ(NumberIn(beyond->accepted), longest_ms);
    CultureChange silent;  // spikes need room besides
    silent.recording = culture->selection();
    silent.recording->spikes = false;
    ASSERT_TRUE(culture->Change(silent).ok());
    run.duration_ms = longest_ms;
    EXPECT_TRUE(culture->Run(run).ok()) << longest_ms;
  }
  CultureRun run;
  run.max_recording_bytes = 1;
  const auto error = FieldErrorOf(culture->Run(run));
  ASSERT_TRUE(error.has_value());
  EXPECT_THAT(error->accepted, HasSubstr("fewer series"));
}

TEST_F(LiveCultureTest, ADurationJustBeyondItsBoundDoesNotLookLikeIt) {
  for (const int num_copies : {997, 1024}) {
    auto culture = *LiveCulture::Create(Model(), num_copies, 1, executor_);
    ASSERT_TRUE(culture->Clear({}).ok());
    CultureRun run;
    run.duration_ms = 1e6;
    const double longest_ms = NumberIn(FieldErrorOf(culture->Run(run))->accepted);
    run.duration_ms = longest_ms + culture->culture().dt_ms();
    const auto beyond = FieldErrorOf(culture->Run(run));
    ASSERT_TRUE(beyond.has_value());
    EXPECT_EQ(NumberIn(beyond->value), run.duration_ms);
    EXPECT_GT(NumberIn(beyond->value), NumberIn(beyond->accepted));
    EXPECT_EQ(NumberIn(beyond->accepted), longest_ms);
  }
}

TEST_F(LiveCultureTest, ARunIsGivenUpWhenTheExecutorIsAskedToStop) {
  sim::StoppingExecutor executor(3);
  const auto culture = *LiveCulture::Create(Model(), 1, 1, executor);
  ASSERT_TRUE(culture->Clear(Seeded(1)).ok());
  CultureRun run;
  run.duration_ms = 50'000.0;  // minutes
  EXPECT_EQ(culture->Run(run).code(), absl::StatusCode::kCancelled);
}

TEST_F(LiveCultureTest, ACopyIsTheSameAloneAndAmongOthers) {
  const int kCopies = 5;
  auto all = Busy(kCopies);
  ASSERT_TRUE(all->Run(For(60)).ok());
  for (int c = 0; c < kCopies; ++c) {
    auto alone = Busy(1);
    CultureClear clear;
    clear.seeds = {100 + c};
    ASSERT_TRUE(alone->Clear(clear).ok());
    ASSERT_TRUE(alone->Run(For(60)).ok());
    EXPECT_EQ(Print(alone->recording(), 0), Print(all->recording(), c)) << c;
  }
  EXPECT_NE(Print(all->recording(), 0), Print(all->recording(), 1));
  EXPECT_GT(all->recording().spike_gids.size(), 50u);
}

// A thousand cells: more than one thread works on each copy.
TEST_F(LiveCultureTest, ALargeCultureIsTheSameOnAnyNumberOfThreads) {
  auto system = io::ReadSystem("tests/data/systems/EI-1000");
  ASSERT_TRUE(system.ok()) << system.status();
  auto model = CultureModel::Create(std::make_shared<const io::System>(*std::move(system)));
  ASSERT_TRUE(model.ok()) << model.status();
  const auto run = [&](int num_copies, sim::Executor& executor) {
    auto culture = LiveCulture::Create(*model, num_copies, 1, executor).value();
    CultureChange change;
    change.params = {{"noise-std_e", {0.002}}};
    change.recording.emplace();
    change.recording->series.resize(1);
    for (int64_t gid = 0; gid < 1000; gid += 100)
      change.recording->series[0].sites.push_back({gid, 0});
    EXPECT_TRUE(culture->Change(change).ok());
    EXPECT_TRUE(culture->Clear(Seeded(num_copies)).ok());
    EXPECT_TRUE(culture->Run(For(8)).ok());
    return Print(culture->recording(), 0);
  };
  sim::InlineExecutor one;
  sim::ThreadsExecutor four(4);
  const std::string alone = run(1, one);
  EXPECT_NE(alone.find('@'), std::string::npos);
  EXPECT_EQ(run(1, four), alone);
  const int loops = four.num_loops();
  EXPECT_GE(loops, 4);  // the copy's, and those within it
  // Two copies have two threads each.
  EXPECT_EQ(run(2, four), alone);
  EXPECT_GE(four.num_loops() - loops, 7);
}

TEST_F(LiveCultureTest, ItDoesNotMatterHowTimeIsCutIntoRuns) {
  auto whole = Busy(2), parts = Busy(2);
  CultureRun run = For(40);
  run.stimuli = {Current()};
  ASSERT_TRUE(whole->Run(run).ok());
  std::string spikes, spikes_of_parts;
  std::vector<double> voltages;
  for (const double ms : {3.0, 0.0, 7.0, 30.0}) {
    run.duration_ms = ms;
    ASSERT_TRUE(parts->Run(run).ok());
    run.stimuli.clear();  // what the first has left goes on
    const CultureRecording& r = parts->recording();
    for (int64_t i = 0; i < r.spike_offsets[1]; ++i) {
      absl::StrAppend(&spikes_of_parts, r.spike_gids[i], "@", r.spike_ticks[i], " ");
    }
    const RecordedSeries& s = r.series[0];
    voltages.insert(voltages.end(), s.values.begin(), s.values.begin() + s.num_samples);
  }
  const CultureRecording& r = whole->recording();
  for (int64_t i = 0; i < r.spike_offsets[1]; ++i) {
    absl::StrAppend(&spikes, r.spike_gids[i], "@", r.spike_ticks[i], " ");
  }
  EXPECT_EQ(spikes_of_parts, spikes);
  EXPECT_EQ(voltages, std::vector<double>(r.series[0].values.begin(),
                                          r.series[0].values.begin() + r.series[0].num_samples));
}

TEST_F(LiveCultureTest, AResetIsAFreshStart) {
  auto fresh = Busy(2), used = Busy(2);
  CultureRun run = For(20);
  run.stimuli = {Current()};
  ASSERT_TRUE(used->Run(run).ok());
  CultureClear again = Seeded(2);
  again.forget_learned_weights = true;
  ASSERT_TRUE(used->Clear(again).ok());
  ASSERT_TRUE(fresh->Run(For(20)).ok());
  ASSERT_TRUE(used->Run(For(20)).ok());
  EXPECT_EQ(Print(used->recording(), 1), Print(fresh->recording(), 1));
}

TEST_F(LiveCultureTest, NoiseStreamsFollowLivnsClear) {
  auto a = Busy(1), b = Busy(1);
  EXPECT_EQ(a->noise_stream(), 0u);
  CultureClear next;
  next.forget_learned_weights = true;
  ASSERT_TRUE(a->Clear(next).ok());
  EXPECT_EQ(a->noise_stream(), 1u);
  CultureClear named = Seeded(1);
  named.noise_stream = 1;
  ASSERT_TRUE(b->Clear(named).ok());
  ASSERT_TRUE(a->Run(For(20)).ok());
  ASSERT_TRUE(b->Run(For(20)).ok());
  EXPECT_EQ(Print(a->recording(), 0), Print(b->recording(), 0));
  next.repeat_noise = true;
  ASSERT_TRUE(a->Clear(next).ok());
  EXPECT_EQ(a->noise_stream(), 1u);
}

TEST_F(LiveCultureTest, LearnedWeightsStayOverAClear) {
  auto culture = Busy(2);
  ASSERT_TRUE(culture->Run(For(100)).ok());
  const std::vector<double> learned = culture->LearnedWeights();
  EXPECT_THAT(learned, ::testing::Not(Each(1.0)));
  ASSERT_TRUE(culture->Clear({}).ok());
  EXPECT_EQ(culture->LearnedWeights(), learned);
  CultureClear forget;
  forget.forget_learned_weights = true;
  ASSERT_TRUE(culture->Clear(forget).ok());
  EXPECT_THAT(culture->LearnedWeights(), Each(1.0));
}

TEST_F(LiveCultureTest, AChangeToWhatHoldsAlreadyChangesNothing) {
  auto plain = Busy(2), changed = Busy(2);
  CultureRun run = For(30);
  run.stimuli = {Current()};
  run.stimuli[0].sample_dt_ms = 6.0;  // lasts longer than the run
  ASSERT_TRUE(plain->Run(run).ok());
  ASSERT_TRUE(changed->Run(run).ok());
  CultureChange same;
  same.params = {{"EXC_EXC-dend-AMPA-weight", {5.0}}};  // the whole culture is built anew
  ASSERT_TRUE(changed->Change(same).ok());
  ASSERT_TRUE(plain->Run(For(30)).ok());
  ASSERT_TRUE(changed->Run(For(30)).ok());
  EXPECT_EQ(Print(changed->recording(), 0), Print(plain->recording(), 0));
  CultureChange weaker;
  weaker.params = {{"EXC_EXC-dend-AMPA-weight", {0.0}}};
  ASSERT_TRUE(changed->Change(weaker).ok());
  ASSERT_TRUE(plain->Run(For(30)).ok());
  ASSERT_TRUE(changed->Run(For(30)).ok());
  EXPECT_NE(Print(changed->recording(), 0), Print(plain->recording(), 0));
}

TEST_F(LiveCultureTest, ALaterStimulusReplacesAnEarlierOneWhereBothSpeak) {
  // Two sites, one after the other, are the same as both at once.
  auto once = Busy(1), twice = Busy(1);
  CultureStimulus both = Current();
  both.sites = {{0, 0}, {1, 0}};
  both.samples.clear();
  for (int i = 0; i < 8; ++i) both.samples.insert(both.samples.end(), {0.1 * i, 0.3});
  CultureStimulus first = both, second = Current();
  for (size_t i = 1; i < first.samples.size(); i += 2) first.samples[i] = -7.0;
  second.sites = {{1, 0}};
  second.samples.assign(8, 0.3);
  CultureRun run = For(10);
  run.stimuli = {both};
  ASSERT_TRUE(once->Run(run).ok());
  run.stimuli = {first, second};
  ASSERT_TRUE(twice->Run(run).ok());
  EXPECT_EQ(Print(twice->recording(), 0), Print(once->recording(), 0));
}

TEST_F(LiveCultureTest, StimuliMayDifferByCopy) {
  auto pair = Busy(2), alone = Busy(1);
  CultureStimulus stimulus = Current();
  CultureRun run = For(10);
  run.stimuli = {stimulus};
  ASSERT_TRUE(alone->Run(run).ok());
  run.stimuli[0].per_copy = true;
  run.stimuli[0].samples.insert(run.stimuli[0].samples.end(), 8, 0.0);
  ASSERT_TRUE(pair->Run(run).ok());
  EXPECT_EQ(Print(pair->recording(), 0), Print(alone->recording(), 0));
  auto quiet = Busy(2);
  ASSERT_TRUE(quiet->Run(For(10)).ok());
  EXPECT_EQ(Print(pair->recording(), 1), Print(quiet->recording(), 1));
}

TEST_F(LiveCultureTest, AFailureStaysInItsCopy) {
  auto hit = Busy(3), spared = Busy(3);
  ASSERT_TRUE(hit->Run(For(5)).ok());
  ASSERT_TRUE(spared->Run(For(5)).ok());
  CultureRun run = For(20);
  run.stimuli = {Current()};
  run.stimuli[0].per_copy = true;
  run.stimuli[0].samples.assign(24, 0.0);
  for (int i = 8 + 4; i < 16; ++i) run.stimuli[0].samples[i] = 1e9;  // copy 1, from 4 ms on
  ASSERT_TRUE(hit->Run(run).ok());
  ASSERT_TRUE(spared->Run(For(20)).ok());
  const CultureRecording& r = hit->recording();
  EXPECT_TRUE(std::isnan(r.failed_at_ms[0]) && std::isnan(r.failed_at_ms[2]));
  // Found within 100 steps of 25 us; the current rises from 3 ms on.
  EXPECT_GE(r.failed_at_ms[1], 5.0);
  EXPECT_LE(r.failed_at_ms[1], 5.0 + 4.0 + 2.5);
  EXPECT_EQ(Print(r, 0), Print(spared->recording(), 0));
  EXPECT_EQ(Print(r, 2), Print(spared->recording(), 2));
  const RecordedSeries& s = r.series[0];
  const double* of_copy = s.values.data() + s.num_rows * s.num_samples;
  EXPECT_TRUE(std::isfinite(of_copy[0]));
  EXPECT_TRUE(std::isnan(of_copy[s.num_samples - 1]));
  for (int64_t i = r.spike_offsets[1]; i < r.spike_offsets[2]; ++i) {
    EXPECT_LT(r.spike_ticks[i] * 0.025, r.failed_at_ms[1]);
  }
  // It waits, while the others go on.
  ASSERT_TRUE(hit->Run(For(10)).ok());
  ASSERT_TRUE(spared->Run(For(10)).ok());
  EXPECT_EQ(Print(hit->recording(), 2), Print(spared->recording(), 2));
  EXPECT_EQ(hit->recording().spike_offsets[1], hit->recording().spike_offsets[2]);
  EXPECT_FALSE(hit->all_failed());
  EXPECT_EQ(hit->first_failed(), 1);
  EXPECT_EQ(spared->first_failed(), -1);
  ASSERT_TRUE(hit->Clear({}).ok());
  EXPECT_TRUE(std::isnan(hit->failed_at_ms()[1]));
}

TEST_F(LiveCultureTest, ARunWithMoreSpikesThanFitHasNotHappened) {
  auto bounded = Busy(2), plain = Busy(2);
  CultureRun run = For(40);
  run.stimuli = {Current()};
  run.max_recording_bytes = 2 * (3 * 400 + 40 * 40) * 8 + 24 * 5;
  EXPECT_EQ(bounded->Run(run).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(bounded->tick(), 0);
  ASSERT_TRUE(bounded->Run(For(40)).ok());
  ASSERT_TRUE(plain->Run(For(40)).ok());
  EXPECT_EQ(Print(bounded->recording(), 1), Print(plain->recording(), 1));
  run.max_recording_bytes = 1000;
  const absl::Status refused = bounded->Run(run);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("1000 bytes in one answer"));
}

// A membrane current is of the half step before: it goes along wherever the culture's state goes.
TEST_F(LiveCultureTest, MembraneCurrentsGoOnOverARefusedRunAndAChange) {
  CultureChange currents;
  currents.recording.emplace();
  currents.recording->series.resize(2);
  currents.recording->series[0].quantity = RecordedQuantity::kMembraneCurrentUa;
  currents.recording->series[0].sites = {{0, 0}, {0, 1}, {9, 0}};
  currents.recording->series[0].sample_dt_ms = 0.025;
  currents.recording->series[1].quantity = RecordedQuantity::kElectrodePotentialUv;
  currents.recording->series[1].sample_dt_ms = 0.025;
  auto plain = Busy(3), disturbed = Busy(3);
  for (LiveCulture* culture : {plain.get(), disturbed.get()}) {
    ASSERT_TRUE(culture->Change(currents).ok());
    ASSERT_TRUE(culture->Run(For(30)).ok());
  }
  const auto expect_same = [&] {
    ASSERT_TRUE(plain->Run(For(1)).ok());
    ASSERT_TRUE(disturbed->Run(For(1)).ok());
    EXPECT_NE(plain->recording().series[0].values[0], 0.0);
    for (int copy = 0; copy < 3; ++copy) {
      EXPECT_EQ(Print(disturbed->recording(), copy), Print(plain->recording(), copy)) << copy;
    }
  };
  expect_same();
  CultureRun refused = For(40);
  const auto num_electrodes =
      static_cast<int64_t>(Model()->prepared().setup.electrode_array->electrodes.size());
  refused.max_recording_bytes = 3 * (3 + num_electrodes) * 1600 * 8 + 24 * 2;
  EXPECT_EQ(disturbed->Run(refused).code(), absl::StatusCode::kResourceExhausted);
  expect_same();
  CultureChange same;
  same.params = {{"EXC_EXC-dend-AMPA-weight", {5.0}}};
  ASSERT_TRUE(disturbed->Change(same).ok());
  expect_same();
}

TEST_F(LiveCultureTest, TheCultureLearnsAndIsLitOnlyWhenAsked) {
  // A culture that can learn and be lit, and does not, is the culture that cannot.
  auto live = LiveCulture::Create(Model(), 1, 1, executor_);
  ASSERT_TRUE(live.ok());
  ASSERT_TRUE((*live)->Clear(Seeded(1)).ok());
  ASSERT_TRUE((*live)->Run(For(100)).ok());
  sim::CultureConfig config = Model()->prepared().setup.culture;
  config.plasticity.reset();
  config.opsin.reset();
  const auto culture = sim::Culture::Create(config);
  ASSERT_TRUE(culture.ok());
  sim::Gang gang(*culture, 1);
  gang.SetSeed(0, 100);
  std::vector<sim::Spike> spikes;
  gang.Advance(4000, &spikes);
  const CultureRecording& r = (*live)->recording();
  ASSERT_EQ(r.spike_ticks.size(), spikes.size());
  EXPECT_GT(spikes.size(), 0u);
  for (size_t i = 0; i < spikes.size(); ++i) {
    EXPECT_EQ(r.spike_ticks[i], spikes[i].tick);
    EXPECT_EQ(r.spike_gids[i], spikes[i].gid);
  }
}

TEST_F(LiveCultureTest, WhatIsWrongIsNamed) {
  auto culture = Busy(2);
  const auto field_of = [&](const absl::Status& status) {
    const auto error = FieldErrorOf(status);
    return error.has_value() ? error->field : "no field: " + std::string(status.message());
  };
  const auto run_with = [&](auto change) {
    CultureRun run = For(10);
    run.stimuli = {Current()};
    change(run);
    return field_of(culture->Run(run));
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(run_with([&](CultureRun& r) { r.duration_ms = -1; }), "duration_ms");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.duration_ms = nan; }), "duration_ms");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.duration_ms = 1e7; }), "duration_ms");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.stimuli[0].sample_dt_ms = 0; }),
            "stimuli[0].sample_dt_ms");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.stimuli[0].samples[3] = nan; }), "stimuli[0].samples");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.stimuli[0].samples.pop_back(); }),
            "stimuli[0].samples");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.stimuli[0].sites[0].gid = 10; }),
            "stimuli[0].sites[0].gid");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.stimuli[0].sites[0].section = 7; }),
            "stimuli[0].sites[0].section");
  EXPECT_EQ(run_with([&](CultureRun& r) {
              r.stimuli[0].quantity = StimulusQuantity::kIrradianceMwMm2;
              r.stimuli[0].sites[0].section = 1;
            }),
            "stimuli[0].sites[0].section");
  EXPECT_EQ(run_with([&](CultureRun& r) {
              r.stimuli[0].timing = sim::SampleTiming::kLivn;
              r.stimuli.push_back(r.stimuli[0]);
              r.stimuli[1].sample_dt_ms = 0.5;
            }),
            "stimuli[1].sample_dt_ms");
  EXPECT_EQ(run_with([&](CultureRun& r) {
              r.stimuli.push_back(r.stimuli[0]);
              r.stimuli[1].timing = sim::SampleTiming::kLivn;
            }),
            "stimuli[1].timing");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.stimuli[0].sample_dt_ms = 0.11; }),
            "stimuli[0].sample_dt_ms");
  EXPECT_EQ(run_with([&](CultureRun& r) {
              r.stimuli[0].quantity = StimulusQuantity::kElectrodeUa;
              r.stimuli[0].electrodes = {99};
            }),
            "stimuli[0].electrodes[0]");

  const auto change_with = [&](auto edit) {
    CultureChange change;
    edit(change);
    return field_of(culture->Change(change));
  };
  EXPECT_EQ(change_with([](CultureChange& c) { c.dt_ms = 0.0; }), "dt_ms");
  EXPECT_EQ(change_with([&](CultureChange& c) { c.v_init_mv = nan; }), "v_init_mv");
  EXPECT_EQ(change_with([](CultureChange& c) { c.learned_weights = {1.0}; }), "learned_weights");
  EXPECT_EQ(change_with([](CultureChange& c) { c.normalize_target = 1.0; }), "normalize_target");
  EXPECT_EQ(change_with([](CultureChange& c) { c.params_group = "x"; }), "params_group");
  EXPECT_EQ(change_with([](CultureChange& c) {
              c.params = {{"noise-std_e", {0.1}}, {"weight-EXC", {-1.0}}};
            }),
            "params[weight-EXC].value");
  EXPECT_EQ(change_with([](CultureChange& c) {
              c.params = {{"weight-PYR", {1.0}}};
            }),
            "params[weight-PYR].key");
  EXPECT_EQ(change_with([](CultureChange& c) { c.opsin = {{"g0", -1.0}}; }), "opsin[g0]");
  EXPECT_EQ(change_with([](CultureChange& c) { c.opsin = {{"g1", 1.0}}; }), "opsin[g1]");
  EXPECT_EQ(change_with([](CultureChange& c) {
              c.plasticity = {{"INH", {{"w_min", 9.0}}}};
            }),
            "plasticity[INH][w_min]");
  EXPECT_EQ(change_with([&](CultureChange& c) {
              c.input_spikes_ms = {{0, {1.0}}};
            }),
            "input_spikes[0]");
  EXPECT_EQ(change_with([&](CultureChange& c) {
              c.setup.emplace().selection.emplace().cells = int64_t{1000};
            }),
            "selection.cells");
  EXPECT_EQ(
      change_with([&](CultureChange& c) {
        c.setup.emplace().model = io::ModelDocument{"livn.models.glif.GLIF", {{"level", 9.0}}};
      }),
      "model.kwargs.level");
  EXPECT_EQ(change_with([&](CultureChange& c) {
              c.setup.emplace().model =
                  io::ModelDocument{"livn.models.glif.GLIF",
                                    {{"params", std::map<std::string, double>{{"tau_m", -9.0}}}}};
            }),
            "model.kwargs.params.tau_m");
  EXPECT_EQ(change_with([&](CultureChange& c) {
              c.learned_weights = culture->LearnedWeights();
              c.learned_weights.back() = -1.0;
            }),
            absl::StrCat("learned_weights[1][", culture->culture().plastic_connections().size() - 1,
                         "]"));
  EXPECT_EQ(change_with([](CultureChange& c) {
              c.recording.emplace();
              c.recording->series.resize(1);
              c.recording->series[0].quantity = RecordedQuantity::kState;
              c.recording->series[0].sites = {{0, 0}};
            }),
            "recording.series[0].state");
  EXPECT_EQ(change_with([](CultureChange& c) {
              c.recording.emplace();
              c.recording->series.resize(1);
              c.recording->series[0].sample_dt_ms = 0.03;
            }),
            "recording.series[0].sample_dt_ms");
  EXPECT_EQ(change_with([](CultureChange& c) {
              c.recording.emplace();
              c.recording->series.resize(65);
            }),
            "recording.series");
  CultureRun no_room = For(0);
  no_room.max_recording_bytes = 100;
  EXPECT_EQ(field_of(culture->Run(no_room)), "duration_ms");
  EXPECT_EQ(culture->tick(), 0);
  EXPECT_EQ(LiveCulture::Create(Model(), 0, 1, executor_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(LiveCultureTest, ManyKeysAreReadOnceAndRefusedWhole) {
  auto culture = Busy(1);
  CultureChange change;
  for (int i = 0; i < 200'000; ++i) {
    change.params.push_back({absl::StrCat("noise-none", i), {1.0}});
  }
  const size_t num_params = culture->params().size();
  EXPECT_EQ(culture->Change(change).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(culture->params().size(), num_params);
  change.params.clear();
  for (int i = 0; i < 200'000; ++i) change.params.push_back({"noise-std_e", {1e-8 * i}});
  ASSERT_TRUE(culture->Change(change).ok());
  EXPECT_EQ(culture->params().size(), num_params);
  EXPECT_EQ(culture->params().back().key, "noise-std_e");
  EXPECT_EQ(culture->params().back().values[0], 1e-8 * 199'999);
}

TEST_F(LiveCultureTest, OnlyAtTheStart) {
  auto culture = Busy(1);
  ASSERT_TRUE(culture->Run(For(1)).ok());
  CultureChange change;
  change.dt_ms = 0.05;
  EXPECT_EQ(culture->Change(change).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(culture->Clear({}).ok());
  ASSERT_TRUE(culture->Change(change).ok());
  ASSERT_TRUE(culture->Run(For(1)).ok());
  EXPECT_EQ(culture->tick(), 20);
}

TEST_F(LiveCultureTest, NeverCleared) {
  auto culture = LiveCulture::Create(Model(), 1, 1, executor_);
  ASSERT_TRUE(culture.ok());
  EXPECT_EQ((*culture)->Run(For(1)).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace livnd::env
