#include "io/culture/culture_setup.h"

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/culture/params.h"
#include "io/culture/stimulation_map.h"
#include "io/device/electrode_array.h"
#include "io/json/json_file.h"
#include "io/neuroh5/read_system.h"
#include "openssl/sha.h"
#include "sim/culture/culture.h"
#include "sim/gang/gang.h"

namespace livnd::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Spikes of `num_ms` as lines "gid,time", by time and gid.
std::string SpikeLines(const sim::CultureConfig& config, uint64_t seed, double num_ms) {
  const auto culture = sim::Culture::Create(config);
  EXPECT_TRUE(culture.ok()) << culture.status();
  if (!culture.ok()) return "";
  sim::Gang gang(*culture, 1);
  gang.SetSeed(0, seed);
  std::vector<sim::Spike> spikes;
  gang.Advance(static_cast<int64_t>(num_ms / config.dt_ms + 0.5), &spikes);
  std::stable_sort(spikes.begin(), spikes.end(), [](const sim::Spike& a, const sim::Spike& b) {
    return std::make_pair(a.tick, a.gid) < std::make_pair(b.tick, b.gid);
  });
  std::string lines;
  for (const sim::Spike& s : spikes) {
    char line[64];
    std::snprintf(line, sizeof line, "%d,%.4f\n", static_cast<int>(s.gid),
                  static_cast<double>(s.tick) * config.dt_ms);
    lines += line;
  }
  return lines;
}

std::string Sha256(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof digest));
}

// livn 2.0.0 ran each of these systems with every weight at 20 and its default noise, and left the
// digest of the spikes in livn_strong_run.json.
class StrongRunTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    absl::StatusOr<Json> truth = ReadJsonFile(GetParam() + "/livn_strong_run.json");
    ASSERT_TRUE(truth.ok()) << truth.status();
    truth_ = *std::move(truth);
    absl::StatusOr<System> system = ReadSystem(GetParam());
    ASSERT_TRUE(system.ok()) << system.status();
    system_ = *std::move(system);
    const auto setup = SetUpCulture(system_);
    ASSERT_TRUE(setup.ok()) << setup.status();
    config_ = setup->culture;
    config_.noise.emplace();
    for (const Json& name : truth_["weight_names"]) {
      config_.weights[name.get<std::string>()] = truth_["W"].get<double>();
    }
  }

  Json truth_;
  System system_;
  sim::CultureConfig config_;
};

TEST_P(StrongRunTest, HasTheConnectionsThatLivnBuilds) {
  const auto culture = sim::Culture::Create(config_);
  ASSERT_TRUE(culture.ok()) << culture.status();
  EXPECT_EQ((*culture)->connectivity().rows.size(), truth_["connection_rows"].get<size_t>());
  EXPECT_EQ((*culture)->weight_keys(), truth_["weight_names"].get<std::vector<std::string>>());
  double shortest_um = 1e9, longest_um = 0.0;
  for (const sim::ProjectionConfig& p : config_.projections) {
    for (const sim::Edge& e : p.edges) {
      shortest_um = std::min(shortest_um, e.distance_um);
      longest_um = std::max(longest_um, e.distance_um);
    }
  }
  // livn divides in single precision and reports before the lower limit of two steps.
  EXPECT_NEAR(shortest_um / 250.0, truth_["delay_ms_min_max"][0].get<double>(), 1e-6);
  EXPECT_NEAR(longest_um / 250.0, truth_["delay_ms_min_max"][1].get<double>(), 1e-6);
}

TEST_P(StrongRunTest, SpikesAsLivnDoes) {
  const std::string lines = SpikeLines(config_, 123, truth_["ms"].get<double>());
  EXPECT_EQ(Sha256(lines), truth_["sha256_gid_time4"].get<std::string>()) << lines;
}

TEST_P(StrongRunTest, SpikesOtherwiseWithAnotherSeed) {
  const double num_ms = truth_["ms"].get<double>();
  EXPECT_NE(SpikeLines(config_, 124, num_ms), SpikeLines(config_, 123, num_ms));
}

