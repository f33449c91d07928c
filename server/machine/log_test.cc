#include "server/machine/log.h"

#include <string>

#include "google/protobuf/stubs/logging.h"
#include "grpc/support/log.h"
#include "gtest/gtest.h"
#include "server/machine/library_logs.h"

namespace livnd::server {
namespace {

// What `write` writes to standard error.
template <typename Write>
std::string Captured(Write write) {
  testing::internal::CaptureStderr();
  write();
  return testing::internal::GetCapturedStderr();
}

std::string TextOf(const std::string& line) { return line.substr(31, line.size() - 32); }

TEST(LogTest, ALineHasTimeSeverityAndText) {
  const std::string line = Captured([] { LogWarning("so ", 3, " of them"); });
  EXPECT_EQ(line.substr(23, 8), "Z warn  ");
  EXPECT_EQ(TextOf(line), "so 3 of them");
}

TEST(LogTest, WhatIsNotPrintableIsEscaped) {
  const std::string text = std::string("a\nb\x1b[2J\x7f\r\0", 10) + "\x9b" +
                           "2J \xc2\x9b \xc3 \xe0\x80\x80 \xed\xa0\x80 \xff";
  EXPECT_EQ(TextOf(Captured([&] { LogInfo(text); })),
            "a\\x0ab\\x1b[2J\\x7f\\x0d\\x00\\x9b2J \\xc2\\x9b \\xc3 \\xe0\\x80\\x80 "
            "\\xed\\xa0\\x80 \\xff");
}

TEST(LogTest, PrintableCharactersStay) {
  const std::string text = "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa7\xa0 ~\\";
  EXPECT_EQ(TextOf(Captured([&] { LogInfo(text); })), text);
}

LogFields SomeFields() {
  return {{"session", "0123abcd"},
          {"error", "a \"b\"\n\\"},
          {"empty", ""},
          {"num_envs", 64},
          {"duration_ms", absl::Microseconds(1'234'567)},
          {"timeout_ms", absl::InfiniteDuration()}};
}

TEST(LogTest, FieldsFollowTheText) {
  EXPECT_EQ(TextOf(Captured([] { LogLine(Severity::kInfo, "made it", SomeFields()); })),
            "made it session=0123abcd error=\"a \\\"b\\\"\\\\x0a\\\\\" empty=\"\" num_envs=64 "
            "duration_ms=1234.567 timeout_ms=never");
}

TEST(LogTest, ALineMayBeAnObjectOfJson) {
  ConfigureLog(LogFormat::kJson, Severity::kDebug);
  const std::string line =
      Captured([] { LogLine(Severity::kWarning, "made \"it\"\xff", SomeFields()); });
  ConfigureLog(LogFormat::kText, Severity::kInfo);
  ASSERT_EQ(line.substr(0, 9), "{\"time\":\"");
  EXPECT_EQ(line.substr(33),
            "\",\"level\":\"warning\",\"message\":\"made \\\"it\\\"\\\\xff\","
            "\"session\":\"0123abcd\",\"error\":\"a \\\"b\\\"\\\\x0a\\\\\",\"empty\":\"\","
            "\"num_envs\":64,\"duration_ms\":1234.567,\"timeout_ms\":\"never\"}\n");
}

TEST(LogTest, WhatIsBelowTheLevelIsLeftOut) {
  EXPECT_EQ(Captured([] { LogLine(Severity::kDebug, "x"); }), "");
  EXPECT_TRUE(IsLogged(Severity::kInfo));
  ConfigureLog(LogFormat::kText, Severity::kError);
  EXPECT_FALSE(IsLogged(Severity::kWarning));
  EXPECT_EQ(Captured([] { LogWarning("x"); }), "");
  EXPECT_NE(Captured([] { LogError("x"); }), "");
  ConfigureLog(LogFormat::kText, Severity::kInfo);
}

TEST(LogTest, LinesOfTheLibrariesAreLinesOfTheLog) {
  TakeLibraryLogs();
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);  // gRPC's default, once it is in use
  const std::string grpc = Captured([] { gpr_log("dir/a.cc", 7, GPR_LOG_SEVERITY_ERROR, "x\ny"); });
  EXPECT_EQ(TextOf(grpc), "gRPC: x\\x0ay (a.cc:7)");
  EXPECT_EQ(grpc.substr(25, 5), "warn ");
  const std::string protobuf = Captured([] { GOOGLE_LOG(ERROR) << "x\ny"; });
  EXPECT_NE(protobuf.find("protobuf: x\\x0ay (log_test.cc:"), std::string::npos) << protobuf;
}

TEST(LogTest, ALineOfALibraryIsCut) {
  TakeLibraryLogs();
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);  // gRPC's default, once it is in use
  const std::string text(100'000, 'x');
  EXPECT_LT(
      Captured([&] { gpr_log("a.cc", 7, GPR_LOG_SEVERITY_ERROR, "%s", text.c_str()); }).size(),
      1100u);
}

}  // namespace
}  // namespace livnd::server
