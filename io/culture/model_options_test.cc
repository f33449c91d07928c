#include "io/culture/model_options.h"

#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

constexpr char kClass[] = "livn.models.rcsd.ReducedCalciumSomaDendrite";

TEST(ResolveModelTest, WithoutADocumentIsTheDefaultModel) {
  const auto model = ResolveModel(std::nullopt);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->params_key, "ReducedCalciumSomaDendrite");
  EXPECT_THAT(model->built_populations, ElementsAre("EXC", "INH"));
  EXPECT_EQ(model->model.refractory_period_ms, 2.0);
  EXPECT_TRUE(model->model.short_term_depression);
  EXPECT_TRUE(model->model.size_cv.empty());
  EXPECT_FALSE(model->orientation.aligned);
  EXPECT_EQ(model->orientation.dendrite_offset_um, 60.0);
}

TEST(ResolveModelTest, TakesEveryArgumentOfTheConstructor) {
  const auto model = ResolveModel(ModelDocument{kClass,
                                                {{"input_mode", "current"},
                                                 {"refractory_period", 5.5},
                                                 {"short_term_depression", false},
                                                 {"dendrite_offset", 45.0},
                                                 {"dendrite_orientation", "aligned"},
                                                 {"dendrite_orientation_seed", 7.0},
                                                 {"size_cv", 0.25},
                                                 {"size_seed", -1.0}}});
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->model.refractory_period_ms, 5.5);
  EXPECT_FALSE(model->model.short_term_depression);
  EXPECT_EQ(model->orientation.dendrite_offset_um, 45.0);
  EXPECT_TRUE(model->orientation.aligned);
  EXPECT_EQ(model->orientation.seed, 7u);
  EXPECT_THAT(model->model.size_cv, ElementsAre(Pair("EXC", 0.25), Pair("INH", 0.25)));
  // livn adds seeds modulo 2^64.
  EXPECT_EQ(model->model.size_seed, std::numeric_limits<uint64_t>::max());
}

TEST(ResolveModelTest, TakesSizesByPopulationAndNullAsNoMode) {
  const auto model =
      ResolveModel(ModelDocument{kClass,
                                 {{"size_cv", std::map<std::string, double>{{"INH", 0.1}}},
                                  {"input_mode", std::monostate()}}});
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_THAT(model->model.size_cv, ElementsAre(Pair("INH", 0.1)));
}

TEST(ResolveModelTest, RefusesOtherClassesByName) {
  const absl::Status status = ResolveModel(ModelDocument{"my.own.Model", {}}).status();
  EXPECT_THAT(status, IsFieldError("cls", "my.own.Model", HasSubstr(kClass)));
}

TEST(ResolveModelTest, RefusesUnknownArgumentsWithTheAcceptedOnes) {
  const absl::Status status = ResolveModel(ModelDocument{kClass, {{"refractory", 2.0}}}).status();
  EXPECT_THAT(status,
              IsFieldError("kwargs.refractory", kUnknownName,
                           "dendrite_offset, dendrite_orientation, dendrite_orientation_seed, "
                           "input_mode, refractory_period, short_term_depression, size_cv, "
                           "size_seed"));
}

TEST(ResolveModelTest, RefusesValuesWithTheirRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const struct {
    const char* name;
    ModelArgument value;
    const char* takes;
  } kCases[] = {
      {"refractory_period", -1.0, "from 0 to 1e6"},
      {"refractory_period", nan, "from 0 to 1e6"},
      {"refractory_period", "2", "from 0 to 1e6"},
      {"short_term_depression", 1.0, "true or false"},
      {"dendrite_offset", 0.0, "other than 0"},
      {"dendrite_orientation", "up", "\"random\", \"aligned\""},
      {"dendrite_orientation_seed", 0.5, "an integer"},
      {"size_seed", 1e300, "an integer"},
      {"size_cv", -0.1, "from 0 to 10"},
      {"size_cv", nan, "from 0 to 10"},
      {"size_cv", true, "from 0 to 10"},
      {"size_cv", std::map<std::string, double>{{"PYR", 0.1}}, "EXC and INH"},
      {"size_cv", std::map<std::string, double>{{"EXC", 11.0}}, "from 0 to 10"},
      {"input_mode", "extracellular", "\"irradiance\""},
  };
  for (const auto& c : kCases) {
    const absl::Status status = ResolveModel(ModelDocument{kClass, {{c.name, c.value}}}).status();
    EXPECT_THAT(status, IsFieldError(StartsWith(absl::StrCat("kwargs.", c.name)), Not(""),
                                     HasSubstr(c.takes)));
  }
}

}  // namespace
}  // namespace livnd::io
