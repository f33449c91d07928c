// The functions of voltage that a step of an RCSD cell needs, exactly and from tables.
#ifndef LIVND_SIM_CELL_RCSD_RCSD_TABLES_H_
#define LIVND_SIM_CELL_RCSD_RCSD_TABLES_H_

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
// A gate x becomes kept x + gain in a step: kept = exp(-dt / tau), gain = (1 - kept) x_inf. P and Q make
// up a Goldman-Hodgkin-Katz drive and its secant: GHK = -(1 - c/c_out) P + (c/c_out) V with
// P = V / (exp(V / f) - 1), Q = P's secant.
struct RcsdTables {
  // Part 0 of soma and axon: m_inf of Nas (its cube is too steep), h kept, gain of h and of n.
  enum { kMNas, kHKept, kHGain, kNGain };
  // Part 1 of the soma: n kept, gain of CaN's m and h, the magnesium block.
  enum { kNKept, kMCanGain, kHCanGain, kSomaBlock };
  // Part 2 of the soma: P and Q of CaN; gain of Ka's a and b.
  enum { kPCan, kQCan, kAKaGain, kBKaGain };
  // Part 0 of dendrites: the magnesium block, gain of CaN's m and h and of CaL's m.
  enum { kDendBlock, kDendMCanGain, kDendHCanGain, kMCalGain };
  // Part 1 of dendrites: P and Q of CaN and of CaL.
  enum { kDendPCan, kDendQCan, kPCal, kQCal };
  // The axon has n kept as a line behind part 0.
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

#endif  // LIVND_SIM_CELL_RCSD_RCSD_TABLES_H_
