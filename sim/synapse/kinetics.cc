#include "sim/synapse/kinetics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"

namespace livnd::sim {
namespace {

absl::Status Bad(absl::string_view name, double value, absl::string_view accepted) {
  return MakeFieldError(name, absl::StrCat(value), accepted);
}

bool KindOf(absl::string_view receptor, bool short_term_depression, SynapseKind* kind) {
  if (receptor == "AMPA") {
    *kind = short_term_depression ? SynapseKind::kDepressing : SynapseKind::kPlastic;
  } else if (receptor == "NMDA") {
    *kind = SynapseKind::kPlasticNmda;
  } else if (receptor == "GABA_A") {
    *kind = SynapseKind::kPlasticInhibitory;
  } else if (receptor == "GABA_B") {
    *kind = SynapseKind::kPlain;
  } else {
    return false;
  }
  return true;
}

std::vector<std::string> ProcessParams(SynapseKind kind) {
  std::vector<std::string> names = {"tau_rise", "tau_decay", "e"};
  if (kind == SynapseKind::kDepressing) names.insert(names.end(), {"U", "tau_rec"});
  if (kind == SynapseKind::kPlasticNmda) {
    names.insert(names.end(), {"mg", "Kd", "gamma", "vshift"});
  }
  return names;
}

std::vector<std::string> AcceptedParams(SynapseKind kind) {
  std::vector<std::string> names = ProcessParams(kind);
  names.insert(names.begin(), {"weight", "g_unit"});
  return names;
}

}  // namespace

std::vector<std::string> ProcessParams(absl::string_view receptor, bool short_term_depression) {
  SynapseKind kind;
  if (!KindOf(receptor, short_term_depression, &kind)) return {};
  return ProcessParams(kind);
}

absl::StatusOr<Receptor> ResolveReceptor(const ReceptorConfig& config, bool short_term_depression) {
  Receptor r;
  r.name = config.receptor;
  Kinetics& k = r.kinetics;
  k.tau_rise_ms = 1.0;
  k.tau_decay_ms = 5.0;
  if (!KindOf(config.receptor, short_term_depression, &r.kind)) {
    return MakeFieldError("", kUnknownName, "AMPA, NMDA, GABA_A, GABA_B");
  }
  if (r.kind == SynapseKind::kPlasticNmda) {
    k.magnesium_block = true;
    k.tau_rise_ms = 10.0;
    k.tau_decay_ms = 35.0;
  }
  if (r.kind == SynapseKind::kPlasticInhibitory) k.reversal_mv = -90.0;
  // U and tau_rec of an AMPA that does not depress are ignored, as livn does: the graph may carry
  // them for both settings.
  const std::vector<std::string> accepted = AcceptedParams(r.kind);
  for (const auto& [name, value] : config.params) {
    const bool depression_only = name == "U" || name == "tau_rec";
    if (std::find(accepted.begin(), accepted.end(), name) == accepted.end()) {
      if (r.kind == SynapseKind::kPlastic && depression_only) continue;
      return MakeFieldError(name, kUnknownName, absl::StrJoin(accepted, ", "));
    }
    if (!std::isfinite(value)) return Bad(name, value, "a finite number");
    if (name == "weight") r.weight = value;
    if (name == "g_unit") r.g_unit_us = value;
    if (name == "tau_rise") k.tau_rise_ms = value;
    if (name == "tau_decay") k.tau_decay_ms = value;
    if (name == "e") k.reversal_mv = value;
    if (name == "U") r.release_fraction = value;
    if (name == "tau_rec") r.recovery_tau_ms = value;
    if (name == "mg") k.mg_mm = value;
    if (name == "Kd") k.kd_mm = value;
    if (name == "gamma") k.gamma_per_mv = value;
    if (name == "vshift") k.vshift_mv = value;
  }
  if (k.tau_decay_ms <= 0) return Bad("tau_decay", k.tau_decay_ms, "a number > 0 (ms)");
  if (k.tau_rise_ms <= 0) return Bad("tau_rise", k.tau_rise_ms, "a number > 0 (ms)");
  if (r.weight < 0) return Bad("weight", r.weight, "a number >= 0");
  if (r.g_unit_us < 0) return Bad("g_unit", r.g_unit_us, "a number >= 0 (uS)");
  if (r.release_fraction < 0 || r.release_fraction > 1) {
    return Bad("U", r.release_fraction, "a number from 0 to 1");
  }
  if (r.recovery_tau_ms <= 0) return Bad("tau_rec", r.recovery_tau_ms, "a number > 0 (ms)");
  if (k.magnesium_block && k.kd_mm <= 0) return Bad("Kd", k.kd_mm, "a number > 0 (mM)");
  if (k.magnesium_block && k.mg_mm < 0) return Bad("mg", k.mg_mm, "a number >= 0 (mM)");

  // livn 2.0.0 lin_exp2syn and its kin: tau_rise is kept below tau_decay.
  if (k.tau_rise_ms / k.tau_decay_ms > 0.9999) k.tau_rise_ms = 0.9999 * k.tau_decay_ms;
  if (!k.magnesium_block && k.tau_rise_ms / k.tau_decay_ms < 1e-9) {
    k.tau_rise_ms = 1e-9 * k.tau_decay_ms;
  }
  const double tr = k.tau_rise_ms, td = k.tau_decay_ms;
  const double peak_ms = tr * td / (td - tr) * std::log(td / tr);
  r.factor = 1.0 / (std::exp(-peak_ms / td) - std::exp(-peak_ms / tr));
  if (!(r.factor > 0.0 && std::isfinite(r.factor))) {
    return Bad(
        "tau_rise", tr,
        absl::StrCat("a time nearer to tau_decay = ", td, ": an event has no peak in doubles"));
  }
  return r;
}

}  // namespace livnd::sim
