#include "io/decoding/network/correlation.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {
namespace {

// Numbers to multiply for a matrix: about a second.
constexpr int64_t kMaxProducts = int64_t{1} << 30;

}  // namespace

Correlation::Correlation(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window), config_(config), bins_(BinsOf("bin_ms", config.bin_ms)) {
  layout().AddAny(num_units() * bins_.num);  // [units][bins]
  if (config.matrix && num_units() * num_units() > kMaxProducts / bins_.num) {
    Refuse(MakeFieldError(
        "matrix", "true",
        absl::StrCat("false with ", num_units(), " units and ", bins_.num, " bins")));
  }
  AddOutput("mean", "1", {}, "over pairs of units whose counts vary");
  AddOutput("num_pairs", "1", {}, "such pairs");
  if (config.matrix) {
    AddOutput("correlation", "1", {num_units(), num_units()}, "of each pair");
  }
}

void Correlation::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  state[static_cast<size_t>(spike.unit * bins_.num) + bins_.IndexOf(spike.tick)] += 1.0;
}

absl::Status Correlation::Read(absl::Span<double> state, absl::Span<double> values) const {
  const auto num = static_cast<size_t>(num_units());
  const auto num_bins = static_cast<size_t>(bins_.num);
  const auto row = [&](size_t u) { return state.subspan(u * num_bins, num_bins); };
  // Counts in units of their deviations; 0 where they do not vary.
  double num_varying = 0.0;
  for (size_t u = 0; u < num; ++u) {
    const double mean = Mean(row(u));
    const double deviation = StandardDeviation(row(u));
    for (double& count : row(u)) count = deviation > 0.0 ? (count - mean) / deviation : 0.0;
    if (deviation > 0.0) num_varying += 1.0;
  }
  values[0] = values[1] = 0.0;
  if (num_varying >= static_cast<double>(config_.min_units)) {
    // The square of a bin's sum holds each pair twice, and each unit with itself.
    double sum_of_squares = 0.0;
    for (size_t b = 0; b < num_bins; ++b) {
      double sum = 0.0;
      for (size_t u = 0; u < num; ++u) sum += state[u * num_bins + b];
      sum_of_squares += sum * sum;
    }
    const double twice = sum_of_squares / static_cast<double>(num_bins) - num_varying;
    values[1] = num_varying * (num_varying - 1.0) / 2.0;
    values[0] = twice / 2.0 / values[1];
  }
  if (!config_.matrix) return absl::OkStatus();
  const auto matrix = values.subspan(2);
  for (size_t a = 0; a < num; ++a) {
    for (size_t b = a; b < num; ++b) {
      double sum = 0.0;
      for (size_t i = 0; i < num_bins; ++i) sum += row(a)[i] * row(b)[i];
      matrix[a * num + b] = matrix[b * num + a] = sum / static_cast<double>(num_bins);
    }
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
