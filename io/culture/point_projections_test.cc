#include "io/culture/point_projections.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/culture/culture_setup.h"
#include "io/culture/params.h"
#include "io/neuroh5/read_system.h"
#include "sim/culture/culture.h"
#include "sim/gang/gang.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::io {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr char kGlif[] = "livn.models.glif.GLIF";
constexpr char kIzhikevich[] = "livn.models.izhikevich.Izhikevich";

SetupOptions Model(const std::string& name, std::map<std::string, ModelArgument> arguments = {}) {
  SetupOptions options;
  options.model = ModelDocument{name, std::move(arguments)};
  return options;
}

// random.Random(123) of CPython 3.11.
TEST(PythonRandomsTest, AreCPythons) {
  const std::vector<double> some = PythonRandoms(123, 4);
  EXPECT_DOUBLE_EQ(some[0], 0.052363598850944326);
  EXPECT_DOUBLE_EQ(some[1], 0.08718667752263232);
  EXPECT_DOUBLE_EQ(some[2], 0.4072417636703983);
  EXPECT_DOUBLE_EQ(some[3], 0.10770023493843905);
  // Beyond the first 624 words.
  EXPECT_DOUBLE_EQ(PythonRandoms(123, 1000)[999], 0.9212710336258926);
}

// What livn 2.0.0's System.connectivity_matrix(weights={"EXC_INH": 2.0}) holds: how many weights are
// not 0, their sum and that of their squares (in single precision there), and one of them.
struct Matrix {
  const char* system;
  size_t num_weights;
  double sum, sum_of_squares;
  int64_t pre, post;
  double weight;
};

class MatrixTest : public testing::TestWithParam<Matrix> {};

