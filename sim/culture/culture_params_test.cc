// What the keys of a CultureConfig reach: weights, receptors, cells, noise, and selected cells.
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/culture/cell_params.h"
#include "sim/culture/culture.h"
#include "sim/culture/synapse_params.h"
#include "sim/gang/gang.h"
#include "sim/testing/busy_culture.h"

namespace livnd::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int kDefault = ProjectionConfig::kDefaultReceptors;

// EXC 0 .. 2, INH 3 .. 4, SRC 5. The source reaches a dendrite and a soma.
CultureConfig SmallConfig() {
  CultureConfig config;
  config.populations = {{"EXC", 0, 3}, {"INH", 3, 2}, {"SRC", 5, 1}};
  ProjectionConfig p;
  p.post = "EXC";
  p.pre = "SRC";
  p.receptors[kDefault] = {{"AMPA", {{"weight", 40.0}, {"g_unit", 0.001}, {"tau_decay", 3.0}}}};
  p.edges = {{5, 1, 4, 0.5, 100.0}, {5, 0, kSwcSoma, 0.5, 50.0}};
  config.projections = {p};
  return config;
}

void ExpectRefused(const CultureConfig& config, const std::string& field, const std::string& value,
                   const std::string& accepted) {
  const absl::Status status = Culture::Create(config).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status, IsFieldError(field, value, HasSubstr(accepted)));
}

// Voltage of a section 6 ms after the source's spike at 1 ms.
double AnsweredMv(const CultureConfig& config, int64_t gid, int section) {
  Gang gang(MustCreate(config), 1);
  EXPECT_TRUE(gang.SetInputSpikes({{5, {1.0}}}).ok());
  gang.Advance(280, nullptr);
  return gang.VoltageMv(0, gid, section);
}

TEST(SynapseParamNamesTest, AreThoseOfTheEdgesAndOfKnownSites) {
  CultureConfig config = SmallConfig();
  SynapseParamNames names = SynapseParamNamesOf(config);
  ASSERT_EQ(names.weights.size(), 2u);
  EXPECT_EQ(names.weights[0].key(), "EXC_SRC-dend-AMPA-weight");
  EXPECT_EQ(names.weights[1].key(), "EXC_SRC-soma-AMPA-weight");
  ASSERT_EQ(names.receptor_params.size(), 10u);
  EXPECT_EQ(names.receptor_params[0].key(), "EXC-dend-AMPA-U");
  // Without depression, AMPA has nothing of it.
  config.model.short_term_depression = false;
  EXPECT_EQ(SynapseParamNamesOf(config).receptor_params.size(), 6u);
  config.projections[0].edges.clear();
  EXPECT_THAT(SynapseParamNamesOf(config).weights, IsEmpty());
  config.projections[0].known_swc_types = {kSwcAxon};
  names = SynapseParamNamesOf(config);
  ASSERT_EQ(names.weights.size(), 1u);
  EXPECT_EQ(names.weights[0].key(), "EXC_SRC-axon-AMPA-weight");
}

TEST(ReceptorParamsTest, ActOnTheirSectionAlone) {
  const CultureConfig plain = SmallConfig();
  CultureConfig changed = plain;
  changed.receptor_params["EXC-dend-AMPA-tau_decay"] = 9.0;
  EXPECT_GT(AnsweredMv(changed, 1, 1), AnsweredMv(plain, 1, 1));
  EXPECT_EQ(AnsweredMv(changed, 0, 0), AnsweredMv(plain, 0, 0));
  // The same number by way of the projection.
  CultureConfig same = plain;
  same.projections[0].receptors[4] = {
      {"AMPA", {{"weight", 40.0}, {"g_unit", 0.001}, {"tau_decay", 9.0}}}};
  EXPECT_EQ(AnsweredMv(changed, 1, 1), AnsweredMv(same, 1, 1));
}

TEST(ReceptorParamsTest, UnknownOnesAndBadValuesAreNamed) {
  for (const char* key :
       {"EXC-axon-AMPA-e", "EXC-dend-NMDA-mg", "EXC-dend-AMPA-weight", "EXC", ""}) {
    CultureConfig config = SmallConfig();
    config.receptor_params[key] = 1.0;
    ExpectRefused(config, "receptor_params[" + std::string(key) + "]", "an unknown name",
                  "EXC-dend-AMPA-U, EXC-dend-AMPA-e");
  }
  CultureConfig config = SmallConfig();
  config.receptor_params["EXC-dend-AMPA-tau_rise"] = -1.0;
  ExpectRefused(config, "receptor_params[EXC-dend-AMPA-tau_rise]", "-1", "a number > 0 (ms)");
  config.receptor_params.clear();
  config.projections[0].receptors[kDefault][0].params["tau_rise"] = -1.0;
  ExpectRefused(config, "projections[EXC<-SRC].receptors.AMPA.tau_rise", "-1", "a number > 0 (ms)");
}

