#include "server/machine/bytes.h"

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace livnd::server {

absl::optional<int64_t> ParseBytes(absl::string_view text) {
  int shift = 0;
  if (!text.empty()) {
    constexpr absl::string_view kUnits = "KMGT";
    const auto unit = kUnits.find(text.back());
    if (unit != absl::string_view::npos) {
      shift = 10 * (static_cast<int>(unit) + 1);
      text.remove_suffix(1);
    }
  }
  int64_t number = 0;
  if (text.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text.front())) ||
      !absl::ascii_isdigit(static_cast<unsigned char>(text.back())) ||
      !absl::SimpleAtoi(text, &number) || number > std::numeric_limits<int64_t>::max() >> shift) {
    return absl::nullopt;
  }
  return number << shift;
}

}  // namespace livnd::server
