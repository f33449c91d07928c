// Where each number of an RCSD cell lies: state and parameters are [variable][kTileLanes] blocks.
#ifndef LIVND_SIM_CELL_RCSD_RCSD_LAYOUT_H_
#define LIVND_SIM_CELL_RCSD_RCSD_LAYOUT_H_

#include <string>
#include <vector>

#include "sim/cell/rcsd/rcsd_template.h"

namespace livnd::sim {

// Offsets of a compartment's variables inside its block; -1 where it has none. "u" of an ion is the
// concentration that has left the cell: out - out0 = in0 - in, mM.
struct SomaState {
  enum { kV, kH, kN, kMCan, kHCan, kCai, kUNa, kUK, kField, kSize, kAKa = kSize, kBKa, kSizeKa };
};
struct DendState {
  enum { kV, kMCan, kHCan, kMCal, kCai, kUK, kField, kSize };
};
struct AxonState {
  enum { kV, kH, kN, kUNa, kUK, kField, kSize };
};

// cap = cm 2/dt (S/cm2); per_area = 1e2 / area, point-process nA to mA/cm2; g_* in S/cm2;
// g_prev, g_next: axial coupling density towards the soma and away from it.
struct SomaParam {
  enum {
    kCap,
    kGPas,
    kEPas,
    kPin,
    kPerArea,
    kGNas,
    kVHalf,
    kInverseSlope,
    kGKdr,
    kGKca,
    kGCan,
    kCaDecay,
    kAlpha,
    kInverseKCa,
    kIRest,
    kGAxon,
    kGDend,
    kGKa,
    kThreshold,
    kSize
  };
};
struct DendParam {
  enum {
    kCap,
    kGPas,
    kEPas,
    kPin,
    kPerArea,
    kGKca,
    kGCan,
    kGCal,
    kCaDecay,
    kAlpha,
    kInverseKCa,
    kIRest,
    kGPrev,
    kGNext,
    kSize
  };
};
struct AxonParam {
  enum {
    kCap,
    kGPas,
    kEPas,
    kPin,
    kPerArea,
    kGNas,
    kVHalf,
    kInverseSlope,
    kGKdr,
    kGPrev,
    kGNext,
    kSize
  };
};

// A sodium or potassium pool's own constants, for cells whose pools differ from the default. They
// follow a compartment's parameters: soma and axon sodium then potassium, dendrite potassium.
struct PoolParam {
  // fraction = 1 - exp(-dt beta); drive: mM per mA/cm2 at equilibrium; in, out: at rest, mM.
  enum { kFraction, kDrive, kIn, kOut, kSize };
};

// RhO3c on the soma: open and desensitised fractions (closed = 1 - both), and the rates (1/ms) that
// the light of this step gives.
struct OpsinState {
  enum { kOpen, kDesensitised, kGa, kGr, kSize };
};

// The shape of a cell: everything that decides offsets. Cells of one shape share tiles.
struct RcsdShape {
  CellKind kind = CellKind::kMotoneuron;
  int num_dend = 0;           // dendritic segments: 0 (Renshaw), 1 or 3
  int num_axon = 5;           // axon sections: 0 or 5
  bool own_membrane = false;  // pools and sodium activation are the cell's own
  bool has_opsin = false;

  constexpr bool has_ka() const { return kind == CellKind::kRenshaw; }
  constexpr int num_compartments() const { return 1 + num_dend + num_axon; }
  // Compartments: soma, dendrite segments from the soma outwards, ais0 .. ais4.
  constexpr int axon_compartment(int i) const { return 1 + num_dend + i; }

  constexpr int soma_size() const { return has_ka() ? SomaState::kSizeKa : SomaState::kSize; }
  constexpr int dend_state(int i) const { return soma_size() + i * DendState::kSize; }
  constexpr int axon_state(int i) const { return dend_state(num_dend) + i * AxonState::kSize; }
  // Two Ornstein-Uhlenbeck variables. Motoneuron: soma inhibition, dendrite excitation. Renshaw:
  // soma excitation, soma inhibition.
  constexpr int noise_state(int i) const { return axon_state(num_axon) + i; }
  // Pairs of words that each noise stream has used (one stream a noisy section).
  constexpr int num_noise_streams() const { return kind == CellKind::kRenshaw ? 1 : 2; }
  constexpr int noise_position(int i) const { return noise_state(2) + i; }
  // 1 while the soma was above threshold at the last step.
  constexpr int above_state() const { return noise_position(num_noise_streams()); }
  constexpr int opsin_state() const { return above_state() + 1; }
  // Ticks of the last accepted spikes, latest first; the network says how many it keeps. Synapse
  // states (A, B of each slot) and learning states follow.
  constexpr int spikes_state() const {
    return opsin_state() + (has_opsin ? int{OpsinState::kSize} : 0);
  }

