#include "sim/noise/noise_stream.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "Random123/philox.h"
#include "gtest/gtest.h"

namespace livnd::sim {
namespace {

NoiseStreamKey Key(uint32_t id1, uint32_t id2, uint32_t id3, uint32_t key0 = 0) {
  NoiseStreamKey key;
  key.key0 = key0;
  key.id1 = id1;
  key.id2 = id2;
  key.id3 = id3;
  return key;
}

struct Draw {
  std::vector<double> normals;
  std::vector<int64_t> position;  // behind each normal
};

// The same stream by Random123's generator and libm, one normal after the other.
Draw Reference(const NoiseStreamKey& key, int count) {
  Draw out;
  int64_t pair = 0;
  const auto uniform = [&](int64_t word) {
    const r123::Philox4x32 philox;
    const r123::Philox4x32::ctr_type counter = {
        {static_cast<uint32_t>(word / 4), key.id3, key.id1, key.id2}};
    const r123::Philox4x32::key_type k = {{key.key0, 0}};
    return (static_cast<double>(philox(counter, k)[word % 4]) + 1.0) / 4294967297.0;
  };
  while (static_cast<int>(out.normals.size()) < count) {
    const double x = 2.0 * uniform(2 * pair) - 1.0;
    const double y = 2.0 * uniform(2 * pair + 1) - 1.0;
    const double w = x * x + y * y;
    ++pair;
    if (w > 1.0) continue;
    out.normals.push_back(x * std::sqrt(-2.0 * std::log(w) / w));
    out.position.push_back(pair);
  }
  return out;
}

std::vector<double> Straight(const NoiseStreamKey& key, int count, int64_t* end = nullptr) {
  std::vector<double> out(count);
  const int64_t position = DrawNormals(key, 0, count, 0, 1, out.data());
  if (end != nullptr) *end = position;
  return out;
}

// nrnran123 as livn 2.0.0 uses it.
TEST(NoiseStreamTest, IsLivnsStream) {
  const std::vector<double> first = Straight(Key(1, 1, 123), 4);
  EXPECT_NEAR(first[0], 1.2529045107001564, 1e-15);
  EXPECT_NEAR(first[1], -2.257643236259989, 2e-15);
  EXPECT_NEAR(first[2], 0.42850515681783624, 1e-15);
  EXPECT_NEAR(first[3], -0.41373922908536115, 1e-15);
  EXPECT_NEAR(Straight(Key(1, 2, 123), 1)[0], 0.27131031682958645, 1e-15);
}

TEST(NoiseStreamTest, IsPhiloxOfRandom123ForAnyKey) {
  for (const NoiseStreamKey& key :
       {Key(1, 1, 123), Key(1, 2, 123), Key(4000000000u, 7, 1), Key(0, 0, 0xFFFFFFFFu),
        Key(5, 1, 123, 1), Key(5, 1, 123, 0xDEADBEEFu),
        Key(0xFFFFFFFFu, 0xFFFFFFFFu, 3, 0xFFFFFFFFu)}) {
    const Draw want = Reference(key, 300);
    int64_t end;
    const std::vector<double> got = Straight(key, 300, &end);
    EXPECT_EQ(end, want.position.back());
    for (int i = 0; i < 300; ++i) {
      EXPECT_NEAR(got[i], want.normals[i], 3e-14 * (1.0 + std::fabs(want.normals[i]))) << i;
    }
  }
}

TEST(NoiseStreamTest, ContinuesFromAnyPosition) {
  const NoiseStreamKey key = Key(3, 1, 99);
  const std::vector<double> straight = Straight(key, 400);
  for (int split = 0; split <= 150; ++split) {
    std::vector<double> pieces(400);
    int64_t position = DrawNormals(key, 0, split, 0, 1, pieces.data());
    position = DrawNormals(key, position, 7, 0, 1, pieces.data() + split);
    DrawNormals(key, position, 400 - split - 7, 0, 1, pieces.data() + split + 7);
    EXPECT_EQ(pieces, straight) << split;
  }
}

TEST(NoiseStreamTest, WantedNormalsAreThoseOfTheWholeStream) {
  const NoiseStreamKey key = Key(3, 1, 99);
  int64_t end;
  const std::vector<double> straight = Straight(key, 300, &end);
  for (const int every : {1, 2}) {
    for (int first = 0; first < every; ++first) {
      const int wanted = (300 - first + every - 1) / every;
      std::vector<double> out(wanted, 1e9);
      EXPECT_EQ(DrawNormals(key, 0, 300, first, every, out.data()), end);
      for (int i = 0; i < wanted; ++i) {
        EXPECT_EQ(out[i], straight[first + i * every]) << first << " " << every;
      }
    }
  }
}

TEST(NoiseStreamTest, DrawingNothingMovesNothing) {
  double untouched = 7.0;
  EXPECT_EQ(DrawNormals(Key(1, 1, 1), 11, 0, 0, 1, &untouched), 11);
  EXPECT_EQ(untouched, 7.0);
}

TEST(NoiseStreamTest, HasTheMomentsOfANormal) {
  const int n = 200000;
  const std::vector<double> z = Straight(Key(17, 2, 5), n);
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
  for (double x : z) {
    m1 += x / n;
    m2 += x * x / n;
    m3 += x * x * x / n;
    m4 += x * x * x * x / n;
  }
  // Five standard errors each.
  EXPECT_NEAR(m1, 0.0, 5 / std::sqrt(n));
  EXPECT_NEAR(m2, 1.0, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(m3, 0.0, 5 * std::sqrt(15.0 / n));
  EXPECT_NEAR(m4, 3.0, 5 * std::sqrt(96.0 / n));
}

TEST(NoiseStreamTest, StreamsOfDifferentKeysAreUncorrelated) {
  const int n = 20000;
  const std::vector<double> base = Straight(Key(1, 1, 123), n);
  for (const NoiseStreamKey& other :
       {Key(2, 1, 123), Key(1, 2, 123), Key(1, 1, 124), Key(1, 1, 123, 1)}) {
    const std::vector<double> z = Straight(other, n);
    double correlation = 0;
    for (int i = 0; i < n; ++i) correlation += base[i] * z[i] / n;
    EXPECT_NEAR(correlation, 0.0, 5 / std::sqrt(n));
  }
}

}  // namespace
}  // namespace livnd::sim
