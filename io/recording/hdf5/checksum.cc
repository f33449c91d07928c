#include "io/recording/hdf5/checksum.h"

#include <algorithm>
#include <cstddef>

namespace livnd::io::hdf5 {
namespace {

uint32_t Rotate(uint32_t x, int bits) { return x << bits | x >> (32 - bits); }

uint32_t Byte(char c) { return static_cast<unsigned char>(c); }

// The state of lookup3.
struct Words {
  uint32_t a, b, c;

  // Adds up to 12 bytes.
  void Add(absl::string_view bytes) {
    uint32_t* const words[] = {&a, &b, &c};
    for (size_t i = 0; i < bytes.size(); ++i) *words[i / 4] += Byte(bytes[i]) << (8 * (i % 4));
  }

  void Mix() {
    MixOne(a, c, b, 4);
    MixOne(b, a, c, 6);
    MixOne(c, b, a, 8);
    MixOne(a, c, b, 16);
    MixOne(b, a, c, 19);
    MixOne(c, b, a, 4);
  }

  void Finish() {
    FinishOne(c, b, 14);
    FinishOne(a, c, 11);
    FinishOne(b, a, 25);
    FinishOne(c, b, 16);
    FinishOne(a, c, 4);
    FinishOne(b, a, 14);
    FinishOne(c, b, 24);
  }

 private:
  static void MixOne(uint32_t& x, uint32_t& y, uint32_t z, int bits) {
    x -= y;
    x ^= Rotate(y, bits);
    y += z;
  }
  static void FinishOne(uint32_t& x, uint32_t y, int bits) {
    x ^= y;
    x -= Rotate(y, bits);
  }
};

uint32_t Fold(uint32_t sum) { return (sum & 0xffff) + (sum >> 16); }

}  // namespace

uint32_t Lookup3(absl::string_view bytes) {
  const uint32_t start = 0xdeadbeef + static_cast<uint32_t>(bytes.size());
  Words words = {start, start, start};
  if (bytes.empty()) return words.c;
  while (bytes.size() > 12) {
    words.Add(bytes.substr(0, 12));
    words.Mix();
    bytes.remove_prefix(12);
  }
  words.Add(bytes);
  words.Finish();
  return words.c;
}

uint32_t Fletcher32(absl::string_view bytes) {
  uint32_t first = 0, second = 0;
  size_t i = 0;
  while (i + 1 < bytes.size()) {
    // So many words cannot overflow the second sum before it is folded.
    const size_t end = std::min(bytes.size() - 1, i + 2 * 360);
    for (; i < end; i += 2) {
      first += Byte(bytes[i]) << 8 | Byte(bytes[i + 1]);
      second += first;
    }
    first = Fold(first);
    second = Fold(second);
  }
  if (i < bytes.size()) {
    first += Byte(bytes[i]) << 8;
    second = Fold(second + first);
    first = Fold(first);
  }
  return Fold(second) << 16 | Fold(first);
}

}  // namespace livnd::io::hdf5
