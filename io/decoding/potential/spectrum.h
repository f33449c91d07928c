// How the variance of a signal is spread over frequencies.
#ifndef LIVND_IO_DECODING_POTENTIAL_SPECTRUM_H_
#define LIVND_IO_DECODING_POTENTIAL_SPECTRUM_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace livnd::io {

// Density of power at 0, df, 2 df ... up to half the sampling rate, df = rate / segment: unit^2 /
// Hz.
struct Spectrum {
  double df_hz = 0.0;
  std::vector<double> density;

  // The integral over all, and over the frequencies from low to high, both included, in straight
  // lines; of a single frequency its density times df, of none 0.
  double Total() const;
  double Between(double low_hz, double high_hz) const;
};

// Welch's method with Hann windows (periodic), each segment less its mean: scipy.signal.welch's
// defaults. Segments of `segment` samples, of which there are as many at least, overlap by less
// than that. Allocates.
//
// Source: Welch, IEEE Trans. Audio Electroacoustics 15 (1967).
Spectrum Welch(absl::Span<const double> samples, double rate_hz, size_t segment, size_t overlap);

// About as many operations as a transform of n samples takes.
double TransformWork(size_t n);

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_POTENTIAL_SPECTRUM_H_
