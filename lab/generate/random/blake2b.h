// BLAKE2b of 16 bytes: keys of random streams, made of names.
#ifndef LIVND_LAB_GENERATE_RANDOM_BLAKE2B_H_
#define LIVND_LAB_GENERATE_RANDOM_BLAKE2B_H_

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace livnd::lab {

// RFC 7693 without a key, 128 bits: as Python's hashlib.blake2b(text, digest_size=16).
std::array<uint8_t, 16> Blake2b128(absl::string_view text);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_RANDOM_BLAKE2B_H_
