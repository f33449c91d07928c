#include "server/machine/bytes.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace livnd::server {
namespace {

TEST(BytesTest, AreNumbersWithAUnit) {
  EXPECT_EQ(ParseBytes("0"), 0);
  EXPECT_EQ(ParseBytes("1000"), 1000);
  EXPECT_EQ(ParseBytes("2K"), 2048);
  EXPECT_EQ(ParseBytes("512M"), int64_t{512} << 20);
  EXPECT_EQ(ParseBytes("4G"), int64_t{4} << 30);
  EXPECT_EQ(ParseBytes("1T"), int64_t{1} << 40);
  EXPECT_EQ(ParseBytes("8388607T"), int64_t{8388607} << 40);
}

TEST(BytesTest, NothingElseIs) {
  for (const char* text : {"", "G", "-1", "+1", " 1", "1 ", "1 G", "1.5G", "1g", "1GB", "0x10",
                           "8388608T", "9223372036854775808", "nan"}) {
    EXPECT_EQ(ParseBytes(text), absl::nullopt) << text;
  }
}

}  // namespace
}  // namespace livnd::server
