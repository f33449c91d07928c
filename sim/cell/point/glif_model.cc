#include "sim/cell/point/glif_model.h"

#include <algorithm>
#include <cmath>

#include "sim/cell/point/point_kernel.h"
#include "sim/simd/scalar_math.h"

namespace livnd::sim {
namespace {

// Brian2 2.9's rule for how many steps a time has (timestep(); refractoriness in NeuronGroup).
double StepsOf(double ms, double dt_ms) { return std::floor(ms / dt_ms + 1e-3); }

}  // namespace

CellParams GlifModel::Derive(const GlifParams& p, double noise_pa) const {
  const double dt = dt_ms();
  CellParams cell;
  cell.params.resize(GlifParam::kSize);
  cell.params[PointParam::kNoiseAmplitude] = noise_pa;
  cell.params[GlifParam::kLeak] = dt / p.tau_m;
  cell.params[GlifParam::kRest] = p.e_l;
  cell.params[GlifParam::kPerLeak] = 1.0 / p.g_l;
  cell.params[GlifParam::kThreshold] = p.v_threshold_base;
  cell.params[GlifParam::kKeepThetaS] = 1.0 - p.theta_decay_rate * dt;
  cell.params[GlifParam::kJumpThetaS] = p.theta_jump * ScalarExp(p.theta_decay_rate * p.t_ref);
  cell.params[GlifParam::kGainThetaV] = p.a_v * dt;
  cell.params[GlifParam::kKeepThetaV] = 1.0 - p.b_v * dt;
  cell.params[GlifParam::kKeepAsc1] = 1.0 - p.asc_decay_rate_1 * dt;
  cell.params[GlifParam::kKeepAsc2] = 1.0 - p.asc_decay_rate_2 * dt;
  cell.params[GlifParam::kJumpAsc1] = p.asc_amp_1 * ScalarExp(p.asc_decay_rate_1 * p.t_ref);
  cell.params[GlifParam::kJumpAsc2] = p.asc_amp_2 * ScalarExp(p.asc_decay_rate_2 * p.t_ref);
  cell.params[GlifParam::kAscFactor] = p.asc_r;
  cell.params[GlifParam::kResetFactor] = p.f_v;
  cell.params[GlifParam::kResetOffset] = p.delta_v;
  // The cell moves again once t_ref has passed since t_k of the spike.
  cell.params[GlifParam::kCutSteps] = std::max(0.0, StepsOf(p.t_ref, dt) - 1.0);
  cell.initial_state.assign(GlifState::kSize, 0.0);
  cell.initial_state[PointState::kV] = p.e_l;
  return cell;
}

std::vector<std::string> GlifModel::state_names() const {
  std::vector<std::string> names = PointModel::state_names();
  names.insert(names.end(), {"theta_s", "theta_v", "threshold", "asc_1", "asc_2"});
  return names;
}

double GlifModel::NamedState(const std::string& name, int section, absl::Span<const double> params,
                             const double* state) const {
  const double theta_s = state[GlifState::kThetaS * kTileLanes];
  const double theta_v = state[GlifState::kThetaV * kTileLanes];
  if (name == "theta_s") return theta_s;
  if (name == "theta_v") return theta_v;
  if (name == "threshold") return params[GlifParam::kThreshold] + theta_s + theta_v;
  if (name == "asc_1") return state[GlifState::kAsc1 * kTileLanes];
  if (name == "asc_2") return state[GlifState::kAsc2 * kTileLanes];
  return PointModel::NamedState(name, section, params, state);
}

void GlifModel::Prepare(const TileBatch& batch) const { PrepareGlifTiles(batch); }

void GlifModel::StepTiles(const TileBatch& batch, uint8_t* crossed) const {
  StepGlifTiles(slots(), batch, crossed);
}

}  // namespace livnd::sim
