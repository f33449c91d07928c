// What the point neurons have in common: one compartment, currents in pA, exponential synapses and a
// noise current.
#ifndef LIVND_SIM_CELL_POINT_POINT_MODEL_H_
#define LIVND_SIM_CELL_POINT_POINT_MODEL_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "sim/cell/cell_model.h"

namespace livnd::sim {

// Synapses of equal kinetics share one variable x, dx/dt = -x / tau; an event adds its weight.
struct PointSlot {
  bool conductance = false;  // x is in nS and drives x (reversal_mv - V); else x is the current, pA
  double reversal_mv = 0.0;
  double tau_ms = 5.0;  // infinity: what events add stays, as in livn 2.0.0's Brian2 form
  double keep = 1.0;    // 1 - dt / tau
  int state = 0;
};

struct PointParam {
  enum { kNoiseAmplitude, kSize };  // pA
};
struct PointState {
  // mV; pA, 0 where there is no noise; pairs of random words used.
  enum { kV, kNoise, kNoisePosition, kSize };
};

// The scheme is that of livn 2.0.0's Brian2 form (models/glif.py, models/izhikevich.py): explicit
// Euler with the run's step, everything at t_k; then the threshold is compared with the new values
// (strictly above), and a spike of step k resets the cell at once.
//
// Noise: a current that is drawn anew, amplitude times a normal number, in the first step of every
// millisecond. Drive is a current, pA.
class PointModel : public CellModel {
 public:
  // dt_ms, at most tau_ms of any slot.
  double dt_ms() const { return dt_ms_; }
  const std::vector<PointSlot>& slots() const { return slots_; }
  // The slot of these kinetics, added if there is none.
  int AddSlot(bool conductance, double tau_ms, double reversal_mv);
  void SetNoiseOn(bool on) { noise_on_ = on; }

  int num_sections() const override { return 1; }
  int num_compartments() const override { return 1; }
  int middle_compartment(int) const override { return 0; }
  int voltage_state(int) const override { return PointState::kV; }
  const std::vector<NoiseStream>& noise_streams() const override { return noise_streams_; }
  bool noise_on() const override { return noise_on_; }
  int num_slots() const override { return static_cast<int>(slots_.size()); }
  SynapseSlotStates slot(int slot) const override { return {slots_[slot].state, 1, -1}; }
  int PlaceSlots(int first) override;
  bool supports(StimulusMode mode) const override { return mode == StimulusMode::kCurrent; }
  double drive_per_na(absl::Span<const double>, int) const override { return 1e3; }
  double drive_per_density(int) const override { return 0.0; }
  void SetField(absl::Span<const double>, const double*, const uint8_t*, double*) const override {}
  void SetLight(double, double*) const override {}
  // v (mV), I_syn (pA, of all current synapses), g_syn (nS, of all conductances), I_noise (pA), and
  // the model's own.
  std::vector<std::string> state_names() const override;
  double NamedState(const std::string& name, int section, absl::Span<const double> params,
                    const double* state) const override;
  double area_um2(absl::Span<const double>, int) const override { return 0.0; }

 protected:
  explicit PointModel(double dt_ms);

 private:
  double dt_ms_;
  bool noise_on_ = false;
  std::vector<PointSlot> slots_;
  std::vector<NoiseStream> noise_streams_;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_POINT_POINT_MODEL_H_
