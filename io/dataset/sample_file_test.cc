#include "io/dataset/sample_file.h"

#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/testing/temporary_folder.h"

namespace livnd::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SampleRows Rows() {
  SampleRows rows;
  rows.index = {4, 5};
  rows.seed = {7, 4000000000u};
  rows.features = {1.0f, 250.5f};
  rows.spike_offsets = {0, 2, 2};
  rows.spike_gids = {3, 9};
  rows.spike_ticks = {10, 40};
  rows.failed_at_ms = {std::numeric_limits<double>::quiet_NaN(), 12.5};
  return rows;
}

std::string Bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(SampleFile, IsWholeAndTheSameBytesEachTime) {
  const TemporaryFolder folder;
  const std::string a = folder.file("a.h5"), b = folder.file("b.h5");
  std::ofstream(a + ".new") << "what a killed writer left";
  ASSERT_TRUE(WriteSampleFile(a, Rows(), "{}").ok());
  ASSERT_TRUE(WriteSampleFile(b, Rows(), "{}").ok());
  EXPECT_EQ(Bytes(a), Bytes(b));
  EXPECT_THAT(folder.Entries(), ElementsAre("a.h5", "b.h5"));
  EXPECT_TRUE(CheckSampleFile(a, 4, 2, "{}").ok());
  SampleRows other = Rows();
  other.spike_ticks[1] = 41;
  ASSERT_TRUE(WriteSampleFile(b, other, "{}").ok());
  EXPECT_NE(Bytes(a), Bytes(b));
}

TEST(SampleFile, IsRefusedWhereItIsOfOtherSamplesOrDamaged) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.h5");
  EXPECT_TRUE(absl::IsNotFound(CheckSampleFile(path, 4, 2, "{}")));
  ASSERT_TRUE(WriteSampleFile(path, Rows(), "{}").ok());
  EXPECT_THAT(CheckSampleFile(path, 4, 2, "{\"seed\": 1}"),
              IsFileError(path, "plan", "another", "that of its folder"));
  EXPECT_THAT(CheckSampleFile(path, 4, 3, "{}"), IsFileError(path, "index", "4 .. 5", "4 .. 6"));
  EXPECT_THAT(CheckSampleFile(path, 6, 2, "{}"), IsFileError(path, "index", "4 .. 5", "6 .. 7"));
  const std::string whole = Bytes(path);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, whole.size() / 2);
  const absl::Status cut = CheckSampleFile(path, 4, 2, "{}");
  EXPECT_FALSE(cut.ok() || absl::IsNotFound(cut)) << cut;
  EXPECT_THAT(std::string(cut.message()), HasSubstr(path));
}

}  // namespace
}  // namespace livnd::io
