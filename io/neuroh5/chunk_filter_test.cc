#include "io/neuroh5/chunk_filter.h"

#include <zlib.h>

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Bytes = std::vector<unsigned char>;

Bytes Deflate(const Bytes& in) {
  uLongf size = compressBound(in.size());
  Bytes out(size);
  EXPECT_EQ(compress2(out.data(), &size, in.data(), in.size(), 9), Z_OK);
  out.resize(size);
  return out;
}

TEST(ChunkFilterTest, StackedDeflates) {
  const Bytes chunk = {1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<ChunkFilter> filters(4, ChunkFilter::kDeflate);
  const Bytes stored = Deflate(Deflate(Deflate(Deflate(chunk))));
  const auto decoded = DecodeChunk(stored, filters, 8, 4);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, chunk);
}

TEST(ChunkFilterTest, ShuffleThenDeflate) {
  const auto decoded = DecodeChunk(Deflate({1, 3, 5, 2, 4, 6, 9}),
                                   {ChunkFilter::kShuffle, ChunkFilter::kDeflate}, 7, 2);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_THAT(*decoded, ElementsAre(1, 2, 3, 4, 5, 6, 9));
}

TEST(ChunkFilterTest, BombsAreDefused) {
  const Bytes bomb = Deflate(Deflate(Bytes(20'000'000)));
  EXPECT_LT(bomb.size(), 2000u);
  const std::vector<ChunkFilter> filters(2, ChunkFilter::kDeflate);
  const auto decoded = DecodeChunk(bomb, filters, 4000, 4);
  EXPECT_TRUE(absl::IsDataLoss(decoded.status()));
  EXPECT_THAT(decoded.status().message(), HasSubstr("larger than"));
}

TEST(ChunkFilterTest, DamageIsFound) {
  Bytes stored = Deflate({1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_FALSE(DecodeChunk(stored, {ChunkFilter::kDeflate}, 9, 1).ok());
  EXPECT_FALSE(DecodeChunk(stored, {}, 8, 1).ok());
  stored.back() ^= 1;  // of the checksum
  EXPECT_FALSE(DecodeChunk(stored, {ChunkFilter::kDeflate}, 8, 1).ok());
  stored.resize(4);
  EXPECT_FALSE(DecodeChunk(stored, {ChunkFilter::kDeflate}, 8, 1).ok());
  EXPECT_FALSE(DecodeChunk({}, {ChunkFilter::kDeflate}, 8, 1).ok());
}

}  // namespace
}  // namespace livnd::io
