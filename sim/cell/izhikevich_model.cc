#include "sim/cell/izhikevich_model.h"

#include <cmath>

#include "sim/cell/point_kernel.h"

namespace livnd::sim {
namespace {

using simd::Fma;
using simd::Mask;
using simd::Select;
using simd::Set;
using simd::Vec;

constexpr double kPeakMv = 30.0;

}  // namespace

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

void IzhikevichModel::StepTiles(const TileBatch& batch, uint32_t* crossed) const {
  const auto step = [&](const TileStep& tile) {
    const double dt = dt_ms();
    return point::ForLanes(
        tile, [&](const point::Lanes& cell, const double* normals, const double* drive) {
          const Vec v = cell.S(PointState::kV);
          const Vec u = cell.S(IzhikevichState::kU);
          const Vec input = point::InputCurrent(cell, slots(), normals, drive, v);
          const Vec slope = Fma(Fma(Set(0.04), v, Set(5.0)), v, 140.0 - u + input);
          const Vec new_v = Fma(Set(dt), slope, v);
          const Vec new_u =
              Fma(cell.P(IzhikevichParam::kADt), Fma(cell.P(IzhikevichParam::kB), v, -u), u);
          const Mask spike = new_v > Set(kPeakMv);
          cell.Put(PointState::kV, Select(spike, cell.P(IzhikevichParam::kC), new_v));
          cell.Put(IzhikevichState::kU, Select(spike, new_u + cell.P(IzhikevichParam::kD), new_u));
          return simd::Bits(spike);
        });
  };
  for (int t = 0; t < batch.num_tiles; ++t) crossed[t] = step(TileOf(batch, t));
}

}  // namespace livnd::sim
