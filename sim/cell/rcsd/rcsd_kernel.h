// One time step of a tile of RCSD cells, and the start of a cell.
//
// The scheme is livn 2.0.0's (NEURON's staggered Crank-Nicolson with secant slopes): currents and
// slopes at V_k, an exact solve of the cell's chain for the half step, ion currents carried to the
// half step, V_{k+1} = V_k + 2 dv, then gates, pools and synapses at V_{k+1}.
#ifndef LIVND_SIM_CELL_RCSD_RCSD_KERNEL_H_
#define LIVND_SIM_CELL_RCSD_RCSD_KERNEL_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/cell/cell_model.h"
#include "sim/cell/rcsd/opsin.h"
#include "sim/cell/rcsd/rcsd_layout.h"
#include "sim/cell/rcsd/rcsd_tables.h"
#include "sim/cell/rcsd/rcsd_template.h"
#include "sim/synapse/plasticity.h"

namespace livnd::sim {

// Fractions that a state moves towards its limit in one step, 1 - exp(-dt / tau).
struct StepConstants {
  double dt_ms;
  double pool;                                                      // ion pools
  double can_m, can_h;                                              // tau 4, 40 ms
  double cal_m;                                                     // tau 60 ms
  double ka_a, ka_b;                                                // tau 1, 15 ms
  double can_m_kept, can_h_kept, cal_m_kept, ka_a_kept, ka_b_kept;  // 1 - those
  double na_rate;                                                   // dt / 30
  double kdr_rate;                                                  // dt / 7
  double pool_drive;                                                // mM per mA/cm2 at equilibrium
};
StepConstants MakeStepConstants(double dt_ms);

// Synapses of equal kinetics on one compartment share two states, A and B (uS): g = B - A.
struct SynapseSlot {
  int compartment = 0;
  int state = 0;             // variable index of A; B follows
  int per_area_param = 0;    // RcsdShape::per_area_param of the compartment
  int block_function = -1;   // RcsdShape::block_function, where it is tabulated; -1: it is not
  double decay_rise = 0.0;   // exp(-dt / tau_rise)
  double decay_decay = 0.0;  // exp(-dt / tau_decay)
  double reversal_mv = 0.0;
  MagnesiumBlock block;        // absent for mg_over_kd = 0
  double secant_factor = 1.0;  // exp(-gamma kSecantMv)
  double secant_loss = 0.0;    // 1 - exp(-gamma kSecantMv)
  int learning = -1;           // index of the learning slot that its connections follow, or -1
};

// Plastic synapses of one rule on one compartment share the learning signal and its integral: both
// are functions of the compartment's voltage alone.
struct LearningSlot {
  int compartment = 0;
  PlasticityGroup group = PlasticityGroup::kExcitatory;
  int state = 0;  // variable index of the signal; its integral follows
  PlasticityRule rule;
  double log_slope = 0.0;
  double decay = 0.0;  // exp(-dt / decay_tau)
};

// Ornstein-Uhlenbeck conductances of a cell, uS. Off unless `on`.
struct NoiseParams {
  bool excitatory_on = false;
  bool inhibitory_on = false;
  double g_e0 = 0.0, g_i0 = 0.0;
  double reversal_e_mv = 0.0, reversal_i_mv = -75.0;
  double decay_e = 0.0, decay_i = 0.0;  // over one noise interval
  double amp_e = 0.0, amp_i = 0.0;
};

// What all cells of a group (one population, one shape) share.
struct RcsdGroupParams {
  RcsdShape shape;
  StepConstants step = MakeStepConstants(0.025);
  NoiseParams noise;
  OpsinParams opsin;
  OpsinConstants opsin_step = MakeOpsinConstants(OpsinParams());
  std::vector<SynapseSlot> slots;
  std::vector<LearningSlot> learning;
  // Null: every function of voltage is computed exactly.
  std::shared_ptr<const RcsdTables> tables;
};

// The shape that a template needs, without an opsin.
RcsdShape ShapeOf(const CellTemplate& cell);

// Derives densities, couplings, the pin current and the initial state (all sections at v_init_mv,
// gates at their steady states, pools at rest, the opsin in the dark).
CellParams DeriveRcsdCell(const CellTemplate& cell, const RcsdShape& shape,
                          const OpsinParams& opsin, double dt_ms, double v_init_mv);

// Writes the functions of voltage that a step expects, [shape.num_functions()][kTileLanes] a tile.
void PrepareRcsdTiles(const RcsdGroupParams& group, const TileBatch& batch);

// Advances tiles by one step. crossed[tile] gets a bit for each lane whose soma was above threshold at
// the start of the step and was not one step earlier.
void StepRcsdTiles(const RcsdGroupParams& group, const TileBatch& batch, uint8_t* crossed);

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_RCSD_RCSD_KERNEL_H_
