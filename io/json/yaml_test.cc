#include "io/json/yaml.h"

#include <cmath>
#include <string>

#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::io {
namespace {

using testing::HasSubstr;

Json Parsed(absl::string_view text) {
  const auto json = ParseYaml("doc", text);
  EXPECT_TRUE(json.ok()) << json.status();
  return json.ok() ? *json : Json("an error");
}

TEST(ParseYamlTest, ScalarsAreThoseOfTheCoreSchema) {
  EXPECT_EQ(Parsed("[3, -4, +5, 1.5, 1e3, .5, true, False, null, ~, , '3', \"x\", 1-2, on]"),
            Json::parse(R"([3, -4, 5, 1.5, 1e3, 0.5, true, false, null, null, null, "3", "x",
                            "1-2", "on"])"));
  EXPECT_TRUE(Parsed("3").is_number_integer());
  EXPECT_TRUE(Parsed("3.0").is_number_float());
  EXPECT_TRUE(std::isnan(Parsed(".nan").get<double>()));
  EXPECT_EQ(Parsed("-.inf").get<double>(), -HUGE_VAL);
}

TEST(ParseYamlTest, MapsKeepTheirOrder) {
  EXPECT_EQ(Parsed("b: 1\na:\n  - {x: [1, 2]}\n  - y\n").dump(),
            R"({"b":1,"a":[{"x":[1,2]},"y"]})");
  EXPECT_EQ(Parsed(R"({"b": 1, "a": [{"x": []}]})").dump(), R"({"b":1,"a":[{"x":[]}]})");
  EXPECT_TRUE(Parsed("").is_null());
  EXPECT_TRUE(Parsed("# nothing\n").is_null());
}

TEST(ParseYamlTest, ErrorsTellTheLine) {
  const auto error = [](absl::string_view text) { return ParseYaml("doc", text).status(); };
  EXPECT_THAT(error("a: 1\nb: [1,"),
              IsFileError(HasSubstr("doc:"), "", HasSubstr("no YAML"), "one document of YAML"));
  EXPECT_THAT(error("a: 1\n\na: 2\n"),
              IsFileError("doc:3", "", "a key for the second time, a", "each key once"));
  EXPECT_THAT(error("a: &x 1\nb: *x\n"), IsFileError("doc:1", "", "an anchor", "a value without"));
  EXPECT_THAT(error("a: 1\nb: !!str 2\n"),
              IsFileError("doc:2", "", HasSubstr("a tag"), "a value without"));
  EXPECT_THAT(error("? [1, 2]\n: 3\n"),
              IsFileError("doc:1", "", "a key that is a map or a sequence", "a text"));
  EXPECT_THAT(error("a: 1\n---\nb: 2\n"),
              IsFileError("doc", "", "more than one document", "one document of YAML"));
  EXPECT_THAT(error(","), IsFileError(HasSubstr("doc"), "", testing::_, testing::_));
}

TEST(ParseYamlTest, Limits) {
  const JsonLimits limits = {/*max_bytes=*/40, /*max_depth=*/3, /*max_members=*/2};
  EXPECT_TRUE(ParseYaml("doc", "[[[1, 2, 3, 4]]]", limits).ok());
  EXPECT_THAT(ParseYaml("doc", "[[[[1]]]]", limits).status(),
              IsFileError("doc:1", "", "more within", "a depth of at most 3"));
  EXPECT_TRUE(ParseYaml("doc", "{a: 1, b: 2}", limits).ok());
  EXPECT_THAT(ParseYaml("doc", "{a: 1, b: 2, c: 3}", limits).status(),
              IsFileError("doc:1", "", "one more", "a map of at most 2"));
  EXPECT_THAT(ParseYaml("doc", std::string(41, ' '), limits).status(),
              IsFileError("doc", "", "41 bytes", "at most 40"));
  EXPECT_FALSE(ParseYaml("doc", std::string(100000, '[')).ok());
}

}  // namespace
}  // namespace livnd::io
