#include "lab/generate/random/named_random.h"

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "lab/generate/random/blake2b.h"

namespace livnd::lab {

NamedRandom::NamedRandom(uint64_t seed, std::initializer_list<absl::string_view> names) {
  std::string text = absl::StrCat(seed);
  for (const absl::string_view name : names) {
    text.push_back('\0');
    absl::StrAppend(&text, name);
  }
  const std::array<uint8_t, 16> digest = Blake2b128(text);
  for (size_t word = 0; word < 2; ++word) {
    key_[word] = 0;
    for (size_t i = 0; i < 8; ++i) key_[word] |= uint64_t{digest[8 * word + i]} << (8 * i);
  }
}

std::vector<float> LivnSequence::Random(size_t size) {
  std::vector<float> numbers(size);
  NamedRandom::Words words;
  for (size_t i = 0; i < size; ++i) {
    if (i % 4 == 0) words = random_.NumpyBlock(position_, i / 4);
    numbers[i] = LivnUnit(words[i % 4]);
  }
  position_ += size;
  return numbers;
}

std::vector<float> LivnSequence::Uniform(double low, double high, size_t size) {
  std::vector<float> numbers = Random(size);
  const float from = static_cast<float>(low), to = static_cast<float>(high);
  for (float& x : numbers) x = from + (to - from) * x;
  return numbers;
}

}  // namespace livnd::lab
