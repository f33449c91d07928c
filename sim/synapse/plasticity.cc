#include "sim/synapse/plasticity.h"

#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "sim/network/populations.h"

namespace livnd::sim {
namespace {

struct Name {
  const char* name;
  double PlasticityRule::*member;
};
constexpr Name kNames[] = {
    {"A_ltp", &PlasticityRule::a_ltp},
    {"A_ltd", &PlasticityRule::a_ltd},
    {"theta_ltp", &PlasticityRule::theta_ltp_mv},
    {"theta_ltd", &PlasticityRule::theta_ltd_mv},
    {"ltp_sigmoid_half", &PlasticityRule::ltp_half_mv},
    {"ltd_sigmoid_half", &PlasticityRule::ltd_half_mv},
    {"learning_slope", &PlasticityRule::slope},
    {"learning_tau", &PlasticityRule::learning_tau},
    {"w_max", &PlasticityRule::w_max},
    {"w_min", &PlasticityRule::w_min},
};

PlasticityRule DefaultRule(PlasticityGroup group) {
  PlasticityRule r;
  if (group == PlasticityGroup::kExcitatory) {
    r.theta_ltp_mv = -45.0;
    r.theta_ltd_mv = -60.0;
    r.ltp_half_mv = -40.0;
    r.ltd_half_mv = -55.0;
    r.slope = 1.3;
    r.decay_tau_ms = 4.0;
  } else {
    r.inhibitory = true;
    r.theta_ltp_mv = -77.0;
    r.theta_ltd_mv = -70.0;
    r.ltp_half_mv = -80.0;
    r.ltd_half_mv = -73.0;
    r.slope = 1.2;
    r.decay_tau_ms = 1.0;
  }
  return r;
}

absl::Status Bad(absl::string_view group, absl::string_view name, double value,
                 absl::string_view accepted) {
  return MakeFieldError(absl::StrCat("plasticity[", group, "][", name, "]"), Exact(value),
                        accepted);
}

}  // namespace

std::optional<PlasticityGroup> PlasticityGroupOf(SynapseKind kind) {
  switch (kind) {
    case SynapseKind::kPlastic:
    case SynapseKind::kPlasticNmda:
      return PlasticityGroup::kExcitatory;
    case SynapseKind::kPlasticInhibitory:
      return PlasticityGroup::kInhibitory;
    case SynapseKind::kPlain:
    case SynapseKind::kDepressing:
      return std::nullopt;
  }
  return std::nullopt;
}

std::map<std::string, double> DefaultPlasticity(PlasticityGroup group) {
  const PlasticityRule rule = DefaultRule(group);
  std::map<std::string, double> out;
  for (const Name& n : kNames) out[n.name] = rule.*n.member;
  return out;
}

absl::StatusOr<std::vector<PlasticityRule>> ResolvePlasticity(const PlasticityConfig& config) {
  std::vector<PlasticityRule> rules = {DefaultRule(PlasticityGroup::kExcitatory),
                                       DefaultRule(PlasticityGroup::kInhibitory)};
  for (const auto& [group, values] : config) {
    if (!AreNeurons(group)) {
      return MakeFieldError(absl::StrCat("plasticity[", group, "]"), kUnknownName,
                            absl::StrCat(kExcitatoryCells, ", ", kInhibitoryCells));
    }
    PlasticityRule& rule = rules[group == kExcitatoryCells ? 0 : 1];
    for (const auto& [name, value] : values) {
      bool known = false;
      for (const Name& n : kNames) {
        if (name != n.name) continue;
        known = true;
        if (!(std::fabs(value) <= 1e6)) return Bad(group, name, value, "a number within +-1e6");
        rule.*n.member = value;
      }
      if (known) continue;
      return MakeFieldError(absl::StrCat("plasticity[", group, "][", name, "]"), kUnknownName,
                            absl::StrJoin(kNames, ", ", [](std::string* out, const Name& n) {
                              out->append(n.name);
                            }));
    }
    if (!(rule.slope > 0.0)) return Bad(group, "learning_slope", rule.slope, "a number > 0");
    if (!(rule.learning_tau > 0.0)) {
      return Bad(group, "learning_tau", rule.learning_tau, "a number > 0");
    }
    if (!(rule.w_min >= 0.0)) return Bad(group, "w_min", rule.w_min, "a number >= 0");
    if (!(rule.w_max >= rule.w_min)) {
      if (values.count("w_max") == 0) {
        return Bad(group, "w_min", rule.w_min,
                   absl::StrCat("a number not above w_max = ", Exact(rule.w_max)));
      }
      return Bad(group, "w_max", rule.w_max,
                 absl::StrCat("a number not below w_min = ", Exact(rule.w_min)));
    }
  }
  return rules;
}

}  // namespace livnd::sim