// The digest would prove little if any wiring gave it. In EI-mini any does.
class StrongRunWiringTest : public StrongRunTest {};

TEST_P(StrongRunWiringTest, SpikesOtherwiseWithOtherWiring) {
  // Every synapse keeps its place and its population of sources, mirrored.
  for (sim::ProjectionConfig& p : config_.projections) {
    const auto pre = std::find_if(config_.populations.begin(), config_.populations.end(),
                                  [&](const auto& q) { return q.name == p.pre; });
    for (sim::Edge& e : p.edges) {
      e.source_gid = 2 * pre->first_gid + pre->num_cells - 1 - e.source_gid;
    }
  }
  EXPECT_NE(Sha256(SpikeLines(config_, 123, truth_["ms"].get<double>())),
            truth_["sha256_gid_time4"].get<std::string>());
}

TEST_P(StrongRunWiringTest, SpikesOtherwiseWithoutConnections) {
  config_.projections.clear();
  config_.weights.clear();
  EXPECT_NE(Sha256(SpikeLines(config_, 123, truth_["ms"].get<double>())),
            truth_["sha256_gid_time4"].get<std::string>());
}

std::string NameOf(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(info.param.rfind('/') + 1);
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  return name;
}

INSTANTIATE_TEST_SUITE_P(Systems, StrongRunTest,
                         testing::Values("systems/EI-100", "systems/EI-mini",
                                         "tests/data/systems/E-100",
                                         "tests/data/systems/EI-blocks"),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Systems, StrongRunWiringTest,
                         testing::Values("systems/EI-100", "tests/data/systems/E-100",
                                         "tests/data/systems/EI-blocks"),
                         NameOf);

// Two EXC cells with one site each, and a population of sources.
System SmallSystem() {
  System s;
  s.name = "small";
  s.directory = "small";
  s.populations = {{"EXC", 0, 0, 2}, {"SRC", 1, 2, 1}};
  s.position_um = {{0, 0, 0}, {50, 0, 0}, {100, 0, 0}};
  SynapseSites sites;
  sites.offsets = {0, 1, 2};
  sites.syn_id = {7, 7};
  sites.syn_type = {0, 0};
  sites.swc_type = {4, 1};
  sites.section = {1, 0};
  sites.layer = {0, 0};
  sites.location = {0.25f, 0.5f};
  sites.path_distance_um = {0, 0};
  SynapseSites none;
  none.offsets = {0, 0};
  s.synapse_sites = {sites, none};
  Projection p;
  p.post = "EXC";
  p.pre = "SRC";
  p.source_gid = {2, 2};
  p.target_gid = {1, 0};
  p.distance_um = {30.0f, 20.0f};
  p.syn_id = {7, 7};
  s.projections = {p};
  ProjectionConfig graph;
  graph.post = "EXC";
  graph.pre = "SRC";
  graph.mechanisms["default"] = {{"AMPA", {{"g_unit", 0.001}}, false}};
  s.projection_configs = {graph};
  return s;
}

TEST(SetUpCultureTest, PutsEdgesOnTheSitesOfTheirCells) {
  const auto setup = SetUpCulture(SmallSystem());
  ASSERT_TRUE(setup.ok()) << setup.status();
  ASSERT_EQ(setup->culture.projections.size(), 1u);
  const std::vector<sim::Edge>& edges = setup->culture.projections[0].edges;
  ASSERT_EQ(edges.size(), 2u);
  // By target, whatever the order in the file.
  EXPECT_EQ(edges[0].target_gid, 0);
  EXPECT_EQ(edges[0].swc_type, 4);
  EXPECT_EQ(edges[0].location, 0.25);
  EXPECT_EQ(edges[0].distance_um, 20.0);
  EXPECT_EQ(edges[1].target_gid, 1);
  EXPECT_EQ(edges[1].swc_type, 1);
  EXPECT_EQ(edges[1].source_gid, 2);
}

