#include "base/field_error.h"

#include <cmath>
#include <limits>

#include "absl/strings/cord.h"
#include "gtest/gtest.h"

namespace livnd {
namespace {

TEST(FieldErrorTest, SaysFieldValueAndAccepted) {
  const absl::Status status = MakeFieldError("dt_ms", "2", "1e-4 .. 1");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "dt_ms is 2; accepted: 1e-4 .. 1");
  const auto error = FieldErrorOf(status);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->file, "");
  EXPECT_EQ(error->field, "dt_ms");
  EXPECT_EQ(error->value, "2");
  EXPECT_EQ(error->accepted, "1e-4 .. 1");
  EXPECT_FALSE(FieldErrorOf(absl::InvalidArgumentError("dt_ms")).has_value());
}

TEST(ExactTest, ReadsBackAsTheSameNumberAndIsShort) {
  EXPECT_EQ(Exact(1.0), "1");
  EXPECT_EQ(Exact(1e6), "1e+06");
  EXPECT_EQ(Exact(1247.075), "1247.075");
  EXPECT_EQ(Exact(std::nextafter(1.0, 2.0)), "1.0000000000000002");
  EXPECT_EQ(Exact(0.1f), "0.1");
  EXPECT_EQ(Exact(std::nextafter(1.0f, 2.0f)), "1.0000001");
  EXPECT_EQ(Exact(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(Exact(std::numeric_limits<float>::quiet_NaN()), "nan");
  EXPECT_EQ(Exact(-std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(Exact(-std::numeric_limits<double>::denorm_min()), "-4.94066e-324");
}

TEST(FieldErrorTest, PrefixesMakePaths) {
  const absl::Status inner = MakeFieldError("gids", "3", "0 .. 2");
  EXPECT_EQ(AtField("selection", inner).message(), "selection.gids is 3; accepted: 0 .. 2");
  EXPECT_EQ(FieldErrorOf(AtField("selection", inner))->field, "selection.gids");
  EXPECT_EQ(FieldErrorOf(AtField("a", MakeFieldError("[1]", "3", "2")))->field, "a[1]");
  EXPECT_EQ(FieldErrorOf(AtField("a", MakeFieldError("", "3", "2")))->field, "a");
  EXPECT_EQ(FieldErrorOf(AtField("", inner))->field, "gids");
  EXPECT_EQ(AtField("selection", InFile("x.json", inner)), InFile("x.json", inner));
}

TEST(FieldErrorTest, FilesComeBeforeTheField) {
  const absl::Status inner = MakeFieldError("a.b", "3", "2");
  EXPECT_EQ(InFile("x/mea.json", inner).message(), "x/mea.json: a.b is 3; accepted: 2");
  EXPECT_EQ(FieldErrorOf(InFile("x/mea.json", inner))->file, "x/mea.json");
  EXPECT_EQ(FieldErrorOf(InFile("x", InFile("x/mea.json", inner)))->file, "x/mea.json");
  EXPECT_EQ(InFile("x", MakeFieldError("", "not JSON", "JSON")).message(),
            "x is not JSON; accepted: JSON");
}

TEST(FieldErrorTest, CodesAndWhatElseIsAttachedStay) {
  absl::Status status = absl::DataLossError("gone");
  status.SetPayload("other", absl::Cord("kept"));
  for (const absl::Status& s :
       {AtField("a", status), InFile("f", status), WithFieldError({"", "a", "b", "c"}, status)}) {
    EXPECT_EQ(s.code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(s.GetPayload("other"), absl::Cord("kept"));
  }
  EXPECT_EQ(AtField("a", status).message(), "a: gone");
  EXPECT_EQ(InFile("f", status).message(), "f: gone");
  EXPECT_TRUE(AtField("a", absl::OkStatus()).ok());
  EXPECT_TRUE(InFile("a", absl::OkStatus()).ok());
  EXPECT_TRUE(WithFieldError({}, absl::OkStatus()).ok());
}

}  // namespace
}  // namespace livnd
