// Names for what is made, from what it is made of.
#ifndef LIVND_LAB_GENERATE_UUID_H_
#define LIVND_LAB_GENERATE_UUID_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "lab/generate/random/blake2b.h"

namespace livnd::lab {

// Version 8 of RFC 9562: bits of one's own choice, here a digest of the text.
inline std::string UuidOfText(absl::string_view text) {
  std::array<uint8_t, 16> bytes = Blake2b128(text);
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x80);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string uuid;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid += '-';
    absl::StrAppendFormat(&uuid, "%02x", bytes[i]);
  }
  return uuid;
}

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_UUID_H_
