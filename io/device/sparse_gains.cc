#include "io/device/sparse_gains.h"

#include <algorithm>

namespace livnd::io {

SparseGains::SparseGains(const ElectrodeArray& array, absl::Span<const Point> points)
    : num_points_(points.size()) {
  // Counted first, so that nothing is held beyond the result.
  size_t num_pairs = 0;
  begins_.reserve(array.num_electrodes() + 1);
  for (size_t e = 0; e < array.num_electrodes(); ++e) {
    array.ForEachInReach(e, points, [&](size_t, double, double) { ++num_pairs; });
    begins_.push_back(num_pairs);
  }
  points_.reserve(num_pairs);
  gains_.reserve(num_pairs);
  for (size_t e = 0; e < array.num_electrodes(); ++e) {
    array.ForEachInReach(e, points, [&](size_t point, double, double gain) {
      points_.push_back(static_cast<uint32_t>(point));
      gains_.push_back(gain);
    });
  }
}

size_t SparseGains::num_bytes() const {
  return begins_.capacity() * sizeof(size_t) + points_.capacity() * sizeof(uint32_t) +
         gains_.capacity() * sizeof(double);
}

void SparseGains::Potentials(const double* currents_ua, double* potentials_uv) const {
  for (size_t e = 0; e < num_electrodes(); ++e) {
    double sum_uv = 0.0;
    for (size_t i = begins_[e]; i < begins_[e + 1]; ++i) {
      sum_uv += gains_[i] * currents_ua[points_[i]];
    }
    potentials_uv[e] = sum_uv;
  }
}

void SparseGains::WriteRow(size_t electrode, double* gains) const {
  std::fill(gains, gains + num_points_, 0.0);
  for (size_t i = begins_[electrode]; i < begins_[electrode + 1]; ++i) {
    gains[points_[i]] = gains_[i];
  }
}

}  // namespace livnd::io
