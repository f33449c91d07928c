// Cultures of point neurons in a gang: the same bits however they run, synapses and their delays,
// noise, and what is refused.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/gang/gang.h"
#include "sim/testing/busy_culture.h"
#include "sim/testing/busy_points.h"

namespace livnd::sim {
namespace {

using SpikeList = std::vector<std::pair<int64_t, int64_t>>;
using testing::EndsWith;
using testing::HasSubstr;

constexpr double kDtMs = 0.025;
constexpr int kDefault = ProjectionConfig::kDefaultReceptors;

bool SameBits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

struct Alone {
  std::vector<double> state;
  SpikeList spikes;
};

class PointDeterminismTest : public testing::TestWithParam<std::tuple<std::string, SampleTiming>> {
 protected:
  PointDeterminismTest()
      : culture_(MustCreate(BusyPoints(PointModels().find(std::get<0>(GetParam()))->second))) {}

  static void Stimulate(Gang& gang, int copy, double strength = 1.0) {
    InstallPointCurrents(gang, copy, strength, std::get<1>(GetParam()));
  }

  Alone RunAlone(uint64_t seed, int64_t num_steps, double strength = 1.0) const {
    Gang gang(culture_, 1);
    PrepareBusyPoints(gang);
    gang.SetSeed(0, seed);
    Stimulate(gang, 0, strength);
    std::vector<Spike> spikes;
    gang.Advance(num_steps, &spikes);
    return {Save(gang, 0), SpikesOf(spikes, 0)};
  }

