#include "io/culture/params.h"

#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/culture/culture.h"

namespace livnd::io {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr char kModel[] = "ReducedCalciumSomaDendrite";

// EXC cells 0, 1 and INH cells 2, 3. EXC -> EXC reaches dendrites and somata with AMPA and NMDA,
// EXC -> INH somata with AMPA, INH -> EXC somata with GABA_A.
CultureSetup SmallSetup() {
  CultureSetup s;
  s.system = "small";
  s.params_key = kModel;
  s.built_populations = {"EXC", "INH"};
  s.culture.populations = {{"EXC", 0, 2}, {"INH", 2, 2}, {"SRC", 4, 1}};
  const auto projection = [&](const std::string& post, const std::string& pre,
                              std::vector<sim::ReceptorConfig> receptors,
                              std::vector<sim::Edge> edges) {
    sim::ProjectionConfig p;
    p.post = post;
    p.pre = pre;
    p.receptors[sim::ProjectionConfig::kDefaultReceptors] = std::move(receptors);
    p.edges = std::move(edges);
    s.culture.projections.push_back(std::move(p));
  };
  const sim::ReceptorConfig ampa = {"AMPA", {{"tau_rise", 0.5}, {"tau_decay", 3.0}}};
  const sim::ReceptorConfig nmda = {"NMDA", {}};
  const sim::ReceptorConfig gaba = {"GABA_A", {}};
  projection("EXC", "EXC", {ampa, nmda}, {{0, 1, 4, 0.5, 10.0}, {1, 0, sim::kSwcSoma, 0.5, 10.0}});
  projection("INH", "EXC", {ampa}, {{0, 2, sim::kSwcSoma, 0.5, 10.0}});
  projection("EXC", "INH", {gaba}, {{2, 0, sim::kSwcSoma, 0.5, 10.0}});
  s.electrode_array = ElectrodeArrayConfig{{{0, {0.0, 0.0, 0.0}}}, 250, 250, {}};
  return s;
}

absl::Status Apply(const std::string& key, double value, CultureSetup& setup) {
  return ApplyParams({{key, {value}}}, setup);
}

TEST(ApplyParamsTest, SetsOneWeightWithAndWithoutItsPrefix) {
  for (const char* key : {"EXC_EXC-dend-AMPA-weight", "weight-EXC_EXC-dend-AMPA-weight"}) {
    CultureSetup setup = SmallSetup();
    ASSERT_TRUE(Apply(key, 2.0, setup).ok());
    EXPECT_THAT(setup.culture.weights, ElementsAre(Pair("EXC_EXC-dend-AMPA-weight", 2.0)));
  }
}

TEST(ApplyParamsTest, AShortKeyMatchesAllThatItLeavesOpen) {
  const std::map<std::string, std::vector<std::string>> cases = {
      {"EXC_EXC-dend-AMPA", {"EXC_EXC-dend-AMPA"}},
      {"EXC_EXC-soma", {"EXC_EXC-soma-AMPA", "EXC_EXC-soma-NMDA"}},
      {"EXC_EXC",
       {"EXC_EXC-dend-AMPA", "EXC_EXC-dend-NMDA", "EXC_EXC-soma-AMPA", "EXC_EXC-soma-NMDA"}},
      {"EXC-soma", {"EXC_EXC-soma-AMPA", "EXC_EXC-soma-NMDA", "EXC_INH-soma-GABA_A"}},
      {"EXC-dend-NMDA-weight", {"EXC_EXC-dend-NMDA"}},
      {"INH", {"INH_EXC-soma-AMPA"}},
      {"weight-INH_EXC", {"INH_EXC-soma-AMPA"}}};
  for (const auto& [key, expected] : cases) {
    CultureSetup setup = SmallSetup();
    ASSERT_TRUE(Apply(key, 2.0, setup).ok()) << key;
    std::vector<std::string> keys;
    for (const auto& [full, value] : setup.culture.weights) {
      EXPECT_EQ(value, 2.0);
      keys.push_back(full.substr(0, full.size() - std::string("-weight").size()));
    }
    EXPECT_EQ(keys, expected) << key;
  }
}

TEST(ApplyParamsTest, TheLastOfSeveralMatchingKeysCounts) {
  CultureSetup setup = SmallSetup();
  ASSERT_TRUE(
      ApplyParams({{"EXC_EXC-dend", {2.0}}, {"EXC_EXC-dend-AMPA-weight", {3.0}}}, setup).ok());
  EXPECT_EQ(setup.culture.weights.at("EXC_EXC-dend-AMPA-weight"), 3.0);
  EXPECT_EQ(setup.culture.weights.at("EXC_EXC-dend-NMDA-weight"), 2.0);
  // Also between calls, and whichever is the more general.
  ASSERT_TRUE(Apply("EXC", 5.0, setup).ok());
  EXPECT_EQ(setup.culture.weights.at("EXC_EXC-dend-AMPA-weight"), 5.0);
  EXPECT_EQ(setup.culture.weights.at("EXC_INH-soma-GABA_A-weight"), 5.0);
  // A map has the general key first.
  ASSERT_TRUE(ApplyParams(ToParamList({{"EXC_EXC-dend-AMPA-weight", 7.0},
                                       {"EXC_EXC", 6.0},
                                       {"EXC-dend", 5.5},
                                       {"EXC", 5.0}}),
                          setup)
                  .ok());
  EXPECT_EQ(setup.culture.weights.at("EXC_EXC-dend-AMPA-weight"), 7.0);
  EXPECT_EQ(setup.culture.weights.at("EXC_EXC-dend-NMDA-weight"), 6.0);
}

TEST(ApplyParamsTest, SetsAReceptorsNumbersForAllSources) {
  CultureSetup setup = SmallSetup();
  ASSERT_TRUE(ApplyParams({{"EXC-soma-AMPA-tau_decay", {4.0}},
                           {"weight-EXC-dend-NMDA-mg", {0.5}},
                           {"EXC-soma-AMPA-U", {0.5}}},
                          setup)
                  .ok());
  EXPECT_THAT(setup.culture.receptor_params,
              ElementsAre(Pair("EXC-dend-NMDA-mg", 0.5), Pair("EXC-soma-AMPA-U", 0.5),
                          Pair("EXC-soma-AMPA-tau_decay", 4.0)));
  const auto culture = sim::Culture::Create(setup.culture);
  EXPECT_TRUE(culture.ok()) << culture.status();
}

TEST(ApplyParamsTest, RefusesASourceInAReceptorsKeyAndShowsTheKeyWithoutIt) {
  CultureSetup setup = SmallSetup();
  const absl::Status status = Apply("EXC_EXC-dend-AMPA-tau_decay", 2.0, setup);
  EXPECT_THAT(status,
              IsFieldError("params[EXC_EXC-dend-AMPA-tau_decay].key", "EXC_EXC-dend-AMPA-tau_decay",
                           StartsWith("EXC-dend-AMPA-tau_decay, without a source")));
}

TEST(ApplyParamsTest, RefusesWhatMatchesNothingAndListsWhatWould) {
  for (const char* key :
       {"EXC_EXC-axon-AMPA-weight", "INH_INH-soma-GABA_A-weight", "PYR", "EXC_PYR", "EXC_EXC--AMPA",
        "EXC_EXC-dend-AMPA-g_unit", "EXC-dend-AMPA-mg", "EXC-dend-NMDA-w_max", "SRC", "",
        "EXC_EXC-dend-AMPA-weight-0", "weights-EXC_EXC-dend-AMPA-weight", "noise", "cells", "std_e",
        "EXC_EXC_dend_AMPA_weight", "_", "-"}) {
    CultureSetup setup = SmallSetup();
    const absl::Status status = Apply(key, 1.0, setup);
    EXPECT_THAT(status,
                IsFieldError("params[" + std::string(key) + "].key", key,
                             AllOf(HasSubstr("EXC_EXC-dend-AMPA-weight, EXC_EXC-dend-NMDA-weight"),
                                   HasSubstr("EXC-dend-AMPA-tau_decay"),
                                   HasSubstr("noise-POPULATION-NAME"))));
  }
}

TEST(ApplyParamsTest, AnErrorChangesNothing) {
  CultureSetup setup = SmallSetup();
  EXPECT_FALSE(ApplyParams({{"EXC_EXC", {2.0}},
                            {"noise-std_e", {0.1}},
                            {"cells-EXC:soma.cm", {1.0}},
                            {"io-output_radius", {10.0}},
                            {"nothing", {1.0}}},
                           setup)
                   .ok());
  EXPECT_THAT(setup.culture.weights, IsEmpty());
  EXPECT_FALSE(setup.culture.noise.has_value());
  EXPECT_THAT(setup.culture.population_params, IsEmpty());
  EXPECT_EQ(setup.electrode_array->output_radius_um, 250.0);
}

TEST(ApplyParamsTest, NoiseAddsToWhatWasSetBefore) {
  CultureSetup setup = SmallSetup();
  ASSERT_TRUE(ApplyParams({}, setup).ok());
  EXPECT_FALSE(setup.culture.noise.has_value());
  ASSERT_TRUE(ApplyParams({{"noise-std_e", {0.01}}, {"noise-EXC-std_i", {0.02}}}, setup).ok());
  ASSERT_TRUE(Apply("noise-std_e", 0.03, setup).ok());
  EXPECT_THAT(*setup.culture.noise, ElementsAre(Pair("EXC-std_i", 0.02), Pair("std_e", 0.03)));
}

// Names and ranges that are the simulation's business.
TEST(ApplyParamsTest, TheCultureRefusesBadNamesAndValues) {
  const char* const kUnknown = nullptr;  // the key itself is what is wrong
  const struct {
    const char* key;
    double value;
    const char *found, *accepted;
  } kCases[] = {
      {"noise-sigma", 1.0, kUnknown, "E_e, E_i, g_e0"},
      {"noise-SRC-std_e", 1.0, kUnknown, "built population"},
      {"noise--std_e", 1.0, kUnknown, "POPULATION-name"},
      {"noise-tau_e", 0.0, "0", "> 0 (ms)"},
      {"noise-std_i", -1.0, "-1", ">= 0 (uS)"},
      {"EXC_EXC-dend-AMPA-weight", -1.0, "-1", "from 0 to 1e9"},
      {"weight-EXC-dend", 1e10, "1e+10", "from 0 to 1e9"},
      {"EXC-dend-AMPA-tau_decay", 0.0, "0", "> 0 (ms)"},
      {"EXC-dend-AMPA-U", 1.5, "1.5", "from 0 to 1"},
      {"EXC-dend-NMDA-Kd", 0.0, "0", "> 0"},
      {"cells-soma.gmax", 1.0, kUnknown, "soma.g_pas"},
      {"cells-EXC:diameter", 1.0, kUnknown, "global_diam"},
      {"cells-EXC:soma.cm", -1.0, "-1", "> 0"},
      // INH cells have no dendrite.
      {"cells-dend.cm", 1.0, kUnknown, "axon.cm"},
      // Of cells in general it is the size that does not do.
      {"cells-EXC:global_diam", 1e-3, "a size", "1 or 3 in the dendrite"},
  };
  for (const auto& c : kCases) {
    CultureSetup setup = SmallSetup();
    absl::Status status = Apply(c.key, c.value, setup);
    EXPECT_TRUE(status.ok()) << status;
    status = sim::Culture::Create(setup.culture).status();
    ParamList params = {{"noise-std_e", {0.003}}, {c.key, {c.value}}, {"noise-std_i", {0.006}}};
    if (std::string(c.key) == "noise-std_i") params.pop_back();
    const auto fault = FaultOfParams(params, setup, status);
    ASSERT_TRUE(fault.has_value()) << status;
    const std::string field = "params[" + std::string(c.key) + (c.found ? "].value" : "].key");
    EXPECT_THAT(*fault, IsFieldError(field, StartsWith(c.found != nullptr ? c.found : c.key),
                                     HasSubstr(c.accepted)));
  }
}

TEST(FaultOfParamsTest, IsTheLastThatSetTheNumberOrNone) {
  CultureSetup setup = SmallSetup();
  const ParamList params = {{"weight-EXC", {-1.0}},
                            {"weight-EXC-dend", {-2.0}},
                            {"cells-soma.cm", {1.0, 2.0, 3.0, 4.0, -5.0, 6.0}}};
  const absl::Status weight = MakeFieldError("weights[EXC_EXC-dend-AMPA-weight]", "-2", "x");
  EXPECT_THAT(*FaultOfParams(params, setup, weight),
              IsFieldError("params[weight-EXC-dend].value", "-2", "x"));
  const std::vector<int64_t> gids = setup.BuiltGids();
  ParamList list = {{"cells-soma.cm", std::vector<double>(gids.size(), 1.0)}};
  list[0].values[1] = -5.0;
  const absl::Status cell =
      MakeFieldError("cell_params[" + std::to_string(gids[1]) + "][soma.cm]", "-5", "x");
  EXPECT_THAT(*FaultOfParams(list, setup, cell),
              IsFieldError("params[cells-soma.cm].values[1]", "-5", "x"));
  EXPECT_FALSE(FaultOfParams(params, setup, MakeFieldError("dt_ms", "0", "x")).has_value());
  EXPECT_FALSE(FaultOfParams(params, setup, absl::InvalidArgumentError("x")).has_value());
  EXPECT_FALSE(FaultOfParams(params, setup, InFile("f", weight)).has_value());
}

TEST(InDefaultParamsTest, NamesTheFileAndThePlace) {
  System system;
  system.directory = "small";
  CultureSetup setup;
  setup.params_key = kModel;
  const auto in_file = [&](const absl::Status& s) {
    return InDefaultParams(system, setup, "strong", s);
  };
  EXPECT_THAT(in_file(MakeFieldError("params[noise-std_e].value", "-1", "x")),
              IsFileError("small/params/default.json",
                          "ReducedCalciumSomaDendrite.strong.params.noise-std_e", "-1", "x"));
  EXPECT_THAT(in_file(MakeFieldError("params[EXC].key", "EXC", "x")),
              IsFileError("small/params/default.json",
                          "ReducedCalciumSomaDendrite.strong.params.EXC", kUnknownName, "x"));
  setup.selection = "middle";
  EXPECT_THAT(in_file(MakeFieldError("group", "strong", "a, b")),
              IsFileError("small/params/middle.json", "ReducedCalciumSomaDendrite",
                          "without a group strong", HasSubstr("a, b")));
}

TEST(ApplyParamsTest, TakesFiniteNumbersAlone) {
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity()}) {
    CultureSetup setup = SmallSetup();
    EXPECT_THAT(Apply("noise-std_e", value, setup),
                IsFieldError("params[noise-std_e].value", absl::StrCat(value), "a finite number"));
    EXPECT_THAT(
        ApplyParams({{"cells-soma.cm", {1.0, value, 1.0}}}, setup),
        IsFieldError("params[cells-soma.cm].values[1]", absl::StrCat(value), "a finite number"));
  }
}

