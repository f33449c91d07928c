#include <cmath>
#include <string>
#include <vector>

#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"

namespace livnd::io {
namespace {

using testing::ElementsAre;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(ParseJsonTest, KeepsTheOrderOfMembers) {
  const auto json = ParseJson("doc", R"({"b": 1, "a": [2, "x,{"], "c\"}": {}})");
  ASSERT_TRUE(json.ok()) << json.status();
  std::vector<std::string> names;
  for (const auto& [name, value] : json->items()) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("b", "a", "c\"}"));
}

TEST(ParseJsonTest, Limits) {
  const JsonLimits limits = {/*max_bytes=*/40, /*max_depth=*/3, /*max_members=*/2};
  EXPECT_TRUE(ParseJson("doc", R"([[[1, 2, 3, 4]]])", limits).ok());
  EXPECT_EQ(Message(ParseJson("doc", "[[[[]]]]", limits).status()),
            "doc is nested deeper than 3 levels; accepted: JSON of fewer levels");
  EXPECT_TRUE(ParseJson("doc", R"({"a": 0, "b": [1, 2]})", limits).ok());
  EXPECT_EQ(Message(ParseJson("doc", R"({"a": 0, "b": 0, "c": 0})", limits).status()),
            "doc is one with an object of more than 2 members; accepted: objects of fewer members");
  EXPECT_EQ(Message(ParseJson("doc", std::string(41, ' '), limits).status()),
            "doc is larger; accepted: at most 40 bytes");
}

TEST(ParseJsonTest, RefusesWhatIsNotJson) {
  for (const char* text :
       {"", "{", "]", "[1,]", "{\"a\" 1}", "NaN", "1e999", "\"\xff\"", "[] []", "\"\\"}) {
    EXPECT_EQ(Message(ParseJson("doc", text).status()), "doc is not JSON; accepted: JSON") << text;
  }
}

TEST(JsonViewTest, NumbersThatJsonCannotNameAreNamed) {
  const Json json = {-std::nan(""), HUGE_VAL, -HUGE_VAL};
  const std::vector<JsonView> items = *JsonView(json, "doc").Elements(3);
  EXPECT_THAT(items[0].Number().status(), IsFileError("doc", "[0]", "nan", "a finite number"));
  EXPECT_THAT(items[1].Number().status(), IsFileError("doc", "[1]", "inf", "a finite number"));
  EXPECT_THAT(items[2].Number().status(), IsFileError("doc", "[2]", "-inf", "a finite number"));
}

TEST(JsonViewTest, ErrorsNameThePlace) {
  const Json json = *ParseJson("doc", R"({"a": {"b": [1, 2.5, "x", null, true]}, "n": null})");
  const JsonView root(json, "doc");
  const JsonView list = *root.Member("a")->Member("b");
  const std::vector<JsonView> items = *list.Elements(5);
  EXPECT_EQ(*items[0].Integer(0, 3), 1);
  EXPECT_EQ(*items[1].Number(), 2.5);
  EXPECT_EQ(*items[2].String(), "x");
  EXPECT_TRUE(items[3].is_null());
  EXPECT_EQ(Message(items[2].Number().status()), "doc: a.b[2] is \"x\"; accepted: a number");
  EXPECT_THAT(items[2].Number().status(), IsFileError("doc", "a.b[2]", "\"x\"", "a number"));
  EXPECT_THAT(items[1].Integer(0, 3).status(),
              IsFileError("doc", "a.b[1]", "2.5", "an integer from 0 to 3"));
  EXPECT_THAT(items[0].Integer(2, 3).status(),
              IsFileError("doc", "a.b[0]", "1", "an integer from 2 to 3"));
  EXPECT_THAT(items[4].Number().status(), IsFileError("doc", "a.b[4]", "true", "a number"));
  EXPECT_THAT(list.Elements(2).status(),
              IsFileError("doc", "a.b", "an array of 5 elements", "an array of 2 elements"));
  EXPECT_THAT(list.Member("c").status(),
              IsFileError("doc", "a.b", "an array of 5 elements", "an object"));
  EXPECT_THAT(root.Member("c").status(), IsFileError("doc", "c", "absent", "a value"));
  EXPECT_THAT(root.Member("a")->Refused("x"),
              IsFileError("doc", "a", "an object of 1 members", "x"));
  EXPECT_THAT(items[1].Within(MakeFieldError("[3].c", "v", "x")),
              IsFileError("doc", "a.b[1][3].c", "v", "x"));
  EXPECT_FALSE(root.Find("n")->has_value());
  EXPECT_FALSE(root.Find("c")->has_value());
  EXPECT_TRUE(root.Find("a")->has_value());
  EXPECT_THAT(root.CheckMembers({"a", "b"}), IsFileError("doc", "n", kUnknownName, "a, b"));
  const Json text = std::string(100, 'x');
  EXPECT_EQ(JsonView(text, "doc").Shown(), "\"" + std::string(59, 'x') + "...");
}

}  // namespace
}  // namespace livnd::io
