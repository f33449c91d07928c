// What a gang does with spikes, events, inputs and broken numbers.
#include "sim/gang/gang.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/cell/rcsd/rcsd_model.h"
#include "sim/testing/busy_culture.h"
#include "sim/testing/reference_cell.h"

namespace livnd::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double kDtMs = 0.025;

// One motoneuron (gid 0) and one event source (gid 1).
CultureConfig CellAndSource() {
  CultureConfig config;
  config.populations = {{"EXC", 0, 1}, {"SRC", 1, 1}};
  return config;
}

ProjectionConfig Projection(std::vector<ReceptorConfig> receptors, std::vector<Edge> edges) {
  ProjectionConfig p;
  p.post = "EXC";
  p.pre = "SRC";
  p.receptors[ProjectionConfig::kDefaultReceptors] = std::move(receptors);
  p.edges = std::move(edges);
  return p;
}

// A constant current into one section of every copy.
void Inject(Gang& gang, int64_t gid, int section, double current_na) {
  auto map = std::make_shared<StimulusMap>();
  map->num_channels = 1;
  map->row_of_channel = {gang.culture().SectionRow(gid, section)};
  gang.SetStimulusMap(StimulusMode::kCurrent, map);
  for (int c = 0; c < gang.num_copies(); ++c) {
    Waveform w;
    w.sample_dt_ms = 100.0;
    w.num_channels = 1;
    w.samples.assign(100, current_na);
    ASSERT_TRUE(gang.Install(c, StimulusMode::kCurrent, std::move(w)).ok());
  }
}

std::vector<int64_t> Ticks(const std::vector<Spike>& spikes) {
  std::vector<int64_t> out;
  for (const Spike& s : spikes) out.push_back(s.tick);
  return out;
}

// Spikes of a driven motoneuron.
std::vector<int64_t> DrivenSpikes(double refractory_ms, int64_t num_steps, double dt_ms = kDtMs) {
  CultureConfig config = CellAndSource();
  config.dt_ms = dt_ms;
  config.model.refractory_period_ms = refractory_ms;
  Gang gang(MustCreate(config), 1);
  Inject(gang, 0, 0, 0.3);
  std::vector<Spike> spikes;
  gang.Advance(num_steps, &spikes);
  return Ticks(spikes);
}

TEST(SpikeTest, IsTheFirstStepThatStartsAboveTheThreshold) {
  Gang gang(MustCreate(CellAndSource()), 1);
  Inject(gang, 0, 0, 0.3);
  Probe probe;
  probe.sites = {{0, 0}};
  Probe* probes[] = {&probe};
  std::vector<Spike> spikes;
  gang.Advance(4000, &spikes, probes);
  std::vector<int64_t> expected;
  for (size_t i = 1; i < probe.samples.size(); ++i) {
    if (probe.samples[i] > -37.0 && probe.samples[i - 1] <= -37.0) expected.push_back(i);
  }
  EXPECT_GE(expected.size(), 3u);
  EXPECT_EQ(Ticks(spikes), expected);
}

TEST(SpikeTest, InTheLastStepOfACallIsFoundByTheNextCall) {
  const int64_t first = DrivenSpikes(2.0, 2000)[0];
  Gang gang(MustCreate(CellAndSource()), 1);
  Inject(gang, 0, 0, 0.3);
  std::vector<Spike> spikes;
  gang.Advance(first, &spikes);
  EXPECT_GT(gang.VoltageMv(0, 0, 0), -37.0);
  EXPECT_THAT(spikes, IsEmpty());
  gang.Advance(1, &spikes);
  EXPECT_THAT(Ticks(spikes), ElementsAre(first));
}

TEST(RefractoryPeriodTest, AcceptsASpikeOnlyThatLongAfterTheLastAcceptedOne) {
  const int64_t num_steps = 8000;
  const std::vector<int64_t> all = DrivenSpikes(0.0, num_steps);
  ASSERT_GE(all.size(), 6u);
  std::vector<int64_t> intervals;
  for (size_t i = 1; i < all.size(); ++i) intervals.push_back(all[i] - all[i - 1]);
  const int64_t interval = *std::min_element(intervals.begin(), intervals.end());
  // Below the shortest interval, exactly on it, and longer than several.
  for (const int64_t period :
       {interval - 1, interval, interval + 1, 2 * interval, 3 * interval + 5}) {
    std::vector<int64_t> expected;
    for (int64_t tick : all) {
      if (expected.empty() || tick - expected.back() >= period) expected.push_back(tick);
    }
    EXPECT_EQ(DrivenSpikes(period * kDtMs, num_steps), expected) << period;
  }
}

