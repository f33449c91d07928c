#include "env/catalog.h"

#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "env/culture/culture_model.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"

namespace livnd::env {
namespace {

using ::testing::HasSubstr;

TEST(CatalogTest, ListsEveryCultureAndTasksOnThoseWithElectrodesAndParams) {
  std::vector<std::shared_ptr<const io::System>> systems;
  for (const std::string name : {"EI-mini", "EI-100"}) {
    auto system = io::ReadSystem("systems/" + name);
    ASSERT_TRUE(system.ok()) << system.status();
    systems.push_back(std::make_shared<const io::System>(*std::move(system)));
  }
  auto without = std::make_shared<io::System>(*systems[0]);
  without->name = "bare";
  without->params.clear();
  systems.push_back(without);
  auto catalog = Catalog::Create(systems);
  ASSERT_TRUE(catalog.ok());
  std::vector<std::string> ids;
  for (const EnvironmentSpec& spec : catalog->specs()) ids.push_back(spec.id);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_THAT(ids,
              testing::IsSupersetOf({"Culture-EI-100-v0", "Culture-EI-mini-v0", "Culture-bare-v0",
                                     "TargetRate-EI-100-v0", "TargetRate-EI-mini-v0"}));
  EXPECT_EQ(catalog->Find("TargetRate-bare-v0"), nullptr);
  const auto bare = catalog->BuildTask("TargetRate-bare-v0");
  EXPECT_EQ(bare.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(bare.status().message()), HasSubstr("params/default.json"));
  const auto unknown = catalog->BuildTask("nothing");
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("TargetRate-EI-mini-v0"));
  EXPECT_TRUE(catalog->BuildCulture("Culture-bare-v0").ok());
  EXPECT_EQ(catalog->BuildCulture("TargetRate-EI-mini-v0").status().code(),
            absl::StatusCode::kNotFound);
  // Only who measures gets what is there to be measured.
  catalog = Catalog::Create(systems, BenchEnvironments::kOffered);
  ASSERT_TRUE(catalog.ok());
  ASSERT_NE(catalog->Find("Null-v0"), nullptr);
  EXPECT_EQ(catalog->specs().size(), ids.size() + 1);
  EXPECT_TRUE(catalog->BuildTask("Null-v0").ok());
  systems.push_back(systems[0]);
  EXPECT_FALSE(Catalog::Create(systems).ok());
}

TEST(CatalogTest, SaysWhyASystemCarriesNoTask) {
  const auto sound = io::ReadSystem("systems/EI-mini");
  ASSERT_TRUE(sound.ok()) << sound.status();
  auto deaf = std::make_shared<io::System>(*sound);
  deaf->name = "deaf";
  deaf->electrode_array.reset();
  auto bare = std::make_shared<io::System>(*sound);
  bare->name = "bare";
  bare->params.clear();
  auto points = std::make_shared<io::System>(*sound);
  points->name = "points";
  points->model = io::ModelDocument{"livn.models.glif.GLIF", {}};
  points->params.clear();
  points->params["default"]["GLIF"]["default"];  // none are set
  const auto catalog = Catalog::Create({deaf, bare, points, std::make_shared<io::System>(*sound)});
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  std::map<std::string, std::string> why;
  for (const Catalog::NotOffered& one : catalog->not_offered()) {
    EXPECT_EQ(one.why.code(), absl::StatusCode::kInvalidArgument) << one.id;
    EXPECT_THAT(one.id, HasSubstr(absl::StrCat("-", one.system, "-v0")));
    why[one.id] = std::string(one.why.message());
  }
  for (const EnvironmentSpec& spec : catalog->specs()) {
    EXPECT_EQ(why.count(spec.id), 0u) << spec.id;
  }
  EXPECT_THAT(why["TargetRate-bare-v0"], HasSubstr("params/default.json"));
  EXPECT_THAT(why["TargetRate-deaf-v0"], HasSubstr("mea.json"));
  // Currents do, for a task that changes no weights.
  EXPECT_NE(catalog->Find("TargetRate-points-v0"), nullptr);
  EXPECT_NE(catalog->Find("Pong-points-v0"), nullptr);
  EXPECT_EQ(catalog->Find("BurstSuppression-points-v0"), nullptr);
  EXPECT_THAT(why["BurstSuppression-points-v0"], HasSubstr("params/default.json"));
  EXPECT_EQ(why.count("Culture-deaf-v0"), 0u);
}

// A system as it stands, but for what `harm` does to it.
template <typename Harm>
std::shared_ptr<const io::System> Harmed(const io::System& sound, const std::string& name,
                                         Harm harm) {
  auto system = std::make_shared<io::System>(sound);
  system->name = name;
  harm(*system);
  return system;
}

TEST(CatalogTest, LeavesOutWhatCannotBeMadeAndSaysWhy) {
  const auto sound = io::ReadSystem("systems/EI-mini");
  ASSERT_TRUE(sound.ok()) << sound.status();
  const auto params = [](io::System& s) -> io::ParamList& {
    return s.params["default"]["ReducedCalciumSomaDendrite"]["default"];
  };
  const auto catalog = Catalog::Create(
      {Harmed(*sound, "a",
              [&](io::System& s) {
                params(s) = {{"EXC_PYR", {1.0}}};
              }),
       Harmed(*sound, "b",
              [&](io::System& s) {
                params(s) = {{"noise-tau_e", {-1.0}}};
              }),
       Harmed(*sound, "c",
              [](io::System& s) { s.params["default"]["ReducedCalciumSomaDendrite"].clear(); }),
       Harmed(*sound, "d",
              [](io::System& s) {
                s.model = io::ModelDocument{"nobody.Model", {}};
              }),
       Harmed(*sound, "e",
              [](io::System& s) {
                s.params.clear();
                s.projection_configs[0].mechanisms["default"][0].receptor = "GLUE";
              }),
       Harmed(*sound, "f", [](io::System& s) { s.synapse_sites[0] = {}; }),
       Harmed(*sound, "g",
              [](io::System& s) {
                auto& receptors = s.projection_configs[0].mechanisms;
                receptors["axon"] = receptors["default"];
              }),
       Harmed(*sound, "sound", [](io::System&) {})});
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  std::vector<std::string> ids, errors;
  for (const EnvironmentSpec& spec : catalog->specs()) ids.push_back(spec.id);
  EXPECT_THAT(ids, testing::IsSupersetOf({"Culture-sound-v0", "TargetRate-sound-v0"}));
  EXPECT_THAT(ids, testing::Each(testing::EndsWith("-sound-v0")));
  for (const absl::Status& status : catalog->left_out()) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    errors.emplace_back(status.message());
  }
  // Each of theirs is not offered, for that.
  std::map<std::string, std::string> why;
  for (const Catalog::NotOffered& one : catalog->not_offered()) {
    why[one.id] = std::string(one.why.message());
  }
  EXPECT_EQ(why["Culture-a-v0"], errors[0]);
  EXPECT_EQ(why["TargetRate-a-v0"], errors[0]);
  EXPECT_EQ(why["Pong-d-v0"], errors[3]);
  EXPECT_EQ(why.size(), ids.size() * errors.size());
  const auto names = [](const std::string& file, const std::string& what) {
    return testing::AllOf(HasSubstr("systems/EI-mini/" + file), HasSubstr(what));
  };
  EXPECT_THAT(errors,
              testing::ElementsAre(
                  names("params/default.json", "EXC_PYR"), names("params/default.json", "tau_e"),
                  names("params/default.json", "default"), names("model.json", "nobody.Model"),
                  names("graph.json", "GLUE"), names("cells.h5", "/Populations/EXC"),
                  names("graph.json", "axon")));
}

}  // namespace
}  // namespace livnd::env
