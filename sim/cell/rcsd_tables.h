// The functions of voltage that a step of an RCSD cell needs, exactly and from tables.
#ifndef LIVND_SIM_CELL_RCSD_TABLES_H_
#define LIVND_SIM_CELL_RCSD_TABLES_H_

#include <memory>

#include "sim/simd/aligned_vector.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {

// The block of NMDA receptors by magnesium, B(V) = 1 / (1 + exp(-gamma (V + vshift)) mg / Kd).
struct MagnesiumBlock {
  double gamma_per_mv = 0.0, vshift_mv = 0.0, mg_over_kd = 0.0;

  friend bool operator==(const MagnesiumBlock& a, const MagnesiumBlock& b) {
    return a.gamma_per_mv == b.gamma_per_mv && a.vshift_mv == b.vshift_mv &&
           a.mg_over_kd == b.mg_over_kd;
  }
};

// One table a kind of compartment, whose rows are made of parts of four functions (sim/simd/table.h).
// "a" is the fraction 1 - exp(-dt / tau) that a gate moves towards its limit in a step; P and Q make up
// a Goldman-Hodgkin-Katz drive and its secant: GHK = -(1 - c/c_out) P + (c/c_out) V with
// P = V / (exp(V / f) - 1), Q = P's secant.
struct RcsdTables {
  // Part 0 of soma and axon: m_inf of Nas, a_h, a_h h_inf, a_n n_inf.
  enum { kMNas, kAH, kAHInf, kANInf };
  // Part 1 of the soma: a_n, m_inf and h_inf of CaN, the magnesium block.
  enum { kAN, kMCan, kHCan, kSomaBlock };
  // Part 2 of the soma: P and Q of CaN; a_inf and b_inf of Ka.
  enum { kPCan, kQCan, kAKa, kBKa };
  // Part 0 of dendrites: the magnesium block, m_inf and h_inf of CaN, m_inf of CaL.
  enum { kDendBlock, kDendMCan, kDendHCan, kMCal };
  // Part 1 of dendrites: P and Q of CaN and of CaL.
  enum { kDendPCan, kDendQCan, kPCal, kQCal };
  // The axon has a_n alone as a line behind part 0.
  AlignedVector soma, dend, axon;
  MagnesiumBlock block;
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

// Tables for a step length. Made by the kernel's own arithmetic: they are part of every result's bits.
std::shared_ptr<const RcsdTables> MakeRcsdTables(double dt_ms,
                                                 const MagnesiumBlock& block = MagnesiumBlock());

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_RCSD_TABLES_H_
