// The RCSD cells (livn 2.0.0's ReducedCalciumSomaDendrite) as a CellModel.
#ifndef LIVND_SIM_CELL_RCSD_RCSD_MODEL_H_
#define LIVND_SIM_CELL_RCSD_RCSD_MODEL_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/cell/cell_model.h"
#include "sim/cell/rcsd/rcsd_kernel.h"

namespace livnd::sim {

// A crossing is found at the start of a step, on V_k. Drive is a current density, mA/cm2. Named
// states have NEURON's names: v, h_Nas, n_Kdr, m_CaN, h_CaN, m_CaL, a_Ka_v1in, b_Ka_v1in, cai, nai,
// nao, ki, ko, ena, ek, O_RhO3c, D_RhO3c.
class RcsdModel : public CellModel {
 public:
  explicit RcsdModel(const RcsdShape& shape, const OpsinParams& opsin, double dt_ms);

  const RcsdGroupParams& group() const { return group_; }
  const RcsdShape& shape() const { return group_.shape; }

  void SetNoise(const NoiseParams& noise) { group_.noise = noise; }
  // The magnesium block that tables for this model should have: that of the first slot with one.
  MagnesiumBlock block() const;
  // Call it when all slots are added. Null: every function of voltage is computed exactly.
  void SetTables(std::shared_ptr<const RcsdTables> tables);
  // The slot or learning slot like this one, added if there is none; `state` is ignored.
  int AddSlot(const SynapseSlot& slot);
  int AddLearningSlot(const LearningSlot& slot);

  int num_params() const override { return shape().num_params(); }
  int num_scratch() const override { return shape().num_functions(); }
  void Prepare(const TileBatch& batch) const override { PrepareRcsdTiles(group_, batch); }
  int num_sections() const override { return shape().num_sections(); }
  int num_compartments() const override { return shape().num_compartments(); }
  int middle_compartment(int section) const override { return shape().middle_compartment(section); }
  int voltage_state(int compartment) const override { return shape().voltage_state(compartment); }
  int spikes_state() const override { return shape().spikes_state(); }
  const std::vector<NoiseStream>& noise_streams() const override { return noise_streams_; }
  bool noise_on() const override {
    return group_.noise.excitatory_on || group_.noise.inhibitory_on;
  }
  int num_slots() const override { return static_cast<int>(group_.slots.size()); }
  SynapseSlotStates slot(int slot) const override;
  int PlaceSlots(int first) override;
  bool supports(StimulusMode mode) const override;
  double drive_per_na(absl::Span<const double> params, int compartment) const override {
    return params[shape().per_area_param(compartment)];
  }
  double drive_per_density(int /*compartment*/) const override { return 1.0; }
  void SetField(absl::Span<const double> params, const double* ve_mv, const uint8_t* present,
                double* state) const override;
  void SetLight(double photon_flux, double* state) const override;
  std::vector<std::string> state_names() const override;
  double NamedState(const std::string& name, int section, absl::Span<const double> params,
                    const double* state) const override;
  double area_um2(absl::Span<const double> params, int compartment) const override {
    return 1e2 / params[shape().per_area_param(compartment)];
  }
  void StepTiles(const TileBatch& batch, uint8_t* crossed) const override {
    StepRcsdTiles(group_, batch, crossed);
  }

 private:
  // Whether a slot's block may come from tables.
  bool CanTabulate(const SynapseSlot& slot) const;

  RcsdGroupParams group_;
  std::vector<NoiseStream> noise_streams_;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_RCSD_RCSD_MODEL_H_
