#include "sim/cell/point/point_model.h"

#include <algorithm>
#include <limits>

#include "sim/simd/tile_lanes.h"

namespace livnd::sim {

PointModel::PointModel(double dt_ms) : dt_ms_(dt_ms) {
  NoiseStream stream;
  stream.position_state = PointState::kNoisePosition;
  stream.draws_per_update = 1;
  noise_streams_.push_back(stream);
}

int PointModel::AddSlot(bool conductance, double tau_ms, double reversal_mv) {
  const auto same = std::find_if(slots_.begin(), slots_.end(), [&](const PointSlot& s) {
    return s.conductance == conductance && s.tau_ms == tau_ms && s.reversal_mv == reversal_mv;
  });
  const auto index = static_cast<int>(same - slots_.begin());
  if (same == slots_.end()) {
    slots_.push_back({conductance, reversal_mv, tau_ms, 1.0 - dt_ms_ / tau_ms, 0});
  }
  return index;
}

int PointModel::PlaceSlots(int first) {
  for (PointSlot& slot : slots_) slot.state = first++;
  return first;
}

std::vector<std::string> PointModel::state_names() const {
  return {"v", "I_syn", "g_syn", "I_noise"};
}

double PointModel::NamedState(const std::string& name, int, absl::Span<const double>,
                              const double* state) const {
  if (name == "v") return state[PointState::kV * kTileLanes];
  if (name == "I_noise") return state[PointState::kNoise * kTileLanes];
  if (name != "I_syn" && name != "g_syn") return std::numeric_limits<double>::quiet_NaN();
  double sum = 0.0;
  for (const PointSlot& slot : slots_) {
    if (slot.conductance == (name == "g_syn")) sum += state[slot.state * kTileLanes];
  }
  return sum;
}

}  // namespace livnd::sim