TEST_P(MatrixTest, IsLivns) {
  const Matrix& livn = GetParam();
  const auto system = ReadSystem(livn.system);
  ASSERT_TRUE(system.ok()) << system.status();
  auto setup = SetUpCulture(*system, Model(kGlif));
  ASSERT_TRUE(setup.ok()) << setup.status();
  if (system->FindProjectionConfig("EXC", "INH") != nullptr) {
    const absl::Status applied = ApplyParams({{"weight-EXC_INH", {2.0}}}, *setup);
    ASSERT_TRUE(applied.ok()) << applied;
  }
  const auto culture = sim::Culture::Create(setup->culture);
  ASSERT_TRUE(culture.ok()) << culture.status();
  const sim::Connectivity& net = (*culture)->connectivity();
  EXPECT_EQ(net.rows.size(), livn.num_weights);
  double sum = 0.0, sum_of_squares = 0.0, weight = 0.0;
  for (int64_t gid : (*culture)->gids()) {
    const int64_t source = (*culture)->SourceIndex(gid);
    for (uint64_t r = net.first_row[source]; r < net.first_row[source + 1]; ++r) {
      const sim::ConnectionRow& row = net.rows[r];
      sum += row.weight;
      sum_of_squares += row.weight * row.weight;
      const int64_t target =
          (*culture)->groups()[net.terminals[row.terminal].group].gids[row.target_index];
      if (gid == livn.pre && target == livn.post) weight = row.weight;
    }
  }
  EXPECT_NEAR(sum, livn.sum, 1e-6 * livn.sum_of_squares);
  EXPECT_NEAR(sum_of_squares, livn.sum_of_squares, 1e-6 * livn.sum_of_squares);
  EXPECT_NEAR(weight, livn.weight, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Systems, MatrixTest,
                         testing::Values(Matrix{"systems/EI-100", 2495, 60.1600291855284,
                                                1580.7544714943047, 99, 79, -0.9717614054679871},
                                         Matrix{"tests/data/systems/E-100", 2024, 997.8959807621432,
                                                660.4621266619768, 99, 94, 0.22790761291980743},
                                         Matrix{"tests/data/systems/EI-alt", 1840,
                                                -580.6007815028424, 1528.6578194941915, 159, 150,
                                                -0.17062029242515564},
                                         // 121 pairs with thousands of synapses.
                                         Matrix{"tests/data/systems/S1", 121, 1.2780865533277392,
                                                56.471535591111476, 10, 10, -0.4301576316356659}));

// Cells of the system in a current, in a network that they drive.
TEST(PointSystemTest, RunsOnASystem) {
  const auto system = ReadSystem("systems/EI-100");
  ASSERT_TRUE(system.ok()) << system.status();
  for (const SetupOptions& options :
       {Model(kGlif, {{"level", 3.0}, {"params", std::map<std::string, double>{{"t_ref", 3.0}}}}),
        Model(kIzhikevich)}) {
    auto setup = SetUpCulture(*system, options);
    ASSERT_TRUE(setup.ok()) << setup.status();
    const std::vector<std::string> keys = AcceptedParams(*setup);
    EXPECT_THAT(keys, Contains("EXC_INH-soma-I_syn-weight"));
    EXPECT_THAT(keys, Contains("noise-EXC-level"));
    const auto defaults = DefaultParams(*system, *setup);
    ASSERT_TRUE(defaults.ok()) << defaults.status();
    EXPECT_TRUE(defaults->empty());
    const absl::Status applied =
        ApplyParams({{"EXC_EXC", {50.0}}, {"noise-level", {300.0}}}, *setup);
    ASSERT_TRUE(applied.ok()) << applied;
    const auto culture = sim::Culture::Create(setup->culture);
    ASSERT_TRUE(culture.ok()) << culture.status();
    EXPECT_EQ((*culture)->gids().size(), 100u);
    EXPECT_EQ((*culture)->num_section_rows(), 100);
    sim::Gang gang(*culture, 1);
    gang.SetSeed(0, 1);
    std::vector<sim::Spike> spikes;
    gang.Advance(8000, &spikes);
    EXPECT_GT(spikes.size(), 50u);
  }
}

TEST(PointSystemTest, ASelectionKeepsTheWeightsOfTheWhole) {
  const auto system = ReadSystem("systems/EI-100");
  ASSERT_TRUE(system.ok()) << system.status();
  SetupOptions options = Model(kGlif);
  options.selection.emplace();
  options.selection->cells = std::map<std::string, PopulationShare>{
      {"EXC", std::vector<int64_t>{77, 79}}, {"INH", std::vector<int64_t>{99}}};
  const auto setup = SetUpCulture(*system, options);
  ASSERT_TRUE(setup.ok()) << setup.status();
  const auto culture = sim::Culture::Create(setup->culture);
  ASSERT_TRUE(culture.ok()) << culture.status();
  EXPECT_THAT((*culture)->gids(), testing::ElementsAre(77, 79, 99));
  const sim::Connectivity& net = (*culture)->connectivity();
  const int64_t source = (*culture)->SourceIndex(99);
  ASSERT_EQ(net.first_row[source + 1] - net.first_row[source], 2u);
  // Half of those above, where the weight is 2.
  EXPECT_NEAR(net.rows[net.first_row[source]].weight, -1.2017203569412231 / 2.0, 1e-6);
  EXPECT_NEAR(net.rows[net.first_row[source] + 1].weight, -0.9717614054679871 / 2.0, 1e-6);
}

TEST(PointSystemTest, RefusesWhatItCannotDo) {
  const auto system = ReadSystem("systems/EI-100");
  ASSERT_TRUE(system.ok()) << system.status();
  const struct {
    SetupOptions options;
    std::string field, value, accepted;
  } kCases[] = {
      {Model(kGlif, {{"level", 2.5}}), "model.kwargs.level", "2.5", "1, 2, 3, 4 or 5"},
      {Model(kGlif, {{"mechanism", std::string("escape")}}), "model.kwargs.mechanism", "\"escape\"",
       "\"hard\""},
      {Model(kGlif, {{"diffusion", true}}), "model.kwargs.diffusion", "true", "false"},
      {Model(kGlif, {{"current_scale", 1.0}}), "model.kwargs.current_scale", "1", "1000"},
      {Model(kGlif, {{"params", 3.0}}), "model.kwargs.params", "3", "null, or an object"},
      {Model(kIzhikevich, {{"level", 3.0}}), "model.kwargs.level", kUnknownName, ""},
      {Model("livn.models.ca1.CA1"), "model.cls", "livn.models.ca1.CA1", kIzhikevich},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(SetUpCulture(*system, c.options).status(),
                IsFieldError(c.field, c.value, HasSubstr(c.accepted)));
  }
  auto setup = SetUpCulture(*system, Model(kGlif));
  ASSERT_TRUE(setup.ok());
  const absl::Status s = ApplyParams({{"EXC_EXC-dend-AMPA-weight", {1.0}}}, *setup);
  EXPECT_THAT(s, IsFieldError("params[EXC_EXC-dend-AMPA-weight].key", "EXC_EXC-dend-AMPA-weight",
                              HasSubstr("EXC_EXC-soma-I_syn-weight")));
}

}  // namespace
}  // namespace livnd::io
