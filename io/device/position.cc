#include "io/device/position.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {

absl::Status CheckPosition(absl::string_view field, double coordinate_um) {
  if (std::fabs(coordinate_um) <= kMaxPositionUm) return absl::OkStatus();  // false for NaN
  return MakeFieldError(
      field, Exact(coordinate_um),
      absl::StrCat(Exact(-kMaxPositionUm), " .. ", Exact(kMaxPositionUm), " (um)"));
}

}  // namespace livnd::io
