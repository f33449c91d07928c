// Two ends of an electrode array, whose activities push something one way and the other.
#ifndef LIVND_ENV_TASK_MOTOR_REGIONS_H_
#define LIVND_ENV_TASK_MOTOR_REGIONS_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/decoding/unit_map.h"
#include "io/device/electrode_array_config.h"
#include "io/system/system.h"
#include "sim/gang/probe.h"

namespace livnd::env {

// Where each electrode lies along the longer side of the array: 0 at one end, 1 at the other. All 0.5
// where the array has no extent.
std::vector<double> PlacesAlong(const io::ElectrodeArrayConfig& array);

// The decoding: of two regions, the low and the high end of the array, the spikes per cell that their
// electrodes hear in a step. A region is as active as the mean over its electrodes, each weighted by
// the cells in its reach:
//   activity = sum of spikes heard / sum of cells in reach,   over the electrodes of the region
//
// Immutable and thread-safe.
class MotorRegions {
 public:
  // On a system with electrodes. The low region has the places below `part`, the high one those above
  // 1 - part; 0 < part <= 0.5. InvalidArgument, naming mea.json: a region hears no cell, or what is
  // wrong with the array.
  static absl::StatusOr<MotorRegions> Create(const io::System& system, double part);
  // Create's error.
  static absl::Status CheckSuits(const io::System& system, double part) {
    return Create(system, part).status();
  }

  // Spikes that each electrode hears for each cell in its reach, at most `most`; [electrodes].
  void Hear(absl::Span<const sim::Spike> spikes, double most, absl::Span<float> per_cell) const;
  // Of what Hear wrote.
  double LowActivity(absl::Span<const float> per_cell) const { return Activity(low_, per_cell); }
  double HighActivity(absl::Span<const float> per_cell) const { return Activity(high_, per_cell); }

  // Indices of electrodes.
  const std::vector<size_t>& low() const { return low_; }
  const std::vector<size_t>& high() const { return high_; }

 private:
  explicit MotorRegions(io::UnitMap units) : units_(std::move(units)) {}
  double CellsHeard(const std::vector<size_t>& region) const;
  double Activity(const std::vector<size_t>& region, absl::Span<const float> per_cell) const;

  io::UnitMap units_;               // electrodes
  std::vector<double> num_heard_;   // [electrodes] cells in reach
  std::vector<size_t> low_, high_;  // electrodes
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_MOTOR_REGIONS_H_