TEST(RefractoryPeriodTest, IsInMillisecondsWhateverTheStep) {
  const std::vector<int64_t> coarse = DrivenSpikes(30.0, 4000, 0.025);
  const std::vector<int64_t> fine = DrivenSpikes(30.0, 8000, 0.0125);
  ASSERT_EQ(coarse.size(), fine.size());
  ASSERT_GE(coarse.size(), 2u);
  for (size_t i = 1; i < coarse.size(); ++i) {
    EXPECT_GE(coarse[i] - coarse[i - 1], 1200);
    EXPECT_GE(fine[i] - fine[i - 1], 2400);
  }
}

TEST(SpikeOrderTest, IsByStepThenCopyThenGroupAndCell) {
  const std::shared_ptr<const Culture> culture = MustCreate(BusyConfig());
  Gang gang(culture, 4);
  PrepareBusyGang(gang);
  for (int c = 0; c < 4; ++c) {
    gang.SetSeed(c, 1);
    InstallBusyStimuli(gang, c);
  }
  std::vector<Spike> spikes;
  gang.Advance(1500, &spikes);
  auto key = [&](const Spike& s) {
    const Culture::CellRef cell = culture->Find(s.gid);
    return std::make_pair(std::make_pair(s.tick, s.copy), std::make_pair(cell.group, cell.index));
  };
  ASSERT_GT(spikes.size(), 100u);
  for (size_t i = 1; i < spikes.size(); ++i) {
    ASSERT_LT(key(spikes[i - 1]), key(spikes[i])) << "spike " << i;
  }
  // The order would be trivial if no step had spikes of two groups.
  int steps_with_two_groups = 0;
  for (size_t i = 1; i < spikes.size(); ++i) {
    steps_with_two_groups += spikes[i].tick == spikes[i - 1].tick &&
                             spikes[i].copy == spikes[i - 1].copy &&
                             key(spikes[i]).second.first != key(spikes[i - 1]).second.first;
  }
  EXPECT_GT(steps_with_two_groups, 0);
}

// --- events
// -----------------------------------------------------------------------------------------

TEST(SynapseTest, SharedStatesEqualOneStatePerSynapse) {
  // Many synapses of few kinetics on soma and dendrite: the engine keeps one pair of states for
  // each compartment and kinetics, the reference one for each synapse.
  const std::vector<ReceptorConfig> receptors = {
      {"NMDA", {{"weight", 0.7}, {"g_unit", 0.001}, {"tau_rise", 0.5}, {"tau_decay", 80.0}}},
      {"GABA_A",
       {{"weight", 0.5}, {"g_unit", 0.001}, {"tau_rise", 0.3}, {"tau_decay", 6.0}, {"e", -70.0}}},
      {"GABA_B", {{"weight", 1.5}, {"g_unit", 0.0005}, {"tau_rise", 1.0}, {"tau_decay", 9.0}}}};
  CultureConfig config = CellAndSource();
  std::vector<Edge> edges;
  for (int i = 0; i < 24; ++i) {
    Edge e;
    e.source_gid = 1;
    e.target_gid = 0;
    e.swc_type = i % 3 == 0 ? kSwcSoma : 4;
    e.distance_um = 40.0 * i + 3.0;
    edges.push_back(e);
  }
  config.projections = {Projection(receptors, edges)};
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  EXPECT_EQ(culture->groups()[0].slots.size(), 6u);
  EXPECT_EQ(culture->connectivity().rows.size(), 72u);

  ReferenceCell reference(MakeCellTemplate(CellKind::kMotoneuron, 1.0), kDtMs);
  std::vector<Receptor> resolved;
  for (const ReceptorConfig& r : receptors) resolved.push_back(*ResolveReceptor(r, true));
  std::vector<int> synapses;
  for (const Edge& e : edges) {
    for (const Receptor& r : resolved) {
      synapses.push_back(reference.AddSynapse(e.swc_type == kSwcSoma ? 0 : 1, r.kinetics));
    }
  }
  const std::vector<double> inputs = {0.0, 1.0, 4.03, 4.04, 4.04, 11.7, 20.0};
  std::multimap<int64_t, size_t> arrivals;  // by step
  for (double t : inputs) {
    for (size_t e = 0; e < edges.size(); ++e) {
      const double delay_ms = std::max(edges[e].distance_um / 250.0, 2 * kDtMs);
      arrivals.emplace(DeliveryStep(t + delay_ms, kDtMs), e);
    }
  }
  Gang gang(culture, 1);
  ASSERT_TRUE(gang.SetInputSpikes({{1, inputs}}).ok());
  double worst = 0.0, deepest = 0.0;
  for (int64_t step = 0; step < 1600; ++step) {
    for (auto [a, end] = arrivals.equal_range(step); a != end; ++a) {
      for (size_t r = 0; r < resolved.size(); ++r) {
        reference.Deliver(synapses[a->second * resolved.size() + r],
                          resolved[r].weight * resolved[r].g_unit_us * resolved[r].factor);
      }
    }
    gang.Advance(1, nullptr);
    reference.Step();
    for (int c = 0; c < 7; ++c) {
      const double difference = std::fabs(gang.VoltageMv(0, 0, c) - reference.v_mv(c));
      if (!(difference <= worst)) worst = difference;
    }
    deepest = std::max(deepest, gang.VoltageMv(0, 0, 1));
  }
  EXPECT_LT(worst, 1e-7);
  EXPECT_GT(deepest, -55.0);  // the synapses did act
}