TEST(ApplyParamsTest, SetsParametersOfAllCellsOrOfAPopulation) {
  CultureSetup setup = SmallSetup();
  ASSERT_TRUE(
      ApplyParams({{"cells-soma.cm", {1.5}}, {"cells-EXC:global_diam", {9.0}}}, setup).ok());
  EXPECT_THAT(setup.culture.population_params.at("EXC"),
              ElementsAre(Pair("global_diam", 9.0), Pair("soma.cm", 1.5)));
  EXPECT_THAT(setup.culture.population_params.at("INH"), ElementsAre(Pair("soma.cm", 1.5)));
  const auto culture = sim::Culture::Create(setup.culture);
  EXPECT_TRUE(culture.ok()) << culture.status();
}

TEST(ApplyParamsTest, AListHasANumberForEachBuiltCell) {
  CultureSetup setup = SmallSetup();
  setup.culture.populations[0].selected_gids = {1};
  setup.culture.projections.clear();
  ASSERT_TRUE(ApplyParams({{"cells-soma.cm", {1.1, 1.2, 1.3}},
                           {"cells-INH:soma.e_pas", {-60.0, -61.0, -62.0}}},
                          setup)
                  .ok());
  EXPECT_THAT(setup.culture.cell_params,
              UnorderedElementsAre(
                  Pair(1, UnorderedElementsAre(Pair("soma.cm", 1.1))),
                  Pair(2, UnorderedElementsAre(Pair("soma.cm", 1.2), Pair("soma.e_pas", -61.0))),
                  Pair(3, UnorderedElementsAre(Pair("soma.cm", 1.3), Pair("soma.e_pas", -62.0)))));
  // One number for all overrides the list, of its population.
  ASSERT_TRUE(Apply("cells-INH:soma.cm", 2.0, setup).ok());
  EXPECT_THAT(setup.culture.cell_params.at(1), ElementsAre(Pair("soma.cm", 1.1)));
  EXPECT_THAT(setup.culture.cell_params.at(2), ElementsAre(Pair("soma.e_pas", -61.0)));
  EXPECT_EQ(setup.culture.population_params.at("INH").at("soma.cm"), 2.0);
  const absl::Status status = ApplyParams({{"cells-soma.cm", {1.0, 2.0}}}, setup);
  EXPECT_THAT(status, IsFieldError("params[cells-soma.cm].values", "2 numbers",
                                   StartsWith("1, or 3: one for each built cell")));
}

