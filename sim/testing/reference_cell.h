// One RCSD cell the slow and plain way: a scalar, mechanism by mechanism, with libm, every ion
// concentration kept as itself, slopes as differences, and one pair of states for every synapse.
// Written from the description of livn 2.0.0's time step, not from the kernel; tests hold the
// kernel against it.
#ifndef LIVND_SIM_TESTING_REFERENCE_CELL_H_
#define LIVND_SIM_TESTING_REFERENCE_CELL_H_

#include <optional>
#include <vector>

#include "sim/cell/rcsd/opsin.h"
#include "sim/cell/rcsd/rcsd_template.h"
#include "sim/synapse/kinetics.h"
#include "sim/synapse/plasticity.h"

namespace livnd::sim {

class ReferenceCell {
 public:
  // Compartments: soma, dendrite segments from the soma outwards, ais0 .. ais4.
  ReferenceCell(const CellTemplate& cell, double dt_ms, double v_init_mv = -75.0);

  int num_compartments() const { return static_cast<int>(parts_.size()); }
  double v_mv(int compartment) const { return parts_[compartment].v; }
  double pin_ma_cm2(int compartment) const { return parts_[compartment].pin; }
  double calcium_rest_ma_cm2(int compartment) const { return parts_[compartment].ca_rest; }

  // Adds a synapse and returns its index. With a rule it learns: each synapse keeps a signal of its
  // own, and has one connection.
  int AddSynapse(int compartment, const Kinetics& kinetics,
                 std::optional<PlasticityRule> rule = std::nullopt);
  void SetPlasticity(bool on) { plasticity_on_ = on; }
  double learned_weight(int synapse) const { return synapses_[synapse].learned; }
  // An opsin on the soma, and the light on it (photons/s/mm2).
  void AddOpsin(const OpsinParams& params) { opsin_ = params; }
  void SetLight(double photon_flux) { photon_flux_ = photon_flux; }
  // An event of a total size (weight * g_unit * factor ..., uS) acts in the next step.
  void Deliver(int synapse, double size_us);
  // Current into a compartment, nA, until the next call.
  void SetCurrent(int compartment, double current_na) { parts_[compartment].current = current_na; }

  // Total current through a compartment's membrane in the last half step, nA.
  double membrane_current_na(int compartment) const { return parts_[compartment].membrane_na; }

  void Step();

 private:
  struct Part {
    Section section;
    double area_um2 = 0.0;
    double g_prev = 0.0, g_next = 0.0;  // to the neighbours in the chain, S/cm2
    double pin = 0.0, ca_rest = 0.0, current = 0.0;
    double v = 0.0, m_inf = 0.0, h = 0.0, n = 0.0;
    double can_m = 0.0, can_h = 0.0, cal_m = 0.0, ka_a = 0.0, ka_b = 0.0;
    double cai = 1e-5, nai = 15.0, nao = 145.0, ki = 145.0, ko = 5.0;
    double e_na = 0.0, e_k = 0.0;
    double membrane_na = 0.0;
  };
  struct Synapse {
    int compartment;
    Kinetics kinetics;
    std::optional<PlasticityRule> rule;
    double a = 0.0, b = 0.0;
    double signal = 0.0, integral = 0.0;            // of the synapse
    double learned = 1.0, integral_at_event = 0.0;  // of its connection
  };
  struct Densities {
    double total = 0.0, na = 0.0, k = 0.0, ca = 0.0;
  };

  void SetSteady(Part& part, double v_mv) const;
  void SetReversals(Part& part) const;
  Densities CurrentsAt(const Part& part, double v_mv) const;
  double SynapticCurrentNa(int compartment, double v_mv) const;
  double OpsinCurrentNa(double v_mv) const;
  static double Learned(const PlasticityRule& rule, double v_mv);

  double dt_ms_;
  std::vector<Part> parts_;
  std::vector<int> chain_;  // compartments from one end of the chain to the other
  std::vector<Synapse> synapses_;
  bool plasticity_on_ = false;
  std::optional<OpsinParams> opsin_;
  double photon_flux_ = 0.0, open_ = 0.0, closed_ = 1.0;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_TESTING_REFERENCE_CELL_H_
