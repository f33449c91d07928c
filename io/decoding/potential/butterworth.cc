#include "io/decoding/potential/butterworth.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>

namespace livnd::io {
namespace {

// From the state that a constant input of samples[0] would have left.
void Filter(const LowPass& filter, std::vector<double>* samples) {
  const size_t order = filter.a.size() - 1;
  double sum_b = 0.0, sum_a = 0.0;
  for (size_t k = 0; k <= order; ++k) {
    sum_b += filter.b[k];
    sum_a += filter.a[k];
  }
  std::vector<double> state(order + 1, 0.0);
  for (size_t k = order; k > 0; --k) {
    state[k - 1] = state[k] + filter.b[k] - filter.a[k] * sum_b / sum_a;
  }
  for (double& z : state) z *= samples->front();
  for (double& sample : *samples) {
    const double x = sample;
    const double y = filter.b[0] * x + state[0];
    for (size_t k = 1; k <= order; ++k) {
      state[k - 1] = filter.b[k] * x - filter.a[k] * y + state[k];
    }
    sample = y;
  }
}

}  // namespace

LowPass LowPass::Butterworth(int order, double cutoff) {
  // Poles of the analogue filter, at the frequency that the transform bends to the cutoff.
  const double warped = 4.0 * std::tan(M_PI * cutoff / 2.0);
  std::vector<std::complex<double>> a = {1.0};
  std::complex<double> gain = 1.0;
  std::vector<double> b = {1.0};
  for (int k = 0; k < order; ++k) {
    const double angle = M_PI * (2.0 * k + 1.0 - order) / (2.0 * order);
    const std::complex<double> pole = -warped * std::polar(1.0, angle);
    const std::complex<double> root = (4.0 + pole) / (4.0 - pole);
    gain *= warped / (4.0 - pole);
    a.push_back(0.0);
    b.push_back(0.0);
    for (size_t i = a.size() - 1; i > 0; --i) {
      a[i] -= root * a[i - 1];
      b[i] += b[i - 1];  // all zeros at -1
    }
  }
  LowPass filter;
  for (const auto& coefficient : a) filter.a.push_back(coefficient.real());
  for (const double coefficient : b) filter.b.push_back(coefficient * gain.real());
  return filter;
}

void FilterBothWays(const LowPass& filter, std::vector<double>* samples) {
  const size_t num = samples->size();
  const size_t pad = filter.num_mirrored();
  std::vector<double> longer;
  longer.reserve(num + 2 * pad);
  for (size_t i = pad; i > 0; --i) longer.push_back(2.0 * samples->front() - (*samples)[i]);
  longer.insert(longer.end(), samples->begin(), samples->end());
  for (size_t i = 1; i <= pad; ++i)
    longer.push_back(2.0 * samples->back() - (*samples)[num - 1 - i]);
  Filter(filter, &longer);
  std::reverse(longer.begin(), longer.end());
  Filter(filter, &longer);
  std::reverse(longer.begin(), longer.end());
  std::copy_n(longer.begin() + static_cast<std::ptrdiff_t>(pad), num, samples->begin());
}

}  // namespace livnd::io
