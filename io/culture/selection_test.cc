#include "io/culture/selection.h"

#include <cmath>
#include <numeric>
#include <set>
#include <string>

#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/culture/numpy_random.h"
#include "io/json/json_file.h"

namespace livnd::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// 6 EXC and 3 INH cells on a line, 10 um apart, and 2 event sources.
System LineSystem() {
  System s;
  s.name = "line";
  s.directory = "line";
  s.graph_uuid = "g1";
  s.populations = {{"EXC", 0, 0, 6}, {"INH", 1, 6, 3}, {"SRC", 2, 9, 2}};
  for (int i = 0; i < 11; ++i) s.position_um.push_back({10.0 * i, 5.0, 0.0});
  s.selections["middle"] = {{{"EXC", {4, 3}}, {"INH", {6}}}, "g1"};
  s.selections["stale"] = {{{"EXC", {0}}}, "g0"};
  s.selections["unmarked"] = {{{"EXC", {0}}}, ""};
  s.selections["strange"] = {{{"EXC", {0}}, {"SRC", {9}}}, "g1"};
  s.selections["outside"] = {{{"EXC", {0, 6}}}, "g1"};
  return s;
}

absl::StatusOr<Selection> Resolve(const std::string& text, const System& system = LineSystem()) {
  const auto json = ParseJson("spec", text);
  if (!json.ok()) return json.status();
  const auto spec = ParseSelectionSpec(JsonView(*json, "spec"));
  if (!spec.ok()) return spec.status();
  return ResolveSelection(system, *spec, {"EXC", "INH"});
}

void ExpectGids(const std::string& text, const std::vector<int64_t>& exc,
                const std::vector<int64_t>& inh) {
  SCOPED_TRACE(text);
  const auto selection = Resolve(text);
  ASSERT_TRUE(selection.ok()) << selection.status();
  Selection expected;
  if (!exc.empty()) expected["EXC"] = exc;
  if (!inh.empty()) expected["INH"] = inh;
  EXPECT_EQ(*selection, expected);
}

TEST(ResolveSelectionTest, SharesACountBetweenPopulations) {
  ExpectGids("3", {0, 1}, {6});
  ExpectGids("9", {0, 1, 2, 3, 4, 5}, {6, 7, 8});
}

TEST(ResolveSelectionTest, TakesAFractionOfEachPopulation) {
  ExpectGids("0.5", {0, 1, 2}, {6, 7});  // 1.5 is even when rounded, as in Python
  ExpectGids("0.01", {0}, {6});
  ExpectGids("1.0", {0, 1, 2, 3, 4, 5}, {6, 7, 8});
}

TEST(ResolveSelectionTest, TakesCountsFractionsAndGidsByPopulation) {
  ExpectGids(R"({"EXC": 2, "INH": 0.34})", {0, 1}, {6});
  ExpectGids(R"({"INH": [8, 6]})", {}, {6, 8});
  ExpectGids(R"({"EXC": 0, "INH": 1})", {}, {6});
}

TEST(ResolveSelectionTest, TakesAPatchAboutTheMiddle) {
  ExpectGids(R"({"cells": 3, "method": "patch"})", {3, 4, 5}, {});
  // Two are equally far: the lower gid is taken.
  ExpectGids(R"({"cells": 2, "method": "patch"})", {3, 4}, {});
  ExpectGids(R"({"cells": 0.25, "method": "patch"})", {2, 3, 4, 5}, {6});
  ExpectGids(R"({"cells": 1.0, "method": "patch"})", {0, 1, 2, 3, 4, 5}, {6, 7, 8});
  ExpectGids(R"({"method": "patch", "bounds": [[70, 0], [50, 5]]})", {5}, {6, 7});
  ExpectGids(R"({"method": "patch", "cells": {"EXC": [1]}})", {1}, {});
}

TEST(ResolveSelectionTest, FindsStoredSelections) {
  ExpectGids(R"("middle")", {3, 4}, {6});
  ExpectGids(R"("unmarked")", {0}, {});
}

TEST(ResolveSelectionTest, RandomChoicesDependOnTheSeedAlone) {
  const auto a = Resolve(R"({"cells": {"EXC": 3}, "method": "random", "seed": 1})");
  const auto b = Resolve(R"({"cells": {"EXC": 3}, "method": "random", "seed": 1})");
  ASSERT_TRUE(a.ok()) << a.status();
  EXPECT_EQ(*a, *b);
  std::set<std::vector<int64_t>> different;
  for (int seed = 0; seed < 20; ++seed) {
    const auto s = Resolve(R"({"cells": {"EXC": 3}, "method": "random", "seed": )" +
                           std::to_string(seed) + "}");
    different.insert(s->at("EXC"));
  }
  EXPECT_GT(different.size(), 5u);
}

