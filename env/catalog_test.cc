#include "env/catalog.h"

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
  EXPECT_THAT(ids,
              testing::ElementsAre("Culture-EI-100-v0", "Culture-EI-mini-v0", "Culture-bare-v0",
                                   "TargetRate-EI-100-v0", "TargetRate-EI-mini-v0"));
  EXPECT_EQ(catalog->Find("TargetRate-bare-v0"), nullptr);
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

}  // namespace
}  // namespace livnd::env
