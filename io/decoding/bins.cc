#include "io/decoding/bins.h"

#include <algorithm>
#include <cmath>

namespace livnd::io {

namespace {

// The nearest whole number, if there is no other for a quotient of doubles.
bool IsWhole(double quotient, double* whole) {
  *whole = std::round(quotient);
  return std::fabs(quotient - *whole) <= 1e-9 * std::max(1.0, std::fabs(*whole));
}

}  // namespace

double WholeBelow(double quotient) {
  double whole;
  return IsWhole(quotient, &whole) ? whole : std::floor(quotient);
}

double WholeAbove(double quotient) {
  double whole;
  return IsWhole(quotient, &whole) ? whole : std::ceil(quotient);
}

Bins Bins::Of(const DecodingWindow& window, double bin_ms, int64_t min_num) {
  const double quotient = WholeBelow(window.duration_ms() / bin_ms);
  Bins bins;
  bins.num = std::max(min_num, quotient < 1e15 ? static_cast<int64_t>(quotient) : int64_t{1} << 50);
  bins.num_ticks = window.num_ticks;
  bins.width_ms = window.duration_ms() / static_cast<double>(bins.num);
  return bins;
}

double Mean(absl::Span<const double> values) {
  if (values.empty()) return 0.0;
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double StandardDeviation(absl::Span<const double> values) {
  if (values.empty()) return 0.0;
  const double mean = Mean(values);
  double sum = 0.0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

double Median(absl::Span<double> values) {
  const size_t half = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + half, values.end());
  const double upper = values[half];
  if (values.size() % 2 == 1) return upper;
  return (*std::max_element(values.begin(), values.begin() + half) + upper) / 2.0;
}

double MedianDeviation(absl::Span<double> values, double median) {
  for (double& value : values) value = std::fabs(value - median);
  return Median(values);
}

}  // namespace livnd::io
