// A culture: cells, wiring and parameters, derived once from a CultureConfig and shared by every
// copy that runs (sim/gang/gang.h).
#ifndef LIVND_SIM_CULTURE_CULTURE_H_
#define LIVND_SIM_CULTURE_CULTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sim/cell/cell_geometry.h"
#include "sim/cell/cell_model.h"
#include "sim/culture/culture_config.h"
#include "sim/network/connectivity.h"

namespace livnd::sim {

// A change that could alter any bit of any result changes this text.
inline constexpr char kPhysicsVersion[] = "livn-2.0.0/10";

// How times meet the steps.
enum class TimeRules {
  // livn's native library. A spike of step k is emitted at t_k + kEmissionOffsetMs, an event acts in
  // the first step whose middle is not before it; currents are interpolated at the step's middle.
  kContinuous,
  // Brian2. Delays are rounded to steps, what arrives in step k acts from step k + 1 on; currents
  // hold the sample int(t_k / sample_dt).
  kWholeSteps,
};

// Cells of one population and one shape: they share tiles.
struct CellGroup {
  std::string population;
  std::shared_ptr<CellModel> model;  // const once the culture is made
  CellGeometry geometry;
  std::vector<int64_t> gids;             // ascending
  std::vector<uint32_t> source;          // [cell] index into Connectivity::first_row
  std::vector<uint32_t> cell_class;      // [cell] index into classes
  std::vector<CellParams> classes;       // distinct parameter sets
  std::vector<SynapseSlotStates> slots;  // of the model
  int num_variables = 0;                 // state variables of a cell
  // Offset of the group's first cell in the canonical state of a copy; cells follow each other.
  int64_t state_offset = 0;

  int num_cells() const { return static_cast<int>(gids.size()); }
  absl::Span<const double> params(int cell) const { return classes[cell_class[cell]].params; }
};

// A connection that learns. w_min, w_max bound its learned weight.
struct PlasticConnection {
  int64_t source_gid = 0, target_gid = 0;
  int64_t syn_id = -1;
  std::string receptor;
  double w_min = 0.0, w_max = 0.0;
};

// The state of one copy, whatever tile or gang it runs in: a flat block of doubles.
//   [header][groups: cells by gid: variables][connection state: 2 a stateful row]
// Stateful rows are those of depressing synapses (resources, time of the last event, ms) and of
// plastic ones (learned weight, integral of the learning signal at the last event).
//
// What is to be recorded at once needs the membrane currents of the last half step, too:
//   ...[groups: cells by gid: mA/cm2 of each compartment]
// The state without them is that of a copy whose currents nobody has asked for.
struct CopyHeader {
  enum {
    kTick,     // steps since the start
    kSeedLow,  // 32 bits each
    kSeedHigh,
    kNoiseStream,   // livn's stream number
    kNoiseLast,     // time of the last noise update in half steps
    kFieldActive,   // 1 while the field state may be non-zero
    kLightActive,   // 1 once light has shone since the start, 2 while it shines
    kPlasticityOn,  // 1 while plasticity is on
    kHasLearned,    // 1 once it was on since the start
    kSize
  };
};

struct CultureParts;  // sim/culture/culture_parts.h
struct PendingRow;

// Immutable and thread-safe after Create.
class Culture {
 public:
  // A field error (base/field_error.h) with the path in the configuration (config_fields.h).
  static absl::StatusOr<std::shared_ptr<const Culture>> Create(const CultureConfig& config);

  struct CellRef {
    int group = -1;
    int index = -1;  // within the group
  };

  double dt_ms() const { return dt_ms_; }
  // Steps that must pass between accepted spikes of a cell.
  int64_t refractory_steps() const { return refractory_steps_; }
  bool has_noise() const { return has_noise_; }
  bool has_plasticity() const { return has_plasticity_; }
  bool has_opsin() const { return has_opsin_; }
  // Time between two updates of the noise.
  double noise_interval_ms() const { return noise_interval_ms_; }
  TimeRules time_rules() const { return time_rules_; }
  // The step in which a row's event acts whose source spiked at a time that the user gave.
  int64_t InputStep(double spike_ms, const ConnectionRow& row) const;
  const std::vector<CellGroup>& groups() const { return groups_; }
  const Connectivity& connectivity() const { return connectivity_; }
  // Built cells in gid order.
  const std::vector<int64_t>& gids() const { return gids_; }
  // Where each of them is, in the same order.
  const std::vector<CellRef>& cells() const { return cell_order_; }
  // group = -1 for a gid that is not a built cell.
  CellRef Find(int64_t gid) const;
  // Index into Connectivity::first_row, or -1.
  int64_t SourceIndex(int64_t gid) const;
  // Sections of all built cells: see StimulusMap. -1 if the cell or section does not exist.
  int64_t num_section_rows() const { return num_section_rows_; }
  int64_t SectionRow(int64_t gid, int section) const;

  // State of a copy that has not run: every section at v_init, no event on its way.
  const std::vector<double>& initial_state() const { return initial_state_; }
  int64_t connection_state_offset() const { return connection_state_offset_; }
  // Of a copy's state without and with its membrane currents.
  size_t state_size() const { return initial_state_.size(); }
  size_t state_size_with_currents() const;
  // Whether numbers from outside are a copy's state that can be loaded: as many as state_size() or
  // state_size_with_currents(), and all that steps, spikes and streams are counted by are such counts.
  // Voltages and the like may be any numbers: a copy cannot do worse with them than fail. The error
  // names "state" or "state[i]".
  absl::Status CheckState(absl::Span<const double> state) const;
  // The connections that learn, in the order of Gang::LearnedWeights.
  const std::vector<PlasticConnection>& plastic_connections() const { return plastic_; }
  // The error names "learned_weights" or "learned_weights[i]" unless there is one a plastic
  // connection, each within its bounds.
  absl::Status CheckLearnedWeights(absl::Span<const double> weights) const;
  // Their rows in the connectivity.
  const std::vector<uint32_t>& plastic_rows() const { return plastic_rows_; }
  // Whether a copy's canonical state here is one there: cultures of one system whose parameters
  // differ only in their values, and whose cells have the same segments.
  bool HasLayoutOf(const Culture& other) const;
  // Keys that CultureConfig::weights takes here.
  const std::vector<std::string>& weight_keys() const { return weight_keys_; }

 private:
  Culture(double dt_ms, CultureParts parts);
  // Takes rows in the order of the configuration.
  void SetConnections(std::vector<PendingRow> rows);
  void BuildInitialState();

  double dt_ms_ = 0.0;
  int64_t refractory_steps_ = 0;
  bool has_noise_ = false;
  bool has_plasticity_ = false;
  bool has_opsin_ = false;
  double noise_interval_ms_ = 0.025;
  TimeRules time_rules_ = TimeRules::kContinuous;
  std::vector<PlasticConnection> plastic_;
  std::vector<uint32_t> plastic_rows_;
  std::vector<CellGroup> groups_;
  Connectivity connectivity_;
  std::vector<int64_t> gids_;
  std::vector<CellRef> cell_order_;
  absl::flat_hash_map<int64_t, CellRef> cells_;
  absl::flat_hash_map<int64_t, int64_t> source_index_;
  absl::flat_hash_map<int64_t, int64_t> first_section_row_;
  int64_t num_section_rows_ = 0;
  std::vector<double> initial_state_;
  int64_t connection_state_offset_ = 0;
  std::vector<std::string> weight_keys_;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_CULTURE_CULTURE_H_
