// Live cultures of point neurons: what a session can do with livn's GLIF and Izhikevich models.
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "env/catalog.h"
#include "env/culture/culture_model.h"
#include "env/culture/live_culture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"

namespace livnd::env {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kGlif[] = "livn.models.glif.GLIF";
constexpr char kIzhikevich[] = "livn.models.izhikevich.Izhikevich";

std::shared_ptr<const io::System> Mini() {
  auto system = io::ReadSystem("systems/EI-mini");
  EXPECT_TRUE(system.ok()) << system.status();
  return std::make_shared<const io::System>(*std::move(system));
}

CultureChange Model(const std::string& name,
                    std::map<std::string, io::ModelArgument> arguments = {}) {
  CultureChange change;
  change.setup.emplace();
  change.setup->model = io::ModelDocument{name, std::move(arguments)};
  return change;
}

class PointCultureTest : public ::testing::Test {
 protected:
  // Every session begins with the system's own model.
  std::unique_ptr<LiveCulture> Make() {
    auto model = CultureModel::Create(Mini());
    EXPECT_TRUE(model.ok()) << model.status();
    auto culture = LiveCulture::Create(*model, 2, 1, executor_);
    EXPECT_TRUE(culture.ok()) << culture.status();
    return *std::move(culture);
  }

  static CultureStimulus Current(double na, int64_t gid) {
    CultureStimulus stimulus;
    stimulus.quantity = StimulusQuantity::kCurrentNa;
    stimulus.sites = {{gid, 0}};
    stimulus.num_samples = 50;
    stimulus.samples.assign(50, na);
    return stimulus;
  }

