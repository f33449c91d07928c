// The generalised leaky integrate-and-fire neurons GLIF 1 to 5 as a CellModel; one kernel for all.
//
// Teeter et al., "Generalized leaky integrate-and-fire models classify multiple neuron types",
// Nat. Commun. 9 (2018); livn 2.0.0 models/glif.py:
//   tau_m dV/dt = -(V - E_L) + (I + asc_1 + asc_2) / g_L              (1)
//   dTheta_s/dt = -theta_decay_rate Theta_s                           (2)
//   d asc_j/dt = -asc_decay_rate_j asc_j                              (3)
//   dTheta_v/dt = a_v (V - E_L) - b_v Theta_v                         (4)
//   V > V_threshold_base + Theta_s + Theta_v: a spike, and after the spike cut t_ref
//     V = E_L + f_v (V - E_L) - delta_v                               (5)
//     Theta_s = Theta_s + theta_jump                                  (6)
//     asc_j = asc_r asc_j + asc_amp_j                                 (7)
// During the cut V and Theta_v stand still, Theta_s and asc_j decay. V is reset when the cut begins;
// jumps are put in then as well, enlarged by what they lose until it ends.
#ifndef LIVND_SIM_CELL_POINT_GLIF_MODEL_H_
#define LIVND_SIM_CELL_POINT_GLIF_MODEL_H_

#include <string>
#include <vector>

#include "sim/cell/point/point_model.h"
#include "sim/cell/point/point_params.h"

namespace livnd::sim {

struct GlifParam {
  enum {
    kLeak = PointParam::kSize,  // dt / tau_m
    kRest,                      // E_L
    kPerLeak,                   // 1 / g_L
    kThreshold,                 // V_threshold_base
    kKeepThetaS,                // 1 - theta_decay_rate dt
    kJumpThetaS,                // theta_jump exp(theta_decay_rate t_ref)
    kGainThetaV,                // a_v dt
    kKeepThetaV,                // 1 - b_v dt
    kKeepAsc1,                  // 1 - asc_decay_rate_1 dt
    kKeepAsc2,
    kJumpAsc1,  // asc_amp_1 exp(asc_decay_rate_1 t_ref)
    kJumpAsc2,
    kAscFactor,    // asc_r
    kResetFactor,  // f_v
    kResetOffset,  // delta_v
    kCutSteps,     // steps after that of a spike in which V and Theta_v stand still
    kSize
  };
};
struct GlifState {
  enum {
    kThetaS = PointState::kSize,
    kThetaV,
    kAsc1,
    kAsc2,
    kCutLeft,  // steps
    kSize
  };
};

// The step is PointModel's; own named states: theta_s, theta_v, threshold (mV), asc_1, asc_2 (pA).
class GlifModel : public PointModel {
 public:
  explicit GlifModel(double dt_ms) : PointModel(dt_ms) {}

  CellParams Derive(const GlifParams& params, double noise_pa) const;

  int num_params() const override { return GlifParam::kSize; }
  void Prepare(const TileBatch& batch) const override;
  int spikes_state() const override { return GlifState::kSize; }
  std::vector<std::string> state_names() const override;
  double NamedState(const std::string& name, int section, absl::Span<const double> params,
                    const double* state) const override;
  void StepTiles(const TileBatch& batch, uint8_t* crossed) const override;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_POINT_GLIF_MODEL_H_