TEST(SynapseTest, ADepressingSynapseSpendsAndRegainsItsResources) {
  CultureConfig config = CellAndSource();
  Edge edge;
  edge.source_gid = 1;
  edge.target_gid = 0;
  edge.distance_um = 250.0;  // 1 ms
  const double tau = 3.0, weight = 2.0, unit_us = 0.001, fraction = 0.4, recovery_ms = 50.0;
  config.projections = {Projection({{"AMPA",
                                     {{"weight", weight},
                                      {"g_unit", unit_us},
                                      {"tau_rise", 0.5},
                                      {"tau_decay", tau},
                                      {"U", fraction},
                                      {"tau_rec", recovery_ms}}}},
                                   {edge})};
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  ASSERT_EQ(culture->connectivity().num_stateful_rows, 1);
  const auto at = static_cast<size_t>(culture->connection_state_offset());
  Gang gang(culture, 1);
  const std::vector<double> inputs = {0.0, 5.0, 5.01, 40.0, 41.0};
  ASSERT_TRUE(gang.SetInputSpikes({{1, inputs}}).ok());
  EXPECT_EQ(Save(gang, 0)[at], 1.0);
  double resources = 1.0, last_ms = -1e9, b = 0.0;
  const int state_b = culture->groups()[0].slots[0].state + 1;
  const double factor =
      ResolveReceptor(config.projections[0].receptors.begin()->second[0], true)->factor;
  size_t next = 0;
  for (int64_t step = 0; step < 2000; ++step) {
    for (; next < inputs.size() && DeliveryStep(inputs[next] + 1.0, kDtMs) == step; ++next) {
      const double te = inputs[next] + 1.0;
      resources = 1.0 - (1.0 - resources) * std::exp(-(te - last_ms) / recovery_ms);
      last_ms = te;
      b += weight * unit_us * factor * resources * fraction * std::exp(-kDtMs / (2 * tau));
      resources -= resources * fraction;
    }
    b *= std::exp(-kDtMs / tau);
    gang.Advance(1, nullptr);
    const std::vector<double> state = Save(gang, 0);
    ASSERT_NEAR(state[at], resources, 1e-14);
    ASSERT_EQ(state[at + 1], last_ms);
    ASSERT_NEAR(state[CopyHeader::kSize + state_b], b, 1e-14);
  }
  EXPECT_EQ(next, inputs.size());
}

