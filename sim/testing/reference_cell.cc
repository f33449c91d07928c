#include "sim/testing/reference_cell.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace livnd::sim {
namespace {

constexpr double kFaraday = 96485.33212, kGas = 8.314462618, kKelvin = 309.15;
constexpr double kSecantMv = 0.001;
constexpr double kCaOut = 2.0, kCaRest = 1e-5;

double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// Goldman-Hodgkin-Katz drive.
double Ghk(double v, double ca, double f) {
  const double z = v / f;
  const double efun = std::fabs(z) < 1e-4 ? 1.0 - z / 2.0 : z / (std::exp(z) - 1.0);
  return -f * (1.0 - ca / kCaOut * std::exp(z)) * efun;
}

}  // namespace

ReferenceCell::ReferenceCell(const CellTemplate& cell, double dt_ms, double v_init_mv)
    : dt_ms_(dt_ms) {
  std::vector<int> axon, dend;
  for (const Section& s : cell.sections) {
    for (int i = 0; i < s.num_segments; ++i) {
      const int index = static_cast<int>(parts_.size());
      if (s.kind == SectionKind::kAxon) axon.push_back(index);
      if (s.kind == SectionKind::kDend) dend.push_back(index);
      Part part;
      part.section = s;
      part.nai = s.sodium.in_mm;
      part.nao = s.sodium.out_mm;
      part.ki = s.potassium.in_mm;
      part.ko = s.potassium.out_mm;
      part.area_um2 = M_PI * s.diam_um * s.length_um / s.num_segments;
      parts_.push_back(part);
    }
  }
  chain_.assign(axon.rbegin(), axon.rend());
  chain_.push_back(0);
  chain_.insert(chain_.end(), dend.begin(), dend.end());
  auto half = [](const Section& s) {
    return 0.01 * s.axial_resistivity_ohm_cm * (s.length_um / s.num_segments / 2.0) /
           (M_PI * s.diam_um * s.diam_um / 4.0);
  };
  for (size_t i = 0; i + 1 < chain_.size(); ++i) {
    Part& a = parts_[chain_[i]];
    Part& b = parts_[chain_[i + 1]];
    const double mohm = half(a.section) + half(b.section);
    a.g_next = 100.0 / (mohm * a.area_um2);
    b.g_prev = 100.0 / (mohm * b.area_um2);
  }
  for (Part& part : parts_) {
    SetSteady(part, cell.hold_mv);
    part.pin = -CurrentsAt(part, cell.hold_mv).total;
    SetSteady(part, v_init_mv);
    part.ca_rest = CurrentsAt(part, v_init_mv).ca;
    part.v = v_init_mv;
  }
}

void ReferenceCell::SetSteady(Part& p, double v) const {
  p.m_inf = Sigmoid((v - p.section.vhalf_nas_mv) / p.section.slope_nas_mv);
  p.h = Sigmoid(-(v + 55.0) / 7.0);
  p.n = Sigmoid((v + 28.0) / 15.0);
  p.can_m = Sigmoid((v + 30.0) / 5.0);
  p.can_h = Sigmoid(-(v + 45.0) / 5.0);
  p.cal_m = Sigmoid((v + 40.0) / 7.0);
  p.ka_a = Sigmoid((v + 36.0) / 8.0);
  p.ka_b = Sigmoid(-(v + 66.0) / 8.0);
  SetReversals(p);
}

void ReferenceCell::SetReversals(Part& p) const {
  const double rt_f = kGas * kKelvin / kFaraday * 1e3;
  p.e_na = rt_f * std::log(p.nao / p.nai);
  p.e_k = rt_f * std::log(p.ko / p.ki);
}

ReferenceCell::Densities ReferenceCell::CurrentsAt(const Part& p, double v) const {
  const Section& s = p.section;
  const double f_can = 36.0 / 293.15 * kKelvin / 2.0, f_cal = 25.0 / 293.15 * kKelvin / 2.0;
  Densities i;
  i.na = s.gmax_nas_s_cm2 * std::pow(p.m_inf, 3) * p.h * (v - p.e_na);
  i.k = (s.gmax_kdr_s_cm2 * std::pow(p.n, 4) + s.gmax_kca_s_cm2 * p.cai / (p.cai + 0.0005) +
         s.gmax_ka_s_cm2 * p.ka_a * p.ka_b) *
        (v - p.e_k);
  i.ca = s.gmax_can_s_cm2 * p.can_m * p.can_m * p.can_h * Ghk(v, p.cai, f_can) +
         s.gmax_cal_s_cm2 * p.cal_m * Ghk(v, p.cai, f_cal);
  i.total = i.na + i.k + i.ca + s.g_pas_s_cm2 * (v - s.e_pas_mv) + p.pin;
  return i;
}

