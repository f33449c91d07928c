// Voltage-based learning of synaptic weights: rules and their parameters.
//
// Source: livn 2.0.0 models/rcsd (neuron_plasticity_defaults) and its StdpLinExp2Syn, -NMDA and -Inh
// mechanisms, after the Sigma3Exp2Syn of neuronpp. A compartment's voltage drives one learning
// signal a rule; a connection takes in what the signal has gathered since its own last event.
#ifndef LIVND_SIM_SYNAPSE_PLASTICITY_H_
#define LIVND_SIM_SYNAPSE_PLASTICITY_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/synapse/kinetics.h"

namespace livnd::sim {

// Rules by group, each a set of numbers by livn's names; what is absent has livn's default.
// "EXC": NMDA, and AMPA without short-term depression. "INH": GABA_A.
using PlasticityConfig = std::map<std::string, std::map<std::string, double>>;

// With S(v; h) = 1 / (1 + slope^-(v - h)):
//   ltd = S(v; ltd_sigmoid_half) while v is beyond theta_ltd, else 0; ltp likewise
//   signal += (2 / (1 + slope^-x) - 1) / 5000, x = (2 A_ltp ltp - A_ltd ltd) / learning_tau,
// at v + 0.001 mV and at v in every step; then it decays by exp(-dt / decay_tau) and is integrated.
// At an event w += w (integral - integral at the last event), kept within w_min .. w_max.
struct PlasticityRule {
  bool inhibitory = false;  // "beyond" a threshold is below it
  double a_ltp = 1.0, a_ltd = 1.0;
  double theta_ltp_mv = 0.0, theta_ltd_mv = 0.0;
  double ltp_half_mv = 0.0, ltd_half_mv = 0.0;
  double slope = 1.0;
  double learning_tau = 20.0;
  double w_max = 5.0, w_min = 1e-4;
  double decay_tau_ms = 4.0;
};

enum class PlasticityGroup { kExcitatory, kInhibitory };
inline constexpr int kNumPlasticityGroups = 2;

// The group whose rule a kind of synapse follows; nullopt: it does not learn.
std::optional<PlasticityGroup> PlasticityGroupOf(SynapseKind kind);

// livn's numbers by livn's names.
std::map<std::string, double> DefaultPlasticity(PlasticityGroup group);

// The rules in the order of PlasticityGroup. InvalidArgument names an unknown group or parameter
// and lists the accepted ones, or names a value and its range: all finite, learning_slope > 0,
// learning_tau > 0, 0 <= w_min <= w_max.
absl::StatusOr<std::vector<PlasticityRule>> ResolvePlasticity(const PlasticityConfig& config);

}  // namespace livnd::sim

#endif  // LIVND_SIM_SYNAPSE_PLASTICITY_H_
