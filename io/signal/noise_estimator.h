// How noisy a channel is, from its own samples.
#ifndef LIVND_IO_SIGNAL_NOISE_ESTIMATOR_H_
#define LIVND_IO_SIGNAL_NOISE_ESTIMATOR_H_

#include <cstddef>
#include <vector>

namespace livnd::io {

// Takes samples one by one and estimates, from each window of so many that follow each other, the middle m and the
// deviation of the noise,
//   m = median x,  sigma = median |x - m| / 0.6745,
// which spikes hardly change: Quiroga, Nadasdy and Ben-Shaul, "Unsupervised spike detection and sorting with wavelets
// and superparamagnetic clustering" (Neural Computation 2004), where m is 0. The medians of an even number are their
// upper ones. Samples that are not finite are passed over. Holds one window. Thread-compatible.
class NoiseEstimator {
 public:
  // window >= 1.
  explicit NoiseEstimator(size_t window) : window_(window) { samples_.reserve(window); }

  // True if the sample has ended a window: the estimates are new from here on.
  bool Push(double sample);

  bool ready() const { return ready_; }
  double middle() const { return middle_; }
  double sigma() const { return sigma_; }
  size_t num_bytes() const { return samples_.capacity() * sizeof(double); }

 private:
  size_t window_;
  std::vector<double> samples_;  // of the window that is being filled
  bool ready_ = false;
  double middle_ = 0.0, sigma_ = 0.0;
};

}  // namespace livnd::io

#endif  // LIVND_IO_SIGNAL_NOISE_ESTIMATOR_H_
