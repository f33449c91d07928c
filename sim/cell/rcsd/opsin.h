// The RhO3c opsin: parameters as its user gives them, and what a time step needs of them.
#ifndef LIVND_SIM_CELL_RCSD_OPSIN_H_
#define LIVND_SIM_CELL_RCSD_OPSIN_H_

namespace livnd::sim {

// RhO3c (livn 2.0.0 mechanisms/RhO3c.mod): closed -Ga-> open -Gd-> desensitised -Gr-> closed.
struct OpsinParams {
  double g0_ps = 1.0;                // conductance of the whole cell
  double reversal_mv = 0.0;          // E
  double v0_mv = 43.0;               // rectifier
  double k_a = 0.28, k_r = 0.28;     // 1/ms
  double p = 0.4, q = 0.4;           // Hill exponents
  double gd = 0.0909, gr0 = 0.0002;  // 1/ms
  double phi_m = 1e16;               // photons/s/mm2
};
// What a step needs of them.
struct OpsinConstants {
  double unit_na = 0.0;  // current of the open opsin far above E: g0 v1 1e-6
  double reversal_mv = 0.0;
  double inverse_v0 = 0.0;     // 1/mV
  double secant_factor = 1.0;  // exp(-kSecantMv / v0)
  double gd = 0.0;             // 1/ms
};
OpsinConstants MakeOpsinConstants(const OpsinParams& params);
// Rates of opening and recovery in a photon flux, 1/ms.
struct OpsinRates {
  double ga = 0.0, gr = 0.0;
};
OpsinRates OpsinRatesAt(const OpsinParams& params, double photon_flux);

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_RCSD_OPSIN_H_
