#include "sim/noise/noise_stream.h"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "Random123/philox.h"
#include "gtest/gtest.h"
#include "sim/simd/tile_lanes.h"

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

struct Stream {
  std::vector<double> normals;
  std::vector<int64_t> position;  // behind each normal
};

// The same stream by Random123's generator and libm, one normal after the other.
Stream Reference(const NoiseStreamKey& key, int count) {
  Stream out;
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

// A draw and room for what it gives.
struct Drawn {
  NoiseDraw draw;
  std::vector<double> normals;

  Drawn(const NoiseStreamKey& key, int64_t position, int count, int first = 0, int every = 1) {
    draw.key = key;
    draw.position = position;
    draw.count = count;
    draw.first = first;
    draw.every = every;
    num = (count - first + every - 1) / every;
    normals.resize((num + kTileLanes - 1) / kTileLanes * kTileLanes, 1e9);
  }
  // Draws all of them together.
  static void Make(std::vector<Drawn*> all) {
    std::vector<NoiseDraw> draws;
    for (Drawn* d : all) {
      d->draw.out = d->normals.data();
      draws.push_back(d->draw);
    }
    DrawNormals(draws.data(), static_cast<int>(draws.size()));
    for (size_t i = 0; i < all.size(); ++i) {
      all[i]->draw = draws[i];
      all[i]->normals.resize(all[i]->num);
    }
  }
  Drawn&& Made() && {
    Make({this});
    return std::move(*this);
  }

 private:
  int num;
};

std::vector<double> Straight(const NoiseStreamKey& key, int count, int64_t* end = nullptr) {
  const Drawn drawn = Drawn(key, 0, count).Made();
  if (end != nullptr) *end = drawn.draw.position;
  return drawn.normals;
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
    const Stream want = Reference(key, 300);
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
    std::vector<double> pieces;
    int64_t position = 0;
    for (const int count : {split, 7, 400 - split - 7}) {
      const Drawn drawn = Drawn(key, position, count).Made();
      position = drawn.draw.position;
      pieces.insert(pieces.end(), drawn.normals.begin(), drawn.normals.end());
    }
    EXPECT_EQ(pieces, straight) << split;
  }
}

TEST(NoiseStreamTest, WantedNormalsAreThoseOfTheWholeStream) {
  const NoiseStreamKey key = Key(3, 1, 99);
  int64_t end;
  const std::vector<double> straight = Straight(key, 300, &end);
  for (const int every : {1, 2}) {
    for (int first = 0; first < every; ++first) {
      const Drawn drawn = Drawn(key, 0, 300, first, every).Made();
      EXPECT_EQ(drawn.draw.position, end);
      for (size_t i = 0; i < drawn.normals.size(); ++i) {
        EXPECT_EQ(drawn.normals[i], straight[first + i * every]) << first << " " << every;
      }
    }
  }
}

TEST(NoiseStreamTest, WhatIsDrawnTogetherIsAsIfDrawnAlone) {
  std::vector<Drawn> alone, together;
  for (uint32_t i = 0; i < 60; ++i) {
    const int count =
        static_cast<int>(i * 37 % 301);  // short ones behind long ones and none at all
    const int every = 1 + static_cast<int>(i / 2 % 2);
    const Drawn drawn(Key(i, 1, 5), i * 11, count, every == 2 && i % 3 == 0 ? 1 : 0, every);
    together.push_back(drawn);
    alone.push_back(Drawn(drawn).Made());
  }
  std::vector<Drawn*> all;
  for (Drawn& d : together) all.push_back(&d);
  Drawn::Make(all);
  for (size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(together[i].normals, alone[i].normals) << i;
    EXPECT_EQ(together[i].draw.position, alone[i].draw.position) << i;
  }
}

TEST(NoiseStreamTest, DrawingNothingMovesNothing) {
  NoiseDraw draw;
  draw.key = Key(1, 1, 1);
  draw.position = 11;
  DrawNormals(&draw, 1);
  EXPECT_EQ(draw.position, 11);
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