int ReferenceCell::AddSynapse(int compartment, const Kinetics& kinetics,
                              std::optional<PlasticityRule> rule) {
  synapses_.push_back({compartment, kinetics, rule});
  return static_cast<int>(synapses_.size()) - 1;
}

void ReferenceCell::Deliver(int synapse, double size_us) {
  Synapse& s = synapses_[synapse];
  if (s.rule.has_value()) {
    if (plasticity_on_) {
      s.learned += (s.integral - s.integral_at_event) * s.learned;
      s.integral_at_event = s.integral;
      s.learned = std::min(std::max(s.learned, s.rule->w_min), s.rule->w_max);
    }
    size_us *= s.learned;
  }
  s.a += size_us * std::exp(-dt_ms_ / (2.0 * s.kinetics.tau_rise_ms));
  s.b += size_us * std::exp(-dt_ms_ / (2.0 * s.kinetics.tau_decay_ms));
}

double ReferenceCell::SynapticCurrentNa(int compartment, double v) const {
  double sum = 0.0;
  for (const Synapse& s : synapses_) {
    if (s.compartment != compartment) continue;
    const Kinetics& k = s.kinetics;
    double i = (s.b - s.a) * (v - k.reversal_mv);
    if (k.magnesium_block) {
      i /= 1.0 + std::exp(-k.gamma_per_mv * (v + k.vshift_mv)) * k.mg_mm / k.kd_mm;
    }
    sum += i;
  }
  return sum;
}

double ReferenceCell::OpsinCurrentNa(double v) const {
  if (!opsin_.has_value()) return 0.0;
  const OpsinParams& o = *opsin_;
  const double v1 = (70.0 + o.reversal_mv) / (std::exp((70.0 + o.reversal_mv) / o.v0_mv) - 1.0);
  return o.g0_ps * open_ * (1.0 - std::exp(-(v - o.reversal_mv) / o.v0_mv)) * v1 * 1e-6;
}

double ReferenceCell::Learned(const PlasticityRule& r, double v) {
  auto sigmoid = [&](double half) { return 1.0 / (1.0 + std::pow(r.slope, -(v - half))); };
  auto beyond = [&](double theta) { return r.inhibitory ? v - theta < 0.0 : v - theta > 0.0; };
  const double ltd = beyond(r.theta_ltd_mv) ? sigmoid(r.ltd_half_mv) : 0.0;
  const double ltp = beyond(r.theta_ltp_mv) ? sigmoid(r.ltp_half_mv) : 0.0;
  const double x = (-r.a_ltd * ltd + r.a_ltp * 2.0 * ltp) / r.learning_tau;
  return (2.0 / (1.0 + std::pow(r.slope, -x)) - 1.0) / 5000.0;
}

