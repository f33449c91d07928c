#include "io/coding/state_layout.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {

size_t StateLayout::AddWhole(size_t size, double low, double high) {
  whole_.push_back({size_, size, low, high});
  return AddAny(size);
}

size_t StateLayout::AddAny(size_t size) {
  const size_t begin = size_;
  size_ += size;
  return begin;
}

absl::Status StateLayout::Check(absl::Span<const double> state) const {
  if (state.size() != size_) {
    return MakeFieldError("", absl::StrCat(state.size(), " numbers"), absl::StrCat(size_));
  }
  for (const Row& row : whole_) {
    for (size_t i = row.begin; i < row.begin + row.size; ++i) {
      const double value = state[i];
      // NaN fails.
      if (value >= row.low && value <= row.high && value == std::floor(value)) continue;
      return MakeFieldError(
          absl::StrCat("[", i, "]"), Exact(value),
          absl::StrCat("a whole number from ", Exact(row.low), " to ", Exact(row.high)));
    }
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
