#include "io/device/electrode_array.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {
namespace {

double Distance(const Point& a, const Point& b) {
  const double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return std::sqrt(x * x + y * y + z * z);
}

// Rows of a matrix of `size` elements with `width` columns, or -1 if it does not divide.
int64_t NumRows(size_t size, size_t width) {
  if (width == 0) return size == 0 ? 0 : -1;
  return size % width == 0 ? static_cast<int64_t>(size / width) : -1;
}

absl::Status SizeError(absl::string_view what, size_t size, absl::string_view of, size_t width) {
  return MakeFieldError(what, absl::StrCat(size, " numbers"),
                        absl::StrCat("a multiple of ", width, ", the number of ", of));
}

}  // namespace

absl::StatusOr<ElectrodeArray> ElectrodeArray::Create(ElectrodeArrayConfig config) {
  if (absl::Status status = config.Validate(); !status.ok()) return status;
  return ElectrodeArray(std::move(config));
}

std::vector<int32_t> ElectrodeArray::ids() const {
  std::vector<int32_t> ids;
  ids.reserve(num_electrodes());
  for (const Electrode& electrode : config_.electrodes) ids.push_back(electrode.id);
  return ids;
}

int ElectrodeArray::Find(int32_t id) const {
  for (size_t i = 0; i < num_electrodes(); ++i) {
    if (config_.electrodes[i].id == id) return static_cast<int>(i);
  }
  return -1;
}

absl::StatusOr<ElectrodeArray> ElectrodeArray::WithConductorParameter(absl::string_view name,
                                                                      double value) const {
  ElectrodeArrayConfig config = config_;
  if (absl::Status status = config.conductor.Set(name, value); !status.ok()) return status;
  return ElectrodeArray(std::move(config));
}

std::vector<double> ElectrodeArray::Distances(absl::Span<const Point> points) const {
  std::vector<double> distances;
  distances.reserve(num_electrodes() * points.size());
  for (const Electrode& electrode : config_.electrodes) {
    for (const Point& point : points) {
      distances.push_back(Distance(electrode.position_um, point));
    }
  }
  return distances;
}

sim::PointSources ElectrodeArray::StimulationSources(absl::Span<const Point> points) const {
  const VolumeConductor& conductor = config_.conductor;
  const double r = conductor.electrode_radius_um, c = conductor.culture_height_um;
  sim::PointSources sources;
  sources.contact_gain = conductor.stimulation_gain;
  sources.height_um = std::sqrt(r * r + c * c);
  for (const Electrode& electrode : config_.electrodes) {
    sources.channels_um.push_back(electrode.position_um);
  }
  sources.rows_um.assign(points.begin(), points.end());
  return sources;
}

std::vector<double> ElectrodeArray::StimulationGains(absl::Span<const Point> points) const {
  const sim::PointSources sources = StimulationSources(points);
  std::vector<double> gains;
  gains.reserve(num_electrodes() * points.size());
  for (size_t e = 0; e < num_electrodes(); ++e) {
    for (size_t p = 0; p < points.size(); ++p) {
      gains.push_back(sources.Gain(static_cast<int>(e), static_cast<int64_t>(p)));
    }
  }
  return gains;
}

void ElectrodeArray::ForEachInReach(size_t electrode, absl::Span<const Point> points,
                                    absl::FunctionRef<void(size_t, double, double)> f) const {
  const VolumeConductor& conductor = config_.conductor;
  const double floor_um = conductor.min_distance_um;
  const Point& place = config_.electrodes[electrode].position_um;
  for (size_t i = 0; i < points.size(); ++i) {
    const double distance_um = Distance(place, points[i]);
    if (distance_um > config_.output_radius_um) continue;
    f(i, distance_um, conductor.recording_gain * floor_um / (distance_um + floor_um));
  }
}

std::vector<double> ElectrodeArray::RecordingGains(absl::Span<const Point> points) const {
  std::vector<double> gains(num_electrodes() * points.size());
  for (size_t e = 0; e < num_electrodes(); ++e) {
    double* const row = gains.data() + e * points.size();
    ForEachInReach(e, points, [row](size_t i, double, double gain) { row[i] = gain; });
  }
  return gains;
}