  // Functions of the voltage that a step leaves for the next one, [variable][kTileLanes] beside the
  // state: soma m_inf^3, P and Q of CaN; dendrite segments P and Q of CaN and CaL; axon m_inf^3. Block: that
  // of NMDA receptors by magnesium, where it is tabulated.
  enum { kSomaM3, kSomaP, kSomaQ, kSomaBlock, kSomaFunctions };
  enum { kDendPCan, kDendQCan, kDendPCal, kDendQCal, kDendBlock, kDendFunctions };
  constexpr int dend_functions(int i) const { return kSomaFunctions + i * kDendFunctions; }
  constexpr int block_function(int compartment) const {
    return compartment == 0 ? int{kSomaBlock} : dend_functions(compartment - 1) + kDendBlock;
  }
  constexpr int axon_functions(int i) const { return dend_functions(num_dend) + i; }
  constexpr int num_functions() const { return axon_functions(num_axon); }

  // One variable, or one parameter, of a compartment: its offset in each kind's block.
  constexpr int state_of(int compartment, int soma, int dend, int axon) const {
    if (compartment == 0) return soma;
    if (compartment <= num_dend) return dend_state(compartment - 1) + dend;
    return axon_state(compartment - 1 - num_dend) + axon;
  }
  constexpr int param_of(int compartment, int soma, int dend, int axon) const {
    if (compartment == 0) return soma;
    if (compartment <= num_dend) return dend_param(compartment - 1) + dend;
    return axon_param(compartment - 1 - num_dend) + axon;
  }
  constexpr int voltage_state(int compartment) const {
    return state_of(compartment, SomaState::kV, DendState::kV, AxonState::kV);
  }
  constexpr int field_state(int compartment) const {
    return state_of(compartment, SomaState::kField, DendState::kField, AxonState::kField);
  }
  // Concentrations that have left a compartment, and its pools' own constants among the parameters of
  // a cell with own_membrane. Dendrites have no sodium.
  constexpr bool has_sodium(int compartment) const {
    return compartment == 0 || compartment > num_dend;
  }
  constexpr int sodium_state(int compartment) const {
    return state_of(compartment, SomaState::kUNa, -1, AxonState::kUNa);
  }
  constexpr int sodium_pool(int compartment) const {
    return param_of(compartment, SomaParam::kSize, -1, AxonParam::kSize);
  }
  constexpr int potassium_state(int compartment) const {
    return state_of(compartment, SomaState::kUK, DendState::kUK, AxonState::kUK);
  }
  constexpr int potassium_pool(int compartment) const {
    return param_of(compartment, SomaParam::kSize + PoolParam::kSize, DendParam::kSize,
                    AxonParam::kSize + PoolParam::kSize);
  }
  // Section index (soma 0, dend 1, ais0 ..) to the compartment that records and point processes
  // at the section's middle use; -1 if there is no such section.
  constexpr int middle_compartment(int section) const {
    if (section == 0) return 0;
    const int axon = section - (num_dend > 0 ? 2 : 1);
    if (axon < 0) return 1 + num_dend / 2;
    return axon < num_axon ? axon_compartment(axon) : -1;
  }
  constexpr int num_sections() const { return 1 + (num_dend > 0 ? 1 : 0) + num_axon; }

  constexpr int soma_param_size() const {
    return SomaParam::kSize + (own_membrane ? 2 * PoolParam::kSize : 0);
  }
  constexpr int dend_param_size() const {
    return DendParam::kSize + (own_membrane ? 1 * PoolParam::kSize : 0);
  }
  constexpr int axon_param_size() const {
    return AxonParam::kSize + (own_membrane ? 2 * PoolParam::kSize : 0);
  }
  constexpr int dend_param(int i) const { return soma_param_size() + i * dend_param_size(); }
  constexpr int axon_param(int i) const { return dend_param(num_dend) + i * axon_param_size(); }
  constexpr int num_params() const { return axon_param(num_axon); }
  // 1e2 / area of a compartment, 1/um2 scaled.
  constexpr int per_area_param(int compartment) const {
    return param_of(compartment, SomaParam::kPerArea, DendParam::kPerArea, AxonParam::kPerArea);
  }

  friend bool operator==(const RcsdShape& a, const RcsdShape& b) {
    return a.kind == b.kind && a.num_dend == b.num_dend && a.num_axon == b.num_axon &&
           a.own_membrane == b.own_membrane && a.has_opsin == b.has_opsin;
  }
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_RCSD_RCSD_LAYOUT_H_
