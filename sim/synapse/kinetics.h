// Receptors: parameters, kinetics and normalisation of the point processes of livn 2.0.0.
#ifndef LIVND_SIM_SYNAPSE_KINETICS_H_
#define LIVND_SIM_SYNAPSE_KINETICS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace livnd::sim {

// The process behind a receptor class. What an event adds beside weight * g_unit * factor:
enum class SynapseKind {
  kPlain,       // GABA_B: nothing
  kDepressing,  // AMPA with short-term depression: resources * U, per connection
  kPlastic,     // AMPA without depression: the learned weight, per connection
  kPlasticNmda,
  kPlasticInhibitory,  // GABA_A
};

// A receptor of a projection as its graph file gives it; what is absent takes the process default.
struct ReceptorConfig {
  std::string receptor;  // AMPA, NMDA, GABA_A, GABA_B
  // weight, g_unit (uS), tau_rise, tau_decay (ms), e (mV); AMPA: U, tau_rec (ms); NMDA: mg (mM),
  // Kd, gamma (1/mV), vshift (mV).
  std::map<std::string, double> params;
};

// Decides how a conductance moves and drives; equal kinetics on a compartment share one state.
struct Kinetics {
  double tau_rise_ms = 0.0;
  double tau_decay_ms = 0.0;
  double reversal_mv = 0.0;
  bool magnesium_block = false;
  double mg_mm = 1.0, kd_mm = 3.57, gamma_per_mv = 0.062, vshift_mv = 0.0;

  friend bool operator==(const Kinetics& a, const Kinetics& b) {
    return a.tau_rise_ms == b.tau_rise_ms && a.tau_decay_ms == b.tau_decay_ms &&
           a.reversal_mv == b.reversal_mv && a.magnesium_block == b.magnesium_block &&
           (!a.magnesium_block || (a.mg_mm == b.mg_mm && a.kd_mm == b.kd_mm &&
                                   a.gamma_per_mv == b.gamma_per_mv && a.vshift_mv == b.vshift_mv));
  }
};

struct Receptor {
  std::string name;
  SynapseKind kind = SynapseKind::kPlain;
  Kinetics kinetics;
  double weight = 1.0;
  double g_unit_us = 0.0;
  // One event of weight 1 peaks at g_unit: 1 / (exp(-tp/td) - exp(-tp/tr)).
  double factor = 1.0;
  double release_fraction = 0.25;  // U
  double recovery_tau_ms = 400.0;  // tau_rec
};

// Names of the numbers that belong to the process of a receptor, and not to a connection: all that
// ReceptorConfig::params takes but weight and g_unit. Empty for an unknown receptor.
std::vector<std::string> ProcessParams(absl::string_view receptor, bool short_term_depression);

// InvalidArgument: unknown receptor or parameter (lists the accepted), non-finite or out-of-range
// value (names it and its range).
absl::StatusOr<Receptor> ResolveReceptor(const ReceptorConfig& config, bool short_term_depression);

}  // namespace livnd::sim

#endif  // LIVND_SIM_SYNAPSE_KINETICS_H_
