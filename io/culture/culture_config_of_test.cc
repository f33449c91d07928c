#include "io/culture/culture_config_of.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/json/json_file.h"
#include "io/neuroh5/read_system.h"
#include "openssl/sha.h"
#include "sim/culture.h"
#include "sim/gang.h"

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
  std::string hex;
  for (unsigned char byte : digest) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", byte);
    hex += two;
  }
  return hex;
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
    const auto config = CultureConfigOf(system_);
    ASSERT_TRUE(config.ok()) << config.status();
    config_ = *config;
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

TEST(CultureConfigOfTest, PutsEdgesOnTheSitesOfTheirCells) {
  const auto config = CultureConfigOf(SmallSystem());
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->projections.size(), 1u);
  const std::vector<sim::Edge>& edges = config->projections[0].edges;
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

TEST(CultureConfigOfTest, DropsEdgesWhoseSiteIsMissing) {
  System system = SmallSystem();
  system.projections[0].syn_id[0] = 8;
  const auto config = CultureConfigOf(system);
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->projections[0].edges.size(), 1u);
  EXPECT_EQ(config->projections[0].edges[0].target_gid, 0);
}

TEST(CultureConfigOfTest, LeavesOutDisabledReceptorsAndProjectionsWithoutReceptors) {
  System system = SmallSystem();
  system.projection_configs[0].mechanisms["default"].push_back({"NMDA", {}, true});
  auto config = CultureConfigOf(system);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->projections[0].receptors.at(sim::ProjectionConfig::kDefaultReceptors).size(),
            1u);
  system.projection_configs.clear();
  config = CultureConfigOf(system);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->projections.empty());
  EXPECT_EQ(config->populations.size(), 2u);
}

TEST(CultureConfigOfTest, KeepsReceptorsUnderTheirSwcNumberAndRefusesOtherKeys) {
  System system = SmallSystem();
  system.projection_configs[0].mechanisms["1"] = {{"GABA_B", {}, false}};
  auto config = CultureConfigOf(system);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->projections[0].receptors.at(1)[0].receptor, "GABA_B");
  system.projection_configs[0].mechanisms["soma"] = {};
  config = CultureConfigOf(system);
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("small: EXC<-SRC"));
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("'soma'"));
}

TEST(ApplyParamsTest, TellsWeightsFromNoise) {
  sim::CultureConfig config;
  ASSERT_TRUE(ApplyParams({{"weight-EXC_SRC-dend-AMPA-weight", 2.0},
                           {"EXC_SRC-dend-NMDA-weight", 3.0},
                           {"noise-std_e", 0.01},
                           {"noise-EXC-std_i", 0.02}},
                          config)
                  .ok());
  EXPECT_THAT(config.weights, ElementsAre(std::pair("EXC_SRC-dend-AMPA-weight", 2.0),
                                          std::pair("EXC_SRC-dend-NMDA-weight", 3.0)));
  ASSERT_TRUE(config.noise.has_value());
  EXPECT_THAT(*config.noise, ElementsAre(std::pair("EXC-std_i", 0.02), std::pair("std_e", 0.01)));
}

TEST(ApplyParamsTest, AddsToWhatWasSetBefore) {
  sim::CultureConfig config;
  ASSERT_TRUE(ApplyParams({{"noise-std_e", 0.01}, {"noise-std_i", 0.02}}, config).ok());
  ASSERT_TRUE(ApplyParams({{"noise-std_e", 0.03}}, config).ok());
  EXPECT_THAT(*config.noise, ElementsAre(std::pair("std_e", 0.03), std::pair("std_i", 0.02)));
}

TEST(ApplyParamsTest, WithoutNoiseKeysLeavesNoiseOff) {
  sim::CultureConfig config;
  ASSERT_TRUE(ApplyParams({}, config).ok());
  EXPECT_FALSE(config.noise.has_value());
}

TEST(ApplyParamsTest, RefusesOtherKeysByName) {
  for (const char* key : {"EXC_SRC-dend-AMPA-g_unit", "noise", "cells-soma.cm", ""}) {
    sim::CultureConfig config;
    const absl::Status status = ApplyParams({{key, 1.0}}, config);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << key;
    EXPECT_THAT(std::string(status.message()), HasSubstr("'" + std::string(key) + "'"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("noise-POPULATION-NAME"));
  }
}

TEST(DefaultParamsTest, AreTheGroupDefaultOfTheModel) {
  System system = SmallSystem();
  system.params["default"][kModelClass]["default"]["noise-std_e"] = 0.5;
  const auto params = DefaultParams(system);
  ASSERT_TRUE(params.ok()) << params.status();
  EXPECT_THAT(*params, ElementsAre(std::pair("noise-std_e", 0.5)));
}

TEST(DefaultParamsTest, SayWhatIsMissing) {
  System system = SmallSystem();
  const auto expect_missing = [&](const std::string& what) {
    const auto params = DefaultParams(system);
    EXPECT_EQ(params.status().code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(std::string(params.status().message()), HasSubstr("small"));
    EXPECT_THAT(std::string(params.status().message()), HasSubstr(what));
  };
  expect_missing("no document");
  system.params["default"]["OtherModel"] = {};
  expect_missing(kModelClass);
  system.params["default"][kModelClass]["strong"] = {};
  expect_missing("group 'default'");
}

}  // namespace
}  // namespace livnd::io
