#include "io/encoding/encoding.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {
namespace {

absl::Status CheckWhole(absl::string_view field, int64_t value, int64_t high) {
  if (value >= 1 && value <= high) return absl::OkStatus();
  return MakeFieldError(absl::StrCat("window.", field), Exact(value), absl::StrCat("1 .. ", high));
}

}  // namespace

absl::Status EncodingWindow::Validate() const {
  LIVND_RETURN_IF_ERROR(CheckWhole("num_electrodes", num_electrodes, 65536));
  LIVND_RETURN_IF_ERROR(CheckWhole("num_ticks", num_ticks, int64_t{1} << 40));
  // NaN fails.
  if (!(tick_ms >= 1e-6 && tick_ms <= 1e3)) {
    return MakeFieldError("window.tick_ms", Exact(tick_ms), "1e-06 .. 1000");
  }
  return absl::OkStatus();
}

absl::Status Encoding::CheckValues(absl::Span<const float> values) const {
  if (values.size() != inputs_.size()) {
    return MakeFieldError("", absl::StrCat(values.size(), " numbers"),
                          absl::StrCat(inputs_.size()));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    // Bounds are given as floats, too; NaN fails.
    if (value >= static_cast<float>(inputs_[i].low) &&
        value <= static_cast<float>(inputs_[i].high)) {
      continue;
    }
    return MakeFieldError(inputs_[i].name, Exact(values[i]),
                          absl::StrCat(Exact(inputs_[i].low), " .. ", Exact(inputs_[i].high)));
  }
  return absl::OkStatus();
}

void Encoding::Begin(absl::Span<double> state) const { std::fill(state.begin(), state.end(), 0.0); }

void Encoding::AddInput(absl::string_view name, absl::string_view unit, double low, double high,
                        bool is_whole) {
  inputs_.push_back({std::string(name), std::string(unit), low, high, is_whole});
}

void Encoding::AddInputs(absl::string_view name, int64_t num, double low, double high) {
  for (int64_t i = 0; i < num; ++i) AddInput(absl::StrCat(name, "_", i), "1", low, high);
}

absl::StatusOr<std::vector<double>> ScaleToUnit(const Encoding& encoding,
                                                absl::Span<const float> values) {
  LIVND_RETURN_IF_ERROR(encoding.CheckValues(values));
  std::vector<double> scaled;
  for (size_t i = 0; i < values.size(); ++i) {
    const EncodingInput& input = encoding.inputs()[i];
    const double span = input.high - input.low;
    scaled.push_back(span > 0.0 ? 2.0 * (values[i] - input.low) / span - 1.0 : 0.0);
  }
  return scaled;
}

}  // namespace livnd::io
