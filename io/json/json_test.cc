#include <string>
#include <vector>

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
            "doc: nested deeper than 3 levels");
  EXPECT_TRUE(ParseJson("doc", R"({"a": 0, "b": [1, 2]})", limits).ok());
  EXPECT_EQ(Message(ParseJson("doc", R"({"a": 0, "b": 0, "c": 0})", limits).status()),
            "doc: an object has more than 2 members");
  EXPECT_EQ(Message(ParseJson("doc", std::string(41, ' '), limits).status()),
            "doc: larger than 40 bytes");
}

TEST(ParseJsonTest, RefusesWhatIsNotJson) {
  for (const char* text :
       {"", "{", "]", "[1,]", "{\"a\" 1}", "NaN", "1e999", "\"\xff\"", "[] []", "\"\\"}) {
    EXPECT_EQ(Message(ParseJson("doc", text).status()), "doc: not JSON") << text;
  }
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
  EXPECT_EQ(Message(items[2].Number().status()), "doc: a.b.2: found string, expected a number");
  EXPECT_EQ(Message(items[1].Integer(0, 3).status()),
            "doc: a.b.1: found 2.5, expected an integer from 0 to 3");
  EXPECT_EQ(Message(items[0].Integer(2, 3).status()),
            "doc: a.b.0: found 1, expected an integer from 2 to 3");
  EXPECT_EQ(Message(items[4].Number().status()), "doc: a.b.4: found boolean, expected a number");
  EXPECT_EQ(Message(list.Elements(2).status()), "doc: a.b: has 5 elements, expected 2");
  EXPECT_EQ(Message(list.Member("c").status()), "doc: a.b: found array, expected an object");
  EXPECT_EQ(Message(root.Member("c").status()), "doc: has no member \"c\"");
  EXPECT_FALSE(root.Find("n")->has_value());
  EXPECT_FALSE(root.Find("c")->has_value());
  EXPECT_TRUE(root.Find("a")->has_value());
  EXPECT_EQ(Message(root.CheckMembers({"a", "b"})), "doc: unknown member \"n\"; accepted are a, b");
}

}  // namespace
}  // namespace livnd::io