TEST(SetUpCultureTest, DropsEdgesWhoseSiteIsMissing) {
  System system = SmallSystem();
  system.projections[0].syn_id[0] = 8;
  const auto setup = SetUpCulture(system);
  ASSERT_TRUE(setup.ok()) << setup.status();
  ASSERT_EQ(setup->culture.projections[0].edges.size(), 1u);
  EXPECT_EQ(setup->culture.projections[0].edges[0].target_gid, 0);
}

TEST(SetUpCultureTest, LeavesOutDisabledReceptorsAndProjectionsWithoutReceptors) {
  System system = SmallSystem();
  system.projection_configs[0].mechanisms["default"].push_back({"NMDA", {}, true});
  auto setup = SetUpCulture(system);
  ASSERT_TRUE(setup.ok()) << setup.status();
  EXPECT_EQ(
      setup->culture.projections[0].receptors.at(sim::ProjectionConfig::kDefaultReceptors).size(),
      1u);
  system.projection_configs.clear();
  setup = SetUpCulture(system);
  ASSERT_TRUE(setup.ok()) << setup.status();
  EXPECT_TRUE(setup->culture.projections.empty());
  EXPECT_EQ(setup->culture.populations.size(), 2u);
}

TEST(SetUpCultureTest, KeepsReceptorsUnderTheirSwcNumberAndRefusesOtherKeys) {
  System system = SmallSystem();
  system.projection_configs[0].mechanisms["1"] = {{"GABA_B", {}, false}};
  auto setup = SetUpCulture(system);
  ASSERT_TRUE(setup.ok()) << setup.status();
  EXPECT_EQ(setup->culture.projections[0].receptors.at(1)[0].receptor, "GABA_B");
  system.projection_configs[0].mechanisms["soma"] = {};
  setup = SetUpCulture(system);
  EXPECT_THAT(setup.status(), IsFileError("small/graph.json", "synapses.EXC.SRC.mechanisms.soma",
                                          kUnknownName, HasSubstr("SWC")));
}

TEST(SetUpCultureTest, TakesTheModelOfTheSystemOrTheOneGiven) {
  System system = SmallSystem();
  const std::string cls = "livn.models.rcsd.ReducedCalciumSomaDendrite";
  system.model =
      ModelDocument{cls, {{"refractory_period", 4.0}, {"dendrite_offset", 30.0}, {"size_cv", 0.3}}};
  auto setup = SetUpCulture(system);
  ASSERT_TRUE(setup.ok()) << setup.status();
  EXPECT_EQ(setup->params_key, "ReducedCalciumSomaDendrite");
  EXPECT_EQ(setup->culture.model.refractory_period_ms, 4.0);
  EXPECT_EQ(setup->culture.model.size_cv.at("EXC"), 0.3);
  EXPECT_EQ(setup->orientation.dendrite_offset_um, 30.0);
  SetupOptions options;
  options.model = ModelDocument{cls, {{"short_term_depression", false}}};
  setup = SetUpCulture(system, options);
  ASSERT_TRUE(setup.ok()) << setup.status();
  EXPECT_EQ(setup->culture.model.refractory_period_ms, 2.0);
  EXPECT_FALSE(setup->culture.model.short_term_depression);
  system.model = ModelDocument{"livn.models.ca1.CA1", {}};
  const absl::Status refused = SetUpCulture(system).status();
  EXPECT_THAT(refused,
              IsFileError("small/model.json", "cls", "livn.models.ca1.CA1", HasSubstr(cls)));
}

