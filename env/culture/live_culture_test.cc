#include "env/culture/live_culture.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "env/culture/culture_model.h"
#include "env/culture/testing/cultures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

class LiveCultureTest : public ::testing::Test {
 protected:
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
    const auto culture = BusyCulture(executor_, 2);
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

  const auto culture = BusyCulture(executor_, 1);
  CultureChange change;
  change.recording.emplace().spike_populations = {"EXC", "exc"};
  const auto error = FieldErrorOf(culture->Change(change));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->field, "recording.spike_populations[1]");
  EXPECT_EQ(error->accepted, "EXC, INH");
}

TEST_F(LiveCultureTest, TheLongestRunThatIsToldIsTheLongestThereIs) {
  const auto culture = BusyCulture(executor_, 3);
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
    auto culture = *LiveCulture::Create(EiMini(), num_copies, 1, executor_);
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

// Of a run in which copy 1 fails, and then another one, cut into pieces of at most so many ticks.
struct PiecesRun {
  std::vector<CultureRecording> recordings;
  std::vector<double> learned;
  int64_t num_pieces = 0;
};
PiecesRun RunInPieces(sim::Executor& executor, int num_copies, int64_t max_ticks) {
  auto culture = BusyCulture(executor, num_copies);
  CultureRun run = For(60);
  run.stimuli = {Current()};
  run.stimuli[0].per_copy = true;
  run.stimuli[0].samples.assign(static_cast<size_t>(num_copies) * 8, 0.1);
  for (int i = 8 + 4; i < 16; ++i) run.stimuli[0].samples[i] = 1e9;
  PiecesRun out;
  for (int i = 0; i < 2; ++i, run = For(10.025)) {
    EXPECT_TRUE(culture->BeginRun(run).ok());
    int64_t ticks = 0;
    for (Progress progress; !progress.over; ++out.num_pieces) {
      progress = culture->ContinueRun(max_ticks);
      EXPECT_LE(progress.ticks, max_ticks);
      ticks += progress.ticks;
    }
    EXPECT_GT(ticks, 0);
    EXPECT_EQ(ticks % (i == 0 ? 2400 : 401), 0);
    EXPECT_TRUE(culture->FinishRun().ok());
    out.recordings.push_back(culture->TakeRecording());
  }
  out.learned = culture->LearnedWeights();
  return out;
}

TEST_F(LiveCultureTest, HowARunIsCutChangesNoBit) {
  constexpr int kCopies = 5;
  const PiecesRun whole = RunInPieces(executor_, kCopies, 1'000'000);
  EXPECT_FALSE(std::isnan(whole.recordings[0].failed_at_ms[1]));
  for (const int64_t max_ticks : {1, 7, 100, 130}) {
    const PiecesRun cut = RunInPieces(executor_, kCopies, max_ticks);
    EXPECT_GE(cut.num_pieces, 2801 / max_ticks);
    for (size_t i = 0; i < 2; ++i) {
      for (int c = 0; c < kCopies; ++c) {
        EXPECT_EQ(Print(cut.recordings[i], c), Print(whole.recordings[i], c)) << max_ticks;
      }
      EXPECT_EQ(cut.recordings[i].failed_at_ms[1], whole.recordings[i].failed_at_ms[1]);
    }
    EXPECT_EQ(cut.learned, whole.learned);
  }
}

TEST_F(LiveCultureTest, ACopyIsTheSameAloneAndAmongOthers) {
  const int kCopies = 5;
  auto all = BusyCulture(executor_, kCopies);
  ASSERT_TRUE(all->Run(For(60)).ok());
  for (int c = 0; c < kCopies; ++c) {
    auto alone = BusyCulture(executor_, 1);
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
  auto whole = BusyCulture(executor_, 2), parts = BusyCulture(executor_, 2);
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
  auto fresh = BusyCulture(executor_, 2), used = BusyCulture(executor_, 2);
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
  auto a = BusyCulture(executor_, 1), b = BusyCulture(executor_, 1);
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
  auto culture = BusyCulture(executor_, 2);
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
  auto plain = BusyCulture(executor_, 2), changed = BusyCulture(executor_, 2);
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
  auto once = BusyCulture(executor_, 1), twice = BusyCulture(executor_, 1);
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
  auto pair = BusyCulture(executor_, 2), alone = BusyCulture(executor_, 1);
  CultureStimulus stimulus = Current();
  CultureRun run = For(10);
  run.stimuli = {stimulus};
  ASSERT_TRUE(alone->Run(run).ok());
  run.stimuli[0].per_copy = true;
  run.stimuli[0].samples.insert(run.stimuli[0].samples.end(), 8, 0.0);
  ASSERT_TRUE(pair->Run(run).ok());
  EXPECT_EQ(Print(pair->recording(), 0), Print(alone->recording(), 0));
  auto quiet = BusyCulture(executor_, 2);
  ASSERT_TRUE(quiet->Run(For(10)).ok());
  EXPECT_EQ(Print(pair->recording(), 1), Print(quiet->recording(), 1));
}

TEST_F(LiveCultureTest, AFailureStaysInItsCopy) {
  auto hit = BusyCulture(executor_, 3), spared = BusyCulture(executor_, 3);
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
  auto bounded = BusyCulture(executor_, 2), plain = BusyCulture(executor_, 2);
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
  auto plain = BusyCulture(executor_, 3), disturbed = BusyCulture(executor_, 3);
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
      static_cast<int64_t>(EiMini()->prepared().setup.electrode_array->electrodes.size());
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
  auto live = LiveCulture::Create(EiMini(), 1, 1, executor_);
  ASSERT_TRUE(live.ok());
  ASSERT_TRUE((*live)->Clear(Seeded(1)).ok());
  ASSERT_TRUE((*live)->Run(For(100)).ok());
  sim::CultureConfig config = EiMini()->prepared().setup.culture;
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

}  // namespace
}  // namespace livnd::env
