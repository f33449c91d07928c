#include "io/decoding/potential/spectrum.h"

#include <algorithm>
#include <cmath>
#include <complex>

#include "unsupported/Eigen/FFT"

namespace livnd::io {
namespace {

double Trapezoids(absl::Span<const double> values, double step) {
  double sum = 0.0;
  for (size_t i = 0; i + 1 < values.size(); ++i) sum += (values[i] + values[i + 1]) / 2.0 * step;
  return sum;
}

}  // namespace

double Spectrum::Total() const { return Trapezoids(density, df_hz); }

double Spectrum::Between(double low_hz, double high_hz) const {
  const auto is_in = [&](size_t i) {
    const double frequency = static_cast<double>(i) * df_hz;
    return frequency >= low_hz * (1.0 - 1e-12) && frequency <= high_hz * (1.0 + 1e-12);
  };
  size_t begin = 0;
  while (begin < density.size() && !is_in(begin)) ++begin;
  size_t end = begin;
  while (end < density.size() && is_in(end)) ++end;
  if (end - begin == 1) return density[begin] * df_hz;
  return Trapezoids(absl::MakeSpan(density).subspan(begin, end - begin), df_hz);
}

Spectrum Welch(absl::Span<const double> samples, double rate_hz, size_t segment, size_t overlap) {
  std::vector<double> window(segment, 1.0);
  double squares = 0.0;
  for (size_t i = 0; i < segment; ++i) {
    if (segment > 1) {
      window[i] =
          0.5 - 0.5 * std::cos(2.0 * M_PI * static_cast<double>(i) / static_cast<double>(segment));
    }
    squares += window[i] * window[i];
  }
  Spectrum spectrum;
  spectrum.df_hz = rate_hz / static_cast<double>(segment);
  spectrum.density.assign(segment / 2 + 1, 0.0);
  if (segment < 2) return spectrum;  // less its mean, nothing is left; Eigen takes no single sample
  Eigen::FFT<double> transform;
  std::vector<double> part(segment);
  std::vector<std::complex<double>> waves;
  size_t num_segments = 0;
  for (size_t begin = 0; begin + segment <= samples.size(); begin += segment - overlap) {
    double mean = 0.0;
    for (size_t i = 0; i < segment; ++i) mean += samples[begin + i] / static_cast<double>(segment);
    for (size_t i = 0; i < segment; ++i) part[i] = (samples[begin + i] - mean) * window[i];
    transform.fwd(waves, part);
    for (size_t k = 0; k < spectrum.density.size(); ++k) {
      // All but those at 0 and at half the rate stand for two.
      const double sides = k == 0 || 2 * k == segment ? 1.0 : 2.0;
      spectrum.density[k] += sides * std::norm(waves[k]) / (rate_hz * squares);
    }
    ++num_segments;
  }
  for (double& density : spectrum.density) density /= static_cast<double>(num_segments);
  return spectrum;
}

double TransformWork(size_t n) {
  // n times the sum of its prime factors.
  double factors = 1.0;
  size_t rest = n;
  for (size_t p = 2; p * p <= rest; ++p) {
    for (; rest % p == 0; rest /= p) factors += static_cast<double>(p);
  }
  if (rest > 1) factors += static_cast<double>(rest);
  return static_cast<double>(n) * factors;
}

}  // namespace livnd::io