TEST(FaultOfSetupTest, NamesTheArgumentOrTheFile) {
  const System system = SmallSystem();
  SetupOptions given;
  given.model.emplace();
  const auto fault = [&](const SetupOptions& options, const char* field) {
    return FaultOfSetup(system, options, MakeFieldError(field, "v", "x"));
  };
  EXPECT_THAT(fault(given, "model.point.params[tau_m]"),
              IsFieldError("model.kwargs.params.tau_m", "v", "x"));
  EXPECT_THAT(fault({}, "model.point.params[tau_m]"),
              IsFileError("small/model.json", "kwargs.params.tau_m", "v", "x"));
  EXPECT_THAT(fault(given, "model.size_cv[EXC]"),
              IsFieldError("model.kwargs.size_cv.EXC", "v", "x"));
  EXPECT_THAT(fault(given, "model.refractory_period_ms"),
              IsFieldError("model.kwargs.refractory_period", "v", "x"));
  EXPECT_THAT(fault(given, "projections[EXC<-SRC].receptors.AMPA.weight"),
              IsFileError("small/graph.json", "synapses.EXC.SRC.mechanisms.AMPA.weight", "v", "x"));
  EXPECT_THAT(fault(given, "projections[EXC<-SRC].edges.distance_um"),
              IsFileError("small/connections.h5", "Projections/EXC/SRC", "v", "x"));
  EXPECT_THAT(fault(given, "dt_ms"), IsFieldError("dt_ms", "v", "x"));
}

// The electrodes see the dendrites where the model puts them.
TEST(ElectrodeStimulationMapTest, FollowsTheModelsOrientation) {
  System system = SmallSystem();
  const auto config =
      ElectrodeArrayConfig{{{0, {0.0, 0.0, 0.0}}, {1, {200.0, 0.0, 0.0}}}, 250, 250, {}};
  system.electrode_array = config;
  const auto array = ElectrodeArray::Create(config);
  ASSERT_TRUE(array.ok()) << array.status();
  const auto gains = [&](const ModelDocument& model) {
    SetupOptions options;
    options.model = model;
    const auto setup = SetUpCulture(system, options);
    EXPECT_TRUE(setup.ok()) << setup.status();
    const auto culture = sim::Culture::Create(setup->culture);
    EXPECT_TRUE(culture.ok()) << culture.status();
    return ElectrodeStimulationMap(*array, system, **culture, setup->orientation)->gains;
  };
  const std::string cls = "livn.models.rcsd.ReducedCalciumSomaDendrite";
  const auto aligned =
      gains({cls, {{"dendrite_orientation", "aligned"}, {"dendrite_offset", 40.0}}});
  const std::vector<double> expected =
      array->StimulationGains({{0, 0, 0}, {40, 0, 0}, {-15, 0, 0}});
  // Two electrodes; two cells of seven sections.
  ASSERT_EQ(aligned.size(), 28u);
  for (int section = 0; section < 3; ++section) {
    EXPECT_EQ(aligned[section], expected[section]) << section;
    EXPECT_EQ(aligned[14 + section], expected[3 + section]) << section;
  }
  const auto one = gains({cls, {{"dendrite_orientation_seed", 1.0}}});
  const auto two = gains({cls, {{"dendrite_orientation_seed", 2.0}}});
  EXPECT_NE(one, two);
  EXPECT_NE(one, aligned);
}

// EI-10000 has 68,000 sections: a matrix under 1,024 electrodes would be 557 MB. The test is one seventh of that.
TEST(ElectrodeStimulationMapTest, ManyPairsAreComputedInstead) {
  constexpr int kCells = 1400;
  System system;
  for (int i = 0; i < kCells; ++i) system.position_um.push_back({3.0 * i, 2.0 * (i % 70), 5.0});
  sim::CultureConfig cells;
  cells.populations = {{"EXC", 0, kCells}};
  const auto culture = sim::Culture::Create(cells);
  ASSERT_TRUE(culture.ok()) << culture.status();
  ElectrodeArrayConfig config;
  for (int32_t e = 0; e < 1024; ++e)
    config.electrodes.push_back({e, {40.0 * (e % 32), 1.0 * e, 0}});
  const ElectrodeArray array = *ElectrodeArray::Create(config);

  const auto before = mallinfo2();
  const auto map = ElectrodeStimulationMap(array, system, **culture, {});
  const auto after = mallinfo2();
  const auto held = static_cast<int64_t>(after.uordblks + after.hblkhd) -
                    static_cast<int64_t>(before.uordblks + before.hblkhd);
  EXPECT_LE(held, int64_t{1} << 20);
  EXPECT_TRUE(map->gains.empty());
  ASSERT_TRUE(map->sources.has_value());
  const int64_t num_rows = (*culture)->num_section_rows();
  ASSERT_EQ(num_rows, 7 * kCells);

  // The same numbers as those of few electrodes, which are held.
  config.electrodes.resize(3);
  const auto few = ElectrodeStimulationMap(*ElectrodeArray::Create(config), system, **culture, {});
  ASSERT_FALSE(few->sources.has_value());
  for (int e = 0; e < 3; ++e) {
    for (int64_t row = 0; row < num_rows; row += 13) {
      ASSERT_EQ(map->Gain(e, row, num_rows), few->Gain(e, row, num_rows)) << row;
    }
  }
}

