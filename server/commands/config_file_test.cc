#include "server/commands/config_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/field_error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::server {
namespace {

using ::testing::HasSubstr;

class ConfigFileTest : public ::testing::Test {
 protected:
  ConfigFileTest() : path_(absl::StrCat(::testing::TempDir(), "/config.yaml")) {
    flags_.String("config", "FILE", "this file", &config_);
    flags_.String("listen", "ADDRESS", "where", &listen_);
    flags_.Int("max-sessions", "N", "sessions", 1, 100, &max_sessions_);
    flags_.Int("max-envs", "N", "copies", 1, 100, &max_envs_);
    flags_.Timeout("idle-timeout", "TIME", "idle", &idle_);
    flags_.Switch("exit-with-stdin", "end", &exit_);
  }
  ~ConfigFileTest() override { unlink(path_.c_str()); }

  absl::Status Apply(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    return ApplyConfigFile(path_, flags_);
  }
  // The error that a file gives, which it must.
  FieldError Fault(const std::string& text) {
    const absl::Status status = Apply(text);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    const std::optional<FieldError> error = FieldErrorOf(status);
    EXPECT_TRUE(error.has_value()) << text << ": " << status;
    return error.value_or(FieldError());
  }
  std::string At(int line) const { return absl::StrCat(path_, ":", line); }

  const std::string path_;
  FlagSet flags_{"livnd test", "Tests."};
  std::string config_, listen_ = "default";
  int max_sessions_ = 5, max_envs_ = 6;
  absl::Duration idle_ = absl::Seconds(1);
  bool exit_ = false;
};

TEST_F(ConfigFileTest, GivesTheFlagsTheirValuesAndLeavesTheOthers) {
  ASSERT_EQ(Apply("# A comment.\n"
                  "listen: 127.0.0.1:5005\n"
                  "max-sessions: 7\n"
                  "idle-timeout: 30m  # half an hour\n"
                  "exit-with-stdin: true\n"),
            absl::OkStatus());
  EXPECT_EQ(listen_, "127.0.0.1:5005");
  EXPECT_EQ(max_sessions_, 7);
  EXPECT_EQ(max_envs_, 6);
  EXPECT_EQ(idle_, absl::Minutes(30));
  EXPECT_TRUE(exit_);
  ASSERT_EQ(Apply("{listen: \"unix:a b\", exit-with-stdin: false, idle-timeout: 90}"),
            absl::OkStatus());
  EXPECT_EQ(listen_, "unix:a b");
  EXPECT_FALSE(exit_);
  EXPECT_EQ(idle_, absl::Seconds(90));
  ASSERT_EQ(Apply("idle-timeout: never"), absl::OkStatus());
  EXPECT_EQ(idle_, absl::InfiniteDuration());
}

TEST_F(ConfigFileTest, MayBeEmpty) {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "{}", "\xEF\xBB\xBF"}) {
    EXPECT_EQ(Apply(text), absl::OkStatus()) << text;
  }
}

TEST_F(ConfigFileTest, AnUnknownKeyIsRefusedWithTheNearestName) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"max-session", "max-sessions"},
      {"max_sessions", "max-sessions"},
      {"max-env", "max-envs"},
      {"lisen", "listen"},
      {"exit-on-stdin", "exit-with-stdin"},
      {"Listen", "listen"},
      {"idletimeout", "idle-timeout"},
      {"--max-envs", "max-envs"}};
  for (const auto& [key, nearest] : cases) {
    const FieldError error = Fault(absl::StrCat("listen: here\n\n", key, ": 3\n"));
    EXPECT_EQ(error.file, At(3));
    EXPECT_EQ(error.field, absl::StrCat("'", key, "'"));
    EXPECT_EQ(error.value, kUnknownName);
    EXPECT_EQ(error.accepted, absl::StrCat(nearest,
                                           " (the nearest), or listen, max-sessions, max-envs, "
                                           "idle-timeout, exit-with-stdin"));
  }
}

