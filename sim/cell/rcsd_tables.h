// The functions of voltage that a step of an RCSD cell needs, exactly and from tables.
#ifndef LIVND_SIM_CELL_RCSD_TABLES_H_
#define LIVND_SIM_CELL_RCSD_TABLES_H_

#include <memory>
#include <vector>

#include "sim/simd/tile_lanes.h"

namespace livnd::sim {

// Four functions a table, rows as sim/simd/table.h has them. "a" is the fraction 1 - exp(-dt / tau)
// that a gate moves towards its limit in a step; P and Q make up a Goldman-Hodgkin-Katz drive and its
// secant: GHK = -(1 - c/c_out) P + (c/c_out) V with P = V / (exp(V / f) - 1), Q = P's secant.
struct RcsdTables {
  enum { kMNas, kAH, kAHInf, kANInf };  // spiking: m_inf of Nas, a_h, a_h h_inf, a_n n_inf
  enum { kAN, kMCan, kHCan, kMCal };    // slow: a_n, m_inf and h_inf of CaN, m_inf of CaL
  enum { kPCan, kQCan, kPCal, kQCal };  // calcium
  enum { kAKa, kBKa };                  // a_inf, b_inf of Ka
  std::vector<double> spiking, slow, calcium, ka;
  std::vector<double> a_n;  // a_n alone
  // Reversal potentials (mV) of default pools as polynomials in u - kMiddle, u the mM that have left
  // the cell, where |u - kMiddle| < kHalfWidth.
  struct Sodium {
    static constexpr double kMiddle = -0.25, kHalfWidth = 0.35;
    static constexpr int kDegree = 6;
    double coefficients[kDegree + 1][kTileLanes];  // each in every lane
  } sodium;
  struct Potassium {
    static constexpr double kMiddle = 0.3, kHalfWidth = 0.35;
    static constexpr int kDegree = 8;
    double coefficients[kDegree + 1][kTileLanes];
  } potassium;
};

// Tables in which the block of NMDA receptors by magnesium, B(V) = 1 / (1 + exp(-gamma (V + vshift))
// mg / Kd), takes the place of a function that a compartment has no use for.
struct BlockTables {
  double gamma_per_mv = 0.0, vshift_mv = 0.0, mg_over_kd = 0.0;
  enum { kDendBlock = RcsdTables::kAN, kSomaBlock = RcsdTables::kPCal };
  std::vector<double> dend_slow;     // RcsdTables::slow for dendrites
  std::vector<double> soma_calcium;  // RcsdTables::calcium for somata
};

// Tables for a step length. Made by the kernel's own arithmetic: they are part of every result's bits.
std::shared_ptr<const RcsdTables> MakeRcsdTables(double dt_ms);
std::shared_ptr<const BlockTables> MakeBlockTables(double dt_ms, double gamma_per_mv,
                                                   double vshift_mv, double mg_over_kd);

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_RCSD_TABLES_H_
