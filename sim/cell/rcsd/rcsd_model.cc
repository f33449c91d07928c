#include "sim/cell/rcsd/rcsd_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/cell/rcsd/rcsd_constants.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {
namespace {

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

// Offset of a gate or pool in each kind of compartment; -1 where it has none.
struct StateName {
  const char* name;
  int soma, dend, axon;
};
using S = SomaState;
using D = DendState;
using A = AxonState;
constexpr StateName kStateNames[] = {
    {"v", S::kV, D::kV, A::kV},        {"h_Nas", S::kH, -1, A::kH},
    {"n_Kdr", S::kN, -1, A::kN},       {"m_CaN", S::kMCan, D::kMCan, -1},
    {"h_CaN", S::kHCan, D::kHCan, -1}, {"m_CaL", -1, D::kMCal, -1},
    {"cai", S::kCai, D::kCai, -1},
};
// Ion concentrations and reversal potentials; they follow from what has left the cell.
constexpr StateName kPoolNames[] = {
    {"nai", S::kUNa, -1, A::kUNa},  {"nao", S::kUNa, -1, A::kUNa},  {"ena", S::kUNa, -1, A::kUNa},
    {"ki", S::kUK, D::kUK, A::kUK}, {"ko", S::kUK, D::kUK, A::kUK}, {"ek", S::kUK, D::kUK, A::kUK},
};

}  // namespace

RcsdModel::RcsdModel(const RcsdShape& shape, const OpsinParams& opsin, double dt_ms) {
  group_.shape = shape;
  group_.step = MakeStepConstants(dt_ms);
  group_.opsin = opsin;
  group_.opsin_step = MakeOpsinConstants(opsin);
  // Every update draws an excitatory and an inhibitory normal. A motoneuron's soma uses the second,
  // its dendrite the first, a Renshaw soma both.
  if (shape.kind == CellKind::kRenshaw) {
    noise_streams_ = {{shape.noise_position(0), 1, 2, 0, 2, 0}};
  } else {
    noise_streams_ = {{shape.noise_position(0), 1, 2, 1, 1, 0},
                      {shape.noise_position(1), 2, 2, 0, 1, 1}};
  }
}

int RcsdModel::AddSlot(const SynapseSlot& slot) {
  const auto same =
      std::find_if(group_.slots.begin(), group_.slots.end(), [&](const SynapseSlot& s) {
        return s.compartment == slot.compartment && s.decay_rise == slot.decay_rise &&
               s.decay_decay == slot.decay_decay && s.reversal_mv == slot.reversal_mv &&
               s.block == slot.block && s.learning == slot.learning;
      });
  const auto index = static_cast<int>(same - group_.slots.begin());
  if (same == group_.slots.end()) {
    group_.slots.push_back(slot);
    group_.slots.back().per_area_param = shape().per_area_param(slot.compartment);
  }
  return index;
}

int RcsdModel::AddLearningSlot(const LearningSlot& slot) {
  const auto same =
      std::find_if(group_.learning.begin(), group_.learning.end(), [&](const LearningSlot& s) {
        return s.compartment == slot.compartment && s.group == slot.group;
      });
  const auto index = static_cast<int>(same - group_.learning.begin());
  if (same == group_.learning.end()) group_.learning.push_back(slot);
  return index;
}

SynapseSlotStates RcsdModel::slot(int slot) const {
  const SynapseSlot& s = group_.slots[slot];
  return {s.state, 2, s.learning < 0 ? -1 : group_.learning[s.learning].state};
}

bool RcsdModel::CanTabulate(const SynapseSlot& slot) const {
  // Steeper blocks than any receptor's are not for the tables, nor for the series of the secant.
  return slot.block.mg_over_kd != 0.0 && std::fabs(slot.block.gamma_per_mv) <= 0.2 &&
         slot.compartment <= shape().num_dend;
}

MagnesiumBlock RcsdModel::block() const {
  for (const SynapseSlot& slot : group_.slots) {
    if (CanTabulate(slot)) return slot.block;
  }
  return MagnesiumBlock();
}

void RcsdModel::SetTables(std::shared_ptr<const RcsdTables> tables) {
  group_.tables = std::move(tables);
  for (SynapseSlot& slot : group_.slots) {
    const bool tabulated =
        group_.tables != nullptr && CanTabulate(slot) && slot.block == group_.tables->block;
    slot.block_function = tabulated ? shape().block_function(slot.compartment) : -1;
  }
}

int RcsdModel::PlaceSlots(int first) {
  for (SynapseSlot& slot : group_.slots) {
    slot.state = first;
    first += 2;
  }
  for (LearningSlot& slot : group_.learning) {
    slot.state = first;
    first += 2;
  }
  return first;
}

bool RcsdModel::supports(StimulusMode mode) const {
  return mode != StimulusMode::kLight || shape().has_opsin;
}