TEST_F(ConfigFileTest, CannotNameAnotherFile) {
  EXPECT_EQ(Fault("config: other.yaml\n").field, "'config'");
  EXPECT_EQ(config_, "");
}

TEST_F(ConfigFileTest, AKeyThatComesTwiceIsRefused) {
  const FieldError error = Fault("max-envs: 1\nlisten: x\nmax-envs: 1\n");
  EXPECT_EQ(error.file, At(3));
  EXPECT_EQ(error.field, "max-envs");
  EXPECT_THAT(error.accepted, HasSubstr("line 1"));
}

TEST_F(ConfigFileTest, ValuesOfAnotherKindAreRefused) {
  // Setting, what the error shows of it, and part of what it accepts.
  const std::vector<std::vector<std::string>> cases = {
      {"max-sessions: many", "'many'", "1 .. 100"},
      {"max-sessions: 0", "'0'", "1 .. 100"},
      {"max-sessions: 101", "'101'", "1 .. 100"},
      {"max-sessions: 1.5", "'1.5'", "1 .. 100"},
      {"max-sessions: 0x10", "'0x10'", "1 .. 100"},
      {"max-sessions: \"7\"", "'7'", "without quotes"},
      {"max-sessions: !!int 7", "'7'", "1 .. 100"},
      {"max-sessions: true", "'true'", "1 .. 100"},
      {"max-sessions:", "nothing", "1 .. 100"},
      {"max-sessions: [7]", "a sequence", "1 .. 100"},
      {"max-sessions: {a: 7}", "a map", "1 .. 100"},
      {"listen:", "nothing", "ADDRESS"},
      {"listen: 5005", "'5005'", "in quotes"},
      {"listen: true", "'true'", "in quotes"},
      {"listen: [a, b]", "a sequence", "ADDRESS"},
      {"listen: \"a\\0b\"", "'a\\x00\\x62'", "ADDRESS"},
      {"listen: !own a", "'a'", "ADDRESS"},
      {"idle-timeout: soon", "'soon'", "30m"},
      {"idle-timeout: -1", "'-1'", "30m"},
      {"idle-timeout: .nan", "'.nan'", "30m"},
      {"idle-timeout: no", "'no'", "30m"},
      {"idle-timeout: true", "'true'", "30m"},
      {"exit-with-stdin: yes", "'yes'", "true or false"},
      {"exit-with-stdin: 1", "'1'", "true or false"},
      {"exit-with-stdin: \"true\"", "'true'", "true or false"},
      {"exit-with-stdin:", "nothing", "true or false"}};
  for (const std::vector<std::string>& bad : cases) {
    const FieldError error = Fault(absl::StrCat("# First.\n", bad[0], "\n"));
    EXPECT_EQ(error.file, At(2)) << bad[0];
    EXPECT_EQ(error.field, bad[0].substr(0, bad[0].find(':'))) << bad[0];
    EXPECT_EQ(error.value, bad[1]) << bad[0];
    EXPECT_THAT(error.accepted, HasSubstr(bad[2])) << bad[0];
  }
  EXPECT_EQ(max_sessions_, 5);
  EXPECT_EQ(listen_, "default");
  EXPECT_EQ(idle_, absl::Seconds(1));
  EXPECT_FALSE(exit_);
}

TEST_F(ConfigFileTest, WhatIsNoMapOfSettingsIsRefused) {
  for (const char* bad :
       {"text", "[a, b]", "? [a]\n: 1\n", "~: 1", "a: 1\n---\nb: 2\n", ",", ",a", "!!int ,"}) {
    EXPECT_THAT(Fault(bad).file, HasSubstr(path_)) << bad;
  }
}