// Cells 0 .. 3 are EXC, 4 and 5 INH, 6 a source; every cell but the last has a site on which each
// of the others ends.
System FullSystem() {
  System s;
  s.name = "full";
  s.populations = {{"EXC", 0, 0, 4}, {"INH", 1, 4, 2}, {"SRC", 2, 6, 1}};
  s.position_um.assign(7, {0, 0, 0});
  for (const Population& p : s.populations) {
    SynapseSites sites;
    sites.offsets = {0};
    for (uint32_t c = 0; c < p.num_cells; ++c) {
      if (p.name != "SRC") {
        sites.syn_id.push_back(0);
        sites.syn_type.push_back(0);
        sites.swc_type.push_back(p.name == "EXC" ? 4 : 1);
        sites.section.push_back(0);
        sites.layer.push_back(0);
        sites.location.push_back(0.5f);
        sites.path_distance_um.push_back(0);
      }
      sites.offsets.push_back(sites.syn_id.size());
    }
    s.synapse_sites.push_back(sites);
  }
  for (const Population& post : {s.populations[0], s.populations[1]}) {
    for (const Population& pre : s.populations) {
      Projection p;
      p.post = post.name;
      p.pre = pre.name;
      for (uint32_t a = 0; a < pre.num_cells; ++a) {
        for (uint32_t b = 0; b < post.num_cells; ++b) {
          p.source_gid.push_back(pre.first_gid + a);
          p.target_gid.push_back(post.first_gid + b);
          p.distance_um.push_back(10.0f);
          p.syn_id.push_back(0);
        }
      }
      s.projections.push_back(p);
      ProjectionConfig graph;
      graph.post = post.name;
      graph.pre = pre.name;
      graph.mechanisms["default"] = {
          {pre.name == "INH" ? "GABA_A" : "AMPA", {{"tau_decay", 3.0}}, false}};
      s.projection_configs.push_back(graph);
    }
  }
  return s;
}

std::vector<std::string> EdgesOf(const CultureSetup& setup) {
  std::vector<std::string> out;
  for (const sim::ProjectionConfig& p : setup.culture.projections) {
    for (const sim::Edge& e : p.edges) {
      out.push_back(std::to_string(e.source_gid) + ">" + std::to_string(e.target_gid));
    }
  }
  return out;
}

absl::StatusOr<CultureSetup> Select(std::map<std::string, PopulationShare> shares) {
  SetupOptions options;
  options.selection.emplace().cells = std::move(shares);
  return SetUpCulture(FullSystem(), options);
}

TEST(SelectedCultureTest, BuildsOnlySelectedCellsAndTheEdgesAmongThem) {
  const auto setup =
      Select({{"EXC", std::vector<int64_t>{3, 1}}, {"INH", std::vector<int64_t>{5}}});
  ASSERT_TRUE(setup.ok()) << setup.status();
  EXPECT_THAT(setup->BuiltGids(), ElementsAre(1, 3, 5));
  // Sources of other kinds stay; those that might have been built are gone.
  EXPECT_THAT(EdgesOf(*setup),
              testing::UnorderedElementsAre("1>1", "3>1", "5>1", "6>1", "1>3", "3>3", "5>3", "6>3",
                                            "1>5", "3>5", "5>5", "6>5"));
  const auto culture = sim::Culture::Create(setup->culture);
  ASSERT_TRUE(culture.ok()) << culture.status();
  EXPECT_THAT((*culture)->gids(), ElementsAre(1, 3, 5));
  EXPECT_EQ((*culture)->connectivity().rows.size(), 12u);
  EXPECT_EQ((*culture)->SourceIndex(0), -1);
  EXPECT_GE((*culture)->SourceIndex(6), 0);
}