TEST(SynapseTest, AnEventActsInTheStepThatTheRuleNames) {
  for (const double dt_ms : {0.025, 0.0125, 0.1}) {
    CultureConfig config = CellAndSource();
    config.dt_ms = dt_ms;
    Edge edge;
    edge.source_gid = 1;
    edge.target_gid = 0;
    edge.swc_type = kSwcSoma;
    edge.distance_um = 100.0;
    config.projections = {Projection({{"GABA_B", {{"g_unit", 0.01}, {"e", 0.0}}}}, {edge})};
    for (const double spike_ms : {0.0, 0.1, 0.3125, 1.0 / 3.0}) {
      Gang with(MustCreate(config), 1), without(MustCreate(config), 1);
      ASSERT_TRUE(with.SetInputSpikes({{1, {spike_ms}}}).ok());
      const int64_t step = DeliveryStep(spike_ms + std::max(0.4, 2 * dt_ms), dt_ms);
      with.Advance(step, nullptr);
      without.Advance(step, nullptr);
      EXPECT_EQ(with.VoltageMv(0, 0, 0), without.VoltageMv(0, 0, 0));
      with.Advance(1, nullptr);
      without.Advance(1, nullptr);
      EXPECT_GT(with.VoltageMv(0, 0, 0), without.VoltageMv(0, 0, 0)) << spike_ms << " " << dt_ms;
    }
  }
}

TEST(SynapseTest, ACellsSpikeArrivesAfterItsDelayAndNeverInTheNextStep) {
  for (const double distance_um : {0.0, 5.0, 15.625, 300.0, 1000.0}) {
    CultureConfig config;
    config.populations = {{"EXC", 0, 2}};
    ProjectionConfig p = Projection({{"GABA_B", {{"g_unit", 0.01}, {"e", 0.0}}}}, {});
    p.pre = "EXC";
    Edge edge;
    edge.source_gid = 0;
    edge.target_gid = 1;
    edge.distance_um = distance_um;
    p.edges = {edge};
    config.projections = {p};
    const std::shared_ptr<const Culture> culture = MustCreate(config);
    Gang gang(culture, 1);
    Inject(gang, 0, 0, 0.3);
    std::vector<Spike> spikes;
    while (spikes.empty()) gang.Advance(1, &spikes);
    const double delay_ms = std::max(distance_um / 250.0, 2 * kDtMs);
    const int64_t step = DeliveryStep(spikes[0].tick * kDtMs + kEmissionOffsetMs + delay_ms, kDtMs);
    EXPECT_GE(step, spikes[0].tick + 2);
    const int b = culture->groups()[0].slots[0].state + 1;
    const auto at = static_cast<size_t>(CopyHeader::kSize + culture->groups()[0].num_variables + b);
    while (gang.tick(0) < step) {
      EXPECT_EQ(Save(gang, 0)[at], 0.0);
      gang.Advance(1, nullptr);
    }
    EXPECT_EQ(Save(gang, 0)[at], 0.0) << distance_um;
    gang.Advance(1, nullptr);
    EXPECT_GT(Save(gang, 0)[at], 0.0) << distance_um;
  }
}

// --- inputs
// -----------------------------------------------------------------------------------------

TEST(InputSpikesTest, MayBeGivenInAnyOrderAndReplaceEarlierOnes) {
  Gang sorted(MustCreate(BusyConfig()), 1), shuffled(MustCreate(BusyConfig()), 1);
  ASSERT_TRUE(sorted.SetInputSpikes({{16, {1.0, 2.0, 3.0}}, {17, {2.0}}}).ok());
  ASSERT_TRUE(shuffled.SetInputSpikes({{18, {0.5}}}).ok());
  ASSERT_TRUE(shuffled.SetInputSpikes({{16, {3.0, 1.0, 2.0}}, {17, {2.0}}}).ok());
  sorted.Advance(300, nullptr);
  shuffled.Advance(300, nullptr);
  EXPECT_EQ(Save(sorted, 0), Save(shuffled, 0));
}

TEST(InputSpikesTest, GivenLateAreDeliveredIfTheirEventsAreStillToCome) {
  CultureConfig config = CellAndSource();
  Edge edge;
  edge.source_gid = 1;
  edge.target_gid = 0;
  edge.distance_um = 1000.0;  // 4 ms
  config.projections = {Projection({{"GABA_B", {{"g_unit", 0.01}, {"e", 0.0}}}}, {edge})};
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  Gang on_time(culture, 1), late(culture, 1), none(culture, 1);
  // At 5 ms the event of a spike at 0 is gone and that of one at 3 ms is on its way.
  ASSERT_TRUE(on_time.SetInputSpikes({{1, {3.0}}}).ok());
  for (Gang* gang : {&on_time, &late, &none}) gang->Advance(200, nullptr);
  ASSERT_TRUE(late.SetInputSpikes({{1, {0.0, 3.0}}}).ok());
  for (Gang* gang : {&on_time, &late, &none}) gang->Advance(200, nullptr);
  EXPECT_EQ(Save(late, 0), Save(on_time, 0));
  EXPECT_GT(late.VoltageMv(0, 0, 1), none.VoltageMv(0, 0, 1) + 0.1);
}

