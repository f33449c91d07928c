#include "io/recording/hdf5/checksum.h"

#include <string>

#include "gtest/gtest.h"

namespace livnd::io::hdf5 {
namespace {

// Values of lookup3.c's own driver5.
TEST(Lookup3Test, IsThePublishedFunction) {
  EXPECT_EQ(Lookup3(""), 0xdeadbeef);
  EXPECT_EQ(Lookup3("Four score and seven years ago"), 0x17770551u);
}

TEST(Lookup3Test, TellsEveryBitOfBytesOfEveryLength) {
  for (int length = 1; length <= 40; ++length) {
    const std::string bytes(length, 'x');
    for (int bit = 0; bit < 8 * length; ++bit) {
      std::string other = bytes;
      other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << (bit % 8));
      EXPECT_NE(Lookup3(other), Lookup3(bytes)) << length << " " << bit;
    }
  }
}

TEST(Fletcher32Test, IsTwoSumsOfBigEndianWords) {
  EXPECT_EQ(Fletcher32(""), 0u);
  EXPECT_EQ(Fletcher32("ab"), 0x61626162u);
  // 0x6162 + 0x6364 = 0xc4c6; 0x6162 + 0xc4c6 = 0x12628, folded 0x2629.
  EXPECT_EQ(Fletcher32("abcd"), 0x2629c4c6u);
  // The odd byte counts as 0x6500: 0xc4c6 + 0x6500 = 0x129c6 -> 0x29c7; 0x12628 + 0x129c6 = 0x24fee.
  EXPECT_EQ(Fletcher32("abcde"), 0x4ff029c7u);
}

TEST(Fletcher32Test, DoesNotOverflow) {
  // Sums of n words 0xffff are 0 modulo 0xffff, and 0xffff as they are folded.
  EXPECT_EQ(Fletcher32(std::string(1 << 20, '\xff')), 0xffffffffu);
}

}  // namespace
}  // namespace livnd::io::hdf5
