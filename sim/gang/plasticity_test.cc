// Learning and light in a gang, against a cell that keeps every synapse apart.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/gang/gang.h"
#include "sim/network/connectivity.h"
#include "sim/testing/busy_culture.h"
#include "sim/testing/reference_cell.h"

namespace livnd::sim {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr double kDtMs = 0.025;

// 24 sites on one motoneuron, each with NMDA, GABA_A and AMPA that learn; source gid 1.
struct Learner {
  CultureConfig config;
  std::vector<ReceptorConfig> receptors = {
      {"NMDA", {{"weight", 0.7}, {"g_unit", 0.001}, {"tau_rise", 0.5}, {"tau_decay", 80.0}}},
      {"GABA_A",
       {{"weight", 0.5}, {"g_unit", 0.001}, {"tau_rise", 0.3}, {"tau_decay", 6.0}, {"e", -70.0}}},
      {"AMPA", {{"weight", 0.4}, {"g_unit", 0.001}, {"tau_rise", 0.5}, {"tau_decay", 3.0}}}};
  std::vector<double> inputs_ms;

  Learner() {
    config.populations = {{"EXC", 0, 1}, {"SRC", 1, 1}};
    config.model.short_term_depression = false;
    config.plasticity = {{"EXC", {{"A_ltp", 8.0}, {"learning_tau", 0.5}}},
                         {"INH", {{"A_ltp", 0.0}, {"theta_ltd", -50.0}, {"learning_tau", 0.2}}}};
    ProjectionConfig p;
    p.post = "EXC";
    p.pre = "SRC";
    p.receptors[ProjectionConfig::kDefaultReceptors] = receptors;
    for (int i = 0; i < 24; ++i) {
      Edge e;
      e.source_gid = 1;
      e.target_gid = 0;
      e.swc_type = i % 3 == 0 ? kSwcSoma : 4;
      e.distance_um = 40.0 * i + 3.0;
      e.syn_id = i;
      p.edges.push_back(e);
    }
    config.projections = {p};
    for (int i = 0; i < 40; ++i) inputs_ms.push_back(1.0 + 5.3 * i + (i % 7) * 0.31);
  }
};

TEST(PlasticityTest, SharedSignalsEqualOneSignalPerSynapse) {
  const Learner learner;
  const std::shared_ptr<const Culture> culture = MustCreate(learner.config);
  // Soma and dendrite, three kinetics and two rules.
  const CellGroup& group = culture->groups()[0];
  EXPECT_EQ(group.slots.size(), 6u);
  ASSERT_EQ(culture->plastic_connections().size(), 72u);
  EXPECT_EQ(culture->plastic_connections()[3].syn_id, 1);
  EXPECT_EQ(culture->plastic_connections()[3].receptor, "NMDA");

  const std::vector<PlasticityRule> rules = *ResolvePlasticity(*learner.config.plasticity);
  ReferenceCell reference(MakeCellTemplate(CellKind::kMotoneuron, 1.0), kDtMs);
  std::vector<Receptor> resolved;
  for (const ReceptorConfig& r : learner.receptors) {
    resolved.push_back(*ResolveReceptor(r, false));
  }
  const std::vector<Edge>& edges = learner.config.projections[0].edges;
  for (const Edge& e : edges) {
    for (const Receptor& r : resolved) {
      reference.AddSynapse(e.swc_type == kSwcSoma ? 0 : 1, r.kinetics,
                           rules[static_cast<int>(*PlasticityGroupOf(r.kind))]);
    }
  }
  std::multimap<int64_t, size_t> arrivals;  // by step
  for (double t : learner.inputs_ms) {
    for (size_t e = 0; e < edges.size(); ++e) {
      const double delay_ms = std::max(edges[e].distance_um / 250.0, 2 * kDtMs);
      arrivals.emplace(DeliveryStep(t + delay_ms, kDtMs), e);
    }
  }
  Gang gang(culture, 1);
  ASSERT_TRUE(gang.SetInputSpikes({{1, learner.inputs_ms}}).ok());
  double worst = 0.0;
  for (int64_t step = 0; step < 8000; ++step) {
    // Off at first, on, off again: weights stay in force and signals run out.
    const bool on = step >= 1000 && step < 6000;
    ASSERT_TRUE(gang.SetPlasticity(0, on).ok());
    reference.SetPlasticity(on);
    for (auto [a, end] = arrivals.equal_range(step); a != end; ++a) {
      for (size_t r = 0; r < resolved.size(); ++r) {
        reference.Deliver(static_cast<int>(a->second * resolved.size() + r),
                          resolved[r].weight * resolved[r].g_unit_us * resolved[r].factor);
      }
    }
    gang.Advance(1, nullptr);
    reference.Step();
    for (int c = 0; c < 7; ++c) {
      const double difference = std::fabs(gang.VoltageMv(0, 0, c) - reference.v_mv(c));
      if (!(difference <= worst)) worst = difference;
    }
  }
  EXPECT_LT(worst, 1e-4);  // the cell spikes
  const std::vector<double> learned = gang.LearnedWeights(0);
  double least = 1e9, most = 0.0;
  for (size_t i = 0; i < learned.size(); ++i) {
    EXPECT_NEAR(learned[i], reference.learned_weight(static_cast<int>(i)), 1e-10) << i;
    least = std::min(least, learned[i]);
    most = std::max(most, learned[i]);
  }
  EXPECT_LT(least, 0.99);  // they did learn, both ways
  EXPECT_GT(most, 1.01);
}

TEST(PlasticityTest, LearnedWeightsAreSetWithinTheirBoundsAndActWhileOff) {
  const Learner learner;
  const std::shared_ptr<const Culture> culture = MustCreate(learner.config);
  Gang gang(culture, 2);
  EXPECT_THAT(gang.LearnedWeights(0), Each(1.0));
  std::vector<double> weights(culture->plastic_connections().size(), 2.5);
  ASSERT_TRUE(gang.SetLearnedWeights(1, weights).ok());
  EXPECT_THAT(gang.LearnedWeights(0), Each(1.0));
  EXPECT_THAT(gang.LearnedWeights(1), Each(2.5));
  ASSERT_TRUE(gang.SetInputSpikes({{1, {0.0}}}).ok());
  gang.Advance(200, nullptr);
  EXPECT_NE(gang.VoltageMv(0, 0, 1), gang.VoltageMv(1, 0, 1));
  EXPECT_THAT(gang.LearnedWeights(1), Each(2.5));

  weights[5] = 5.5;
  EXPECT_THAT(gang.SetLearnedWeights(1, weights),
              IsFieldError("learned_weights[5]", "5.5", "0.0001 .. 5 (from gid 1 to 0, AMPA)"));
  weights.pop_back();
  EXPECT_THAT(gang.SetLearnedWeights(1, weights),
              IsFieldError("learned_weights", "71 numbers", HasSubstr("one a plastic connection")));
  EXPECT_THAT(gang.LearnedWeights(1), Each(2.5));
}

TEST(PlasticityTest, ACultureBuiltWithoutItRefusesItAndKeepsNoWeights) {
  Learner learner;
  learner.config.plasticity.reset();
  const std::shared_ptr<const Culture> culture = MustCreate(learner.config);
  EXPECT_EQ(culture->connectivity().num_stateful_rows, 0);
  Gang gang(culture, 1);
  EXPECT_EQ(gang.SetPlasticity(0, true).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(gang.LearnedWeights(0).empty());
}

TEST(PlasticityTest, SwitchedOffItChangesNothing) {
  Learner learner;
  Gang with(MustCreate(learner.config), 1);
  learner.config.plasticity.reset();
  Gang without(MustCreate(learner.config), 1);
  for (Gang* gang : {&with, &without}) {
    ASSERT_TRUE(gang->SetInputSpikes({{1, learner.inputs_ms}}).ok());
    gang->Advance(2000, nullptr);
  }
  for (int section = 0; section < 7; ++section) {
    EXPECT_EQ(with.VoltageMv(0, 0, section), without.VoltageMv(0, 0, section));
  }
}

TEST(OpsinTest, FollowsTheReferenceThroughLightAndDark) {
  for (const auto& [population, kind] :
       {std::pair("EXC", CellKind::kMotoneuron), std::pair("INH", CellKind::kRenshaw)}) {
    CultureConfig config;
    config.populations = {{population, 0, 1}};
    config.opsin.emplace();
    config.opsin->g0_ps = 2000.0;
    config.opsin->reversal_mv = 5.0;
    const std::shared_ptr<const Culture> culture = MustCreate(config);
    Gang gang(culture, 1);
    auto map = std::make_shared<StimulusMap>();
    // The axon has no opsin.
    map->row_of_channel = {culture->SectionRow(0, 0), culture->SectionRow(0, 2)};
    map->num_channels = 2;
    gang.SetStimulusMap(StimulusMode::kLight, map);
    Waveform w;
    w.sample_dt_ms = 0.5;
    w.first_tick = 400;
    w.num_channels = 2;
    for (int i = 0; i < 60; ++i) {
      w.samples.push_back(i % 20 < 10 ? 1e15 * (i + 1) : 0.0);
      w.samples.push_back(1e18);
    }
    ASSERT_TRUE(gang.Install(0, StimulusMode::kLight, w).ok());
    ReferenceCell reference(MakeCellTemplate(kind, 1.0), kDtMs);
    reference.AddOpsin(*config.opsin);
    double worst = 0.0;
    for (int step = 0; step < 4000; ++step) {
      const int i = step < 400 ? -1 : (step - 400) / 20;
      reference.SetLight(i >= 0 && i < 60 ? w.samples[2 * i] : 0.0);
      reference.Step();
      gang.Advance(1, nullptr);
      for (int c = 0; c < reference.num_compartments(); ++c) {
        worst = std::max(worst, std::fabs(reference.v_mv(c) - gang.VoltageMv(0, 0, c)));
      }
    }
    EXPECT_LT(worst, 1e-6) << population;
    // It did act: without light the cell would be at rest.
    const std::shared_ptr<const Culture> dark = MustCreate(config);
    Gang other(dark, 1);
    other.Advance(2000, nullptr);
    Gang lit(culture, 1);
    lit.SetStimulusMap(StimulusMode::kLight, map);
    ASSERT_TRUE(lit.Install(0, StimulusMode::kLight, w).ok());
    lit.Advance(2000, nullptr);
    EXPECT_GT(std::fabs(lit.VoltageMv(0, 0, 0) - other.VoltageMv(0, 0, 0)), 0.01) << population;
  }
}

TEST(OpsinTest, InTheDarkItChangesNothing) {
  CultureConfig config = BusyConfig();
  Gang with(MustCreate(config), 1);
  config.opsin.reset();
  Gang without(MustCreate(config), 1);
  with.Advance(1000, nullptr);
  without.Advance(1000, nullptr);
  for (int64_t gid : with.culture().gids()) {
    EXPECT_EQ(with.VoltageMv(0, gid, 0), without.VoltageMv(0, gid, 0)) << gid;
  }
}

TEST(OpsinTest, ACultureWithoutOneRefusesLight) {
  CultureConfig config;
  config.populations = {{"EXC", 0, 1}};
  Gang gang(MustCreate(config), 1);
  Waveform w;
  w.num_channels = 1;
  w.samples = {1e15};
  EXPECT_THAT(
      std::string(gang.Install(0, StimulusMode::kLight, w).message()),
      HasSubstr("mode is irradiance; accepted: a mode that the cells of population EXC take"));
}

}  // namespace
}  // namespace livnd::sim
