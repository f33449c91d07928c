// How electrodes hear points, without the pairs that are out of reach.
#ifndef LIVND_IO_DEVICE_SPARSE_GAINS_H_
#define LIVND_IO_DEVICE_SPARSE_GAINS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "io/device/electrode_array.h"

namespace livnd::io {

// [electrode][point] uV per uA, by electrode; immutable and thread-safe. Takes 12 bytes a pair in reach: 1,024
// electrodes that hear 200 points each are 2.5 MB, where a matrix over 20,000 points is 164 MB.
class SparseGains {
 public:
  SparseGains() = default;
  // ElectrodeArray::RecordingGains but for its zeros; at most 2^32 points. Holds no more than the result on the way.
  SparseGains(const ElectrodeArray& array, absl::Span<const Point> points);

  size_t num_electrodes() const { return begins_.size() - 1; }
  size_t num_points() const { return num_points_; }
  // Pairs in reach.
  size_t num_pairs() const { return gains_.size(); }
  size_t num_bytes() const;

  // Potentials in uV, [num_electrodes], of membrane currents in uA, [num_points]: sums in the order of points, to the
  // bits of the matrix, if the currents are finite.
  void Potentials(const double* currents_ua, double* potentials_uv) const;

  // Writes an electrode's gains, [num_points], zeros and all.
  void WriteRow(size_t electrode, double* gains) const;

 private:
  size_t num_points_ = 0;
  std::vector<size_t> begins_ = {0};  // [num_electrodes + 1]
  std::vector<uint32_t> points_;      // [pair], ascending for each electrode
  std::vector<double> gains_;         // [pair]
};

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_SPARSE_GAINS_H_
