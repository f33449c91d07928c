#include "sim/cell/point/izhikevich_model.h"

#include <cmath>

#include "sim/cell/point/point_kernel.h"

namespace livnd::sim {
CellParams IzhikevichModel::Derive(const IzhikevichParams& p, double noise_pa) const {
  CellParams cell;
  cell.params.resize(IzhikevichParam::kSize);
  cell.params[PointParam::kNoiseAmplitude] = noise_pa;
  cell.params[IzhikevichParam::kADt] = p.a * dt_ms();
  cell.params[IzhikevichParam::kB] = p.b;
  cell.params[IzhikevichParam::kC] = p.c;
  cell.params[IzhikevichParam::kD] = p.d;
  cell.initial_state.assign(IzhikevichState::kSize, 0.0);
  cell.initial_state[PointState::kV] = p.v_init;
  cell.initial_state[IzhikevichState::kU] = std::isnan(p.u_init) ? p.b * p.v_init : p.u_init;
  return cell;
}

std::vector<std::string> IzhikevichModel::state_names() const {
  std::vector<std::string> names = PointModel::state_names();
  names.emplace_back("u");
  return names;
}

double IzhikevichModel::NamedState(const std::string& name, int section,
                                   absl::Span<const double> params, const double* state) const {
  if (name == "u") return state[IzhikevichState::kU * kTileLanes];
  return PointModel::NamedState(name, section, params, state);
}

void IzhikevichModel::StepTiles(const TileBatch& batch, uint8_t* crossed) const {
  StepIzhikevichTiles(dt_ms(), slots(), batch, crossed);
}

}  // namespace livnd::sim