  std::shared_ptr<const Culture> culture_;
};

TEST_P(PointDeterminismTest, TheCultureIsBusy) {
  const Alone run = RunAlone(1, 4000);
  std::set<int64_t> cells;
  for (const auto& [tick, gid] : run.spikes) cells.insert(gid);
  EXPECT_GT(run.spikes.size(), 50u);
  EXPECT_GT(cells.size(), 10u);
  EXPECT_GE(culture_->groups()[0].slots.size(), 3u);
}

TEST_P(PointDeterminismTest, ACopyIsTheSameAloneAndAmongSixtyFour) {
  constexpr int64_t kSteps = 1500;
  constexpr int kCopies = 64;
  Gang gang(culture_, kCopies);
  PrepareBusyPoints(gang);
  for (int c = 0; c < kCopies; ++c) {
    gang.SetSeed(c, 100 + c % 4);
    Stimulate(gang, c, 0.5 * (c % 4));
  }
  std::vector<Spike> spikes;
  gang.Advance(kSteps, &spikes);
  for (int kind = 0; kind < 4; ++kind) {
    const Alone alone = RunAlone(100 + kind, kSteps, 0.5 * kind);
    for (int c = kind; c < kCopies; c += 4) {
      ASSERT_TRUE(SameBits(Save(gang, c), alone.state)) << "copy " << c;
      ASSERT_EQ(SpikesOf(spikes, c), alone.spikes) << "copy " << c;
    }
  }
}

TEST_P(PointDeterminismTest, ASnapshotAtEveryTenthStepGoesOnAlike) {
  constexpr int64_t kSteps = 1500;
  const Alone straight = RunAlone(5, kSteps);
  Gang source(culture_, 1);
  PrepareBusyPoints(source);
  source.SetSeed(0, 5);
  Stimulate(source, 0);
  Gang other(culture_, 3);
  PrepareBusyPoints(other);
  other.Advance(77, nullptr);
  std::vector<Spike> before;
  for (int64_t at = 0; at < kSteps; at += 10) {
    const std::vector<double> saved = Save(source, 0);
    const int slot = static_cast<int>(at / 10 % 3);
    other.LoadCopy(slot, saved);
    ASSERT_TRUE(SameBits(Save(other, slot), saved));
    Stimulate(other, slot);
    std::vector<Spike> spikes;
    // In calls that are cut where it happens.
    other.Advance((kSteps - at) / 3, &spikes);
    other.Advance(kSteps - at - (kSteps - at) / 3, &spikes);
    SpikeList all = SpikesOf(before, 0);
    for (const auto& s : SpikesOf(spikes, slot)) all.push_back(s);
    ASSERT_TRUE(SameBits(Save(other, slot), straight.state)) << "saved at step " << at;
    ASSERT_EQ(all, straight.spikes) << "saved at step " << at;
    source.Advance(10, &before);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, PointDeterminismTest,
                         testing::Combine(testing::Values("izhikevich", "lif", "glif1", "glif2",
                                                          "glif3", "glif4", "glif5"),
                                          testing::Values(SampleTiming::kExactTicks,
                                                          SampleTiming::kLivn)),
                         [](const auto& info) {
                           const bool exact = std::get<1>(info.param) == SampleTiming::kExactTicks;
                           return std::get<0>(info.param) + (exact ? "_exact" : "_livn");
                         });

// EXC 0 .. num_cells - 1, then SRC with one source.
CultureConfig WithSource(const PointModelConfig& model, int64_t num_cells,
                         std::vector<ReceptorConfig> receptors, double distance_um) {
  CultureConfig config;
  config.model.point = model;
  config.populations = {{"EXC", 0, num_cells}, {"SRC", num_cells, 1}};
  ProjectionConfig p;
  p.post = "EXC";
  p.pre = "SRC";
  p.receptors[kDefault] = std::move(receptors);
  for (int64_t gid = 0; gid < num_cells; ++gid) {
    Edge e;
    e.source_gid = num_cells;
    e.target_gid = gid;
    e.distance_um = distance_um;
    p.edges.push_back(e);
  }
  config.projections.push_back(std::move(p));
  return config;
}

std::vector<double> Record(Gang& gang, const std::string& state, int64_t gid, int64_t num_steps) {
  Probe probe;
  probe.quantity = Probe::Quantity::kState;
  probe.state = state;
  probe.sites = {{gid, 0}};
  gang.Advance(num_steps, nullptr, {&probe});
  return probe.samples;
}

// The step from whose start on the voltage moves, for an event of a source at a time.
int64_t FirstMove(double distance_um, double spike_ms) {
  Gang gang(MustCreate(WithSource({}, 1, {{"I_syn", {{"weight", 100.0}}}}, distance_um)), 1);
  EXPECT_TRUE(gang.SetInputSpikes({{1, {spike_ms}}}).ok());
  const std::vector<double> v = Record(gang, "v", 0, 400);
  return std::find_if(v.begin(), v.end(), [&](double x) { return x != v[0]; }) - v.begin();
}

// Brian2: a spike of step s with a delay of d steps adds to the current at the end of step s + d; the
// voltage moves in the next step, and is seen at the start of the one after.
TEST(PointDelayTest, DelaysAreRoundedToStepsAndActInTheStepAfter) {
  EXPECT_EQ(FirstMove(100.0, 0.0), 16 + 2);  // 0.4 ms
  EXPECT_EQ(FirstMove(100.0, 1.0), 40 + 16 + 2);
  EXPECT_EQ(FirstMove(0.0, 0.0), 2 + 2);             // at least two steps
  EXPECT_EQ(FirstMove(102.0, 0.0), 16 + 2);          // 0.408 ms = 16.3 steps
  EXPECT_EQ(FirstMove(104.0, 0.0), 17 + 2);          // 16.6 steps
  EXPECT_EQ(FirstMove(100.0, 1.0249), 40 + 16 + 2);  // a source's time counts by whole steps
  EXPECT_EQ(FirstMove(100.0, 0.3), 12 + 16 + 2);     // 0.3 / 0.025 is below 12 in doubles
}

TEST(PointSynapseTest, ACurrentDecaysWithItsTimeConstant) {
  Gang gang(MustCreate(WithSource({}, 1, {{"I_syn", {{"weight", 80.0}, {"tau", 4.0}}}}, 0.0)), 1);
  ASSERT_TRUE(gang.SetInputSpikes({{1, {0.0, 10.0}}}).ok());
  const std::vector<double> i = Record(gang, "I_syn", 0, 800);
  EXPECT_EQ(i[3], 0.0);
  for (int step = 4; step < 400; ++step) {
    EXPECT_NEAR(i[step], 80.0 * std::pow(1.0 - kDtMs / 4.0, step - 3), 1e-9);
  }
  EXPECT_NEAR(i[404], i[403] * (1.0 - kDtMs / 4.0) + 80.0 * (1.0 - kDtMs / 4.0), 1e-9);
}

// A conductance pulls towards its reversal potential and vanishes there.
TEST(PointSynapseTest, AConductanceDrivesTowardsItsReversal) {
  PointModelConfig lif = LeakyIntegrateAndFire();
  for (const double reversal_mv : {-57.0, -70.0, -90.0}) {
    Gang gang(MustCreate(WithSource(lif, 1,
                                    {{"g_syn",
                                      {{"weight", 200.0},
                                       {"tau", std::numeric_limits<double>::infinity()},
                                       {"e", reversal_mv}}}},
                                    0.0)),
              1);
    ASSERT_TRUE(gang.SetInputSpikes({{1, {0.0}}}).ok());
    gang.Advance(4000, nullptr);
    // 10 nS leak at -70 mV.
    EXPECT_NEAR(gang.VoltageMv(0, 0, 0), (10.0 * -70.0 + 200.0 * reversal_mv) / 210.0, 1e-6);
  }
}

TEST(PointSynapseTest, WeightsTakeASignAFactorAndLivnsKey) {
  const auto first_current = [](CultureConfig config) {
    Gang gang(MustCreate(config), 1);
    EXPECT_TRUE(gang.SetInputSpikes({{1, {0.0}}}).ok());
    return Record(gang, "I_syn", 0, 5)[4] / (1.0 - kDtMs / 5.0);
  };
  CultureConfig config = WithSource({}, 1, {{"I_syn", {{"weight", 8.0}, {"sign", -1.0}}}}, 0.0);
  EXPECT_DOUBLE_EQ(first_current(config), -8.0);
  config.projections[0].edges[0].weight = 0.25;
  EXPECT_DOUBLE_EQ(first_current(config), -2.0);
  config.weights = {{"EXC_SRC", 12.0}};
  EXPECT_DOUBLE_EQ(first_current(config), -3.0);
  config.weights = {{"EXC_SRC-soma-I_syn-weight", 20.0}};
  EXPECT_DOUBLE_EQ(first_current(config), -5.0);
}

// livn: a current drawn anew every millisecond, normal, its amplitude the standard deviation.
TEST(PointNoiseTest, IsRedrawnEveryMillisecondWithLivnsAmplitude) {
  constexpr int64_t kCells = 400;
  constexpr int kMillis = 200;
  const struct {
    PointModelConfig model;
    double level, exc_pa, inh_pa;
  } kCases[] = {{PointModels().find("glif1")->second, 3.0, 3.0, 3.0},
                {PointModels().find("izhikevich")->second, 0.2, 1.0, 0.4}};
  for (const auto& c : kCases) {
    CultureConfig config;
    config.model.point = c.model;
    config.populations = {{"EXC", 0, kCells}, {"INH", kCells, kCells}};
    config.noise = {{"level", c.level}};
    Gang gang(MustCreate(config), 1);
    gang.SetSeed(0, 7);
    Probe probe;
    probe.quantity = Probe::Quantity::kState;
    probe.state = "I_noise";
    for (int64_t gid = 0; gid < 2 * kCells; ++gid) probe.sites.push_back({gid, 0});
    gang.Advance(1, nullptr);
    // Samples at steps 1, 21, 41, ..: two in every millisecond.
    probe.every_steps = 20;
    gang.Advance(40 * kMillis, nullptr, {&probe});
    const size_t width = 2 * kCells;
    for (const bool inh : {false, true}) {
      const double amplitude = inh ? c.inh_pa : c.exc_pa;
      double sum = 0.0, sum2 = 0.0, lag = 0.0;
      for (int ms = 0; ms < kMillis; ++ms) {
        for (int64_t i = 0; i < kCells; ++i) {
          const size_t cell = static_cast<size_t>(i + (inh ? kCells : 0));
          const double x = probe.samples[2 * ms * width + cell];
          ASSERT_EQ(x, probe.samples[(2 * ms + 1) * width + cell]) << "kept for a millisecond";
          sum += x / amplitude;
          sum2 += x * x / (amplitude * amplitude);
          if (ms > 0) {
            lag += x * probe.samples[(2 * ms - 2) * width + cell] / (amplitude * amplitude);
          }
        }
      }
      const double n = kCells * kMillis;
      // Five standard errors.
      EXPECT_NEAR(sum / n, 0.0, 5.0 / std::sqrt(n));
      EXPECT_NEAR(sum2 / n, 1.0, 5.0 * std::sqrt(2.0 / n));
      EXPECT_NEAR(lag / n, 0.0, 5.0 / std::sqrt(n));
    }
  }
}

// Below threshold the voltage is a filtered noise: x_{n+1} = r x_n + (1 - r) I / g.
TEST(PointNoiseTest, TheMembraneFiltersIt) {
  constexpr int64_t kCells = 400;
  constexpr int kMillis = 300;
  CultureConfig config;
  config.model.point = LeakyIntegrateAndFire();
  config.populations = {{"EXC", 0, kCells}};
  config.noise = {{"level", 40.0}};
  Gang gang(MustCreate(config), 1);
  gang.SetSeed(0, 11);
  gang.Advance(40 * 60, nullptr);
  Probe probe;
  for (int64_t gid = 0; gid < kCells; ++gid) probe.sites.push_back({gid, 0});
  probe.every_steps = 40;
  gang.Advance(40 * kMillis, nullptr, {&probe});
  double sum = 0.0, sum2 = 0.0;
  for (double v : probe.samples) {
    sum += v + 70.0;
    sum2 += (v + 70.0) * (v + 70.0);
  }
  const double r = std::pow(1.0 - kDtMs / 10.0, 40);
  const double expected = (1.0 - r) / (1.0 + r) * 4.0 * 4.0;
  const double n = static_cast<double>(probe.samples.size());
  // Samples are correlated over some 20 ms.
  EXPECT_NEAR(sum / n, 0.0, 5.0 * std::sqrt(20.0 * expected / n));
  EXPECT_NEAR(sum2 / n, expected, 5.0 * expected * std::sqrt(2.0 * 10.0 / n));
}

TEST(PointNoiseTest, CellsCopiesAndSeedsHaveTheirOwn) {
  CultureConfig config;
  config.model.point.emplace();
  config.populations = {{"EXC", 0, 2}};
  config.noise.emplace();
  Gang gang(MustCreate(config), 2);
  gang.SetSeed(0, 1);
  gang.SetSeed(1, 2);
  gang.Advance(1, nullptr);
  const std::set<double> v = {gang.VoltageMv(0, 0, 0), gang.VoltageMv(0, 1, 0),
                              gang.VoltageMv(1, 0, 0), gang.VoltageMv(1, 1, 0)};
  EXPECT_EQ(v.size(), 4u);
}

TEST(PointStateTest, NamesAndStart) {
  const std::shared_ptr<const Culture> glif = MustCreate(BusyPoints({}));
  EXPECT_THAT(glif->groups()[0].model->state_names(),
              testing::ElementsAre("v", "I_syn", "g_syn", "I_noise", "theta_s", "theta_v",
                                   "threshold", "asc_1", "asc_2"));
  Gang gang(glif, 1);
  EXPECT_EQ(gang.VoltageMv(0, 0, 0), -78.737);
  EXPECT_EQ(Record(gang, "threshold", 0, 1)[0], -40.0);
  EXPECT_EQ(glif->groups()[0].model->num_sections(), 1);
  EXPECT_EQ(glif->num_section_rows(), 16);
}

// livn starts u at 0, because b is assigned after it; here it is b v unless asked otherwise.
TEST(PointStateTest, IzhikevichStartsAtRestOfItsRecovery) {
  CultureConfig config;
  config.model.point = PointModels().find("izhikevich")->second;
  config.populations = {{"EXC", 0, 1}};
  Gang gang(MustCreate(config), 1);
  EXPECT_DOUBLE_EQ(Record(gang, "u", 0, 1)[0], 0.2 * -65.0);
  config.model.point->params["u_init"] = 0.0;
  Gang livns(MustCreate(config), 1);
  EXPECT_EQ(Record(livns, "u", 0, 1)[0], 0.0);
}

// The cells of a selection draw their differences in turn, as livn's do.
TEST(PointStateTest, ASelectionBuildsItsCells) {
  CultureConfig config;
  config.model.point = PointModels().find("izhikevich")->second;
  config.populations = {{"EXC", 0, 6}, {"INH", 6, 4}};
  config.populations[0].selected_gids = {1, 4};
  config.populations[1].selected_gids = std::vector<int64_t>();
  config.population_params["INH"] = {{"d", 3.0}};
  const std::shared_ptr<const Culture> some = MustCreate(config);
  EXPECT_THAT(some->gids(), testing::ElementsAre(1, 4));
  EXPECT_EQ(some->Find(7).group, -1);
  EXPECT_GE(some->SourceIndex(7), 0);
  config.populations = {{"EXC", 0, 2}};
  config.population_params.clear();
  const std::shared_ptr<const Culture> two = MustCreate(config);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(some->groups()[0].params(i), two->groups()[0].params(i));
  }
}

// What a gang of a culture of these cells does not take.
TEST(PointRefusalTest, StimuliOtherThanCurrent) {
  Gang gang(MustCreate(BusyPoints({})), 1);
  for (const StimulusMode mode :
       {StimulusMode::kField, StimulusMode::kCurrentDensity, StimulusMode::kLight}) {
    auto map = std::make_shared<StimulusMap>();
    map->num_channels = 1;
    map->row_of_channel = {0};
    gang.SetStimulusMap(mode, map);
    Waveform w;
    w.num_channels = 1;
    w.samples = {1.0};
    const absl::Status s = gang.Install(0, mode, w);
    EXPECT_EQ(s.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(s.message(), HasSubstr("accepted: a mode that the cells of population"));
  }
}

TEST(PointRefusalTest, NamesTheFieldAndWhatItTakes) {
  constexpr char kUnknown[] = "an unknown name";
  const struct {
    std::function<void(CultureConfig&)> change;
    std::string field, value, accepted;
  } kCases[] = {
      {[](auto& c) { c.model.point->level = 6; }, "model.point.level", "6", "1 .. 5"},
      {[](auto& c) { c.model.point->params["tau"] = 1.0; }, "model.point.params[tau]", kUnknown,
       "tau_m"},
      {[](auto& c) { c.model.point->params["tau_syn"] = 0.02; }, "model.point.params[tau_syn]",
       "0.02", "0.025"},
      {[](auto& c) { c.population_params["INH"]["tau_m"] = 0.01; }, "population_params[INH][tau_m]",
       "0.01", "0.025"},
      {[](auto& c) { c.population_params["SRC"]["tau_m"] = 5.0; }, "population_params[SRC]",
       kUnknown, "built"},
      {[](auto& c) { c.cell_params[16]["tau_m"] = 5.0; }, "cell_params[16]", kUnknown, "built"},
      {[](auto& c) { c.cell_params[1]["soma.g_pas"] = 5.0; }, "cell_params[1][soma.g_pas]",
       kUnknown, "g_L"},
      // Of two that do not go together, the one that the cell was given.
      {[](auto& c) { c.cell_params[1]["t_ref"] = 9999.0; }, "cell_params[1][t_ref]", "9999",
       "a product with t_ref"},
      {[](auto& c) { c.model.size_cv["EXC"] = 0.1; }, "model.size_cv", "present", "absent"},
      {[](auto& c) { c.v_init_mv = -60.0; }, "v_init_mv", "-60", "-75"},
      {[](auto& c) { c.plasticity.emplace(); }, "plasticity", "present", "absent"},
      {[](auto& c) { c.receptor_params["EXC-soma-I_syn-tau"] = 4.0; }, "receptor_params", "present",
       "absent"},
      {[](auto& c) { c.opsin.emplace(); }, "opsin", "present", "absent"},
      {[](auto& c) { c.model.parameter_sets["EXC"] = "x"; }, "model.parameter_sets", "present",
       "absent"},
      {[](auto& c) { (*c.noise)["std_e"] = 0.1; }, "noise[std_e]", kUnknown, "level"},
      {[](auto& c) { (*c.noise)["SRC-level"] = 0.1; }, "noise[SRC-level]", kUnknown, "level"},
      {[](auto& c) { (*c.noise)["level"] = -1.0; }, "noise[level]", "-1", "0 to 1e9"},
      {[](auto& c) { c.weights["EXC_EXC"] = 1.0; }, "weights[EXC_EXC]", kUnknown,
       "EXC_EXC-soma-I_syn-weight"},
      {[](auto& c) { c.weights["EXC_SRC"] = NAN; }, "weights[EXC_SRC]", "nan", "-1e9 to 1e9"},
      {[](auto& c) { c.weights["INH_SRC"] = -1.0; }, "weights[INH_SRC]", "-1", "nS"},
      {[](auto& c) { c.projections[0].receptors[kDefault][0].receptor = "AMPA"; }, "receptors.AMPA",
       kUnknown, "I_syn, g_syn"},
      {[](auto& c) { c.projections[0].receptors[kDefault][0].params["e"] = 0.0; },
       "receptors.I_syn.e", kUnknown, "weight, tau, sign"},
      {[](auto& c) { c.projections[0].receptors[kDefault][0].params["sign"] = 2.0; },
       "receptors.I_syn.sign", "2", "1 or -1"},
      {[](auto& c) { c.projections[0].receptors[kDefault][1].params["weight"] = -1.0; },
       "receptors.g_syn.weight", "-1", "nS"},
      {[](auto& c) {
         c.projections[0].receptors[kSwcSoma] = {{"I_syn", {}}};
       },
       "receptors", "given for section type 1", "sections"},
      {[](auto& c) { c.projections[0].edges[0].distance_um = -1.0; }, "edges.distance_um", "-1 (",
       "0 to 1e7"},
      {[](auto& c) { c.projections[0].edges[0].weight = NAN; }, "edges.weight", "nan (",
       "0 to 1e9"},
      {[](auto& c) { c.projections[0].edges[0].target_gid = 17; }, "edges", "to 17", "built"},
  };
  for (const auto& c : kCases) {
    CultureConfig config = BusyPoints({});
    c.change(config);
    EXPECT_THAT(Culture::Create(config).status(),
                IsFieldError(EndsWith(c.field), HasSubstr(c.value), HasSubstr(c.accepted)));
  }
}

}  // namespace
}  // namespace livnd::sim