void ReferenceCell::Step() {
  for (Synapse& s : synapses_) {
    if (!s.rule.has_value() || !plasticity_on_) continue;
    const double v = parts_[s.compartment].v;
    s.signal += Learned(*s.rule, v + kSecantMv) + Learned(*s.rule, v);
  }
  const size_t n = chain_.size();
  std::vector<Densities> at_v(parts_.size()), slope(parts_.size());
  std::vector<std::pair<double, double>> own(parts_.size());  // membrane current, its share of dv
  std::vector<double> lower(n), diagonal(n), upper(n), right(n), dv(n);
  for (size_t i = 0; i < n; ++i) {
    const int c = chain_[i];
    const Part& p = parts_[c];
    at_v[c] = CurrentsAt(p, p.v);
    const Densities beside = CurrentsAt(p, p.v + kSecantMv);
    slope[c] = {(beside.total - at_v[c].total) / kSecantMv, (beside.na - at_v[c].na) / kSecantMv,
                (beside.k - at_v[c].k) / kSecantMv, (beside.ca - at_v[c].ca) / kSecantMv};
    const double density = 100.0 / p.area_um2;
    auto point_processes = [&](double v) {
      return (SynapticCurrentNa(c, v) + (c == 0 ? OpsinCurrentNa(v) : 0.0)) * density;
    };
    const double synaptic = point_processes(p.v);
    const double synaptic_slope = (point_processes(p.v + kSecantMv) - synaptic) / kSecantMv;
    own[c] = {at_v[c].total + synaptic,
              p.section.cm_uf_cm2 * 1e-3 * 2.0 / dt_ms_ + slope[c].total + synaptic_slope};
    diagonal[i] = p.section.cm_uf_cm2 * 1e-3 * 2.0 / dt_ms_ + slope[c].total + synaptic_slope +
                  p.g_prev + p.g_next;
    right[i] = -at_v[c].total - synaptic + p.current * density;
    if (i > 0) {
      lower[i] = -p.g_prev;
      right[i] += p.g_prev * (parts_[chain_[i - 1]].v - p.v);
    }
    if (i + 1 < n) {
      upper[i] = -p.g_next;
      right[i] += p.g_next * (parts_[chain_[i + 1]].v - p.v);
    }
  }
  for (size_t i = 1; i < n; ++i) {
    const double f = lower[i] / diagonal[i - 1];
    diagonal[i] -= f * upper[i - 1];
    right[i] -= f * right[i - 1];
  }
  for (size_t i = n; i-- > 0;) {
    dv[i] = (right[i] - (i + 1 < n ? upper[i] * dv[i + 1] : 0.0)) / diagonal[i];
  }
  for (size_t i = 0; i < n; ++i) {
    const int c = chain_[i];
    Part& p = parts_[c];
    const double na = at_v[c].na + slope[c].na * dv[i];
    const double k = at_v[c].k + slope[c].k * dv[i];
    const double ca = at_v[c].ca + slope[c].ca * dv[i];
    p.membrane_na = (own[c].first + own[c].second * dv[i]) * p.area_um2 * 1e-2;
    p.v += 2.0 * dv[i];
    const double v = p.v;
    auto relax = [](double& y, double limit, double exponent) {
      y += (1.0 - std::exp(-exponent)) * (limit - y);
    };
    auto gate = [&](double& y, double limit, double tau) { relax(y, limit, dt_ms_ / tau); };
    p.m_inf = Sigmoid((v - p.section.vhalf_nas_mv) / p.section.slope_nas_mv);
    gate(p.h, Sigmoid(-(v + 55.0) / 7.0),
         30.0 / (std::exp((v + 50.0) / 15.0) + std::exp(-(v + 50.0) / 16.0)));
    gate(p.n, Sigmoid((v + 28.0) / 15.0),
         7.0 / (std::exp((v + 40.0) / 40.0) + std::exp(-(v + 40.0) / 50.0)));
    gate(p.can_m, Sigmoid((v + 30.0) / 5.0), 4.0);
    gate(p.can_h, Sigmoid(-(v + 45.0) / 5.0), 40.0);
    gate(p.cal_m, Sigmoid((v + 40.0) / 7.0), 60.0);
    gate(p.ka_a, Sigmoid((v + 36.0) / 8.0), 1.0);
    gate(p.ka_b, Sigmoid(-(v + 66.0) / 8.0), 15.0);
    auto pool = [&](double& y, double rest, const PoolConstants& c, double influx) {
      relax(y, rest + influx * 1e4 / (2.0 * kFaraday * c.shell_depth_um * c.rate_per_ms),
            dt_ms_ * c.rate_per_ms);
    };
    const PoolConstants& sodium = p.section.sodium;
    const PoolConstants& potassium = p.section.potassium;
    pool(p.nai, sodium.in_mm, sodium, -na);
    pool(p.nao, sodium.out_mm, sodium, na);
    pool(p.ki, potassium.in_mm, potassium, -k);
    pool(p.ko, potassium.out_mm, potassium, k);
    if (p.section.k_ca > 0.0) {
      const double drive = std::max(0.0, -p.section.alpha_ca * (ca - p.ca_rest));
      relax(p.cai, kCaRest + drive / p.section.k_ca, dt_ms_ * p.section.f_ca * p.section.k_ca);
    }
    SetReversals(p);
  }
  for (Synapse& s : synapses_) {
    s.a *= std::exp(-dt_ms_ / s.kinetics.tau_rise_ms);
    s.b *= std::exp(-dt_ms_ / s.kinetics.tau_decay_ms);
    if (s.rule.has_value()) {
      s.signal *= std::exp(-dt_ms_ / s.rule->decay_tau_ms);
      s.integral += dt_ms_ * s.signal;
    }
  }
  if (opsin_.has_value()) {
    // Backward Euler of the three states, the third from their sum.
    const OpsinParams& o = *opsin_;
    double ga = 0.0, gr = o.gr0;
    if (photon_flux_ > 0.0) {
      ga = o.k_a / (1.0 + std::pow(o.phi_m / photon_flux_, o.p));
      gr = o.gr0 + o.k_r / (1.0 + std::pow(o.phi_m / photon_flux_, o.q));
    }
    // (1 + dt (gr + ga)) c + dt gr o = closed + dt gr; -dt ga c + (1 + dt gd) o = open.
    const double a = 1.0 + dt_ms_ * (gr + ga), b = dt_ms_ * gr, c = -dt_ms_ * ga,
                 d = 1.0 + dt_ms_ * o.gd;
    const double right = closed_ + dt_ms_ * gr;
    const double determinant = a * d - b * c;
    const double next_open = (a * open_ - c * right) / determinant;
    closed_ = (right * d - b * open_) / determinant;
    open_ = next_open;
  }
}

}  // namespace livnd::sim