void RcsdModel::SetField(absl::Span<const double> p, const double* ve, const uint8_t* present,
                         double* state) const {
  const RcsdShape& shape = group_.shape;
  auto field = [&](int compartment) -> double& {
    return state[shape.field_state(compartment) * kTileLanes];
  };
  for (int c = 0; c < shape.num_compartments(); ++c) field(c) = 0.0;
  if (ve == nullptr) return;
  // Each junction drives its two compartments by the difference of their potentials.
  auto junction = [&](int near, int far, int near_section, int far_section, int near_param,
                      int far_param) {
    if (!present[near_section] || !present[far_section]) return;
    const double difference = ve[far_section] - ve[near_section];
    field(near) += p[near_param] * difference;
    field(far) -= p[far_param] * difference;
  };
  const int first_axon_section = shape.num_dend > 0 ? 2 : 1;
  if (shape.num_dend > 0) {
    junction(0, 1, 0, 1, SomaParam::kGDend, shape.dend_param(0) + DendParam::kGPrev);
  }
  for (int i = 0; i < shape.num_axon; ++i) {
    junction(i == 0 ? 0 : shape.axon_compartment(i - 1), shape.axon_compartment(i),
             i == 0 ? 0 : first_axon_section + i - 1, first_axon_section + i,
             i == 0 ? int{SomaParam::kGAxon} : shape.axon_param(i - 1) + AxonParam::kGNext,
             shape.axon_param(i) + AxonParam::kGPrev);
  }
}

void RcsdModel::SetLight(double photon_flux, double* state) const {
  const OpsinRates rates = OpsinRatesAt(group_.opsin, photon_flux);
  state[(shape().opsin_state() + OpsinState::kGa) * kTileLanes] = rates.ga;
  state[(shape().opsin_state() + OpsinState::kGr) * kTileLanes] = rates.gr;
}

std::vector<std::string> RcsdModel::state_names() const {
  std::vector<std::string> names;
  for (const StateName& n : kStateNames) names.push_back(n.name);
  for (const StateName& n : kPoolNames) names.push_back(n.name);
  for (const char* n : {"a_Ka_v1in", "b_Ka_v1in", "O_RhO3c", "D_RhO3c"}) names.push_back(n);
  return names;
}

double RcsdModel::NamedState(const std::string& name, int section, absl::Span<const double> params,
                             const double* state) const {
  const RcsdShape& shape = group_.shape;
  if (section < 0 || section >= shape.num_sections()) return kAbsent;
  auto at = [&](int variable) { return state[variable * kTileLanes]; };
  if (section == 0 && shape.has_ka()) {
    if (name == "a_Ka_v1in") return at(S::kAKa);
    if (name == "b_Ka_v1in") return at(S::kBKa);
  }
  if (section == 0 && shape.has_opsin) {
    if (name == "O_RhO3c") return at(shape.opsin_state() + OpsinState::kOpen);
    if (name == "D_RhO3c") return at(shape.opsin_state() + OpsinState::kDesensitised);
  }
  // Offset of the section's block of states and of parameters, and which kind it is.
  const bool soma = section == 0;
  const bool dend = section == 1 && shape.num_dend > 0;
  const int axon = section - (shape.num_dend > 0 ? 2 : 1);
  const int states = soma   ? 0
                     : dend ? shape.dend_state(shape.num_dend / 2)
                            : shape.axon_state(axon);
  auto offset = [&](const StateName& n) { return soma ? n.soma : dend ? n.dend : n.axon; };
  for (const StateName& n : kStateNames) {
    if (name == n.name) return offset(n) < 0 ? kAbsent : at(states + offset(n));
  }
  for (const StateName& n : kPoolNames) {
    if (name != n.name) continue;
    if (offset(n) < 0) return kAbsent;
    const bool sodium = name == "nai" || name == "nao" || name == "ena";
    double in = sodium ? rcsd::kNaInMm : rcsd::kKInMm;
    double out = sodium ? rcsd::kNaOutMm : rcsd::kKOutMm;
    if (shape.own_membrane) {
      const int block = soma   ? 0
                        : dend ? shape.dend_param(shape.num_dend / 2)
                               : shape.axon_param(axon);
      const int size = soma   ? int{SomaParam::kSize}
                       : dend ? int{DendParam::kSize}
                              : int{AxonParam::kSize};
      const int pool = block + size + (sodium || dend ? 0 : int{PoolParam::kSize});
      in = params[pool + PoolParam::kIn];
      out = params[pool + PoolParam::kOut];
    }
    const double u = at(states + offset(n));
    if (name[name.size() - 1] == 'i') return in - u;
    if (name[name.size() - 1] == 'o') return out + u;
    return rcsd::kRtOverFMv * std::log((out + u) / (in - u));
  }
  return kAbsent;
}

}  // namespace livnd::sim
