#include "server/commands/flags.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::server {
namespace {

class FlagsTest : public ::testing::Test {
 protected:
  FlagsTest() : flags_("livnd test FILE", "Tests.") {
    flags_.String("name", "NAME", "a name", &name_);
    flags_.Int("count", "N", "a count", 1, 9, &count_);
    flags_.Timeout("timeout", "TIME", "a time", &timeout_);
    flags_.Switch("fast", "no waiting", &fast_);
  }
  absl::StatusOr<FlagSet::Parsed> Parse(const std::vector<std::string>& args) {
    return flags_.Parse(args);
  }
  std::string Error(const std::vector<std::string>& args) {
    return std::string(Parse(args).status().message());
  }

  FlagSet flags_;
  std::string name_ = "default";
  int count_ = 5;
  absl::Duration timeout_ = absl::Seconds(1);
  bool fast_ = false;
};

TEST_F(FlagsTest, DefaultsStayWhereNothingIsGiven) {
  ASSERT_TRUE(Parse({}).ok());
  EXPECT_EQ(name_, "default");
  EXPECT_EQ(count_, 5);
  EXPECT_FALSE(fast_);
}

TEST_F(FlagsTest, TakesBothFormsSwitchesAndPositionals) {
  const auto parsed = Parse({"one", "--name", "x", "--count=7", "--fast", "two", "--", "--three"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(name_, "x");
  EXPECT_EQ(count_, 7);
  EXPECT_TRUE(fast_);
  EXPECT_EQ(parsed->positional, (std::vector<std::string>{"one", "two", "--three"}));
  EXPECT_EQ(parsed->given, (std::set<std::string>{"name", "count", "fast"}));
}

TEST_F(FlagsTest, AnUnknownFlagIsRefusedWithWhatIsAccepted) {
  EXPECT_EQ(Error({"--nmae", "x"}),
            "unknown flag --nmae; accepted: --name, --count, --timeout, --fast, --help");
  EXPECT_FALSE(Parse({"-x"}).ok());
}

TEST_F(FlagsTest, BadValuesAreRefused) {
  for (const char* bad : {"0", "10", "x", "", "1.5", "99999999999"}) {
    EXPECT_EQ(Error({"--count", bad}), std::string("--count is '") + bad + "'; accepted: 1 .. 9");
  }
  EXPECT_FALSE(Parse({"--count"}).ok());
  EXPECT_FALSE(Parse({"--fast=yes"}).ok());
  EXPECT_FALSE(Parse({"--name", "a", "--name", "b"}).ok());
}

TEST_F(FlagsTest, ASwitchCanBeTurnedOff) {
  fast_ = true;
  ASSERT_TRUE(Parse({"--fast=false"}).ok());
  EXPECT_FALSE(fast_);
  ASSERT_TRUE(Parse({"--fast=true"}).ok());
  EXPECT_TRUE(fast_);
  EXPECT_EQ(Error({"--fast="}), "--fast is ''; accepted: true or false");
  EXPECT_EQ(Parse({"--fast", "false"})->positional, std::vector<std::string>{"false"});
}

TEST_F(FlagsTest, TimesHaveUnitsOrAreSeconds) {
  const std::vector<std::pair<std::string, absl::Duration>> good = {
      {"90", absl::Seconds(90)},           {"0.25", absl::Milliseconds(250)},
      {"30m", absl::Minutes(30)},          {"1h30m", absl::Minutes(90)},
      {"never", absl::InfiniteDuration()}, {"0", absl::InfiniteDuration()},
      {"0s", absl::InfiniteDuration()}};
  for (const auto& [text, duration] : good) {
    ASSERT_TRUE(Parse({"--timeout", text}).ok()) << text;
    EXPECT_EQ(timeout_, duration) << text;
  }
  for (const char* bad : {"-1", "x", "", "nan", "-5m", "5 m"}) {
    EXPECT_FALSE(Parse({"--timeout", bad}).ok()) << bad;
  }
}

TEST_F(FlagsTest, ATimeoutOfNoTimeIsNoneAndIsToldSo) {
  EXPECT_EQ(Error({"--timeout", "x"}),
            "--timeout is 'x'; accepted: seconds, 90s, 30m or 1h; 0 or never for no limit");
}

TEST_F(FlagsTest, TextIsNotEmpty) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"--name", ""}, {"--name="}}) {
    EXPECT_EQ(Error(args), "--name is ''; accepted: text that is not empty");
  }
  EXPECT_EQ(name_, "default");
}

TEST_F(FlagsTest, NoArgumentIsEmpty) {
  EXPECT_EQ(Error({""}), "an argument is empty; try --help");
  EXPECT_EQ(Error({"one", "--", ""}), "an argument is empty; try --help");
}

TEST_F(FlagsTest, HelpIsASwitch) {
  EXPECT_EQ(Error({"--help=1"}), "--help is '1'; accepted: true or false");
  EXPECT_EQ(Error({"--help="}), "--help is ''; accepted: true or false");
  EXPECT_TRUE(Parse({"--help=true"})->help);
  const auto parsed = Parse({"--help=false", "one"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_FALSE(parsed->help);
  EXPECT_EQ(parsed->positional, std::vector<std::string>{"one"});
}

TEST_F(FlagsTest, HelpListsEveryFlag) {
  ASSERT_TRUE(Parse({"--help"}).ok());
  EXPECT_TRUE(Parse({"--name", "x", "-h"})->help);
  for (const char* part : {"livnd test FILE", "--name NAME", "--count N", "--fast", "no waiting"}) {
    EXPECT_NE(flags_.Help().find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace livnd::server
