// What probes record.
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/cell/rcsd/rcsd_model.h"
#include "sim/gang/gang.h"
#include "sim/testing/busy_culture.h"
#include "sim/testing/reference_cell.h"

namespace livnd::sim {
namespace {

constexpr double kDtMs = 0.025;

Probe MakeProbe(Probe::Quantity quantity, std::vector<Probe::Site> sites, int every_steps = 1) {
  Probe p;
  p.quantity = quantity;
  p.sites = std::move(sites);
  p.every_steps = every_steps;
  return p;
}

TEST(ProbeTest, MembraneCurrentsAreTheReferencesAndSumToZero) {
  for (const auto& [population, kind] :
       {std::pair("EXC", CellKind::kMotoneuron), std::pair("INH", CellKind::kRenshaw)}) {
    CultureConfig config;
    config.populations = {{population, 0, 1}};
    Gang gang(MustCreate(config), 1);
    ReferenceCell reference(MakeCellTemplate(kind, 1.0), kDtMs);
    std::vector<Probe::Site> sites;
    for (int s = 0; s < reference.num_compartments(); ++s) sites.push_back({0, s});
    Probe probe = MakeProbe(Probe::Quantity::kMembraneCurrentUa, sites);
    Probe* probes[] = {&probe};
    const int num_steps = 400;
    gang.Advance(num_steps, nullptr, probes);
    ASSERT_EQ(probe.samples.size(), sites.size() * num_steps);
    for (size_t s = 0; s < sites.size(); ++s) EXPECT_EQ(probe.samples[s], 0.0);
    double largest = 0.0;
    for (int step = 1; step < num_steps; ++step) {
      reference.Step();
      double sum = 0.0;
      for (size_t s = 0; s < sites.size(); ++s) {
        const double ua = probe.samples[step * sites.size() + s];
        EXPECT_NEAR(ua, reference.membrane_current_na(static_cast<int>(s)) * 1e-3, 1e-13);
        sum += ua;
        largest = std::max(largest, std::fabs(ua));
      }
      // Without stimuli what leaves a cell enters it elsewhere.
      EXPECT_NEAR(sum, 0.0, 1e-15);
    }
    EXPECT_GT(largest, 1e-7);
  }
}

TEST(ProbeTest, AMembraneCurrentGoesOnAcrossCallsAndLoads) {
  const std::shared_ptr<const Culture> culture = MustCreate(BusyConfig());
  Gang straight(culture, 1), cut(culture, 1);
  Probe a = MakeProbe(Probe::Quantity::kMembraneCurrentUa, {{3, 1}, {12, 0}});
  Probe b = a;
  Probe* pa[] = {&a};
  Probe* pb[] = {&b};
  straight.Advance(100, nullptr, pa);
  for (int i = 0; i < 10; ++i) cut.Advance(10, nullptr, pb);
  EXPECT_EQ(a.samples, b.samples);
  // From a state without currents it starts at 0.
  cut.LoadCopy(0, Save(cut, 0));
  b.samples.clear();
  cut.Advance(1, nullptr, pb);
  EXPECT_EQ(b.samples, std::vector<double>({0.0, 0.0}));
}

// Copies that lie across tiles, into other places of a gang that nobody has asked for currents.
TEST(ProbeTest, MembraneCurrentsGoAlongWithTheState) {
  const std::shared_ptr<const Culture> culture = MustCreate(BusyConfig());
  std::vector<Probe::Site> sites;
  for (const int64_t gid : culture->gids()) {
    sites.push_back({gid, 0});
    sites.push_back({gid, 1});
  }
  constexpr int kNumCopies = 3;
  const auto probe_of = [&](int copy) {
    Probe probe = MakeProbe(Probe::Quantity::kMembraneCurrentUa, sites);
    probe.copy = copy;
    return probe;
  };
  Gang from(culture, kNumCopies), to(culture, kNumCopies);
  for (int copy = 0; copy < kNumCopies; ++copy) from.SetSeed(copy, 7 + copy);
  Probe any = probe_of(0);
  Probe* asks[] = {&any};
  from.Advance(100, nullptr, asks);
  EXPECT_TRUE(from.keeps_currents());
  EXPECT_FALSE(to.keeps_currents());
  for (int copy = 0; copy < kNumCopies; ++copy) {
    std::vector<double> state(culture->state_size_with_currents());
    from.SaveCopy(copy, absl::MakeSpan(state));
    to.LoadCopy(kNumCopies - 1 - copy, state);
    std::vector<double> again(state.size());
    to.SaveCopy(kNumCopies - 1 - copy, absl::MakeSpan(again));
    EXPECT_EQ(again, state);
  }
  std::vector<Probe> straight, moved;
  for (int copy = 0; copy < kNumCopies; ++copy) {
    straight.push_back(probe_of(copy));
    moved.push_back(probe_of(kNumCopies - 1 - copy));
  }
  Probe* here[] = {&straight[0], &straight[1], &straight[2]};
  Probe* there[] = {&moved[0], &moved[1], &moved[2]};
  from.Advance(5, nullptr, here);
  to.Advance(5, nullptr, there);
  for (int copy = 0; copy < kNumCopies; ++copy) {
    EXPECT_NE(straight[copy].samples[0], 0.0);
    EXPECT_EQ(straight[copy].samples, moved[copy].samples) << copy;
  }
}

TEST(ProbeTest, RecordingChangesNothing) {
  const std::shared_ptr<const Culture> culture = MustCreate(BusyConfig());
  Gang plain(culture, 2), probed(culture, 2);
  Probe v = MakeProbe(Probe::Quantity::kVoltageMv, {{0, 0}}, 4);
  Probe i = MakeProbe(Probe::Quantity::kMembraneCurrentUa, {{0, 0}}, 3);
  i.copy = 1;
  Probe w = MakeProbe(Probe::Quantity::kLearnedWeights, {}, 200);
  Probe* probes[] = {&v, &i, &w};
  plain.Advance(400, nullptr);
  probed.Advance(400, nullptr, probes);
  EXPECT_EQ(Save(plain, 0), Save(probed, 0));
  EXPECT_EQ(Save(plain, 1), Save(probed, 1));
  EXPECT_EQ(v.samples.size(), 100u);
  EXPECT_EQ(i.samples.size(), 134u);
  EXPECT_EQ(w.samples.size(), 2 * culture->plastic_connections().size());
}

TEST(ProbeTest, EveryNamedStateIsOfTheSectionsThatHaveIt) {
  CultureConfig config;
  config.populations = {{"EXC", 0, 1}, {"INH", 1, 1}};
  config.opsin.emplace();
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  Gang gang(culture, 1);
  auto value = [&](const std::string& name, int64_t gid, int section) {
    Probe p = MakeProbe(Probe::Quantity::kState, {{gid, section}});
    p.state = name;
    Probe* probes[] = {&p};
    gang.LoadCopy(0, culture->initial_state());
    gang.Advance(1, nullptr, probes);
    return p.samples.at(0);
  };
  // The steady states at -75 mV and livn's concentrations.
  EXPECT_EQ(value("v", 0, 1), -75.0);
  EXPECT_NEAR(value("h_Nas", 0, 6), 1.0 / (1.0 + std::exp(-20.0 / 7.0)), 1e-15);
  EXPECT_NEAR(value("m_CaL", 0, 1), 1.0 / (1.0 + std::exp(35.0 / 7.0)), 1e-15);
  EXPECT_NEAR(value("b_Ka_v1in", 1, 0), 1.0 / (1.0 + std::exp(-9.0 / 8.0)), 1e-15);
  EXPECT_EQ(value("nai", 0, 0), 15.0);
  EXPECT_EQ(value("ko", 0, 1), 5.0);
  EXPECT_EQ(value("cai", 1, 0), 1e-5);
  EXPECT_NEAR(value("ena", 1, 3), 60.43883162259402, 1e-12);
  EXPECT_NEAR(value("ek", 0, 2), -89.7063966769688, 1e-12);
  EXPECT_EQ(value("O_RhO3c", 0, 0), 0.0);
  for (const auto& [name, gid, section] :
       {std::tuple("h_Nas", 0, 1), std::tuple("m_CaL", 0, 0), std::tuple("cai", 0, 3),
        std::tuple("a_Ka_v1in", 0, 0), std::tuple("nai", 0, 1), std::tuple("O_RhO3c", 0, 1),
        // No such section: a motoneuron has seven, a Renshaw cell six.
        std::tuple("v", 0, 7), std::tuple("h_Nas", 1, 6), std::tuple("nai", 1, 40)}) {
    EXPECT_TRUE(std::isnan(value(name, gid, section))) << name << " in section " << section;
  }
  for (const std::string& name : culture->groups()[0].model->state_names()) {
    bool somewhere = false;
    for (int64_t gid : {0, 1}) {
      for (int section = 0; section < 6; ++section) {
        somewhere = somewhere || !std::isnan(value(name, gid, section));
      }
    }
    EXPECT_TRUE(somewhere) << name;
  }
}

}  // namespace
}  // namespace livnd::sim
