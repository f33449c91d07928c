#include "lab/generate/random/named_random.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "io/culture/numpy_random.h"
#include "lab/generate/random/blake2b.h"
#include "lab/generate/testing/numpy_draws_file.h"

namespace livnd::lab {
namespace {

std::string Hex(const std::array<uint8_t, 16>& digest) {
  std::string hex;
  for (const uint8_t byte : digest) absl::StrAppendFormat(&hex, "%02x", byte);
  return hex;
}

// Python: hashlib.blake2b(text, digest_size=16).hexdigest().
TEST(Blake2b, IsThatOfPython) {
  EXPECT_EQ(Hex(Blake2b128("")), "cae66941d9efbd404e4d88758ea67670");
  EXPECT_EQ(Hex(Blake2b128("abc")), "cf4ab791c62b8d2b2109c90275287816");
  EXPECT_EQ(Hex(Blake2b128(std::string(128, 'a'))), "1271d28e731afb57bdfba6bdaf3501be");
  EXPECT_EQ(Hex(Blake2b128(std::string(129, 'a'))), "68b7bafbad5055c4ebe6eb170a0f8524");
}

TEST(NamedRandom, GivesNumpysPhiloxForLivnsKey) {
  const io::Json draws = ReadNumpyDraws();
  for (const io::Json& of : draws["named"]) {
    std::vector<std::string> names = of["names"];
    names.resize(3);
    const uint64_t seed = of["seed"];
    const NamedRandom random = of["names"].size() == 1 ? NamedRandom(seed, {names[0]})
                               : of["names"].size() == 2
                                   ? NamedRandom(seed, {names[0], names[1]})
                                   : NamedRandom(seed, {names[0], names[1], names[2]});
    for (size_t i = 0; i < of["raw"].size(); ++i) {
      const uint64_t raw = std::strtoull(of["raw"][i].get<std::string>().c_str(), nullptr, 10);
      EXPECT_EQ(random.NumpyBlock(of["first_block"], i / 4)[i % 4], raw) << of["names"] << i;
    }
  }
}

// What livn 2.0.0 pins of its own (test_stable_random.py).
TEST(LivnSequence, GivesTheNumbersThatLivnPins) {
  LivnSequence sequence(NamedRandom(10921, {"coordinates", "EXC"}));
  EXPECT_EQ(sequence.Uniform(-100.0, 1500.0, 4),
            (std::vector<float>{24.037933f, 1075.9879f, 857.3267f, 349.50467f}));
  LivnSequence connectivity(NamedRandom(10921, {"connectivity", "EXC", "EXC"}));
  EXPECT_EQ(connectivity.Random(6), (std::vector<float>{0.84683114f, 0.3904857f, 0.9566024f,
                                                        0.9521333f, 0.55634326f, 0.60935867f}));
  // The next draw goes on where this one's blocks begin.
  const NamedRandom random(10921, {"connectivity", "EXC", "EXC"});
  EXPECT_EQ(connectivity.Random(1)[0], LivnUnit(random.NumpyBlock(6, 0)[0]));
}

TEST(OpenUnit, IsNeitherZeroNorOne) {
  EXPECT_GT(OpenUnit(0), 0.0);
  EXPECT_LT(OpenUnit(~uint64_t{0}), 1.0);
}

TEST(NumpyRandom, DrawsAndSkipsLikeNumpy) {
  const io::Json draws = ReadNumpyDraws();
  for (const io::Json& of : draws["streams"]) {
    io::NumpyRandom random(of["seed"]);
    for (const double x : of["doubles"].get<std::vector<double>>()) EXPECT_EQ(random.Double(), x);
    const std::vector<float> floats = Floats(of["floats"]);
    for (size_t begin = 0; begin < floats.size(); ++begin) {
      for (size_t first = 0; first <= begin; ++first) {
        io::NumpyRandom skipped = random;
        skipped.SkipFloats(first);
        skipped.SkipFloats(begin - first);
        for (size_t i = begin; i < floats.size(); ++i)
          EXPECT_EQ(skipped.Float(), floats[i]) << begin;
      }
    }
  }
}

}  // namespace
}  // namespace livnd::lab
