#include "io/signal/noise_estimator.h"

#include <algorithm>
#include <cmath>

namespace livnd::io {
namespace {

// Reorders the numbers.
double Median(std::vector<double>& numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

}  // namespace

bool NoiseEstimator::Push(double sample) {
  if (!std::isfinite(sample)) return false;
  samples_.push_back(sample);
  if (samples_.size() < window_) return false;
  middle_ = Median(samples_);
  for (double& x : samples_) x = std::fabs(x - middle_);
  sigma_ = Median(samples_) / 0.6745;
  samples_.clear();
  ready_ = true;
  return true;
}

}  // namespace livnd::io
