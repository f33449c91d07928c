#include "server/wire/errors.h"

#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "livnd/v1/error_reason.pb.h"

namespace livnd::server {
namespace {

TEST(ErrorsTest, AnInvalidFieldNamesFieldValueAndWhatIsAccepted) {
  const grpc::Status status = ToGrpc(InvalidField("num_envs", "0", "1 .. 64"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "num_envs is 0; accepted: 1 .. 64");

  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), 3);
  EXPECT_EQ(details.message(), status.error_message());
  ASSERT_EQ(details.details_size(), 1);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "INVALID_FIELD");
  EXPECT_EQ(info.domain(), "livnd");
  EXPECT_EQ(info.metadata().at("field"), "num_envs");
  EXPECT_EQ(info.metadata().at("value"), "0");
  EXPECT_EQ(info.metadata().at("accepted"), "1 .. 64");
}

TEST(ErrorsTest, EveryReasonIsInTheContract) {
  const absl::string_view reasons[] = {
      reason::kInvalidField,      reason::kMalformedMessage, reason::kPayloadMismatch,
      reason::kUnknownMethod,     reason::kUnknownSystem,    reason::kUnknownEnvironment,
      reason::kUnknownSession,    reason::kTooManySessions,  reason::kTooManyEnvs,
      reason::kTooManyCalls,      reason::kTooManySpikes,    reason::kAnswerTooLarge,
      reason::kWrongOpIndex,      reason::kNotReset,         reason::kEpisodeEnded,
      reason::kNotACulture,       reason::kNotATask,         reason::kRunStarted,
      reason::kNumericalFailure,  reason::kBadSystem,        reason::kSnapshotMismatch,
      reason::kStateNotWritten,   reason::kSuperseded,       reason::kUnauthenticated,
      reason::kNotAdmin,          reason::kOutOfMemory,      reason::kQuotaExceeded,
      reason::kTooBusy,           reason::kShuttingDown,     reason::kInternal,
      reason::kUnknownRecording,  reason::kAlreadyRecording, reason::kNotRecording,
      reason::kRecordingUnderWay, reason::kBadRecording};
  for (const absl::string_view name : reasons) {
    v1::ErrorReason value;
    EXPECT_TRUE(v1::ErrorReason_Parse(absl::StrCat("ERROR_REASON_", name), &value)) << name;
  }
  EXPECT_EQ(std::size(reasons),
            static_cast<size_t>(v1::ErrorReason_descriptor()->value_count()) - 1);
}

google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_TRUE(details.details_size() == 1 && details.details(0).UnpackTo(&info));
  return info;
}

TEST(ErrorsTest, AFieldErrorTravelsAsItIs) {
  const grpc::Status status = ToGrpc(AtField("run", MakeFieldError("duration_ms", "-1", "0 .. 9")));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "run.duration_ms is -1; accepted: 0 .. 9");
  const google::rpc::ErrorInfo info = InfoOf(status);
  EXPECT_EQ(info.reason(), "INVALID_FIELD");
  EXPECT_EQ(info.metadata().at("field"), "run.duration_ms");
  EXPECT_EQ(info.metadata().at("value"), "-1");
  EXPECT_EQ(info.metadata().at("accepted"), "0 .. 9");
}

TEST(ErrorsTest, AFaultOfAFileIsTheSystems) {
  const grpc::Status status =
      ToGrpc(InFile("EI/mea.json", MakeFieldError("input_radius", "x", "y")));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), "EI/mea.json: input_radius is x; accepted: y");
  const google::rpc::ErrorInfo info = InfoOf(status);
  EXPECT_EQ(info.reason(), "BAD_SYSTEM");
  EXPECT_EQ(info.metadata().at("file"), "EI/mea.json");
  EXPECT_EQ(info.metadata().at("field"), "input_radius");
}

TEST(ErrorsTest, OkStaysOk) { EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok()); }

TEST(ErrorsTest, AnErrorWithoutInfoIsADefectOfTheServerAndKeepsItsCode) {
  const grpc::Status status = ToGrpc(absl::DataLossError("gone"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "INTERNAL");
}

TEST(ErrorsTest, WhatAClientSentIsCutAndEscaped) {
  const std::string hostile = std::string("\0\n\xff", 3) + std::string(1 << 20, 'x');
  const absl::Status status = NotFound(reason::kUnknownSystem, "system", hostile, hostile);
  const std::string value = MetadataOf(status, "value");
  EXPECT_EQ(value.substr(0, 12), "\\x00\\x0a\\xff");
  EXPECT_LE(value.size(), 400u);
  EXPECT_EQ(value.substr(value.size() - 3), "...");
  // A client takes 8 KiB of metadata; details travel in base64.
  const grpc::Status wire = ToGrpc(status);
  EXPECT_LT(wire.error_message().size() + wire.error_details().size() * 4 / 3, 7000u);
}

TEST(ErrorsTest, AFullServerSaysWhenToTryAgain) {
  const absl::Status status = OutOfMemory("a step", 3000, 200, /*may_retry=*/true);
  EXPECT_EQ(ReasonOf(status), reason::kOutOfMemory);
  EXPECT_EQ(RetryAfter(status), absl::Milliseconds(100));
  EXPECT_EQ(RetryAfter(OutOfMemory("a step", 3000, 200, false)), std::nullopt);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(
      ToGrpc(WithRetryAfter(status, absl::Milliseconds(2500))).error_details()));
  ASSERT_EQ(details.details_size(), 2);
  google::rpc::ErrorInfo info;
  EXPECT_TRUE(details.details(0).UnpackTo(&info));
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(details.details(1).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 2);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
}

TEST(ErrorsTest, ReasonOfAStatusWithoutInfoIsEmpty) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
  EXPECT_EQ(ReasonOf(absl::InternalError("x")), "");
  EXPECT_EQ(MetadataOf(absl::InternalError("x"), "field"), "");
  EXPECT_EQ(MetadataOf(ShuttingDown(), "field"), "");
  EXPECT_EQ(ReasonOf(ShuttingDown()), reason::kShuttingDown);
}

}  // namespace
}  // namespace livnd::server