// Of so many keys nothing may look at each other, nor each at all cells: that would take hours.
TEST(ApplyParamsTest, ManyKeysAreAppliedOneByOne) {
  CultureSetup setup = SmallSetup();
  setup.culture.populations[0].num_cells = 100'000;
  setup.culture.populations[1].first_gid = 100'000;
  setup.culture.populations[2].first_gid = 100'002;
  setup.culture.projections.clear();
  ASSERT_TRUE(ApplyParams({{"cells-soma.cm", std::vector<double>(100'002, 1.0)}}, setup).ok());
  ParamList params;
  for (int i = 0; i < 200'000; ++i) params.push_back({"cells-x" + std::to_string(i), {1.0}});
  ASSERT_TRUE(ApplyParams(params, setup).ok());
  EXPECT_EQ(setup.culture.population_params.at("EXC").size(), 200'000);
  EXPECT_EQ(setup.culture.cell_params.size(), 100'002);
  EXPECT_FALSE(sim::Culture::Create(setup.culture).ok());
}

TEST(DropOverriddenTest, TheLastOfEqualKeysStaysWhereItStands) {
  ParamList params = {{"a", {1}}, {"b", {2}}, {"a", {3}}, {"c", {4}}, {"b", {5}}};
  DropOverridden(params);
  std::vector<std::pair<std::string, double>> left;
  for (const Param& p : params) left.emplace_back(p.key, p.values[0]);
  EXPECT_THAT(left, ElementsAre(Pair("a", 3), Pair("c", 4), Pair("b", 5)));
  ParamList none;
  DropOverridden(none);
  EXPECT_THAT(none, IsEmpty());
  ParamList many;
  for (int i = 0; i < 500'000; ++i) many.push_back({std::to_string(i / 2), {1.0 * i}});
  DropOverridden(many);
  ASSERT_EQ(many.size(), 250'000);
  EXPECT_EQ(many.back().values[0], 499'999);
}

TEST(ApplyParamsTest, OnlyCellsTakeLists) {
  for (const char* key : {"EXC_EXC", "noise-std_e", "io-output_radius", "EXC-dend-AMPA-e"}) {
    for (const std::vector<double>& values : {std::vector<double>{}, {1.0, 2.0, 3.0, 4.0}}) {
      CultureSetup setup = SmallSetup();
      const absl::Status status = ApplyParams({{key, values}}, setup);
      EXPECT_THAT(status, IsFieldError("params[" + std::string(key) + "].values",
                                       absl::StrCat(values.size(), " numbers"), "one number"));
    }
  }
}

TEST(ApplyParamsTest, RefusesPopulationsThatAreNotBuilt) {
  for (const char* key : {"cells-SRC:soma.cm", "cells-PYR:soma.cm", "cells-:soma.cm"}) {
    CultureSetup setup = SmallSetup();
    const absl::Status status = Apply(key, 1.0, setup);
    EXPECT_THAT(status, IsFieldError("params[" + std::string(key) + "].key", key,
                                     HasSubstr("built populations EXC, INH")));
  }
}

TEST(ApplyParamsTest, ReachesTheElectrodes) {
  CultureSetup setup = SmallSetup();
  ASSERT_TRUE(ApplyParams({{"io-output_radius", {100.0}},
                           {"io-input_radius", {50.0}},
                           {"io-volume_conductor-stimulation_gain", {4.0}},
                           {"io-volume_conductor-recording_gain", {4e4}},
                           {"io-volume_conductor-min_distance_um", {6.0}},
                           {"io-volume_conductor-electrode_radius_um", {10.0}},
                           {"io-volume_conductor-culture_height_um", {40.0}}},
                          setup)
                  .ok());
  const ElectrodeArrayConfig& array = *setup.electrode_array;
  EXPECT_EQ(array.output_radius_um, 100.0);
  EXPECT_EQ(array.input_radius_um, 50.0);
  EXPECT_EQ(array.conductor.stimulation_gain, 4.0);
  EXPECT_EQ(array.conductor.recording_gain, 4e4);
  EXPECT_EQ(array.conductor.min_distance_um, 6.0);
  EXPECT_EQ(array.conductor.electrode_radius_um, 10.0);
  EXPECT_EQ(array.conductor.culture_height_um, 40.0);
}

TEST(ApplyParamsTest, RefusesBadElectrodeParameters) {
  const struct {
    const char* key;
    double value;
    const char *field, *found, *accepted;
  } kCases[] = {{"io-pitch", 1.0, "key", "io-pitch", "io-input_radius"},
                {"io-volume_conductor-sigma", 1.0, "key", "io-volume_conductor-sigma",
                 "io-volume_conductor-NAME with one of stimulation_gain"},
                {"io-output_radius", -1.0, "value", "-1", ">= 0"},
                {"io-volume_conductor-min_distance_um", 0.0, "value", "0", "> 0"}};
  for (const auto& c : kCases) {
    CultureSetup setup = SmallSetup();
    const absl::Status status = Apply(c.key, c.value, setup);
    EXPECT_THAT(status, IsFieldError(absl::StrCat("params[", c.key, "].", c.field), c.found,
                                     HasSubstr(c.accepted)));
  }
  CultureSetup setup = SmallSetup();
  setup.electrode_array.reset();
  EXPECT_THAT(
      Apply("io-output_radius", 1.0, setup),
      IsFieldError("params[io-output_radius].key", "io-output_radius", HasSubstr("no electrodes")));
}

TEST(AcceptedParamsTest, AreAccepted) {
  CultureSetup setup = SmallSetup();
  const std::vector<std::string> keys = AcceptedParams(setup);
  EXPECT_GT(keys.size(), 30u);
  for (const std::string& key : keys) {
    CultureSetup changed = SmallSetup();
    const bool probability = absl::EndsWith(key, "-U");
    EXPECT_TRUE(Apply(key, probability ? 0.5 : 20.0, changed).ok()) << key;
    const auto culture = sim::Culture::Create(changed.culture);
    EXPECT_TRUE(culture.ok()) << key << ": " << culture.status();
  }
}

TEST(StoredParamsTest, SayWhatIsMissingAndWhatThereIs) {
  System system;
  system.name = "small";
  const auto missing = [&] { return StoredParams(system, kModel).status(); };
  EXPECT_THAT(missing(), IsFieldError("document", "default", "none"));
  system.params["e1"] = {};
  EXPECT_THAT(missing(), IsFieldError("document", "default", "e1"));
  system.params["default"]["OtherModel"] = {};
  EXPECT_THAT(missing(), IsFieldError("model", kModel, "OtherModel"));
  system.params["default"][kModel]["strong"] = {};
  EXPECT_THAT(missing(), IsFieldError("group", "default", "strong"));
  system.params["default"][kModel]["default"] = {{"noise-std_e", {0.5}}};
  const auto params = StoredParams(system, kModel);
  ASSERT_TRUE(params.ok()) << params.status();
  EXPECT_EQ(params->at(0).key, "noise-std_e");
}

TEST(DefaultParamsTest, AreThoseOfTheSelectionElseTheModels) {
  System system;
  system.name = "EI2";
  system.params["default"][kModel]["default"] = {{"noise-std_e", {0.5}}};
  system.params["e1"][kModel]["default"] = {{"noise-std_e", {0.6}}};
  CultureSetup setup = SmallSetup();
  auto params = DefaultParams(system, setup);
  ASSERT_TRUE(params.ok()) << params.status();
  EXPECT_EQ(params->at(0).values[0], 0.5);
  EXPECT_THAT(DefaultParams(system, setup, "strong").status(),
              IsFieldError("group", "strong", "default"));
  setup.selection = "e1";
  EXPECT_EQ(DefaultParams(system, setup)->at(0).values[0], 0.6);
  // A selection without a document does not fall back on that of the whole.
  setup.selection = "e2";
  params = DefaultParams(system, setup);
  ASSERT_TRUE(params.ok()) << params.status();
  ASSERT_TRUE(ApplyParams(*params, setup).ok());
  EXPECT_EQ(setup.culture.weights.at("EXC_EXC-dend-NMDA-weight"), 1.2337499089211241);
  EXPECT_EQ(setup.culture.weights.count("INH_INH-soma-GABA_A-weight"), 0u);
  EXPECT_EQ(setup.culture.noise->at("tau_e"), 31.219661712646484);
}

TEST(DefaultParamsTest, OfAnUntunedSystemAreTheModelsNoise) {
  System system;
  system.name = "small";
  CultureSetup setup = SmallSetup();
  const auto params = DefaultParams(system, setup);
  ASSERT_TRUE(params.ok()) << params.status();
  ASSERT_TRUE(ApplyParams(*params, setup).ok());
  EXPECT_THAT(setup.culture.weights, IsEmpty());
  EXPECT_TRUE(setup.culture.noise.has_value());
}

}  // namespace
}  // namespace livnd::io