TEST(SelectedCultureTest, APopulationWithoutSelectedCellsIsASetOfSources) {
  const auto setup = Select({{"EXC", std::vector<int64_t>{0}}});
  ASSERT_TRUE(setup.ok()) << setup.status();
  EXPECT_THAT(setup->BuiltGids(), ElementsAre(0));
  EXPECT_THAT(EdgesOf(*setup), testing::UnorderedElementsAre("0>0", "4>0", "5>0", "6>0"));
  const auto culture = sim::Culture::Create(setup->culture);
  ASSERT_TRUE(culture.ok()) << culture.status();
  sim::Gang gang(*culture, 1);
  EXPECT_TRUE(gang.SetInputSpikes({{4, {1.0}}, {6, {1.0}}}).ok());
  EXPECT_FALSE(gang.SetInputSpikes({{1, {1.0}}}).ok());
}

TEST(SelectedCultureTest, KeepsTheKeysOfTheWholeSystem) {
  auto whole = SetUpCulture(FullSystem());
  auto part = Select({{"EXC", std::vector<int64_t>{0}}, {"INH", std::vector<int64_t>{4}}});
  ASSERT_TRUE(whole.ok() && part.ok());
  part->culture.projections[0].edges.clear();
  EXPECT_EQ(AcceptedParams(*part), AcceptedParams(*whole));
  // Also those of populations of which nothing is built.
  const auto exc = Select({{"EXC", std::vector<int64_t>{0}}});
  ASSERT_TRUE(exc.ok()) << exc.status();
  EXPECT_EQ(AcceptedParams(*exc), AcceptedParams(*whole));
  ASSERT_TRUE(ApplyParams({{"EXC_EXC-dend-AMPA-weight", {2.0}}}, *part).ok());
  const auto culture = sim::Culture::Create(part->culture);
  EXPECT_TRUE(culture.ok()) << culture.status();
}

TEST(SelectedCultureTest, ACellBehavesAsItDoesInTheWholeCulture) {
  // Without connections, and with noise that depends on the gid alone.
  System system = FullSystem();
  system.projections.clear();
  auto whole = SetUpCulture(system);
  SetupOptions options;
  options.selection.emplace().cells = std::map<std::string, PopulationShare>{
      {"EXC", std::vector<int64_t>{2}}, {"INH", std::vector<int64_t>{5}}};
  auto part = SetUpCulture(system, options);
  ASSERT_TRUE(whole.ok() && part.ok());
  whole->culture.noise.emplace();
  part->culture.noise.emplace();
  whole->culture.model.size_cv["EXC"] = part->culture.model.size_cv["EXC"] = 0.2;
  std::map<int64_t, double> v[2];
  for (const auto* config : {&whole->culture, &part->culture}) {
    const auto culture = sim::Culture::Create(*config);
    ASSERT_TRUE(culture.ok()) << culture.status();
    sim::Gang gang(*culture, 1);
    gang.SetSeed(0, 7);
    gang.Advance(400, nullptr);
    for (int64_t gid : (*culture)->gids()) {
      v[config == &part->culture][gid] = gang.VoltageMv(0, gid, 0);
    }
  }
  ASSERT_EQ(v[1].size(), 2u);
  for (const auto& [gid, voltage] : v[1]) EXPECT_EQ(voltage, v[0].at(gid)) << gid;
}

TEST(SelectedCultureTest, ErrorsNameTheSelection) {
  const absl::Status status = Select({{"EXC", int64_t{9}}}).status();
  EXPECT_THAT(status, IsFieldError("selection.cells[EXC]", "9", "0 .. 4 (cells)"));
}

}  // namespace
}  // namespace livnd::io