TEST(ResolveSelectionTest, RefusesWhatCannotBeBuilt) {
  const struct {
    const char *spec, *field, *value, *accepted;
  } kCases[] = {
      {"10", "cells", "10", "0 .. 9 (cells)"},
      {R"({"EXC": 7})", "cells[EXC]", "7", "0 .. 6 (cells)"},
      {"1.5", "cells", "1.5", "a fraction > 0 and <= 1"},
      {"0.0", "cells", "0", "a fraction > 0 and <= 1"},
      {R"({"EXC": -0.5})", "cells[EXC]", "-0.5", "a fraction > 0 and <= 1"},
      {R"({"EXC": [5, 6]})", "cells[EXC][1]", "6", "0 .. 5 (gids)"},
      {R"({"EXC": [5, 1, 5]})", "cells[EXC][2]", "5 for the second time", "each gid once"},
      {R"({"SRC": 1})", "cells[SRC]", "an unknown name", "EXC, INH"},
      {"0", "cells", "what comes to no cell at all", "at least one cell"},
      {R"({"EXC": []})", "cells", "what comes to no cell at all", "at least one cell"},
      {R"({"method": "patch", "bounds": [[300, 0], [400, 5]]})", "bounds",
       "what comes to no cell at all", "at least one cell"},
      {R"({"cells": 3, "bounds": [[0, 0], [1, 1]]})", "bounds", "present", "'patch' alone"},
      {R"({"cells": {"EXC": 2}, "method": "patch"})", "cells[EXC]",
       "a count or fraction of one population", "a fraction of the area"},
      {R"({"cells": 2.0, "method": "patch"})", "cells", "2", "a fraction > 0 and <= 1"},
      {R"({"method": "random"})", "cells", "absent", "or bounds"},
      {R"({"cells": "middle", "method": "random"})", "method", "present", "neither method"},
      {R"("e1")", "cells", "e1", "middle, outside, stale, strange"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Resolve(c.spec).status(), IsFieldError(c.field, c.value, HasSubstr(c.accepted)));
  }
  EXPECT_THAT(Resolve(R"("e1")", System()).status(),
              IsFieldError("cells", "e1", HasSubstr("has no stored selections")));
}

TEST(ResolveSelectionTest, FaultsOfStoredOnesLieInTheirFiles) {
  EXPECT_THAT(Resolve(R"("stale")").status(),
              IsFileError("line/selection/stale.json", "meta.graph", "g0", "g1"));
  EXPECT_THAT(
      Resolve(R"("strange")").status(),
      IsFileError("line/selection/strange.json", "gids.SRC", "an unknown name", "EXC, INH"));
  EXPECT_THAT(
      Resolve(R"("outside")").status(),
      IsFileError("line/selection/outside.json", HasSubstr("gids.EXC["), "6", "0 .. 5 (gids)"));
}

TEST(ParseSelectionSpecTest, RefusesOtherForms) {
  for (const char* text :
       {"true", "null", "[1, 2]", "-1", R"({"EXC": "all"})", R"({"EXC": [1.5]})", R"({"EXC": -1})",
        R"({"cells": 2, "method": "best"})", R"({"cells": 2, "seed": -1})",
        R"({"method": "patch", "bounds": [[0, 0]]})", R"({"method": "patch", "bounds": 3})"}) {
    const absl::Status status = Resolve(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(status.message(), HasSubstr("spec")) << text;
  }
}

TEST(NumpyRandomTest, ChoosesEachNumberAtMostOnceFromEverySizeOfPopulation) {
  for (int64_t population : {1, 2, 50, 10000, 10001, 20000}) {
    for (int64_t size : {int64_t{0}, int64_t{1}, population / 60, population}) {
      NumpyRandom random(5);
      const std::vector<int64_t> chosen = random.Choice(population, size);
      ASSERT_EQ(static_cast<int64_t>(chosen.size()), size);
      const std::set<int64_t> distinct(chosen.begin(), chosen.end());
      EXPECT_EQ(distinct.size(), chosen.size());
      for (int64_t x : chosen) EXPECT_TRUE(x >= 0 && x < population);
    }
  }
}

}  // namespace
}  // namespace livnd::io
