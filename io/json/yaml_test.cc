#include "io/json/yaml.h"

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::io {
namespace {

using testing::_;
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
  EXPECT_THAT(error("a: 1\nb: caf\xe9\n"),
              IsFileError("doc:2", "", "text that is no UTF-8", "UTF-8"));
  EXPECT_THAT(error("a: 1\ncaf\xe9: 2\n"),
              IsFileError("doc:2", "", "text that is no UTF-8", "UTF-8"));
  EXPECT_TRUE(error("# caf\xe9\na: caf\xc3\xa9\n").ok());
  EXPECT_THAT(error(","), IsFileError(HasSubstr("doc"), "", _, _));
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

// --- files ---------------------------------------------------------------------------------------

class ReadYamlFileTest : public testing::Test {
 protected:
  ReadYamlFileTest() : path_(absl::StrCat(testing::TempDir(), "/yaml_test_", getpid())) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_ + "/folder/below");
  }
  ~ReadYamlFileTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string Write(absl::string_view name, absl::string_view text) const {
    const std::string path = absl::StrCat(path_, "/", name);
    std::ofstream(path) << text;
    return path;
  }
  std::string path(absl::string_view name) const { return absl::StrCat(path_, "/", name); }

 private:
  const std::string path_;
};

TEST_F(ReadYamlFileTest, IncludesFilesByThePlaceOfTheFileThatNamesThem) {
  Write("folder/below/one.yml", "{a: !include two.yml, b: 1}");
  Write("folder/below/two.yml", "[1, x]");
  Write("folder/three.yml", "text");
  const std::string main =
      Write("folder/main.yml", "k: !include below/one.yml\nl: [!include three.yml, 2]\n");
  EXPECT_EQ(ReadYamlFile(main).value(),
            Json::parse(R"({"k": {"a": [1, "x"], "b": 1}, "l": ["text", 2]})"));
  Write("folder/all.yml", "!include main.yml");
  EXPECT_EQ(ReadYamlFile(path("folder/all.yml")).value(), ReadYamlFile(main).value());
  // From a folder without a name.
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(path("folder"));
  EXPECT_EQ(ReadYamlFile("all.yml")->size(), 2u);
  std::filesystem::current_path(before);
}

TEST_F(ReadYamlFileTest, RefusesFilesElsewhere) {
  Write("secret.yml", "password");
  std::filesystem::create_symlink("../secret.yml", path("folder/link.yml"));
  std::filesystem::create_symlink("below", path("folder/same"));
  Write("folder/below/one.yml", "1");
  const auto error = [&](const std::string& text) {
    return ReadYamlFile(Write("folder/main.yml", "a: 1\nb: " + text)).status();
  };
  const std::string line = path("folder/main.yml:2");
  const std::string accepted = "the relative path of a file in the same folder or below it";
  for (const std::string& name :
       {std::string("../secret.yml"), path("secret.yml"), std::string("below/../../secret.yml"),
        std::string("link.yml"), std::string("absent.yml"), std::string("''")}) {
    EXPECT_THAT(error("!include " + name),
                IsFileError(line, "", testing::StartsWith("!include "), accepted))
        << name;
  }
  EXPECT_TRUE(error("!include same/one.yml").ok());
  EXPECT_THAT(error("!include below"), IsFileError(path("folder/below"), "", "no regular file",
                                                   HasSubstr("a file of YAML")));
  EXPECT_THAT(error("!include [below/one.yml]"), IsFileError(line, "", HasSubstr("a tag"), _));
  EXPECT_THAT(error("1\n!include x: 3"),
              IsFileError(path("folder/main.yml:3"), "", HasSubstr("a tag"), _));
  EXPECT_THAT(error("!includes below/one.yml"), IsFileError(line, "", HasSubstr("a tag"), _));
  EXPECT_THAT(ReadYamlFile(path("absent.yml")).status(),
              IsFileError(path("absent.yml"), "", "No such file or directory", _));
  // What is wrong within is told of the file that it is in.
  Write("folder/below/one.yml", "a: 1\na: 2");
  EXPECT_THAT(error("!include below/one.yml"),
              IsFileError(path("folder/below/one.yml:2"), "", HasSubstr("second time"), _));
}

TEST_F(ReadYamlFileTest, IsBounded) {
  const std::string self = Write("folder/self.yml", "a: !include self.yml");
  EXPECT_THAT(ReadYamlFile(self).status(),
              IsFileError(path("folder/self.yml:1"), "", "an include within 8 others",
                          HasSubstr("include each other")));
  YamlFileLimits limits;
  limits.max_files = 3;
  Write("folder/one.yml", "1");
  const std::string many =
      Write("folder/many.yml", "[!include one.yml, !include one.yml, !include one.yml]");
  EXPECT_TRUE(ReadYamlFile(many).ok());
  EXPECT_THAT(ReadYamlFile(many, limits).status(),
              IsFileError(path("folder/one.yml"), "", "one file more", "at most 3 files"));
  limits = {};
  limits.file.max_bytes = 60;  // 54 of the first
  EXPECT_TRUE(ReadYamlFile(many, limits).ok());
  Write("folder/one.yml", "1234");
  EXPECT_THAT(ReadYamlFile(many, limits).status(),
              IsFileError(path("folder/one.yml"), "", "larger than that", HasSubstr("60 bytes")));
}

}  // namespace
}  // namespace livnd::io