TEST(InputSpikesTest, ReplacingThemKeepsTheCellsEventsOnTheirWay) {
  const std::shared_ptr<const Culture> culture = MustCreate(BusyConfig());
  Gang straight(culture, 1), touched(culture, 1);
  PrepareBusyGang(straight);
  PrepareBusyGang(touched);
  InstallBusyStimuli(straight, 0);
  InstallBusyStimuli(touched, 0);
  std::vector<Spike> spikes;
  straight.Advance(600, &spikes);
  ASSERT_GT(spikes.size(), 10u);
  for (int i = 0; i < 60; ++i) {
    touched.Advance(10, nullptr);
    PrepareBusyGang(touched);  // sets the same inputs again, and forgets stimuli
    InstallBusyStimuli(touched, 0);
  }
  EXPECT_EQ(Save(straight, 0), Save(touched, 0));
}

TEST(InputSpikesTest, RefusesCellsAndTimesThatCannotBe) {
  Gang gang(MustCreate(CellAndSource()), 1);
  auto refused = [&](int64_t gid, double t, const std::string& field, const std::string& value,
                     const std::string& accepted) {
    const absl::Status status = gang.SetInputSpikes({{gid, {2.0, t}}});
    EXPECT_THAT(status, IsFieldError(field, value, HasSubstr(accepted)));
  };
  refused(0, 1.0, "input_spikes[0]", "of a cell that is simulated", "event sources");
  refused(2, 1.0, "input_spikes[2]", "of no cell", "event sources");
  refused(-1, 1.0, "input_spikes[-1]", "of no cell", "event sources");
  refused(1, -0.1, "input_spikes[1][1]", "-0.1", "0 .. 1e12 (ms)");
  refused(1, std::numeric_limits<double>::quiet_NaN(), "input_spikes[1][1]", "nan", "0 .. 1e12");
  refused(1, std::numeric_limits<double>::infinity(), "input_spikes[1][1]", "inf", "0 .. 1e12");
  EXPECT_TRUE(gang.SetInputSpikes({{1, {}}}).ok());
  EXPECT_TRUE(gang.SetInputSpikes({}).ok());
}

// --- noise
// ------------------------------------------------------------------------------------------

TEST(NoiseTest, ASmallSeedDrivesTheConductancesWithLivnsNumbers) {
  CultureConfig config;
  config.populations = {{"EXC", 0, 1}};
  config.noise.emplace();
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  Gang gang(culture, 1);
  gang.SetSeed(0, 123);
  const RcsdShape& shape = static_cast<const RcsdModel&>(*culture->groups()[0].model).shape();
  auto noise = [&](int i) { return Save(gang, 0)[CopyHeader::kSize + shape.noise_state(i)]; };
  // The first update is in step 1. The soma (stream (1, 1, 123)) uses the second normal of each
  // update, the dendrite (stream (1, 2, 123)) the first.
  gang.Advance(1, nullptr);
  EXPECT_EQ(noise(0), 0.0);
  EXPECT_EQ(noise(1), 0.0);
  gang.Advance(1, nullptr);
  const double amp_i = 0.0066 * std::sqrt(1.0 - std::exp(-2 * 0.025 / 10.49));
  const double amp_e = 0.003 * std::sqrt(1.0 - std::exp(-2 * 0.025 / 2.728));
  EXPECT_NEAR(noise(0), amp_i * -2.257643236259989, 1e-17);
  EXPECT_NEAR(noise(1), amp_e * 0.27131031682958645, 1e-17);
  gang.Advance(1, nullptr);
  EXPECT_NEAR(noise(0),
              amp_i * (-2.257643236259989 * std::exp(-0.025 / 10.49) - 0.41373922908536115), 1e-17);
}

