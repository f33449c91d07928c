#include "sim/cell/point/point_params.h"

#include <cmath>
#include <limits>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"

namespace livnd::sim {
namespace {

// A parameter by its name, and the values that it takes.
template <typename Params>
struct Field {
  const char* name;
  double Params::*member;
  double low, high;
  const char* unit;
};

constexpr Field<GlifParams> kGlif[] = {
    {"tau_m", &GlifParams::tau_m, 1e-3, 1e6, "ms"},
    {"E_L", &GlifParams::e_l, -1e3, 1e3, "mV"},
    {"g_L", &GlifParams::g_l, 1e-6, 1e6, "nS"},
    {"V_threshold_base", &GlifParams::v_threshold_base, -1e3, 1e3, "mV"},
    {"theta_decay_rate", &GlifParams::theta_decay_rate, 0.0, 1e3, "1/ms"},
    {"theta_jump", &GlifParams::theta_jump, -1e3, 1e3, "mV"},
    {"asc_amp_1", &GlifParams::asc_amp_1, -1e6, 1e6, "pA"},
    {"asc_amp_2", &GlifParams::asc_amp_2, -1e6, 1e6, "pA"},
    {"asc_decay_rate_1", &GlifParams::asc_decay_rate_1, 0.0, 1e3, "1/ms"},
    {"asc_decay_rate_2", &GlifParams::asc_decay_rate_2, 0.0, 1e3, "1/ms"},
    {"f_v", &GlifParams::f_v, -1e3, 1e3, "a factor"},
    {"delta_v", &GlifParams::delta_v, -1e3, 1e3, "mV"},
    {"t_ref", &GlifParams::t_ref, 0.0, 1e4, "ms"},
    {"a_v", &GlifParams::a_v, -1e3, 1e3, "1/ms"},
    {"b_v", &GlifParams::b_v, 0.0, 1e3, "1/ms"},
    {"asc_r", &GlifParams::asc_r, -1e3, 1e3, "a factor"},
};

constexpr Field<IzhikevichParams> kIzhikevich[] = {
    {"a", &IzhikevichParams::a, 0.0, 1e3, "1/ms"},
    {"b", &IzhikevichParams::b, -1e3, 1e3, "a factor"},
    {"c", &IzhikevichParams::c, -1e3, 30.0, "mV"},
    {"d", &IzhikevichParams::d, -1e3, 1e3, "mV"},
    {"v_init", &IzhikevichParams::v_init, -1e3, 30.0, "mV"},
    {"u_init", &IzhikevichParams::u_init, -1e3, 1e3, "mV"},
};

template <typename Params, size_t kNum>
std::vector<std::string> Names(const Field<Params> (&fields)[kNum]) {
  std::vector<std::string> names;
  for (const auto& field : fields) names.emplace_back(field.name);
  return names;
}

template <typename Params, size_t kNum>
std::map<std::string, double> Values(const Field<Params> (&fields)[kNum], const Params& params) {
  std::map<std::string, double> values;
  for (const auto& field : fields) values[field.name] = params.*field.member;
  return values;
}

template <typename Params, size_t kNum>
absl::Status Set(const Field<Params> (&fields)[kNum], Params& params, absl::string_view name,
                 double value) {
  for (const auto& field : fields) {
    if (name != field.name) continue;
    if (!(value >= field.low && value <= field.high)) {
      return MakeFieldError(name, Exact(value),
                            absl::StrCat("a number from ", Exact(field.low), " to ",
                                         Exact(field.high), " (", field.unit, ")"));
    }
    params.*field.member = value;
    return absl::OkStatus();
  }
  return MakeFieldError(name, kUnknownName, absl::StrJoin(Names(fields), ", "));
}

}  // namespace

IzhikevichParams::IzhikevichParams() : u_init(std::numeric_limits<double>::quiet_NaN()) {}

GlifParams LifParams() {
  GlifParams p;
  p.tau_m = 10.0;
  p.e_l = -70.0;
  p.g_l = 10.0;
  p.v_threshold_base = -55.0;
  p.theta_decay_rate = 1.0;
  p.theta_jump = 0.0;
  p.f_v = 0.0;
  p.delta_v = 5.0;
  p.t_ref = 0.0;
  p.asc_r = 1.0;
  ApplyGlifLevel(kLifLevel, p);
  return p;
}

void ApplyGlifLevel(int level, GlifParams& p) {
  const bool resets_threshold = level == 2 || level >= 4;
  if (!resets_threshold) p.theta_jump = p.f_v = p.delta_v = 0.0;
  if (level < 3) p.asc_amp_1 = p.asc_amp_2 = 0.0;
  if (level < 5) p.a_v = p.b_v = 0.0;
}

std::map<std::string, double> GlifParamValues(const GlifParams& params) {
  return Values(kGlif, params);
}
std::map<std::string, double> IzhikevichParamValues(const IzhikevichParams& params) {
  std::map<std::string, double> values = Values(kIzhikevich, params);
  if (std::isnan(params.u_init)) values["u_init"] = params.b * params.v_init;
  return values;
}

std::vector<std::string> GlifParamNames() { return Names(kGlif); }
std::vector<std::string> IzhikevichParamNames() { return Names(kIzhikevich); }

absl::Status SetGlifParam(GlifParams& params, absl::string_view name, double value) {
  return Set(kGlif, params, name, value);
}

absl::Status SetIzhikevichParam(IzhikevichParams& params, absl::string_view name, double value) {
  return Set(kIzhikevich, params, name, value);
}

absl::Status CheckGlifParams(const GlifParams& p, double dt_ms) {
  if (p.tau_m < dt_ms) {
    return MakeFieldError("tau_m", Exact(p.tau_m),
                          absl::StrCat("no less than the step, ", Exact(dt_ms), " (ms)"));
  }
  const struct {
    const char* name;
    double rate, jump;
  } kRates[] = {{"theta_decay_rate", p.theta_decay_rate, p.theta_jump},
                {"asc_decay_rate_1", p.asc_decay_rate_1, p.asc_amp_1},
                {"asc_decay_rate_2", p.asc_decay_rate_2, p.asc_amp_2},
                {"b_v", p.b_v, 0.0}};
  for (const auto& r : kRates) {
    if (r.rate * dt_ms > 1.0) {
      return MakeFieldError(
          r.name, Exact(r.rate),
          absl::StrCat("no more than one a step, ", Exact(1.0 / dt_ms), " (1/ms)"));
    }
    if (r.jump != 0.0 && r.rate * p.t_ref > 50.0) {
      return MakeFieldError(
          r.name, Exact(r.rate),
          absl::StrCat("a product with t_ref = ", Exact(p.t_ref), " of at most 50"));
    }
  }
  return absl::OkStatus();
}

IzhikevichParams IzhikevichCell(bool excitatory, double r) {
  IzhikevichParams p;
  if (excitatory) {
    p.a = 0.02;
    p.b = 0.2;
    p.c = -65.0 + 15.0 * (r * r);
    p.d = 8.0 - 6.0 * (r * r);
  } else {
    p.a = 0.02 + 0.08 * r;
    p.b = 0.25 - 0.05 * r;
    p.c = -65.0;
    p.d = 2.0;
  }
  return p;
}

std::vector<double> IzhikevichDraws(uint32_t seed, int64_t count) {
  std::mt19937 words(seed);
  std::vector<double> draws;
  draws.reserve(count);
  for (int64_t i = 0; i < count; ++i) {
    // 53 bits from two words, as NumPy puts them together.
    const uint32_t high = words() >> 5, low = words() >> 6;
    draws.push_back((high * 67108864.0 + low) / 9007199254740992.0);
  }
  return draws;
}

}  // namespace livnd::sim