TEST_F(ConfigFileTest, WhatIsNoYamlIsRefusedWithTheLine) {
  for (const char* bad : {"listen: here\nmax-envs: [1\n", "listen: here\n\tmax-envs: 1\n",
                          "listen: here\n  - x: y\n", "listen: here\nmax-envs: *absent\n"}) {
    const FieldError error = Fault(bad);
    EXPECT_THAT(error.file, HasSubstr(absl::StrCat(path_, ":"))) << bad;
    EXPECT_THAT(error.value, HasSubstr("no YAML")) << bad;
  }
}

TEST_F(ConfigFileTest, WhatCannotBeReadIsRefused) {
  const auto error = [&](const std::string& path) {
    const absl::Status status = ApplyConfigFile(path, flags_);
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
    return FieldErrorOf(status).value_or(FieldError()).value;
  };
  EXPECT_EQ(error(path_ + ".absent"), "No such file or directory");
  EXPECT_EQ(error(::testing::TempDir()), "no regular file");
  const std::string fifo = path_ + ".fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(error(fifo), "no regular file");
  unlink(fifo.c_str());
  EXPECT_EQ(Fault(std::string(kMaxConfigBytes + 1, '#')).value, "larger than that");
  EXPECT_EQ(Apply(std::string(kMaxConfigBytes, '#')), absl::OkStatus());
}

TEST_F(ConfigFileTest, ErrorsStayShortAndPlain) {
  for (const std::string& bad :
       {absl::StrCat(std::string(60'000, 'k'), ": 1"),
        absl::StrCat("max-envs: ", std::string(60'000, 'v')), std::string("\"a\\eb\": 1"),
        std::string("max-envs: \"a\\nb\\e\"")}) {
    const std::string message(Apply(bad).message());
    EXPECT_LT(message.size(), 1000u) << bad.substr(0, 20);
    EXPECT_EQ(message.find_first_of("\n\x1b"), std::string::npos) << bad.substr(0, 20);
  }
}

// Nested as deep as the size allows, and aliases that would unfold to 10^9 elements.
TEST_F(ConfigFileTest, HostileFilesAreRefused) {
  for (const char* open : {"[", "{a: ", "- ", "? ", "[{a: "}) {
    std::string deep;
    while (deep.size() + 8 < kMaxConfigBytes) deep += open;
    Fault(deep);
  }
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'j'; ++c) {
    const std::string before = absl::StrCat("*", std::string(1, static_cast<char>(c - 1)));
    absl::StrAppend(&laughs, std::string(1, c), ": &", std::string(1, c), " [", before);
    for (int i = 0; i < 9; ++i) absl::StrAppend(&laughs, ", ", before);
    laughs += "]\n";
  }
  EXPECT_EQ(Fault(laughs).field, "'a'");
  EXPECT_EQ(Fault("max-envs: &a [*a]\n").value, "a sequence");
  EXPECT_EQ(Fault("<<: {max-envs: 3}\n").field, "'<<'");
}

// Files of random bytes and of random pieces of YAML: taken or refused, nothing else.
TEST_F(ConfigFileTest, GarbageIsRefusedOrHarmless) {
  std::mt19937 random(1);
  const std::vector<std::string> pieces = {
      "max-envs", "listen", ": ", "\n", "- ", "[", "]",   "{",    "}", "&a ", "*a", "!!int ",
      "\"",       "'",      "\\", "#",  "|",  ">", "---", "...",  "%", "\t",  "  ", "1",
      "true",     "\0",     "\r", "?",  "@",  "`", "<<",  "\xff", "é", "0x1", "~",  ","};
  int refused = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    std::string text;
    const size_t length = random() % 40;
    for (size_t i = 0; i < length; ++i) {
      if (trial % 2 == 0) {
        text.push_back(static_cast<char>(random() % 256));
      } else {
        text += pieces[random() % pieces.size()];
      }
    }
    const absl::Status status = Apply(text);
    if (status.ok()) continue;
    ++refused;
    ASSERT_TRUE(FieldErrorOf(status).has_value()) << status;
  }
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace livnd::server
