#include "sim/culture/culture.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/cell/rcsd/rcsd_model.h"
#include "sim/network/spike_history.h"
#include "sim/testing/busy_culture.h"

namespace livnd::sim {
namespace {

const RcsdModel& Rcsd(const CellGroup& group) {
  return static_cast<const RcsdModel&>(*group.model);
}

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kDefault = ProjectionConfig::kDefaultReceptors;

// EXC 0 .. 2, INH 3 .. 4, SRC 5; each of two projections with two edges.
CultureConfig SmallConfig() {
  CultureConfig config;
  config.populations = {{"EXC", 0, 3}, {"INH", 3, 2}, {"SRC", 5, 1}};
  ProjectionConfig exc;
  exc.post = "EXC";
  exc.pre = "SRC";
  exc.receptors[kDefault] = {{"AMPA", {{"weight", 2.0}, {"g_unit", 0.001}}}, {"NMDA", {}}};
  exc.edges = {{5, 1, 4, 0.5, 100.0}, {5, 0, kSwcSoma, 0.5, 50.0}};
  ProjectionConfig inh;
  inh.post = "INH";
  inh.pre = "EXC";
  inh.receptors[kDefault] = {{"AMPA", {{"weight", 3.0}}}};
  inh.edges = {{1, 3, 4, 0.5, 10.0}, {0, 4, kSwcAxon, 0.5, 20.0}};
  config.projections = {exc, inh};
  return config;
}

// --- what a culture is ------------------------------------------------------------------------------

TEST(CultureTest, FindsCellsSourcesAndSections) {
  const std::shared_ptr<const Culture> culture = MustCreate(SmallConfig());
  EXPECT_THAT(culture->gids(), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(culture->Find(1).group, 0);
  EXPECT_EQ(culture->Find(1).index, 1);
  EXPECT_EQ(culture->groups()[culture->Find(4).group].population, "INH");
  EXPECT_EQ(culture->Find(5).group, -1);
  EXPECT_EQ(culture->Find(-1).group, -1);
  EXPECT_GE(culture->SourceIndex(5), 0);
  EXPECT_EQ(culture->SourceIndex(6), -1);
  // Seven sections a motoneuron, six a Renshaw cell.
  EXPECT_EQ(culture->num_section_rows(), 3 * 7 + 2 * 6);
  std::set<int64_t> rows;
  for (int64_t gid = 0; gid < 5; ++gid) {
    for (int section = 0; section < (gid < 3 ? 7 : 6); ++section) {
      rows.insert(culture->SectionRow(gid, section));
    }
  }
  EXPECT_EQ(rows.size(), 33u);
  EXPECT_EQ(*rows.begin(), 0);
  EXPECT_EQ(*rows.rbegin(), 32);
  EXPECT_EQ(culture->SectionRow(0, 7), -1);
  EXPECT_EQ(culture->SectionRow(3, 6), -1);
  EXPECT_EQ(culture->SectionRow(0, -1), -1);
  EXPECT_EQ(culture->SectionRow(5, 0), -1);
}

TEST(CultureTest, StartsWithEverySectionAtTheStartVoltage) {
  CultureConfig config = SmallConfig();
  config.v_init_mv = -65.0;
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  for (const CellGroup& group : culture->groups()) {
    for (int cell = 0; cell < group.num_cells(); ++cell) {
      const double* state = culture->initial_state().data() + group.state_offset +
                            static_cast<int64_t>(cell) * group.num_variables;
      for (int c = 0; c < Rcsd(group).shape().num_compartments(); ++c) {
        EXPECT_EQ(state[Rcsd(group).shape().voltage_state(c)], -65.0);
      }
    }
  }
}

TEST(CultureTest, RowsOfASourceWithTheSameDelayFollowEachOtherAsOneRun) {
  CultureConfig config = SmallConfig();
  config.projections[0].edges[1].distance_um = config.projections[0].edges[0].distance_um;
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  const Connectivity& net = culture->connectivity();
  ASSERT_EQ(net.run_end.size(), net.rows.size());
  int longest = 0;
  for (size_t source = 0; source + 1 < net.first_row.size(); ++source) {
    const auto end = static_cast<uint32_t>(net.first_row[source + 1]);
    for (auto first = static_cast<uint32_t>(net.first_row[source]); first < end;
         first = net.run_end[first]) {
      ASSERT_GT(net.run_end[first], first);
      ASSERT_LE(net.run_end[first], end);
      for (uint32_t r = first; r < net.run_end[first]; ++r) {
        EXPECT_EQ(net.run_end[r], net.run_end[first]);
        EXPECT_EQ(net.rows[r].delay_ms, net.rows[first].delay_ms);
        EXPECT_EQ(net.rows[r].delay_steps, net.rows[first].delay_steps);
      }
      if (net.run_end[first] < end) {
        EXPECT_NE(net.rows[net.run_end[first]].delay_ms, net.rows[first].delay_ms);
      }
      longest = std::max(longest, static_cast<int>(net.run_end[first] - first));
    }
  }
  EXPECT_GE(longest, 2);
}

TEST(CultureTest, RowsThatDifferInTheirTargetsOnlyAreAlike) {
  const auto row = [](uint32_t target, double weight, double delay_ms, int32_t state = -1) {
    return ConnectionRow{delay_ms, weight, target, 0, 20, state};
  };
  Connectivity net;
  net.first_row = {0, 6, 9, 11};
  // The third has a delay of its own, ...
  net.rows = {row(7, 1.0, 0.5), row(8, 1.0, 0.5), row(3, 1.0, 0.75),
              row(4, 1.0, 0.5), row(2, 1.0, 0.5), row(9, 1.0, 0.5)};
  // ... the first of the next source a weight of its own, and those of the last states.
  for (const ConnectionRow& r : {row(0, 1.0, 0.5), row(1, 2.0, 0.5), row(2, 2.0, 0.5),
                                 row(5, 1.0, 0.5, 0), row(6, 1.0, 0.5, 1)}) {
    net.rows.push_back(r);
  }
  FindRuns(net);
  EXPECT_EQ(net.run_end, (std::vector<uint32_t>{2, 2, 3, 6, 6, 6, 9, 9, 9, 11, 11}));
  // Four of eleven are followed by one like them: not worth a list.
  EXPECT_TRUE(net.alike_end.empty());
  EXPECT_TRUE(net.targets.empty());

  net.rows[2].delay_ms = 0.5;
  net.rows[7].weight = net.rows[8].weight = 1.0;
  FindRuns(net);
  EXPECT_EQ(net.run_end, (std::vector<uint32_t>{6, 6, 6, 6, 6, 6, 9, 9, 9, 11, 11}));
  EXPECT_EQ(net.alike_end, (std::vector<uint32_t>{6, 6, 6, 6, 6, 6, 9, 9, 9, 10, 11}));
  EXPECT_EQ(net.targets, (std::vector<uint32_t>{7, 8, 3, 4, 2, 9, 0, 1, 2, 5, 6}));
}

TEST(CultureTest, StateHasAPlaceForEverythingAndNothingElse) {
  const std::shared_ptr<const Culture> culture = MustCreate(BusyConfig());
  int64_t offset = CopyHeader::kSize;
  for (const CellGroup& group : culture->groups()) {
    EXPECT_EQ(group.state_offset, offset);
    EXPECT_EQ(group.num_variables,
              Rcsd(group).shape().spikes_state() +
                  SpikeHistory<double>::NumVariables(culture->connectivity().max_delay_steps) +
                  2 * static_cast<int>(Rcsd(group).group().slots.size() +
                                       Rcsd(group).group().learning.size()));
    EXPECT_TRUE(std::is_sorted(group.gids.begin(), group.gids.end()));
    offset += static_cast<int64_t>(group.num_cells()) * group.num_variables;
  }
  EXPECT_EQ(culture->connection_state_offset(), offset);
  EXPECT_EQ(static_cast<int64_t>(culture->initial_state().size()),
            offset + 2 * culture->connectivity().num_stateful_rows);
}

TEST(CultureTest, RowsOfASourceFollowEachOtherInTheOrderOfTheConfig) {
  const std::shared_ptr<const Culture> culture = MustCreate(SmallConfig());
  const Connectivity& net = culture->connectivity();
  ASSERT_EQ(net.rows.size(), 6u);
  const int64_t source = culture->SourceIndex(5);
  EXPECT_EQ(net.first_row[source + 1] - net.first_row[source], 4u);
  std::vector<std::pair<int, double>> seen;
  for (uint64_t r = net.first_row[source]; r < net.first_row[source + 1]; ++r) {
    seen.emplace_back(static_cast<int>(net.rows[r].target_index), net.rows[r].weight);
  }
  EXPECT_THAT(seen, ElementsAre(std::pair(1, 2.0), std::pair(1, 1.0), std::pair(0, 2.0),
                                std::pair(0, 1.0)));
  EXPECT_EQ(net.num_stateful_rows, 4);  // the AMPA rows
}

TEST(CultureTest, DelaysFollowTheDistanceWithALowerLimitOfTwoSteps) {
  CultureConfig config = SmallConfig();
  config.projections[0].edges[0].distance_um = 0.0;
  config.projections[0].edges[1].distance_um = 500.0;
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  const Connectivity& net = culture->connectivity();
  const uint64_t first = net.first_row[culture->SourceIndex(5)];
  EXPECT_EQ(net.rows[first].delay_ms, 0.05);
  EXPECT_EQ(net.rows[first + 2].delay_ms, 2.0);
  EXPECT_GT(net.max_delay_steps, 80);
}

TEST(CultureTest, WeightKeysFollowTheSiteAndTakeAbsoluteWeights) {
  CultureConfig config = SmallConfig();
  EXPECT_THAT(MustCreate(config)->weight_keys(),
              ElementsAre("EXC_SRC-dend-AMPA-weight", "EXC_SRC-dend-NMDA-weight",
                          "EXC_SRC-soma-AMPA-weight", "EXC_SRC-soma-NMDA-weight",
                          "INH_EXC-axon-AMPA-weight", "INH_EXC-dend-AMPA-weight"));
  config.weights = {{"EXC_SRC-soma-AMPA-weight", 7.0}, {"INH_EXC-dend-AMPA-weight", 0.0}};
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  std::vector<double> weights;
  for (const ConnectionRow& row : culture->connectivity().rows) weights.push_back(row.weight);
  std::sort(weights.begin(), weights.end());
  EXPECT_THAT(weights, ElementsAre(0.0, 1.0, 1.0, 2.0, 3.0, 7.0));
}

TEST(CultureTest, ReceptorsOfTheSitesOwnNumberWin) {
  CultureConfig config = SmallConfig();
  config.projections[0].receptors[kSwcSoma] = {{"GABA_B", {}}};
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  EXPECT_THAT(culture->weight_keys(),
              ElementsAre("EXC_SRC-dend-AMPA-weight", "EXC_SRC-dend-NMDA-weight",
                          "EXC_SRC-soma-GABA_B-weight", "INH_EXC-axon-AMPA-weight",
                          "INH_EXC-dend-AMPA-weight"));
  // Without a default, edges on other sites carry nothing.
  config.projections[0].receptors.erase(kDefault);
  EXPECT_EQ(MustCreate(config)->connectivity().rows.size(), 3u);
}

TEST(CultureTest, SynapsesLieWhereTheSiteSays) {
  CultureConfig config = SmallConfig();
  const auto compartments = [&] {
    std::set<int> out;
    const std::shared_ptr<const Culture> culture = MustCreate(config);
    for (const SynapseSlot& s : Rcsd(culture->groups()[0]).group().slots) out.insert(s.compartment);
    return out;
  };
  EXPECT_THAT(compartments(), ElementsAre(0, 1));
  // A Renshaw cell has no dendrite.
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  ASSERT_EQ(Rcsd(culture->groups()[1]).group().slots.size(), 1u);
  EXPECT_EQ(Rcsd(culture->groups()[1]).group().slots[0].compartment, 0);
  // Three dendritic segments in a thin cell: segment int(3 location), clipped.
  config.populations = {{"EXC", 0, 1}, {"SRC", 5, 1}};
  config.model.size_cv["EXC"] = 1.0;
  for (config.model.size_seed = 0;; ++config.model.size_seed) {
    const double scale = SizeScale(1.0, 0, config.model.size_seed);
    if (scale > 0.1 && scale < 0.5) break;
  }
  config.projections.resize(1);
  config.projections[0].edges = {{5, 0, 4, -3.0, 1.0}};
  EXPECT_THAT(compartments(), ElementsAre(1));
  config.projections[0].edges = {{5, 0, 4, 0.34, 1.0}};
  EXPECT_THAT(compartments(), ElementsAre(2));
  config.projections[0].edges = {{5, 0, 4, 1.0, 1.0}, {5, 0, 4, 7.0, 1.0}};
  EXPECT_THAT(compartments(), ElementsAre(3));
}

TEST(CultureTest, EqualKineticsShareStatesAndDifferentOnesDoNot) {
  CultureConfig config = SmallConfig();
  const auto num_slots = [&] { return Rcsd(MustCreate(config)->groups()[0]).group().slots.size(); };
  EXPECT_EQ(num_slots(), 4u);  // AMPA and NMDA on soma and dendrite
  ProjectionConfig more = config.projections[0];
  more.pre = "EXC";
  more.edges = {{1, 2, 4, 0.1, 5.0}, {2, 0, 4, 0.9, 5.0}};
  more.receptors[kDefault][0].params["weight"] = 9.0;
  config.projections.push_back(more);
  EXPECT_EQ(num_slots(), 4u);
  config.projections.back().receptors[kDefault][0].params["tau_decay"] = 6.0;
  EXPECT_EQ(num_slots(), 5u);
}

TEST(CultureTest, CellsOfOneKindShareTheirParameters) {
  CultureConfig config = SmallConfig();
  config.cell_params[1] = {{"soma.g_pas", 1e-4}};
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  const CellGroup& exc = culture->groups()[0];
  EXPECT_EQ(exc.classes.size(), 2u);
  EXPECT_EQ(exc.cell_class[0], exc.cell_class[2]);
  EXPECT_NE(exc.cell_class[0], exc.cell_class[1]);
  EXPECT_EQ(exc.classes[exc.cell_class[1]].params[SomaParam::kGPas], 1e-4);
  config.model.size_cv = {{"EXC", 0.1}};
  EXPECT_EQ(MustCreate(config)->groups()[0].classes.size(), 3u);
}

TEST(CultureTest, SizesAreThoseOfLivnsSeeds) {
  CultureConfig config = SmallConfig();
  config.model.size_cv = {{"EXC", 0.2}, {"INH", 0.2}};
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  auto area = [&](int64_t gid) {
    const Culture::CellRef cell = culture->Find(gid);
    const CellGroup& group = culture->groups()[cell.group];
    return 1e2 / group.classes[group.cell_class[cell.index]].params[SomaParam::kPerArea];
  };
  // INH takes the next seed; its soma grows in both directions.
  EXPECT_NEAR(area(0) / 306.5381851518155, SizeScale(0.2, 0, 20260827), 1e-13);
  EXPECT_NEAR(std::sqrt(area(3) / 1932.443990018158), SizeScale(0.2, 3, 20260828), 1e-13);
}

TEST(CultureTest, NoiseOfAPopulationOverridesTheCommonOne) {
  CultureConfig config = SmallConfig();
  EXPECT_FALSE(MustCreate(config)->has_noise());
  config.noise = {{"std_i", 0.0}, {"INH-std_i", 0.5}, {"E_i", -80.0}};
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  EXPECT_TRUE(culture->has_noise());
  const NoiseParams& exc = Rcsd(culture->groups()[0]).group().noise;
  EXPECT_TRUE(exc.excitatory_on);
  EXPECT_FALSE(exc.inhibitory_on);
  EXPECT_EQ(exc.g_e0, 0.0121);
  EXPECT_EQ(exc.reversal_i_mv, -80.0);
  const NoiseParams& inh = Rcsd(culture->groups()[1]).group().noise;
  EXPECT_TRUE(inh.excitatory_on && inh.inhibitory_on);
  EXPECT_NEAR(inh.amp_i, 0.5 * std::sqrt(1.0 - std::exp(-0.05 / 10.49)), 1e-15);
}

TEST(CultureTest, ARenshawSomasNoiseIsOnWithEitherDeviation) {
  CultureConfig config = SmallConfig();
  config.noise = {{"std_e", 0.0}, {"std_i", 0.1}};
  const NoiseParams noise = Rcsd(MustCreate(config)->groups()[1]).group().noise;
  EXPECT_TRUE(noise.excitatory_on && noise.inhibitory_on);
  EXPECT_EQ(noise.amp_e, 0.0);
}

TEST(CultureTest, TheRefractoryPeriodIsInStepsOfTheCulture) {
  CultureConfig config = SmallConfig();
  EXPECT_EQ(MustCreate(config)->refractory_steps(), 80);
  config.dt_ms = 0.0125;
  EXPECT_EQ(MustCreate(config)->refractory_steps(), 160);
  config.model.refractory_period_ms = 0.0;
  EXPECT_EQ(MustCreate(config)->refractory_steps(), 0);
  config.dt_ms = 0.03;
  config.model.refractory_period_ms = 2.0;
  EXPECT_EQ(MustCreate(config)->refractory_steps(), 67);
}

// --- what is refused --------------------------------------------------------------------------------

struct Refusal {
  const char* name;
  std::function<void(CultureConfig&)> change;
  std::string field, value, accepted;  // beginning of the value, part of what is accepted
};

void ExpectRefused(const Refusal& r) {
  SCOPED_TRACE(r.name);
  CultureConfig config = SmallConfig();
  r.change(config);
  const absl::StatusOr<std::shared_ptr<const Culture>> culture = Culture::Create(config);
  ASSERT_FALSE(culture.ok());
  EXPECT_EQ(culture.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(culture.status(), IsFieldError(r.field, StartsWith(r.value), HasSubstr(r.accepted)));
}

TEST(CultureErrorsTest, NumbersOutOfRangeAreNamed) {
  for (const double dt : {0.0, -0.025, 1e-5, 2.0, kNan, kInfinity}) {
    ExpectRefused(
        {"dt", [=](CultureConfig& c) { c.dt_ms = dt; }, "dt_ms", absl::StrCat(dt), "1e-4 to 1"});
  }
  for (const double v : {kNan, kInfinity, -201.0}) {
    ExpectRefused({"v_init", [=](CultureConfig& c) { c.v_init_mv = v; }, "v_init_mv",
                   absl::StrCat(v), "-200 to 200"});
  }
  for (const double period : {-1.0, kNan, kInfinity, 1e7}) {
    ExpectRefused({"refractory period",
                   [=](CultureConfig& c) { c.model.refractory_period_ms = period; },
                   "model.refractory_period_ms", absl::StrCat(period), "0 to 1e6"});
  }
  for (const double cv : {-0.1, kNan, 11.0}) {
    ExpectRefused({"size_cv", [=](CultureConfig& c) { c.model.size_cv["INH"] = cv; },
                   "model.size_cv[INH]", absl::StrCat(cv), "0 to 10"});
  }
}

TEST(CultureErrorsTest, PopulationsMustBeInOrderAndApart) {
  const std::vector<Refusal> refusals = {
      {"overlap", [](CultureConfig& c) { c.populations[1].first_gid = 2; }, "populations[INH]",
       "gids 2 .. + 2", "ascending"},
      {"order", [](CultureConfig& c) { std::swap(c.populations[0], c.populations[1]); },
       "populations[EXC]", "gids 0 .. + 3", "ascending"},
      {"negative gid", [](CultureConfig& c) { c.populations[0].first_gid = -1; },
       "populations[EXC]", "gids -1 .. + 3", "ascending"},
      {"negative count", [](CultureConfig& c) { c.populations[2].num_cells = -1; },
       "populations[SRC]", "gids 5 .. + -1", "ascending"},
      {"twice",
       [](CultureConfig& c) {
         c.populations.push_back({"EXC", 10, 1});
       },
       "populations[EXC]", "given twice", "once"},
  };
  for (const Refusal& r : refusals) ExpectRefused(r);
  CultureConfig gaps = SmallConfig();
  gaps.populations.push_back({"OTHER", 100, 5});
  EXPECT_TRUE(Culture::Create(gaps).ok());
}

TEST(CultureErrorsTest, CellParametersNameTheCellTheKeyAndTheRange) {
  const std::vector<Refusal> refusals = {
      {"key",
       [](CultureConfig& c) {
         c.cell_params[1] = {{"soma.gpas", 1.0}};
       },
       "cell_params[1][soma.gpas]", "an unknown name", "soma.g_pas"},
      {"kind",
       [](CultureConfig& c) {
         c.cell_params[3] = {{"dend.g_pas", 1.0}};
       },
       "cell_params[3][dend.g_pas]", "an unknown name", "soma.g_pas"},
      {"value",
       [](CultureConfig& c) {
         c.cell_params[1] = {{"soma.cm", kNan}};
       },
       "cell_params[1][soma.cm]", "nan", "> 0"},
      {"value of a population",
       [](CultureConfig& c) {
         c.population_params["INH"] = {{"global_cm", 0.0}};
       },
       "population_params[INH][global_cm]", "0", "> 0"},
      {"missing cell",
       [](CultureConfig& c) {
         c.cell_params[9] = {{"soma.cm", 1.0}};
       },
       "cell_params[9]", "an unknown name", "built cells"},
      {"source",
       [](CultureConfig& c) {
         c.cell_params[5] = {{"soma.cm", 1.0}};
       },
       "cell_params[5]", "an unknown name", "built cells"},
  };
  for (const Refusal& r : refusals) ExpectRefused(r);
}

TEST(CultureErrorsTest, ACellTooThinForThreeSegmentsIsNamed) {
  ExpectRefused({"thin",
                 [](CultureConfig& c) {
                   c.populations = {{"EXC", 0, 1}};
                   c.projections.clear();
                   c.model.size_cv["EXC"] = 10.0;
                   for (c.model.size_seed = 0;; ++c.model.size_seed) {
                     if (SizeScale(10.0, 0, c.model.size_seed) < 0.06) break;
                   }
                 },
                 "model.size_cv[EXC]", "a size (factor 0.0", "1 or 3 in the dendrite"});
}

TEST(CultureErrorsTest, EdgesMustJoinCellsThatExist) {
  const std::vector<Refusal> refusals = {
      {"target", [](CultureConfig& c) { c.projections[0].edges[0].target_gid = 6; },
       "projections[EXC<-SRC].edges", "from gid 5 to 6", "built cells"},
      {"target is a source", [](CultureConfig& c) { c.projections[0].edges[0].target_gid = 5; },
       "projections[EXC<-SRC].edges", "from gid 5 to 5", "built cells"},
      {"source", [](CultureConfig& c) { c.projections[0].edges[0].source_gid = -1; },
       "projections[EXC<-SRC].edges", "from gid -1 to 1", "built cells"},
      {"distance", [](CultureConfig& c) { c.projections[1].edges[0].distance_um = -1.0; },
       "projections[INH<-EXC].edges.distance_um", "-1 (from gid 1 to 3)", "0 to 1e7"},
      {"distance NaN", [](CultureConfig& c) { c.projections[1].edges[0].distance_um = kNan; },
       "projections[INH<-EXC].edges.distance_um", "nan (from gid 1 to 3)", "0 to 1e7"},
      {"distance too long", [](CultureConfig& c) { c.projections[1].edges[0].distance_um = 1e9; },
       "projections[INH<-EXC].edges.distance_um", "1e+09 (from gid 1 to 3)", "0 to 1e7"},
      {"location", [](CultureConfig& c) { c.projections[0].edges[1].location = kNan; },
       "projections[EXC<-SRC].edges.location", "nan (from gid 5 to 0)", "finite"},
  };
  for (const Refusal& r : refusals) ExpectRefused(r);
}

TEST(CultureErrorsTest, ReceptorsAreNamedWithTheirProjection) {
  const std::vector<Refusal> refusals = {
      {"name", [](CultureConfig& c) { c.projections[1].receptors[kDefault][0].receptor = "GABA"; },
       "projections[INH<-EXC].receptors.GABA", "an unknown name", "GABA_A"},
      {"parameter",
       [](CultureConfig& c) { c.projections[1].receptors[kDefault][0].params["tau"] = 1.0; },
       "projections[INH<-EXC].receptors.AMPA.tau", "an unknown name", "tau_rise"},
      {"value",
       [](CultureConfig& c) { c.projections[0].receptors[kDefault][1].params["Kd"] = 0.0; },
       "projections[EXC<-SRC].receptors.NMDA.Kd", "0", "> 0"},
  };
  for (const Refusal& r : refusals) ExpectRefused(r);
}

TEST(CultureErrorsTest, UnknownWeightsAreAnsweredWithTheKnownOnes) {
  const std::vector<Refusal> refusals = {
      {"key", [](CultureConfig& c) { c.weights["EXC_SRC-hillock-AMPA-weight"] = 1.0; },
       "weights[EXC_SRC-hillock-AMPA-weight]", "an unknown name", "EXC_SRC-dend-AMPA-weight"},
      {"no such connection", [](CultureConfig& c) { c.weights["EXC_INH-soma-GABA_A-weight"] = 1; },
       "weights[EXC_INH-soma-GABA_A-weight]", "an unknown name", "INH_EXC-axon-AMPA-weight"},
      {"negative", [](CultureConfig& c) { c.weights["EXC_SRC-dend-AMPA-weight"] = -1.0; },
       "weights[EXC_SRC-dend-AMPA-weight]", "-1", "0 to 1e9"},
      {"NaN", [](CultureConfig& c) { c.weights["EXC_SRC-dend-AMPA-weight"] = kNan; },
       "weights[EXC_SRC-dend-AMPA-weight]", "nan", "0 to 1e9"},
  };
  for (const Refusal& r : refusals) ExpectRefused(r);
}

TEST(CultureErrorsTest, UnknownNoiseIsAnsweredWithTheKnownNames) {
  const std::vector<Refusal> refusals = {
      {"name",
       [](CultureConfig& c) {
         c.noise = {{"sigma", 1.0}};
       },
       "noise[sigma]", "an unknown name", "E_e, E_i, g_e0, g_i0, std_e, std_i, tau_e, tau_i"},
      {"population",
       [](CultureConfig& c) {
         c.noise = {{"PV-std_e", 1.0}};
       },
       "noise[PV-std_e]", "an unknown name", "POPULATION-name"},
      {"negative",
       [](CultureConfig& c) {
         c.noise = {{"EXC-std_e", -1.0}};
       },
       "noise[EXC-std_e]", "-1", ">= 0"},
      {"tau",
       [](CultureConfig& c) {
         c.noise = {{"tau_e", 0.0}};
       },
       "noise[tau_e]", "0", "> 0"},
      {"NaN",
       [](CultureConfig& c) {
         c.noise = {{"E_i", kNan}};
       },
       "noise[E_i]", "nan", "finite"},
  };
  for (const Refusal& r : refusals) ExpectRefused(r);
}

}  // namespace
}  // namespace livnd::sim
