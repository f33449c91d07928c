// Equal bins over a window, and what is made of counts in them.
#ifndef LIVND_IO_DECODING_BINS_H_
#define LIVND_IO_DECODING_BINS_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "io/decoding/window.h"

namespace livnd::io {

// Floor and ceiling of a quotient that rounding may have moved off a whole number.
double WholeBelow(double quotient);
double WholeAbove(double quotient);

// As many bins as fit, int(duration / bin), but min_num at least, which then fill the window: they
// are wider than was asked for where the window is no multiple of them. That is numpy.histogram
// over the window with livn's number of bins; edges are exact here, and numpy's are rounded.
struct Bins {
  static constexpr int64_t kMaxNum = int64_t{1} << 20;

  int64_t num = 1;
  int64_t num_ticks = 1;
  double width_ms = 0.0;

  static Bins Of(const DecodingWindow& window, double bin_ms, int64_t min_num = 1);

  size_t IndexOf(int64_t tick) const { return static_cast<size_t>(tick * num / num_ticks); }
};

double Mean(absl::Span<const double> values);  // of none: 0
// Of the population: divided by n, as numpy.std does.
double StandardDeviation(absl::Span<const double> values);
// Changes the order of the values, which must be some.
double Median(absl::Span<double> values);
// The median of |value - median|. Changes the values.
double MedianDeviation(absl::Span<double> values, double median);

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_BINS_H_
