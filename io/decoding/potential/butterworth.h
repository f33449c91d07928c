// A low-pass filter without a shift in time.
#ifndef LIVND_IO_DECODING_POTENTIAL_BUTTERWORTH_H_
#define LIVND_IO_DECODING_POTENTIAL_BUTTERWORTH_H_

#include <cstddef>
#include <vector>

namespace livnd::io {

// A digital Butterworth low-pass: a[0] y_i = sum b[k] x_{i-k} - sum_{k > 0} a[k] y_{i-k}, a[0] = 1.
struct LowPass {
  std::vector<double> b;
  std::vector<double> a;

  // By the bilinear transform; `cutoff` is a fraction of half the sampling rate, in (0, 1); order 1
  // .. 8.
  static LowPass Butterworth(int order, double cutoff);

  // Samples that FilterBothWays mirrors at each end; there must be more of them.
  size_t num_mirrored() const { return 3 * a.size(); }
};

// Forward, then backward: no phase, and the square of the gain. Both ends are continued by mirrored
// samples, and the filter begins in its steady state, as scipy.signal.filtfilt does by default.
void FilterBothWays(const LowPass& filter, std::vector<double>* samples);

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_POTENTIAL_BUTTERWORTH_H_