std::vector<Contribution> ElectrodeArray::Contributions(size_t electrode,
                                                        absl::Span<const Point> points) const {
  std::vector<Contribution> all;
  double sum = 0.0;
  ForEachInReach(electrode, points, [&](size_t i, double distance_um, double gain) {
    sum += gain;
    all.push_back({static_cast<uint32_t>(i), distance_um, gain, 0.0});
  });
  for (Contribution& one : all) one.percent = sum > 0.0 ? one.gain / sum * 100.0 : 0.0;
  std::stable_sort(all.begin(), all.end(), [](const Contribution& a, const Contribution& b) {
    return a.distance_um < b.distance_um;
  });
  return all;
}

std::vector<std::vector<uint32_t>> ElectrodeArray::CellsInReach(
    absl::Span<const Point> somata) const {
  std::vector<std::vector<uint32_t>> cells(num_electrodes());
  for (size_t e = 0; e < num_electrodes(); ++e) {
    ForEachInReach(e, somata,
                   [&](size_t i, double, double) { cells[e].push_back(static_cast<uint32_t>(i)); });
  }
  return cells;
}

absl::StatusOr<std::vector<double>> CellStimulus(absl::Span<const double> currents_ua,
                                                 absl::Span<const double> gains,
                                                 size_t num_electrodes) {
  const int64_t num_times = NumRows(currents_ua.size(), num_electrodes);
  const int64_t num_points = NumRows(gains.size(), num_electrodes);
  if (num_times < 0) {
    return SizeError("currents_ua", currents_ua.size(), "electrodes", num_electrodes);
  }
  if (num_points < 0) return SizeError("gains", gains.size(), "electrodes", num_electrodes);
  std::vector<double> potentials_mv(num_times * num_points);
  for (int64_t t = 0; t < num_times; ++t) {
    double* const row = potentials_mv.data() + t * num_points;
    for (size_t e = 0; e < num_electrodes; ++e) {
      const double current_ua = currents_ua[t * num_electrodes + e];
      const double* const gain = gains.data() + e * num_points;
      for (int64_t p = 0; p < num_points; ++p) row[p] += current_ua * gain[p];
    }
  }
  return potentials_mv;
}

absl::StatusOr<std::vector<double>> ElectrodePotentials(absl::Span<const double> gains,
                                                        absl::Span<const double> currents_ua,
                                                        size_t num_points) {
  const int64_t num_electrodes = NumRows(gains.size(), num_points);
  const int64_t num_times = NumRows(currents_ua.size(), num_points);
  if (num_electrodes < 0) return SizeError("gains", gains.size(), "points", num_points);
  if (num_times < 0) {
    return SizeError("currents_ua", currents_ua.size(), "points", num_points);
  }
  std::vector<double> potentials_uv(num_electrodes * num_times);
  for (int64_t e = 0; e < num_electrodes; ++e) {
    double* const row = potentials_uv.data() + e * num_times;
    for (size_t p = 0; p < num_points; ++p) {
      const double gain = gains[e * num_points + p];
      if (gain == 0) continue;  // out of reach
      const double* const current_ua = currents_ua.data() + p * num_times;
      for (int64_t t = 0; t < num_times; ++t) row[t] += gain * current_ua[t];
    }
  }
  return potentials_uv;
}

absl::StatusOr<std::vector<ElectrodeSpikes>> AssignSpikes(
    const std::vector<std::vector<uint32_t>>& cells, absl::Span<const uint32_t> gids,
    absl::Span<const double> times_ms) {
  if (gids.size() != times_ms.size()) {
    return MakeFieldError("times_ms", absl::StrCat(times_ms.size(), " numbers"),
                          absl::StrCat(gids.size(), ", one a gid"));
  }
  std::unordered_map<uint32_t, std::vector<size_t>> electrodes_of_cell;
  for (size_t e = 0; e < cells.size(); ++e) {
    for (const uint32_t gid : cells[e]) electrodes_of_cell[gid].push_back(e);
  }
  std::vector<ElectrodeSpikes> spikes(cells.size());
  for (size_t i = 0; i < gids.size(); ++i) {
    const auto electrodes = electrodes_of_cell.find(gids[i]);
    if (electrodes == electrodes_of_cell.end()) continue;
    for (const size_t e : electrodes->second) {
      spikes[e].gids.push_back(gids[i]);
      spikes[e].times_ms.push_back(times_ms[i]);
    }
  }
  return spikes;
}

}  // namespace livnd::io
