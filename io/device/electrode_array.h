// A multi-electrode array: how currents on electrodes become potentials at points of the
// culture, how membrane currents become potentials on electrodes, and which cells an electrode
// hears.
//
// Electrodes are indexed by their declared order everywhere; ids only name them. Points are
// rows (x, y, z) in um. Matrices are row-major, and sums over electrodes or points run in index
// order, so results do not depend on the machine.

#ifndef LIVND_IO_DEVICE_ELECTRODE_ARRAY_H_
#define LIVND_IO_DEVICE_ELECTRODE_ARRAY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "io/device/electrode_array_config.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::io {

using Point = std::array<double, 3>;  // x, y, z in um

// The spikes that one electrode records, in the order given.
struct ElectrodeSpikes {
  std::vector<uint32_t> gids;
  std::vector<double> times_ms;
};

// One point's share of what an electrode records.
struct Contribution {
  uint32_t point = 0;
  double distance_um = 0.0;
  double gain = 0.0;     // uV per uA
  double percent = 0.0;  // of the electrode's gains
};

// Immutable and thread-safe. Keeps no results: gains for other points are computed anew (livn
// returns what it computed for the points of the first call).
class ElectrodeArray {
 public:
  // InvalidArgument unless config.Validate() holds.
  static absl::StatusOr<ElectrodeArray> Create(ElectrodeArrayConfig config);

  const ElectrodeArrayConfig& config() const { return config_; }
  size_t num_electrodes() const { return config_.electrodes.size(); }
  // Ids in declared order.
  std::vector<int32_t> ids() const;
  // Index of an id, or -1.
  int Find(int32_t id) const;

  // The same array with another volume conductor; the error is VolumeConductor::Set's.
  absl::StatusOr<ElectrodeArray> WithConductorParameter(absl::string_view name, double value) const;

  // [electrode][point] distances in um.
  std::vector<double> Distances(absl::Span<const Point> points) const;

  // [electrode][point] mV per uA. The stimulation kernel has no cut-off: input_radius is not
  // applied (as in livn), so every electrode reaches every point.
  std::vector<double> StimulationGains(absl::Span<const Point> points) const;

  // The same without the matrix.
  sim::PointSources StimulationSources(absl::Span<const Point> points) const;

  // Calls f(point, distance in um, gain in uV per uA) for the points within output_radius (which is still inside) of
  // an electrode, ascending.
  void ForEachInReach(size_t electrode, absl::Span<const Point> points,
                      absl::FunctionRef<void(size_t, double, double)> f) const;

  // [electrode][point] uV per uA, 0 out of reach.
  std::vector<double> RecordingGains(absl::Span<const Point> points) const;

  // What makes up the signal of one electrode, the nearest point first: those within output_radius, and how much of
  // the sum of all gains each has (livn's channel_contribution).
  std::vector<Contribution> Contributions(size_t electrode, absl::Span<const Point> points) const;

  // Whose soma each electrode hears: indices of points at most output_radius away, ascending.
  // A cell belongs to every electrode in reach. Where livn's dictionaries leave out electrodes
  // without cells, theirs is an empty list here.
  std::vector<std::vector<uint32_t>> CellsInReach(absl::Span<const Point> somata) const;

 private:
  explicit ElectrodeArray(ElectrodeArrayConfig config) : config_(std::move(config)) {}

  ElectrodeArrayConfig config_;
};

// Extracellular potential in mV at each point and time, [T][point], of electrode currents in uA,
// [T][electrode]: the sum over electrodes of current times gain. `gains` is [electrode][point].
// InvalidArgument unless the sizes are whole multiples that fit together.
absl::StatusOr<std::vector<double>> CellStimulus(absl::Span<const double> currents_ua,
                                                 absl::Span<const double> gains,
                                                 size_t num_electrodes);

// Electrode potentials in uV, [electrode][T], of membrane currents in uA, [point][T].
// `gains` is [electrode][point].
absl::StatusOr<std::vector<double>> ElectrodePotentials(absl::Span<const double> gains,
                                                        absl::Span<const double> currents_ua,
                                                        size_t num_points);

// Gives each electrode the spikes of its cells; `cells` as from CellsInReach, over gids. A spike
// heard by several electrodes appears on each. InvalidArgument unless there is one time a gid.
absl::StatusOr<std::vector<ElectrodeSpikes>> AssignSpikes(
    const std::vector<std::vector<uint32_t>>& cells, absl::Span<const uint32_t> gids,
    absl::Span<const double> times_ms);

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_ELECTRODE_ARRAY_H_
