// Numbers of bytes as people write them.
#ifndef LIVND_SERVER_MACHINE_BYTES_H_
#define LIVND_SERVER_MACHINE_BYTES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace livnd::server {

// "4G", "512M", "65536K" (powers of 1024), or a number of bytes; nothing for anything else, and for what
// 63 bits do not hold.
absl::optional<int64_t> ParseBytes(absl::string_view text);

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_BYTES_H_
