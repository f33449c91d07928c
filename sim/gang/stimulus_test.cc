// What stimuli do to cells, step by step, held against the scalar reference.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/gang/gang.h"
#include "sim/testing/busy_culture.h"
#include "sim/testing/reference_cell.h"

namespace livnd::sim {
namespace {

using testing::HasSubstr;

constexpr double kDtMs = 0.025;

std::shared_ptr<const Culture> OneCell(const std::string& population, double dt_ms = kDtMs) {
  CultureConfig config;
  config.dt_ms = dt_ms;
  config.populations = {{population, 0, 1}};
  return MustCreate(config);
}

// One channel a section of cell 0.
std::shared_ptr<const StimulusMap> AllSections(const Culture& culture) {
  auto map = std::make_shared<StimulusMap>();
  for (int section = 0; culture.SectionRow(0, section) >= 0; ++section) {
    map->row_of_channel.push_back(culture.SectionRow(0, section));
  }
  map->num_channels = static_cast<int>(map->row_of_channel.size());
  return map;
}

// On livn's grid.
Waveform Samples(double sample_dt_ms, int64_t first, int num_channels,
                 std::vector<double> samples) {
  Waveform w;
  w.timing = SampleTiming::kLivn;
  w.sample_dt_ms = sample_dt_ms;
  w.first_sample = first;
  w.num_channels = num_channels;
  w.samples = std::move(samples);
  return w;
}

// Steps gang and reference together and returns the largest difference of any section.
template <class SetCurrents>
double LargestDifference(Gang& gang, ReferenceCell& reference, int num_steps,
                         SetCurrents set_currents) {
  double worst = 0.0;
  for (int step = 0; step < num_steps; ++step) {
    set_currents(step);
    reference.Step();
    gang.Advance(1, nullptr);
    for (int c = 0; c < reference.num_compartments(); ++c) {
      const double difference = std::fabs(reference.v_mv(c) - gang.VoltageMv(0, 0, c));
      if (!(difference <= worst)) worst = difference;
    }
  }
  return worst;
}

double Area(const CellTemplate& cell, int section) {
  return cell.sections[section].segment_area_um2();
}

TEST(CurrentStimulusTest, RampsBetweenSamplesAndIsZeroOutside) {
  for (const auto& [population, kind] :
       {std::pair("EXC", CellKind::kMotoneuron), std::pair("INH", CellKind::kRenshaw)}) {
    const std::shared_ptr<const Culture> culture = OneCell(population);
    const CellTemplate cell = MakeCellTemplate(kind, 1.0);
    Gang gang(culture, 1);
    gang.SetStimulusMap(StimulusMode::kCurrent, AllSections(*culture));
    const int n = static_cast<int>(cell.sections.size());
    // Samples 2, 3, 4 of 0.4 ms, each section its own.
    const int64_t first = 2;
    std::vector<double> samples;
    for (int i = 0; i < 3 * n; ++i) samples.push_back(0.01 * (i % 5 - 1));
    ASSERT_TRUE(gang.Install(0, StimulusMode::kCurrent, Samples(0.4, first, n, samples)).ok());
    ReferenceCell reference(cell, kDtMs);
    auto sample = [&](int64_t i, int c) {
      return i < first || i >= first + 3 ? 0.0 : samples[(i - first) * n + c];
    };
    const double worst = LargestDifference(gang, reference, 160, [&](int step) {
      const double at = (step * kDtMs + kDtMs / 2) / 0.4;
      const auto i = static_cast<int64_t>(std::floor(at));
      for (int c = 0; c < n; ++c) {
        reference.SetCurrent(c, sample(i, c) + (at - i) * (sample(i + 1, c) - sample(i, c)));
      }
    });
    EXPECT_LT(worst, 1e-8) << population;
  }
}

TEST(CurrentDensityStimulusTest, HoldsEachSampleAndActsInItsOwnStep) {
  const std::shared_ptr<const Culture> culture = OneCell("EXC");
  const CellTemplate cell = MakeCellTemplate(CellKind::kMotoneuron, 1.0);
  Gang gang(culture, 1);
  gang.SetStimulusMap(StimulusMode::kCurrentDensity, AllSections(*culture));
  std::vector<double> samples;
  for (int i = 0; i < 4 * 7; ++i) samples.push_back(1e-3 * (i % 4 - 1));
  ASSERT_TRUE(gang.Install(0, StimulusMode::kCurrentDensity, Samples(0.25, 3, 7, samples)).ok());
  ReferenceCell reference(cell, kDtMs);
  const double worst = LargestDifference(gang, reference, 160, [&](int step) {
    const auto i = static_cast<int64_t>(step * kDtMs / 0.25) - 3;
    for (int c = 0; c < 7; ++c) {
      const double density = i < 0 || i >= 4 ? 0.0 : samples[i * 7 + c];
      reference.SetCurrent(c, density * Area(cell, c) / 1e2);
    }
  });
  EXPECT_LT(worst, 1e-8);
}

// The currents (nA) that potentials `ve` of the sections drive through the junctions; `absent`
// leaves out junctions of a section that no channel reaches.
std::vector<double> JunctionCurrents(const CellTemplate& cell, const std::vector<double>& ve,
                                     int absent = -1) {
  std::vector<double> out(cell.sections.size(), 0.0);
  auto junction = [&](int a, int b) {
    if (a == absent || b == absent) return;
    const double mohm = cell.sections[a].half_segment_resistance_mohm() +
                        cell.sections[b].half_segment_resistance_mohm();
    out[a] += (ve[b] - ve[a]) / mohm;
    out[b] -= (ve[b] - ve[a]) / mohm;
  };
  const bool dend = cell.kind == CellKind::kMotoneuron;
  const int axon = dend ? 2 : 1;
  if (dend) junction(0, 1);
  junction(0, axon);
  for (int i = axon; i < axon + 4; ++i) junction(i, i + 1);
  return out;
}

TEST(FieldStimulusTest, DrivesJunctionsOneStepLate) {
  for (const auto& [population, kind] :
       {std::pair("EXC", CellKind::kMotoneuron), std::pair("INH", CellKind::kRenshaw)}) {
    const std::shared_ptr<const Culture> culture = OneCell(population);
    const CellTemplate cell = MakeCellTemplate(kind, 1.0);
    const int n = static_cast<int>(cell.sections.size());
    Gang gang(culture, 1);
    gang.SetStimulusMap(StimulusMode::kField, AllSections(*culture));
    std::vector<double> samples;
    for (int i = 0; i < 20 * n; ++i) samples.push_back(3.0 * (i * 7 % 11) - 10.0);
    ASSERT_TRUE(gang.Install(0, StimulusMode::kField, Samples(0.1, 0, n, samples)).ok());
    ReferenceCell reference(cell, kDtMs);
    const double worst = LargestDifference(gang, reference, 120, [&](int step) {
      // The first step of all sees no field; the samples end after 2 ms.
      std::vector<double> ve(n, 0.0);
      if (step > 0) {
        const auto i = static_cast<int64_t>((step - 1) * kDtMs / 0.1);
        if (i < 20) ve.assign(samples.begin() + i * n, samples.begin() + (i + 1) * n);
      }
      const std::vector<double> currents = JunctionCurrents(cell, ve);
      for (int c = 0; c < n; ++c) reference.SetCurrent(c, currents[c]);
    });
    EXPECT_LT(worst, 1e-8) << population;
  }
}

// The middle segment of a dendrite with three takes currents and densities; the field acts through
// the junction of soma and first segment. livn 2.0.0 does the same (oracle case thin_stimuli).
TEST(StimulusTest, ReachesTheSegmentsOfAThinDendriteAsInLivn) {
  CultureConfig config;
  config.populations = {{"EXC", 0, 1}};
  config.model.size_cv["EXC"] = 0.5;
  double scale;
  do {
    scale = SizeScale(0.5, 0, ++config.model.size_seed);
  } while (scale > 0.5 || scale < 0.4);
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  const CellTemplate cell = MakeCellTemplate(CellKind::kMotoneuron, scale);
  ASSERT_EQ(cell.num_dend_segments(), 3);
  for (const StimulusMode mode :
       {StimulusMode::kCurrent, StimulusMode::kCurrentDensity, StimulusMode::kField}) {
    Gang gang(culture, 1);
    gang.SetStimulusMap(mode, AllSections(*culture));
    ReferenceCell reference(cell, kDtMs);
    std::vector<double> samples(7, 0.0);
    samples[1] = mode == StimulusMode::kCurrent ? 0.01 : mode == StimulusMode::kField ? 20.0 : 1e-3;
    std::vector<double> both = samples;
    both.insert(both.end(), samples.begin(), samples.end());
    ASSERT_TRUE(gang.Install(0, mode, Samples(1000.0, 0, 7, both)).ok());
    double worst = 0.0;
    for (int step = 0; step < 200; ++step) {
      if (mode == StimulusMode::kCurrent) reference.SetCurrent(2, 0.01);
      if (mode == StimulusMode::kCurrentDensity)
        reference.SetCurrent(2, 1e-3 * Area(cell, 1) / 1e2);
      if (mode == StimulusMode::kField && step > 0) {
        const double current = 20.0 / (cell.sections[0].half_segment_resistance_mohm() +
                                       cell.sections[1].half_segment_resistance_mohm());
        reference.SetCurrent(0, current);
        reference.SetCurrent(1, -current);
      }
      reference.Step();
      gang.Advance(1, nullptr);
      worst = std::max(worst, std::fabs(reference.v_mv(0) - gang.VoltageMv(0, 0, 0)));
      worst = std::max(worst, std::fabs(reference.v_mv(2) - gang.VoltageMv(0, 0, 1)));
    }
    EXPECT_LT(worst, 1e-8) << static_cast<int>(mode);
  }
}

TEST(FieldStimulusTest, LeavesJunctionsOfAMissingSectionUndriven) {
  const std::shared_ptr<const Culture> culture = OneCell("EXC");
  const CellTemplate cell = MakeCellTemplate(CellKind::kMotoneuron, 1.0);
  auto map = std::make_shared<StimulusMap>(*AllSections(*culture));
  map->row_of_channel[4] = -1;
  Gang gang(culture, 1);
  gang.SetStimulusMap(StimulusMode::kField, map);
  const std::vector<double> ve = {0.0, 10.0, -5.0, -15.0, 1e6, -35.0, -45.0};
  ASSERT_TRUE(gang.Install(0, StimulusMode::kField, Samples(100.0, 0, 7, ve)).ok());
  ReferenceCell reference(cell, kDtMs);
  const std::vector<double> currents = JunctionCurrents(cell, ve, 4);
  const double worst = LargestDifference(gang, reference, 100, [&](int step) {
    for (int c = 0; c < 7; ++c) reference.SetCurrent(c, step > 0 ? currents[c] : 0.0);
  });
  EXPECT_LT(worst, 1e-8);
}

TEST(FieldStimulusTest, SumsElectrodesByTheirGains) {
  const std::shared_ptr<const Culture> culture = OneCell("EXC");
  const CellTemplate cell = MakeCellTemplate(CellKind::kMotoneuron, 1.0);
  auto map = std::make_shared<StimulusMap>();
  map->num_channels = 2;
  for (int i = 0; i < 14; ++i) map->gains.push_back(i * i % 5);
  Gang gang(culture, 1);
  gang.SetStimulusMap(StimulusMode::kField, map);
  ASSERT_TRUE(gang.Install(0, StimulusMode::kField, Samples(100.0, 0, 2, {3.0, -2.0})).ok());
  std::vector<double> ve;
  for (int s = 0; s < 7; ++s) ve.push_back(3.0 * map->gains[s] - 2.0 * map->gains[7 + s]);
  const std::vector<double> currents = JunctionCurrents(cell, ve);
  ReferenceCell reference(cell, kDtMs);
  const double worst = LargestDifference(gang, reference, 100, [&](int step) {
    for (int c = 0; c < 7; ++c) reference.SetCurrent(c, step > 0 ? currents[c] : 0.0);
  });
  EXPECT_LT(worst, 1e-8);
}

TEST(FieldStimulusTest, AUniformPotentialDoesNothing) {
  const std::shared_ptr<const Culture> culture = OneCell("EXC");
  Gang with(culture, 1), without(culture, 1);
  with.SetStimulusMap(StimulusMode::kField, AllSections(*culture));
  ASSERT_TRUE(
      with.Install(0, StimulusMode::kField, Samples(100.0, 0, 7, std::vector<double>(7, 500.0)))
          .ok());
  with.Advance(100, nullptr);
  without.Advance(100, nullptr);
  EXPECT_EQ(with.VoltageMv(0, 0, 0), without.VoltageMv(0, 0, 0));
}

TEST(FieldStimulusTest, EndsWithItsMap) {
  const std::shared_ptr<const Culture> culture = OneCell("EXC");
  Gang gang(culture, 1);
  gang.SetStimulusMap(StimulusMode::kField, AllSections(*culture));
  ASSERT_TRUE(
      gang.Install(0, StimulusMode::kField, Samples(100.0, 0, 7, {0, 100, -50, -60, -70, -80, -90}))
          .ok());
  gang.Advance(40, nullptr);
  EXPECT_EQ(Save(gang, 0)[CopyHeader::kFieldActive], 1.0);
  gang.SetStimulusMap(StimulusMode::kField, nullptr);
  gang.Advance(1, nullptr);
  EXPECT_EQ(Save(gang, 0)[CopyHeader::kFieldActive], 0.0);
  gang.Advance(4000, nullptr);
  // Back near rest; under the field the soma settles several mV above.
  Gang rest(culture, 1);
  rest.Advance(4041, nullptr);
  EXPECT_NEAR(gang.VoltageMv(0, 0, 0), rest.VoltageMv(0, 0, 0), 0.5);
}

// A copy saved under a field may go on where nothing stimulates: the field ends, as it does in a
// gang that could stimulate.
TEST(FieldStimulusTest, EndsInACopyLoadedWithoutStimuli) {
  const std::shared_ptr<const Culture> culture = OneCell("EXC");
  Gang source(culture, 1);
  source.SetStimulusMap(StimulusMode::kField, AllSections(*culture));
  ASSERT_TRUE(
      source
          .Install(0, StimulusMode::kField, Samples(100.0, 0, 7, {0, 100, -50, -60, -70, -80, -90}))
          .ok());
  source.Advance(40, nullptr);
  Gang with_map(culture, 1), without_map(culture, 1);
  with_map.SetStimulusMap(StimulusMode::kField, AllSections(*culture));
  with_map.LoadCopy(0, Save(source, 0));
  without_map.LoadCopy(0, Save(source, 0));
  with_map.Advance(100, nullptr);
  without_map.Advance(100, nullptr);
  EXPECT_EQ(Save(with_map, 0), Save(without_map, 0));
}

TEST(StimulusTest, AColumnThatReachesNothingIsIgnored) {
  const std::shared_ptr<const Culture> culture = OneCell("INH");
  Gang with(culture, 1), without(culture, 1);
  auto map = std::make_shared<StimulusMap>();
  map->num_channels = 1;
  map->row_of_channel = {-1};
  for (StimulusMode mode :
       {StimulusMode::kField, StimulusMode::kCurrent, StimulusMode::kCurrentDensity}) {
    with.SetStimulusMap(mode, map);
    ASSERT_TRUE(with.Install(0, mode, Samples(100.0, 0, 1, {50.0})).ok());
  }
  with.Advance(50, nullptr);
  without.Advance(50, nullptr);
  EXPECT_EQ(with.VoltageMv(0, 0, 0), without.VoltageMv(0, 0, 0));
}

TEST(StimulusTest, ReachesOnlyItsCopy) {
  const std::shared_ptr<const Culture> culture = OneCell("EXC");
  Gang gang(culture, 3);
  for (StimulusMode mode :
       {StimulusMode::kField, StimulusMode::kCurrent, StimulusMode::kCurrentDensity}) {
    gang.SetStimulusMap(mode, AllSections(*culture));
    ASSERT_TRUE(gang.Install(1, mode, Samples(100.0, 0, 7, {1e-3, 5, 1e-3, 1, 1, 1, 1})).ok());
  }
  gang.Advance(50, nullptr);
  EXPECT_EQ(gang.VoltageMv(0, 0, 0), gang.VoltageMv(2, 0, 0));
  EXPECT_NE(gang.VoltageMv(0, 0, 0), gang.VoltageMv(1, 0, 0));
}

// From a tick on, a waveform whose samples last as long wherever that is.
Waveform Exact(double sample_dt_ms, int64_t first_tick, int num_channels,
               std::vector<double> samples) {
  Waveform w;
  w.sample_dt_ms = sample_dt_ms;
  w.first_tick = first_tick;
  w.num_channels = num_channels;
  w.samples = std::move(samples);
  return w;
}

// Where a cell's state shows the field on its soma.
size_t SomaFieldIn(const std::shared_ptr<const Culture>& culture) {
  Gang with(culture, 1), without(culture, 1);
  with.SetStimulusMap(StimulusMode::kField, AllSections(*culture));
  EXPECT_TRUE(with.Install(0, StimulusMode::kField, Exact(1.0, 0, 7, {1, 0, 0, 0, 0, 0, 0})).ok());
  // Before the first step acts only the field itself differs.
  with.Advance(1, nullptr);
  without.Advance(1, nullptr);
  const std::vector<double> a = Save(with, 0), b = Save(without, 0);
  for (size_t i = CopyHeader::kSize; i < a.size(); ++i) {
    if (a[i] != b[i]) return i;
  }
  ADD_FAILURE() << "no field";
  return 0;
}

// Pulses one after the other from 10^5 onsets, counted on the membrane that they drive.
TEST(FieldStimulusTest, ComputesGainsToTheBitsOfTheMatrix) {
  const auto culture = OneCell("EXC");
  auto computed = std::make_shared<StimulusMap>();
  computed->num_channels = 3;
  computed->sources.emplace();
  computed->sources->contact_gain = 5.335;
  computed->sources->height_um = 52.2;
  computed->sources->channels_um = {{0, 0, 0}, {33.3, -20, 7}, {400, 1, 1}};
  auto held = std::make_shared<StimulusMap>();
  held->num_channels = 3;
  for (int s = 0; s < 7; ++s) computed->sources->rows_um.push_back({17.1 * s, 3.0 * s * s, 5.0});
  for (int c = 0; c < 3; ++c) {
    for (int s = 0; s < 7; ++s) held->gains.push_back(computed->sources->Gain(c, s));
  }
  EXPECT_DOUBLE_EQ(held->gains[0], 5.335 * 52.2 / std::hypot(5.0, 52.2));
  Gang a(culture, 2), b(culture, 2);
  a.SetStimulusMap(StimulusMode::kField, computed);
  b.SetStimulusMap(StimulusMode::kField, held);
  for (Gang* gang : {&a, &b}) {
    ASSERT_TRUE(
        gang->Install(1, StimulusMode::kField, Exact(0.5, 3, 3, {30.0, -20.0, 0.0, 0.0, 7.0, 90.0}))
            .ok());
  }
  for (int step = 0; step < 60; ++step) {
    a.Advance(1, nullptr);
    b.Advance(1, nullptr);
    ASSERT_EQ(Save(a, 1), Save(b, 1)) << step;
  }
  EXPECT_NE(Save(a, 1), Save(a, 0));
}

TEST(ExactTimingTest, PulsesAreBalancedToTheLastTickAtAnyOnset) {
  const std::shared_ptr<const Culture> culture = OneCell("EXC");
  const size_t field = SomaFieldIn(culture);
  constexpr int64_t kPeriod = 11;
  constexpr int kPhase = 4;
  Gang gang(culture, 1);
  gang.SetStimulusMap(StimulusMode::kField, AllSections(*culture));
  for (int pulse = 0; pulse < 100'000; ++pulse) {
    std::vector<double> samples(14, 0.0);
    samples[0] = -5.0;
    samples[7] = 5.0;
    ASSERT_TRUE(
        gang.Install(0, StimulusMode::kField, Exact(0.1, pulse * kPeriod, 7, samples)).ok());
    int first = 0, second = 0;
    double drive = 0.0;
    for (int64_t tick = 0; tick < kPeriod; ++tick) {
      gang.Advance(1, nullptr);
      const double now = Save(gang, 0)[field];
      if (tick == 0) drive = now;
      ASSERT_TRUE(now == drive || now == -drive || now == 0.0);
      first += now == drive;
      second += now == -drive;
    }
    ASSERT_NE(drive, 0.0);
    ASSERT_EQ(first, kPhase) << "pulse " << pulse;
    ASSERT_EQ(second, kPhase) << "pulse " << pulse;
  }
}

// A copy at rest answers a stimulus with the same bits whatever its clock shows.
TEST(ExactTimingTest, AStimulusActsAlikeAtAnyOnset) {
  CultureConfig config;
  config.populations = {{"EXC", 0, 1}};
  config.opsin.emplace();
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  constexpr int kTicks = 120;
  for (int m = 0; m < kNumStimulusModes; ++m) {
    const auto mode = static_cast<StimulusMode>(m);
    const double size[] = {20.0, 0.1, 0.01, 1e17};
    std::vector<double> samples(21, 0.0);
    samples[0] = size[m];
    if (mode != StimulusMode::kLight) samples[7] = -size[m];
    const auto answer = [&](int64_t onset) {
      std::vector<double> state = culture->initial_state();
      state[CopyHeader::kTick] = static_cast<double>(onset);
      Gang gang(culture, 1);
      gang.SetStimulusMap(mode, AllSections(*culture));
      gang.LoadCopy(0, state);
      EXPECT_TRUE(gang.Install(0, mode, Exact(0.1, onset, 7, samples)).ok());
      gang.Advance(kTicks, nullptr);
      std::vector<double> end = Save(gang, 0);
      end[CopyHeader::kTick] -= static_cast<double>(onset);
      return end;
    };
    const std::vector<double> expected = answer(0);
    EXPECT_NE(expected, [&] {
      Gang rest(culture, 1);
      rest.Advance(kTicks, nullptr);
      return Save(rest, 0);
    }()) << m;
    // Every start of TargetRate's steps is among these multiples of 400 ticks.
    for (int64_t i = 0; i < 300; ++i) {
      ASSERT_EQ(answer(400 * i), expected) << "mode " << m << ", tick " << 400 * i;
      ASSERT_EQ(answer(377 * i + 1), expected) << "mode " << m << ", tick " << 377 * i + 1;
    }
  }
}

TEST(ExactTimingTest, WaveformsOfAModeMayHaveOtherSamplesAndOtherChannels) {
  const std::shared_ptr<const Culture> culture = OneCell("EXC");
  const StimulusMode mode = StimulusMode::kCurrentDensity;
  Gang one(culture, 1), two(culture, 1);
  one.SetStimulusMap(mode, AllSections(*culture));
  two.SetStimulusMap(mode, AllSections(*culture));
  Waveform soma = Exact(0.2, 3, 1, {0.01, -0.01});
  soma.channels = {0};
  Waveform dendrite = Exact(0.05, 5, 1, {0.02, 0.01, 0.03});
  dendrite.channels = {1};
  ASSERT_TRUE(one.Install(0, mode, soma).ok());
  ASSERT_TRUE(one.Install(0, mode, dendrite).ok());
  std::vector<double> both(16 * 7, 0.0);
  for (int tick = 0; tick < 16; ++tick) both[tick * 7] = tick < 8 ? 0.01 : -0.01;
  for (int tick = 0; tick < 6; ++tick)
    both[(tick + 2) * 7 + 1] = tick < 2 ? 0.02 : tick < 4 ? 0.01 : 0.03;
  ASSERT_TRUE(two.Install(0, mode, Exact(0.025, 3, 7, both)).ok());
  for (int step = 0; step < 60; ++step) {
    one.Advance(1, nullptr);
    two.Advance(1, nullptr);
    ASSERT_EQ(Save(one, 0), Save(two, 0)) << step;
  }
}

TEST(InstallTest, RefusesWhatDoesNotFitAndChangesNothing) {
  const std::shared_ptr<const Culture> culture = OneCell("EXC");
  Gang gang(culture, 1), untouched(culture, 1);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const StimulusMode mode = StimulusMode::kCurrent;
  auto refused = [&](Waveform w, const std::string& part) {
    const absl::Status status = gang.Install(0, mode, std::move(w));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << part;
    EXPECT_THAT(std::string(status.message()), HasSubstr(part));
  };
  const std::vector<double> seven(7, 1.0);
  refused(Samples(0.1, 0, 7, seven), "num_channels is 7; accepted: 0");
  gang.SetStimulusMap(mode, AllSections(*culture));
  refused(Samples(0.1, 0, 6, seven), "num_channels is 6; accepted: 7");
  refused(Samples(0.0, 0, 7, seven), "sample_dt_ms is 0;");
  refused(Samples(-1.0, 0, 7, seven), "sample_dt_ms is -1;");
  refused(Samples(1e-300, 0, 7, seven), "sample_dt_ms is 1e-300;");
  refused(Samples(std::numeric_limits<double>::infinity(), 0, 7, seven), "sample_dt_ms is inf;");
  refused(Samples(nan, 0, 7, seven), "sample_dt_ms is nan;");
  refused(Exact(0.11, 0, 7, seven), "sample_dt_ms is 0.11; accepted: a multiple of dt_ms = 0.025");
  refused(Exact(0.01, 0, 7, seven), "sample_dt_ms is 0.01; accepted: a multiple of dt_ms = 0.025");
  refused(Exact(0.1, int64_t{1} << 60, 7, seven),
          "first_tick is 1152921504606846976; accepted: -9007");
  Waveform channels = Exact(0.1, 0, 7, seven);
  channels.channels = {0, 1, 2, 3, 4, 5, 7};
  refused(channels, "channels is 7; accepted: 0 .. 6");
  channels.channels.pop_back();
  refused(channels, "num_channels is 7");
  std::vector<double> bad = seven;
  bad[3] = nan;
  refused(Samples(0.1, 0, 7, bad), "samples is nan; accepted: finite");
  bad[3] = std::numeric_limits<double>::infinity();
  refused(Samples(0.1, 0, 7, bad), "samples is inf; accepted: finite");
  gang.Advance(20, nullptr);
  untouched.Advance(20, nullptr);
  EXPECT_EQ(Save(gang, 0), Save(untouched, 0));
}

TEST(InstallTest, AModeKeepsItsTimingUntilTheCopyStartsOver) {
  const std::shared_ptr<const Culture> culture = OneCell("EXC");
  const StimulusMode mode = StimulusMode::kField;
  const std::vector<double> seven(7, 0.0);
  Gang gang(culture, 1);
  gang.SetStimulusMap(mode, AllSections(*culture));
  ASSERT_TRUE(gang.Install(0, mode, Exact(0.1, 0, 7, seven)).ok());
  EXPECT_TRUE(gang.Install(0, mode, Exact(0.2, 0, 7, seven)).ok());
  EXPECT_THAT(std::string(gang.Install(0, mode, Samples(0.1, 0, 7, seven)).message()),
              HasSubstr("timing"));
  gang.LoadCopy(0, culture->initial_state());
  ASSERT_TRUE(gang.Install(0, mode, Samples(0.1, 0, 7, seven)).ok());
  EXPECT_THAT(std::string(gang.Install(0, mode, Exact(0.1, 0, 7, seven)).message()),
              HasSubstr("timing"));
}

TEST(InstallTest, LivnsTimingKeepsItsSampleIntervalUntilTheCopyStartsOver) {
  const std::shared_ptr<const Culture> culture = OneCell("EXC");
  for (StimulusMode mode :
       {StimulusMode::kField, StimulusMode::kCurrent, StimulusMode::kCurrentDensity}) {
    Gang gang(culture, 1);
    gang.SetStimulusMap(mode, AllSections(*culture));
    const std::vector<double> seven(7, 0.0);
    ASSERT_TRUE(gang.Install(0, mode, Samples(0.1, 0, 7, seven)).ok());
    absl::Status status = gang.Install(0, mode, Samples(0.2, 0, 7, seven));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("0.2"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("0.1"));
    // Also when the earlier one is long over.
    gang.Advance(40, nullptr);
    EXPECT_FALSE(gang.Install(0, mode, Samples(0.2, 10, 7, seven)).ok());
    EXPECT_TRUE(gang.Install(0, mode, Samples(0.1, 20, 7, seven)).ok());
    gang.LoadCopy(0, culture->initial_state());
    EXPECT_TRUE(gang.Install(0, mode, Samples(0.2, 0, 7, seven)).ok());
  }
}

}  // namespace
}  // namespace livnd::sim