// Two numbers that do not go together: it is the one that was set.
TEST(ReceptorParamsTest, WhatDoesNotFitIsTheOneThatWasSet) {
  CultureConfig config = SmallConfig();
  config.projections[0].receptors[kDefault][0].params["tau_rise"] = 0.5;
  config.receptor_params["EXC-dend-AMPA-tau_decay"] = 1e308;
  ExpectRefused(config, "receptor_params[EXC-dend-AMPA-tau_decay]", "1e+308",
                "a time that goes with tau_rise = ");
}

TEST(SelectedGidsTest, OnlyTheyExist) {
  CultureConfig config = SmallConfig();
  config.populations[0].selected_gids = {0, 1};
  config.populations[1].selected_gids = {4};
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  EXPECT_THAT(culture->gids(), ElementsAre(0, 1, 4));
  EXPECT_EQ(culture->Find(2).group, -1);
  EXPECT_EQ(culture->SourceIndex(3), -1);
  EXPECT_EQ(culture->SectionRow(4, 5), 7 + 7 + 5);
  config.cell_params[2] = {{"soma.cm", 1.0}};
  ExpectRefused(config, "cell_params[2]", "an unknown name", "built cells");
  config.cell_params.clear();
  config.populations[0].selected_gids = {1};
  ExpectRefused(config, "projections[EXC<-SRC].edges", "from gid 5 to 0", "to built cells");
}

TEST(SelectedGidsTest, NoneMakesAPopulationOfSources) {
  CultureConfig config = SmallConfig();
  config.populations[1].selected_gids = std::vector<int64_t>();
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  EXPECT_THAT(culture->gids(), ElementsAre(0, 1, 2));
  EXPECT_GE(culture->SourceIndex(3), 0);
  EXPECT_GE(culture->SourceIndex(4), 0);
}

TEST(SelectedGidsTest, MustLieInThePopulationAndAscend) {
  for (const std::vector<int64_t>& gids :
       {std::vector<int64_t>{-1}, {0, 3}, {1, 0}, {1, 1}, {0, 1, 2, 3}}) {
    CultureConfig config = SmallConfig();
    config.populations[0].selected_gids = gids;
    const absl::Status status = Culture::Create(config).status();
    EXPECT_THAT(status, IsFieldError("populations[EXC].selected_gids", Not(""),
                                     "0 .. 2 in ascending order"));
  }
}

TEST(CellParamsOfTest, FollowSizeAndConfiguredValues) {
  CultureConfig config = SmallConfig();
  const auto plain = CellParamsOf(config, 1);
  ASSERT_TRUE(plain.ok()) << plain.status();
  config.population_params["EXC"] = {{"soma.g_pas", 2e-4}, {"axon_Ra", 80.0}};
  config.cell_params[1] = {{"soma.g_pas", 3e-4}};
  const auto own = CellParamsOf(config, 1);
  const auto other = CellParamsOf(config, 2);
  ASSERT_TRUE(own.ok() && other.ok());
  EXPECT_EQ(own->at("soma.g_pas"), 3e-4);
  EXPECT_EQ(other->at("soma.g_pas"), 2e-4);
  EXPECT_EQ(own->at("axon.Ra"), 80.0);
  EXPECT_EQ(own->at("dend.cm"), plain->at("dend.cm"));
  EXPECT_EQ(CellParamsOf(config, 3)->count("dend.cm"), 0u);
  for (int64_t gid : {-1, 5, 6}) {
    EXPECT_EQ(CellParamsOf(config, gid).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(NoiseParamsOfTest, APopulationsOwnNumbersWinOverThoseOfAll) {
  CultureConfig config = SmallConfig();
  EXPECT_THAT(NoiseParamsOf(config, "EXC"), IsEmpty());
  config.noise = {{"std_e", 0.1}, {"INH-std_e", 0.2}};
  EXPECT_EQ(NoiseParamsOf(config, "EXC").at("std_e"), 0.1);
  EXPECT_EQ(NoiseParamsOf(config, "INH").at("std_e"), 0.2);
  EXPECT_EQ(NoiseParamsOf(config, "INH").at("tau_i"), 10.49);
}

}  // namespace
}  // namespace livnd::sim