  sim::InlineExecutor executor_;
};

TEST_F(PointCultureTest, ChangesTheModelRunsAndRecords) {
  const struct {
    CultureChange model;
    double current_na;
    std::string own_state;
    std::string weight;
  } kCases[] = {{Model(kGlif, {{"level", 5.0}}), 0.25, "threshold", "EXC_EXC-soma-I_syn-weight"},
                {Model(kIzhikevich), 0.015, "u", "EXC"}};
  for (const auto& c : kCases) {
    auto culture = Make();
    CultureChange change = c.model;
    change.params = {{c.weight, {40.0}}, {"noise-level", {1.0}}};
    change.recording.emplace();
    change.recording->series.resize(2);
    change.recording->series[0].sites = {{0, 0}, {9, 0}};
    change.recording->series[1].quantity = RecordedQuantity::kState;
    change.recording->series[1].state = c.own_state;
    change.recording->series[1].sites = {{0, 0}};
    ASSERT_TRUE(culture->Change(change).ok()) << culture->Change(change);
    CultureClear clear;
    clear.seeds = {1, 2};
    ASSERT_TRUE(culture->Clear(clear).ok());
    CultureRun run;
    run.duration_ms = 80.0;
    run.stimuli = {Current(c.current_na, 0)};
    ASSERT_TRUE(culture->Run(run).ok()) << culture->Run(run);
    const CultureRecording& r = culture->recording();
    EXPECT_GT(r.spike_offsets[1], 1) << "the driven cell fires";
    EXPECT_EQ(r.spike_gids[0], 0);
    // The current ends at 50 ms.
    EXPECT_LT(r.spike_times_ms[0], 50.0);
    EXPECT_TRUE(std::isnan(r.failed_at_ms[0]));
    ASSERT_EQ(r.series.size(), 2u);
    EXPECT_EQ(r.series[0].num_samples, 800);
    for (const RecordedSeries& s : r.series) {
      for (double x : s.values) EXPECT_TRUE(std::isfinite(x));
    }
    // The copies' noise differs.
    EXPECT_NE(r.series[0].values[700], r.series[0].values[1600 + 700]);
  }
}

TEST_F(PointCultureTest, NamesWhatTheModelDoesNotTake) {
  auto culture = Make();
  ASSERT_TRUE(culture->Change(Model(kGlif)).ok());
  CultureClear clear;
  clear.seeds = {1, 2};
  ASSERT_TRUE(culture->Clear(clear).ok());
  CultureRun run;
  run.duration_ms = 1.0;
  for (const StimulusQuantity quantity :
       {StimulusQuantity::kExtracellularMv, StimulusQuantity::kElectrodeUa,
        StimulusQuantity::kCurrentDensityMaCm2, StimulusQuantity::kPhotonFlux}) {
    run.stimuli = {Current(1.0, 0)};
    run.stimuli[0].quantity = quantity;
    const absl::Status s = culture->Run(run);
    EXPECT_THAT(
        s, IsFieldError("stimuli[0].quantity", Not(""), HasSubstr("current: the neurons of EXC")));
  }
  const auto field_of = [&](const CultureChange& change) {
    const absl::Status s = culture->Change(change);
    EXPECT_FALSE(s.ok());
    const auto error = FieldErrorOf(s);
    return error.has_value() ? error->field : std::string(s.message());
  };
  CultureChange record;
  record.recording.emplace();
  record.recording->series.resize(1);
  record.recording->series[0].quantity = RecordedQuantity::kMembraneCurrentUa;
  record.recording->series[0].sites = {{0, 0}};
  EXPECT_EQ(field_of(record), "recording.series[0].quantity");
  record.recording->series[0].quantity = RecordedQuantity::kElectrodePotentialUv;
  record.recording->series[0].sites.clear();
  EXPECT_EQ(field_of(record), "recording.series[0].quantity");
  record.recording->series[0].quantity = RecordedQuantity::kState;
  record.recording->series[0].state = "n_Kdr";
  record.recording->series[0].sites = {{0, 0}};
  EXPECT_EQ(field_of(record), "recording.series[0].state");
  CultureChange change;
  change.plasticity_on = true;
  EXPECT_EQ(field_of(change), "plasticity_on");
  change = CultureChange();
  change.opsin = {{"g0", 1.0}};
  EXPECT_EQ(field_of(change), "opsin");
  change = CultureChange();
  change.v_init_mv = -60.0;
  EXPECT_EQ(field_of(change), "v_init_mv");
  change = CultureChange();
  change.params = {{"EXC_EXC-dend-AMPA-weight", {1.0}}};
  EXPECT_EQ(field_of(change), "params[EXC_EXC-dend-AMPA-weight].key");
  // Numbers that do not go with the step or with each other: what was set now is wrong.
  change = CultureChange();
  change.dt_ms = 0.5;
  ASSERT_TRUE(culture->Clear(clear).ok());
  change.params = {{"cells-tau_m", {0.3}}};
  EXPECT_EQ(field_of(change), "params[cells-tau_m].value");
  change = CultureChange();
  change.params = {{"cells-tau_m", {0.3}}};
  ASSERT_TRUE(culture->Change(change).ok());
  change = CultureChange();
  change.dt_ms = 0.5;
  EXPECT_EQ(field_of(change), "dt_ms");
  change = CultureChange();
  change.params = {{"cells-t_ref", {150.0}}};
  CultureChange rate;
  rate.params = {{"cells-theta_decay_rate", {0.01}}};
  ASSERT_TRUE(culture->Change(rate).ok());
  ASSERT_TRUE(culture->Change(change).ok());
  rate.params = {{"cells-theta_decay_rate", {1.0}}};
  EXPECT_EQ(field_of(rate), "params[cells-theta_decay_rate].value");
}

// Electrodes reach point neurons by currents: tasks that need nothing else are offered.
TEST(PointCatalogTest, OffersTasksWhoseCurrentsReachThem) {
  io::System system = *Mini();
  system.model = io::ModelDocument{kGlif, {}};
  system.params["default"]["GLIF"]["default"] = {{"noise-level", {100.0}}};
  const auto catalog = Catalog::Create({std::make_shared<const io::System>(std::move(system))});
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  EXPECT_NE(catalog->Find("TargetRate-EI-mini-v0"), nullptr);
  ASSERT_NE(catalog->Find("Culture-EI-mini-v0"), nullptr);
  const auto culture = catalog->BuildCulture("Culture-EI-mini-v0");
  EXPECT_TRUE(culture.ok()) << culture.status();
}

}  // namespace
}  // namespace livnd::env
