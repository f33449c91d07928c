// livn's scheme is of first order in the time step (gates are a step behind where they meet the
// voltage, sodium activation is held): halving the step halves what is left of the error.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sim/gang/gang.h"
#include "sim/testing/busy_culture.h"

namespace livnd::sim {
namespace {

// A kind of cell, its threshold as livn's parameter set has it, and currents that make it fire.
struct Kind {
  const char* population;
  const char* parameter_set;
  double threshold_mv;
  std::vector<double> currents_na;
};

// When a cell driven by a constant current first crosses its threshold, between the steps around it.
double FirstSpikeMs(const Kind& kind, double current_na, double dt_ms) {
  CultureConfig config;
  config.dt_ms = dt_ms;
  config.v_init_mv = -60.0;
  config.populations = {{kind.population, 0, 1}};
  config.model.parameter_sets = {{kind.population, kind.parameter_set}};
  Gang gang(MustCreate(config), 1);
  auto map = std::make_shared<StimulusMap>();
  map->num_channels = 1;
  map->row_of_channel = {gang.culture().SectionRow(0, 0)};
  gang.SetStimulusMap(StimulusMode::kCurrent, map);
  Waveform w;
  w.sample_dt_ms = 1000.0;
  w.num_channels = 1;
  w.samples = {current_na, current_na};
  EXPECT_TRUE(gang.Install(0, StimulusMode::kCurrent, std::move(w)).ok());
  double before = gang.VoltageMv(0, 0, 0);
  for (int64_t k = 0; static_cast<double>(k) * dt_ms < 20.0; ++k) {
    gang.Advance(1, nullptr);
    const double now = gang.VoltageMv(0, 0, 0);
    if (now > kind.threshold_mv) {
      return dt_ms * (static_cast<double>(k) + (kind.threshold_mv - before) / (now - before));
    }
    before = now;
  }
  ADD_FAILURE() << "no spike";
  return 0.0;
}

TEST(ConvergenceTest, HalvingTheStepHalvesTheErrorOfASpikesTime) {
  const Kind kinds[] = {
      {"EXC", "BoothRinzelKiehn-MN", -37.0, {0.1, 0.2, 0.3, 0.5, 0.8}},
      {"EXC", "BoothRinzelKiehn-MN-v1", -37.0, {0.1, 0.2, 0.3, 0.5, 0.8}},
      {"EXC", "BoothRinzelKiehn-MN-v2", -37.0, {0.1, 0.2, 0.3, 0.5, 0.8}},
      {"INH", "V1In-Renshaw-InVitro", -50.0, {0.1, 0.2, 0.3, 0.5, 0.8}},
      {"INH", "V1In-Renshaw-Perry", -30.8, {0.1, 0.2, 0.3, 0.5, 0.8}},
  };
  for (const Kind& kind : kinds) {
    for (const double current_na : kind.currents_na) {
      SCOPED_TRACE(testing::Message() << kind.parameter_set << " " << current_na << " nA");
      std::vector<double> times;
      for (double dt_ms = 0.0125; dt_ms > 7e-4; dt_ms /= 2.0) {
        times.push_back(FirstSpikeMs(kind, current_na, dt_ms));
      }
      ASSERT_EQ(times.size(), 5u);
      for (size_t i = 0; i + 2 < times.size(); ++i) {
        const double ratio = (times[i] - times[i + 1]) / (times[i + 1] - times[i + 2]);
        EXPECT_GT(ratio, 1.7);
        EXPECT_LT(ratio, 2.2);
      }
    }
  }
}

}  // namespace
}  // namespace livnd::sim