TEST(NoiseTest, UpdatesAsOftenAsLivnDoesAtEveryStep) {
  // Steps up to which an update has taken place: at 12.5 us from step 2 on every second one, at 50
  // us every one.
  const std::map<double, std::vector<int>> updates = {
      {0.0125, {0, 0, 1, 1, 2, 2}}, {0.025, {0, 1, 2, 3, 4, 5}}, {0.05, {1, 2, 3, 4, 5, 6}}};
  for (const auto& [dt_ms, expected] : updates) {
    CultureConfig config;
    config.dt_ms = dt_ms;
    config.populations = {{"INH", 0, 1}};
    config.noise.emplace();
    const std::shared_ptr<const Culture> culture = MustCreate(config);
    Gang gang(culture, 1);
    const int y = CopyHeader::kSize +
                  static_cast<const RcsdModel&>(*culture->groups()[0].model).shape().noise_state(0);
    int num_updates = 0;
    double last = 0.0;
    for (size_t step = 0; step < expected.size(); ++step) {
      gang.Advance(1, nullptr);
      const double now = Save(gang, 0)[y];
      num_updates += now != last;
      last = now;
      EXPECT_EQ(num_updates, expected[step]) << "step " << step << " of " << dt_ms;
    }
  }
}

TEST(NoiseTest, WithoutDeviationThereIsNoCurrent) {
  CultureConfig quiet, none;
  quiet.populations = none.populations = {{"EXC", 0, 1}, {"INH", 1, 1}};
  quiet.noise = {{"std_e", 0.0}, {"std_i", 0.0}};
  Gang a(MustCreate(quiet), 1), b(MustCreate(none), 1);
  a.Advance(100, nullptr);
  b.Advance(100, nullptr);
  EXPECT_EQ(a.VoltageMv(0, 0, 0), b.VoltageMv(0, 0, 0));
  EXPECT_EQ(a.VoltageMv(0, 1, 0), b.VoltageMv(0, 1, 0));
}

// --- broken numbers
// ---------------------------------------------------------------------------------

TEST(IsFiniteTest, TellsWhichCopyIsRuinedAndSparesTheOthers) {
  const std::shared_ptr<const Culture> culture = MustCreate(BusyConfig());
  const int64_t bad[] = {0, culture->groups()[1].state_offset - CopyHeader::kSize,
                         culture->groups()[2].state_offset - CopyHeader::kSize};
  for (const double value : {std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity(), 1e5, -1e5}) {
    for (const int64_t at : bad) {
      Gang gang(culture, 3), sound(culture, 3);
      gang.Advance(100, nullptr);
      sound.Advance(100, nullptr);
      EXPECT_TRUE(gang.IsFinite(1));
      std::vector<double> state = Save(gang, 1);
      state[CopyHeader::kSize + at + SomaState::kV] = value;
      gang.LoadCopy(1, state);
      EXPECT_FALSE(gang.IsFinite(1)) << value;
      EXPECT_TRUE(gang.IsFinite(0) && gang.IsFinite(2));
      gang.Advance(100, nullptr);
      sound.Advance(100, nullptr);
      EXPECT_EQ(Save(gang, 0), Save(sound, 0));
      EXPECT_EQ(Save(gang, 2), Save(sound, 2));
      if (std::isnan(value)) {
        EXPECT_FALSE(gang.IsFinite(1));
      }
      // A fresh start heals the copy.
      gang.LoadCopy(1, culture->initial_state());
      EXPECT_TRUE(gang.IsFinite(1));
      gang.Advance(10, nullptr);
      EXPECT_TRUE(gang.IsFinite(1));
    }
  }
}

TEST(GangTest, ACultureWithoutCellsOnlyKeepsTime) {
  Gang gang(MustCreate(CultureConfig()), 2);
  gang.Advance(10, nullptr);
  EXPECT_EQ(gang.tick(1), 10);
  EXPECT_TRUE(gang.IsFinite(0));
  EXPECT_EQ(Save(gang, 0).size(), static_cast<size_t>(CopyHeader::kSize));
}

TEST(GangTest, ProbesSampleTheStartsOfSteps) {
  const std::shared_ptr<const Culture> culture = MustCreate(BusyConfig());
  Gang gang(culture, 2);
  Probe probe;
  probe.copy = 1;
  probe.every_steps = 4;
  probe.sites = {{3, 0}, {12, 5}};
  Probe* probes[] = {&probe};
  gang.Advance(10, nullptr, probes);
  ASSERT_EQ(probe.samples.size(), 6u);
  EXPECT_EQ(probe.samples[0], -75.0);
  Gang again(culture, 2);
  again.Advance(4, nullptr);
  EXPECT_EQ(probe.samples[2], again.VoltageMv(1, 3, 0));
  EXPECT_EQ(probe.samples[3], again.VoltageMv(1, 12, 5));
}

}  // namespace
}  // namespace livnd::sim
