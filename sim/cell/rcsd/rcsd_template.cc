#include "sim/cell/rcsd/rcsd_template.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "sim/cell/rcsd/rcsd_constants.h"

namespace livnd::sim {
namespace {

constexpr double kPi = 3.14159265358979323846;
// What a fresh NEURON section has; the segment count is fixed before Ra and cm are set.
constexpr double kDefaultRaOhmCm = 35.4;
constexpr double kDefaultCmUfCm2 = 1.0;
// The axon's leak reversal that makes it rest at v_mv. The helper's gas constant and Faraday
// constant differ from the membrane's (livn 2.0.0 templates/axon.py, balanced_e_pas).
double BalancedLeakReversal(double v_mv, double g_pas, double g_nas, double g_kdr) {
  const double rt_f = 8.3145 * (36.0 + 273.15) / 96485.0 * 1e3;
  const double e_na = rt_f * std::log(145.0 / 15.0);
  const double e_k = rt_f * std::log(5.0 / 145.0);
  const double m = 1.0 / (1.0 + std::exp(-(v_mv + 35.0) / 7.8));
  const double h = 1.0 / (1.0 + std::exp((v_mv + 55.0) / 7.0));
  const double n = 1.0 / (std::exp(-(v_mv + 28.0) / 15.0) + 1.0);
  const double g_na = g_nas * (m * m * m) * h;
  const double g_k = g_kdr * (n * n * n * n);
  return v_mv + (g_na * (v_mv - e_na) + g_k * (v_mv - e_k)) / g_pas;
}

// NEURON's d_lambda rule at 100 Hz and 0.1.
int NumSegments(double length_um, double diam_um) {
  const double lambda_um =
      1e5 * std::sqrt(diam_um / (4 * kPi * 100 * kDefaultRaOhmCm * kDefaultCmUfCm2));
  return static_cast<int>((length_um / (0.1 * lambda_um) + 0.9) / 2) * 2 + 1;
}

double ValueOf(const RcsdParameterSet& set, const char* name) { return set.values.at(name); }

// Ra that makes the half-section conductance 2 (gc / pp) per membrane area.
double CouplingRa(const RcsdParameterSet& set, const Section& s) {
  const double area_cm2 = s.segment_area_um2() * 1e-8;
  Section unit = s;
  unit.axial_resistivity_ohm_cm = 1.0;
  const double half = unit.half_segment_resistance_mohm();
  // The resistance that NEURON reports at the middle: two half segments unless there is one.
  const double middle = s.num_segments == 1 ? half : 2.0 * half;
  return (1e-6 / (ValueOf(set, "gc") / ValueOf(set, "pp") * area_cm2 * 1e-3)) / (2 * middle);
}

void AppendAxon(const RcsdParameterSet& set, CellTemplate& cell) {
  const Section& soma = cell.sections[0];
  Section ais;
  ais.kind = SectionKind::kAxon;
  ais.length_um = ValueOf(set, "axon_segment_um");
  ais.diam_um = ValueOf(set, "axon_diam");
  ais.axial_resistivity_ohm_cm = ValueOf(set, "axon_Ra");
  ais.cm_uf_cm2 = ValueOf(set, "axon_cm");
  ais.g_pas_s_cm2 = ValueOf(set, "axon_g_pas");
  const auto own_sodium = set.values.find("axon_gmax_Na");
  ais.gmax_nas_s_cm2 = own_sodium != set.values.end()
                           ? own_sodium->second
                           : ValueOf(set, "axon_gmax_Na_ratio") * soma.gmax_nas_s_cm2;
  ais.gmax_kdr_s_cm2 = ValueOf(set, "axon_gmax_K");
  const auto own_leak = set.values.find("axon_e_pas");
  ais.e_pas_mv = own_leak != set.values.end()
                     ? own_leak->second
                     : BalancedLeakReversal(soma.e_pas_mv, ais.g_pas_s_cm2, ais.gmax_nas_s_cm2,
                                            ais.gmax_kdr_s_cm2);
  cell.axon_section_um = ais.length_um;
  const int num_sections = static_cast<int>(ValueOf(set, "axon_segments"));
  for (int i = 0; i < num_sections; ++i) cell.sections.push_back(ais);
}

// What both kinds of soma have.
Section MakeSoma(const RcsdParameterSet& set) {
  Section soma;
  soma.kind = SectionKind::kSoma;
  soma.diam_um = ValueOf(set, "global_diam");
  soma.cm_uf_cm2 = ValueOf(set, "global_cm");
  soma.g_pas_s_cm2 = ValueOf(set, "soma_g_pas");
  soma.e_pas_mv = ValueOf(set, "global_e_pas");
  soma.gmax_nas_s_cm2 = ValueOf(set, "soma_gmax_Na");
  soma.vhalf_nas_mv = ValueOf(set, "soma_vhalf_Na");
  soma.slope_nas_mv = ValueOf(set, "soma_slope_Na");
  soma.gmax_kdr_s_cm2 = ValueOf(set, "soma_gmax_K");
  soma.gmax_kca_s_cm2 = ValueOf(set, "soma_gmax_KCa");
  soma.gmax_can_s_cm2 = ValueOf(set, "soma_gmax_CaN");
  soma.f_ca = ValueOf(set, "soma_f_Caconc");
  soma.alpha_ca = ValueOf(set, "soma_alpha_Caconc");
  soma.k_ca = ValueOf(set, "soma_kCa_Caconc");
  return soma;
}

void AppendMotoneuron(const RcsdParameterSet& set, CellTemplate& cell) {
  const double pp = ValueOf(set, "pp"), total_um = ValueOf(set, "Ltotal");
  Section soma = MakeSoma(set);
  soma.length_um = pp * total_um;
  soma.num_segments = NumSegments(soma.length_um, soma.diam_um);
  soma.axial_resistivity_ohm_cm = CouplingRa(set, soma);
  soma.cm_uf_cm2 = ValueOf(set, "global_cm") * ValueOf(set, "cm_ratio");
  Section dend;
  dend.kind = SectionKind::kDend;
  dend.length_um = (1 - pp) * total_um;
  dend.diam_um = soma.diam_um;
  dend.num_segments = NumSegments(dend.length_um, dend.diam_um);
  dend.axial_resistivity_ohm_cm = CouplingRa(set, dend);
  dend.cm_uf_cm2 = ValueOf(set, "global_cm");
  dend.g_pas_s_cm2 = ValueOf(set, "dend_g_pas");
  dend.e_pas_mv = soma.e_pas_mv;
  dend.gmax_kca_s_cm2 = ValueOf(set, "dend_gmax_KCa");
  dend.gmax_can_s_cm2 = ValueOf(set, "dend_gmax_CaN");
  dend.gmax_cal_s_cm2 = ValueOf(set, "dend_gmax_CaL");
  dend.f_ca = ValueOf(set, "dend_f_Caconc");
  dend.alpha_ca = ValueOf(set, "dend_alpha_Caconc");
  dend.k_ca = ValueOf(set, "dend_kCa_Caconc");
  cell.sections = {soma, dend};
}

void AppendRenshaw(const RcsdParameterSet& set, CellTemplate& cell) {
  Section soma = MakeSoma(set);
  soma.length_um = soma.diam_um;
  soma.axial_resistivity_ohm_cm = kDefaultRaOhmCm;
  soma.gmax_ka_s_cm2 = ValueOf(set, "soma_gmax_Ka");
  cell.sections = {soma};
}

// A settable number of a section: where it lives and which section types have it.
struct Param {
  const char* name;
  double& (*of)(Section&);
  bool soma, dend, axon;
  enum Range { kAny, kNotNegative, kPositive } range;
};
#define LIVND_SECTION_MEMBER(member) [](Section& s) -> double& { return s.member; }
constexpr Param kParams[] = {
    {"cm", LIVND_SECTION_MEMBER(cm_uf_cm2), true, true, true, Param::kPositive},
    {"Ra", LIVND_SECTION_MEMBER(axial_resistivity_ohm_cm), true, true, true, Param::kPositive},
    {"g_pas", LIVND_SECTION_MEMBER(g_pas_s_cm2), true, true, true, Param::kNotNegative},
    {"e_pas", LIVND_SECTION_MEMBER(e_pas_mv), true, true, true, Param::kAny},
    {"gmax_Nas", LIVND_SECTION_MEMBER(gmax_nas_s_cm2), true, false, true, Param::kNotNegative},
    {"vhalf_Nas", LIVND_SECTION_MEMBER(vhalf_nas_mv), true, false, true, Param::kAny},
    {"slope_Nas", LIVND_SECTION_MEMBER(slope_nas_mv), true, false, true, Param::kPositive},
    {"gmax_Kdr", LIVND_SECTION_MEMBER(gmax_kdr_s_cm2), true, false, true, Param::kNotNegative},
    {"gmax_KCa", LIVND_SECTION_MEMBER(gmax_kca_s_cm2), true, true, false, Param::kNotNegative},
    {"gmax_CaN", LIVND_SECTION_MEMBER(gmax_can_s_cm2), true, true, false, Param::kNotNegative},
    {"gmax_CaL", LIVND_SECTION_MEMBER(gmax_cal_s_cm2), false, true, false, Param::kNotNegative},
    {"gmax_Ka_v1in", LIVND_SECTION_MEMBER(gmax_ka_s_cm2), true, false, false, Param::kNotNegative},
    {"f_Ca_conc", LIVND_SECTION_MEMBER(f_ca), true, true, false, Param::kNotNegative},
    {"alpha_Ca_conc", LIVND_SECTION_MEMBER(alpha_ca), true, true, false, Param::kNotNegative},
    {"kCa_Ca_conc", LIVND_SECTION_MEMBER(k_ca), true, true, false, Param::kPositive},
    {"d_Na_conc", LIVND_SECTION_MEMBER(sodium.shell_depth_um), true, false, true, Param::kPositive},
    {"beta_Na_conc", LIVND_SECTION_MEMBER(sodium.rate_per_ms), true, false, true, Param::kPositive},
    {"nai0_Na_conc", LIVND_SECTION_MEMBER(sodium.in_mm), true, false, true, Param::kPositive},
    {"nao0_Na_conc", LIVND_SECTION_MEMBER(sodium.out_mm), true, false, true, Param::kPositive},
    {"d_K_conc", LIVND_SECTION_MEMBER(potassium.shell_depth_um), true, true, true,
     Param::kPositive},
    {"beta_K_conc", LIVND_SECTION_MEMBER(potassium.rate_per_ms), true, true, true,
     Param::kPositive},
    {"ki0_K_conc", LIVND_SECTION_MEMBER(potassium.in_mm), true, true, true, Param::kPositive},
    {"ko0_K_conc", LIVND_SECTION_MEMBER(potassium.out_mm), true, true, true, Param::kPositive},
};
#undef LIVND_SECTION_MEMBER

constexpr const char* RangeText(Param::Range range) {
  return range == Param::kAny        ? "a number from -1e12 to 1e12"
         : range == Param::kPositive ? "a number > 0 and <= 1e12"
                                     : "a number from 0 to 1e12";
}
bool InRange(Param::Range range, double value) {
  return std::fabs(value) <= 1e12 &&
         (range == Param::kAny || (range == Param::kPositive ? value > 0 : value >= 0));
}

bool Has(const Param& p, SectionKind kind, CellKind cell) {
  if (absl::string_view(p.name) == "gmax_Ka_v1in" && cell != CellKind::kRenshaw) return false;
  switch (kind) {
    case SectionKind::kSoma:
      return p.soma;
    case SectionKind::kDend:
      return p.dend;
    case SectionKind::kAxon:
      return p.axon;
  }
  return false;
}

constexpr const char* KindName(SectionKind kind) {
  return kind == SectionKind::kSoma ? "soma" : kind == SectionKind::kDend ? "dend" : "axon";
}

std::vector<std::string> AcceptedKeys(const CellTemplate& cell) {
  std::vector<std::string> keys;
  for (SectionKind kind : {SectionKind::kSoma, SectionKind::kDend, SectionKind::kAxon}) {
    if (std::none_of(cell.sections.begin(), cell.sections.end(),
                     [&](const Section& s) { return s.kind == kind; })) {
      continue;
    }
    for (const Param& p : kParams) {
      if (Has(p, kind, cell.kind)) keys.push_back(absl::StrCat(KindName(kind), ".", p.name));
    }
  }
  return keys;
}

// Inverse of the normal distribution function: Wichura (1988), algorithm AS 241, PPND16, which is
// also what livn's size factor uses (Python's statistics.NormalDist).
double InverseNormal(double p) {
  auto ratio = [](double r, const double(&a)[8], const double(&b)[8]) {
    double num = a[7], den = b[7];
    for (int i = 6; i >= 0; --i) num = num * r + a[i];
    for (int i = 6; i >= 0; --i) den = den * r + b[i];
    return num / den;
  };
  const double q = p - 0.5;
  if (std::fabs(q) <= 0.425) {
    static constexpr double kA[8] = {3.3871328727963666080e+0, 1.3314166789178437745e+2,
                                     1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                     4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                     3.3430575583588128105e+4, 2.5090809287301226727e+3};
    static constexpr double kB[8] = {1.0,
                                     4.2313330701600911252e+1,
                                     6.8718700749205790830e+2,
                                     5.3941960214247511077e+3,
                                     2.1213794301586595867e+4,
                                     3.9307895800092710610e+4,
                                     2.8729085735721942674e+4,
                                     5.2264952788528545610e+3};
    return q * ratio(0.180625 - q * q, kA, kB);
  }
  double r = std::sqrt(-std::log(q <= 0.0 ? p : 1.0 - p));
  double x;
  if (r <= 5.0) {
    static constexpr double kC[8] = {1.42343711074968357734e+0, 4.63033784615654529590e+0,
                                     5.76949722146069140550e+0, 3.64784832476320460504e+0,
                                     1.27045825245236838258e+0, 2.41780725177450611770e-1,
                                     2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static constexpr double kD[8] = {1.0,
                                     2.05319162663775882187e+0,
                                     1.67638483018380384940e+0,
                                     6.89767334985100004550e-1,
                                     1.48103976427480074590e-1,
                                     1.51986665636164571966e-2,
                                     5.47593808499534494600e-4,
                                     1.05075007164441684324e-9};
    x = ratio(r - 1.6, kC, kD);
  } else {
    static constexpr double kE[8] = {6.65790464350110377720e+0, 5.46378491116411436990e+0,
                                     1.78482653991729133580e+0, 2.96560571828504891230e-1,
                                     2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                     2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static constexpr double kF[8] = {1.0,
                                     5.99832206555887937690e-1,
                                     1.36929880922735805310e-1,
                                     1.48753612908506148525e-2,
                                     7.86869131145613259100e-4,
                                     1.84631831751005468180e-5,
                                     1.42151175831644588870e-7,
                                     2.04426310338993978564e-15};
    x = ratio(r - 5.0, kE, kF);
  }
  return q < 0.0 ? -x : x;
}

}  // namespace

double Section::segment_area_um2() const { return kPi * diam_um * (length_um / num_segments); }

double Section::half_segment_resistance_mohm() const {
  return 1e-2 * axial_resistivity_ohm_cm * ((length_um / num_segments) / 2.0) /
         (kPi * diam_um * diam_um / 4.0);
}

int CellTemplate::num_dend_segments() const {
  int n = 0;
  for (const Section& s : sections) n += s.kind == SectionKind::kDend ? s.num_segments : 0;
  return n;
}

int CellTemplate::num_axon_sections() const {
  return static_cast<int>(std::count_if(sections.begin(), sections.end(), [](const Section& s) {
    return s.kind == SectionKind::kAxon;
  }));
}

void ScaleDiameters(double size_scale, RcsdParameterSet& set) {
  for (const char* name : {"global_diam", "axon_diam"}) set.values[name] *= size_scale;
}

absl::Status SetTemplateParam(RcsdParameterSet& set, absl::string_view name, double value) {
  // Every set holds the names that its kind takes, these two aside.
  std::vector<std::string> accepted = {"axon_e_pas", "axon_gmax_Na"};
  for (const auto& [known, unused] : set.values) accepted.push_back(known);
  if (std::find(accepted.begin(), accepted.end(), name) == accepted.end()) {
    std::sort(accepted.begin(), accepted.end());
    return MakeFieldError(name, kUnknownName, absl::StrJoin(accepted, ", "));
  }
  auto bad = [&](absl::string_view takes) { return MakeFieldError(name, Exact(value), takes); };
  const bool any_sign = absl::StartsWith(name, "V_") || absl::EndsWith(name, "e_pas") ||
                        absl::EndsWith(name, "vhalf_Na");
  const bool may_be_zero = absl::StrContains(name, "gmax") || absl::StrContains(name, "_f_Ca") ||
                           absl::StrContains(name, "_alpha_Ca") || name == "soma_g_pas" ||
                           name == "dend_g_pas" || name == "axon_segments";
  const Param::Range range = any_sign      ? Param::kAny
                             : may_be_zero ? Param::kNotNegative
                                           : Param::kPositive;
  if (!InRange(range, value)) return bad(RangeText(range));
  if (name == "pp" && value >= 1.0) return bad("a number between 0 and 1");
  if (name == "axon_segments" && value != 0.0 && value != 5.0) return bad("0 or 5");
  set.values[std::string(name)] = value;
  return absl::OkStatus();
}

CellTemplate MakeCellTemplate(const RcsdParameterSet& set) {
  CellTemplate cell;
  cell.kind = set.kind;
  cell.threshold_mv = ValueOf(set, "V_threshold");
  cell.hold_mv = ValueOf(set, "V_hold");
  if (set.kind == CellKind::kMotoneuron) {
    AppendMotoneuron(set, cell);
  } else {
    AppendRenshaw(set, cell);
  }
  AppendAxon(set, cell);
  return cell;
}

CellTemplate MakeCellTemplate(CellKind kind, double size_scale) {
  RcsdParameterSet set = DefaultParameterSet(kind);
  ScaleDiameters(size_scale, set);
  return MakeCellTemplate(set);
}

absl::Status SetCellParam(CellTemplate& cell, absl::string_view key, double value) {
  const size_t dot = key.find('.');
  const absl::string_view type = key.substr(0, dot);
  const absl::string_view name = dot == key.npos ? "" : key.substr(dot + 1);
  if (name == "ic_constant") {
    return MakeFieldError(key, Exact(value),
                          "nothing: it is measured so that the cell rests at its holding "
                          "potential");
  }
  bool found = false;
  for (Section& s : cell.sections) {
    if (type != KindName(s.kind)) continue;
    for (const Param& p : kParams) {
      if (name != p.name || !Has(p, s.kind, cell.kind)) continue;
      if (!InRange(p.range, value)) {
        return MakeFieldError(key, Exact(value), RangeText(p.range));
      }
      p.of(s) = value;
      found = true;
    }
  }
  if (found) return absl::OkStatus();
  return MakeFieldError(key, kUnknownName, absl::StrJoin(AcceptedKeys(cell), ", "));
}

std::map<std::string, double> CellParamsOf(const CellTemplate& cell) {
  std::map<std::string, double> out;
  for (Section section : cell.sections) {
    for (const Param& p : kParams) {
      if (!Has(p, section.kind, cell.kind)) continue;
      out.try_emplace(absl::StrCat(KindName(section.kind), ".", p.name), p.of(section));
    }
  }
  return out;
}

double StableUniform(int64_t key, uint64_t seed) {
  uint64_t x = static_cast<uint64_t>(key) + seed + 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  x ^= x >> 31;
  return static_cast<double>(x) / 18446744073709551616.0;
}

double SizeScale(double size_cv, int64_t gid, uint64_t seed) {
  if (size_cv <= 0.0) return 1.0;
  const double u = std::clamp(StableUniform(gid, seed), 1e-9, 1.0 - 1e-9);
  const double sigma = std::sqrt(std::log1p(size_cv * size_cv));
  return std::exp(sigma * InverseNormal(u) - 0.5 * sigma * sigma);
}

}  // namespace livnd::sim
