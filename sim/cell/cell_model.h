// What a group of cells is to the simulation: where its numbers lie, and how a tile of eight cells
// advances by one step. One implementation a kind of neuron.
#ifndef LIVND_SIM_CELL_CELL_MODEL_H_
#define LIVND_SIM_CELL_CELL_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "sim/simd/tile_lanes.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::sim {

// Everything about one cell that its parameters fix.
struct CellParams {
  std::vector<double> params;         // [num_params]
  std::vector<double> initial_state;  // [spikes_state()]: before any step
};

// Consecutive tiles of one group for one step.
struct TileBatch {
  int num_tiles = 0;  // at least one
  // Lanes of the last tile that hold cells, from the first on. What happens to others is no matter.
  int lanes_of_last = kTileLanes;
  const double* params = nullptr;   // distinct parameter tiles, [..][num_params][kTileLanes]
  const int* param_tile = nullptr;  // [num_tiles] which of them is a tile's
  double* state = nullptr;          // [num_tiles][num_variables][kTileLanes]
  int num_variables = 0;
  // What the last step, or Prepare, left for this one: [num_tiles][CellModel::num_scratch()]
  // [kTileLanes].
  double* scratch = nullptr;
  uint8_t* marks = nullptr;  // [num_tiles] what Prepare found of a tile, for the model alone
  // Standard normals, [num_tiles][2][kTileLanes] in the order of noise_streams(); NaN in a lane: no
  // update. Null: no noise at all.
  const double* normals = nullptr;
  // Injected drive, [num_tiles][num_compartments][kTileLanes], in the unit of
  // CellModel::drive_per_na. Null: none.
  const double* drive = nullptr;
  // [num_tiles][kTileLanes]: 1 where plasticity is on, 0 where it is off. Null: no copy has ever
  // learned.
  const double* learning = nullptr;
  bool field = false;  // some lane's field may differ from 0
  bool light = false;  // some lane's opsin may be open
  // Out, [num_tiles][num_compartments][kTileLanes]: total membrane current density of the half step
  // without stimuli, mA/cm2. Null: not asked for.
  double* membrane_current = nullptr;
};

// One noise process' random numbers. A cell's processes draw from streams of their own.
struct NoiseStream {
  int position_state = 0;   // variable that counts the pairs of words used so far
  uint32_t section_id = 1;  // second word of the stream's key
  int draws_per_update = 2;
  int first = 0;        // draws first .. first + num_used - 1 of an update are used ...
  int num_used = 1;     //
  int normals_row = 0;  // ... and go to these rows of TileBatch::normals
};
inline constexpr int kMaxNoiseStreams = 2;  // of a cell

// Synapses of equal kinetics on one compartment share a slot: one or two state variables.
struct SynapseSlotStates {
  int state = 0;
  int num_states = 2;
  int learning_state = -1;  // learning signal, its integral follows; -1: the slot never learns
};

// Immutable and thread-safe.
class CellModel {
 public:
  virtual ~CellModel() = default;

  virtual int num_params() const = 0;
  // Numbers of a cell beside its state that follow from it and are kept between steps.
  virtual int num_scratch() const { return 0; }
  // Writes them, and the tiles' marks, after states were put into the tiles.
  virtual void Prepare(const TileBatch& /*batch*/) const {}
  virtual int num_sections() const = 0;
  virtual int num_compartments() const = 0;
  // The compartment that records and point processes at a section's middle use.
  virtual int middle_compartment(int section) const = 0;
  virtual int voltage_state(int compartment) const = 0;
  // What the network keeps of a cell's recent spikes follows the cell's own variables; then come the
  // synapse slots.
  virtual int spikes_state() const = 0;
  virtual const std::vector<NoiseStream>& noise_streams() const = 0;  // at most kMaxNoiseStreams
  virtual bool noise_on() const = 0;

  virtual int num_slots() const = 0;
  virtual SynapseSlotStates slot(int slot) const = 0;
  // Gives the slots their variables from `first` on and returns the number of all variables.
  virtual int PlaceSlots(int first) = 0;

  virtual bool supports(StimulusMode mode) const = 0;
  // Drive of a compartment for 1 nA into it, or for 1 mA/cm2.
  virtual double drive_per_na(absl::Span<const double> params, int compartment) const = 0;
  virtual double drive_per_density(int compartment) const = 0;
  // Writes the drive of extracellular potentials ve_mv [num_sections] into a cell's state (stride
  // kTileLanes). present: sections that a stimulus reaches. ve_mv null: no field.
  virtual void SetField(absl::Span<const double> params, const double* ve_mv,
                        const uint8_t* present, double* state) const = 0;
  // Sets the photon flux (photons/s/mm2) on the soma.
  virtual void SetLight(double photon_flux, double* state) const = 0;

  // The value of a named state at a section's middle, computed from the cell's state (stride
  // kTileLanes); NaN in a section that lacks it.
  virtual std::vector<std::string> state_names() const = 0;
  virtual double NamedState(const std::string& name, int section, absl::Span<const double> params,
                            const double* state) const = 0;
  // Area of a compartment, um2; 0 for a point, which has no membrane current to record.
  virtual double area_um2(absl::Span<const double> params, int compartment) const = 0;

  // Advances tiles. crossed[tile] gets a bit for each lane that crossed its threshold at the start of
  // the step (see the model's own header for when exactly). A lane's result depends on nothing else
  // in the batch.
  virtual void StepTiles(const TileBatch& batch, uint8_t* crossed) const = 0;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_CELL_MODEL_H_
