#include "sim/cell/rcsd_template.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/cell/rcsd_constants.h"

namespace livnd::sim {
namespace {

constexpr double kPi = 3.14159265358979323846;
// What a fresh NEURON section has; the segment count is fixed before Ra and cm are set.
constexpr double kDefaultRaOhmCm = 35.4;
constexpr double kDefaultCmUfCm2 = 1.0;
constexpr int kNumAxonSections = 5;

// livn 2.0.0 models/rcsd/__init__.py, "BoothRinzelKiehn-MN".
struct Motoneuron {
  static constexpr double kTotalLengthUm = 120.0;
  static constexpr double kSomaFraction = 0.1;                 // pp
  static constexpr double kCouplingMsCm2 = 8.255338188577891;  // gc
  static constexpr double kDiamUm = 8.13117790222168;
  static constexpr double kCm = 1.2959372997283936;
  static constexpr double kCmRatio = 8.192411084109766;
  static constexpr double kEPas = -62.0;
  static constexpr double kThreshold = -37.0;
};

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

// Ra that makes the half-section conductance 2 (gc / pp) per membrane area.
double CouplingRa(const Section& s) {
  const double area_cm2 = s.segment_area_um2() * 1e-8;
  Section unit = s;
  unit.axial_resistivity_ohm_cm = 1.0;
  const double half = unit.half_segment_resistance_mohm();
  // The resistance that NEURON reports at the middle: two half segments unless there is one.
  const double middle = s.num_segments == 1 ? half : 2.0 * half;
  return (1e-6 / (Motoneuron::kCouplingMsCm2 / Motoneuron::kSomaFraction * area_cm2 * 1e-3)) /
         (2 * middle);
}

void AppendAxon(CellTemplate& cell, double diam_um, double cm, double g_pas, double na_ratio,
                double soma_e_pas) {
  Section ais;
  ais.kind = SectionKind::kAxon;
  ais.length_um = 30.0;
  ais.diam_um = diam_um;
  ais.axial_resistivity_ohm_cm = 70.0;
  ais.cm_uf_cm2 = cm;
  ais.g_pas_s_cm2 = g_pas;
  ais.gmax_nas_s_cm2 = na_ratio * cell.sections[0].gmax_nas_s_cm2;
  ais.gmax_kdr_s_cm2 = 0.3;
  ais.e_pas_mv = BalancedLeakReversal(soma_e_pas, g_pas, ais.gmax_nas_s_cm2, ais.gmax_kdr_s_cm2);
  for (int i = 0; i < kNumAxonSections; ++i) cell.sections.push_back(ais);
}

CellTemplate MakeMotoneuron(double scale) {
  CellTemplate cell;
  cell.kind = CellKind::kMotoneuron;
  cell.threshold_mv = Motoneuron::kThreshold;
  Section soma;
  soma.kind = SectionKind::kSoma;
  soma.length_um = Motoneuron::kSomaFraction * Motoneuron::kTotalLengthUm;
  soma.diam_um = Motoneuron::kDiamUm * scale;
  soma.num_segments = NumSegments(soma.length_um, soma.diam_um);
  soma.axial_resistivity_ohm_cm = CouplingRa(soma);
  soma.cm_uf_cm2 = Motoneuron::kCm * Motoneuron::kCmRatio;
  soma.g_pas_s_cm2 = 0.00014519958335660783;
  soma.e_pas_mv = Motoneuron::kEPas;
  soma.gmax_nas_s_cm2 = 0.10499561578035355;
  soma.gmax_kdr_s_cm2 = 0.04515171924361102;
  soma.gmax_kca_s_cm2 = 0.00029591686011223015;
  soma.gmax_can_s_cm2 = 0.001067815023922727;
  soma.f_ca = 0.0010052554136157328;
  soma.alpha_ca = 0.21016412395712364;
  soma.k_ca = 1.5283260741327587;
  Section dend;
  dend.kind = SectionKind::kDend;
  dend.length_um = (1 - Motoneuron::kSomaFraction) * Motoneuron::kTotalLengthUm;
  dend.diam_um = soma.diam_um;
  dend.num_segments = NumSegments(dend.length_um, dend.diam_um);
  dend.axial_resistivity_ohm_cm = CouplingRa(dend);
  dend.cm_uf_cm2 = Motoneuron::kCm;
  dend.g_pas_s_cm2 = 1.39040483614949e-05;
  dend.e_pas_mv = Motoneuron::kEPas;
  dend.gmax_kca_s_cm2 = 0.00023696468003479583;
  dend.gmax_can_s_cm2 = 0.00028807198690005147;
  dend.gmax_cal_s_cm2 = 1e-05;
  dend.f_ca = 0.0011954806290105971;
  dend.alpha_ca = 0.6776084695609715;
  dend.k_ca = 3.3313010601193564;
  cell.sections = {soma, dend};
  AppendAxon(cell, 2.5669692667650583 * scale, 0.07990137878575652, 5.1745027014177245e-05, 1.0,
             Motoneuron::kEPas);
  return cell;
}

// livn 2.0.0 models/rcsd/__init__.py, "V1In-Renshaw-InVitro".
CellTemplate MakeRenshaw(double scale) {
  CellTemplate cell;
  cell.kind = CellKind::kRenshaw;
  cell.threshold_mv = -50.0;
  Section soma;
  soma.kind = SectionKind::kSoma;
  soma.length_um = 24.801532745361328 * scale;
  soma.diam_um = soma.length_um;
  soma.axial_resistivity_ohm_cm = kDefaultRaOhmCm;
  soma.cm_uf_cm2 = 1.0757436752319336;
  soma.g_pas_s_cm2 = 0.00011933463247260079;
  soma.e_pas_mv = -69.2257080078125;
  soma.gmax_nas_s_cm2 = 0.13920024037361145;
  soma.gmax_kdr_s_cm2 = 0.14060243964195251;
  soma.gmax_kca_s_cm2 = 0.00033676564130083654;
  soma.gmax_can_s_cm2 = 0.007877439260482788;
  soma.f_ca = 0.008864013430715868;
  soma.alpha_ca = 5.0000001782354415;
  soma.k_ca = 6.199637067638542;
  cell.sections = {soma};
  AppendAxon(cell, 1.5779502391815186 * scale, 1.0, 8.444644718803868e-06, 0.6172392336752061,
             soma.e_pas_mv);
  return cell;
}

// A settable number of a section: where it lives and which section types have it.
struct Param {
  const char* name;
  double Section::*member;
  bool soma, dend, axon;
  bool positive;  // > 0 required; otherwise >= 0 unless `any_sign`
  bool any_sign;
};
constexpr Param kParams[] = {
    {"cm", &Section::cm_uf_cm2, true, true, true, true, false},
    {"g_pas", &Section::g_pas_s_cm2, true, true, true, false, false},
    {"e_pas", &Section::e_pas_mv, true, true, true, false, true},
    {"gmax_Nas", &Section::gmax_nas_s_cm2, true, false, true, false, false},
    {"vhalf_Nas", &Section::vhalf_nas_mv, true, false, true, false, true},
    {"slope_Nas", &Section::slope_nas_mv, true, false, true, true, false},
    {"gmax_Kdr", &Section::gmax_kdr_s_cm2, true, false, true, false, false},
    {"gmax_KCa", &Section::gmax_kca_s_cm2, true, true, false, false, false},
    {"gmax_CaN", &Section::gmax_can_s_cm2, true, true, false, false, false},
    {"gmax_CaL", &Section::gmax_cal_s_cm2, false, true, false, false, false},
    {"gmax_Ka_v1in", &Section::gmax_ka_s_cm2, true, false, false, false, false},
    {"f_Ca_conc", &Section::f_ca, true, true, false, false, false},
    {"alpha_Ca_conc", &Section::alpha_ca, true, true, false, false, false},
    {"kCa_Ca_conc", &Section::k_ca, true, true, false, true, false},
};

bool Has(const Param& p, SectionKind kind, CellKind cell) {
  if (p.member == &Section::gmax_ka_s_cm2 && cell != CellKind::kRenshaw) return false;
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
    if (kind == SectionKind::kDend && cell.kind == CellKind::kRenshaw) continue;
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

CellTemplate MakeCellTemplate(CellKind kind, double size_scale) {
  return kind == CellKind::kMotoneuron ? MakeMotoneuron(size_scale) : MakeRenshaw(size_scale);
}

absl::Status SetCellParam(CellTemplate& cell, absl::string_view key, double value) {
  const size_t dot = key.find('.');
  const absl::string_view type = key.substr(0, dot);
  const absl::string_view name = dot == key.npos ? "" : key.substr(dot + 1);
  bool found = false;
  for (Section& s : cell.sections) {
    if (type != KindName(s.kind)) continue;
    for (const Param& p : kParams) {
      if (name != p.name || !Has(p, s.kind, cell.kind)) continue;
      const bool ok = std::isfinite(value) && (p.any_sign || (p.positive ? value > 0 : value >= 0));
      if (!ok) {
        return absl::InvalidArgumentError(absl::StrCat("cell parameter ", key, " = ", value,
                                                       "; takes a finite number",
                                                       p.any_sign   ? ""
                                                       : p.positive ? " > 0"
                                                                    : " >= 0"));
      }
      s.*p.member = value;
      found = true;
    }
  }
  if (found) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown cell parameter '", key, "'; accepted: ", absl::StrJoin(AcceptedKeys(cell), ", ")));
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
