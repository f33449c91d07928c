// Copies of one culture that run together: their cells fill tiles side by side.
#ifndef LIVND_SIM_GANG_H_
#define LIVND_SIM_GANG_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "sim/culture.h"
#include "sim/network/calendar.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::sim {

// An accepted spike: emitted at step tick of the copy, t = tick dt + 1e-10 ms.
struct Spike {
  int32_t copy;
  int64_t gid;
  int64_t tick;
};

// Numbers of one copy at the starts of steps, collected while the gang advances.
struct Probe {
  enum class Quantity {
    kVoltageMv,
    // Total current through the membrane around the section's middle, stimuli left out: that of the
    // half step before the sample; 0 before the first step after a start or a LoadCopy.
    kMembraneCurrentUa,
    // CellModel::NamedState of `state`.
    kState,
    // Learned weights of all plastic connections; `sites` stays empty.
    kLearnedWeights,
  };
  struct Site {
    int64_t gid;
    int section;
  };
  int copy = 0;
  Quantity quantity = Quantity::kVoltageMv;
  std::string state;
  std::vector<Site> sites;
  int every_steps = 1;
  int64_t steps_seen = 0;  // the probe's phase: kept from one Advance to the next
  // Appended: [sample][site], the first sample at the first step that the probe sees.
  std::vector<double> samples;
};

// Thread-compatible: one call at a time. A copy's results are a function of its own state, stimuli
// and inputs: not of the number of copies, its place, or how steps are grouped into calls.
class Gang {
 public:
  Gang(std::shared_ptr<const Culture> culture, int num_copies);

  const Culture& culture() const { return *culture_; }
  int num_copies() const { return num_copies_; }
  int64_t tick(int copy) const { return static_cast<int64_t>(header(copy, CopyHeader::kTick)); }

  // The canonical state of a copy (sim/culture.h); [culture().initial_state().size()].
  void SaveCopy(int copy, absl::Span<double> state) const;
  // Replaces a copy by a saved state. Its stimuli are forgotten.
  void LoadCopy(int copy, absl::Span<const double> state);

  // Keys the copy's noise: low 32 bits are livn's seed, high 32 bits choose another family of
  // streams (0: livn's). All streams start over; the conductances they drive stay as they are.
  void SetSeed(int copy, uint64_t seed, uint32_t noise_stream = 0);

  // How the channels of a mode reach sections; for all copies, before Install. Null switches off.
  void SetStimulusMap(StimulusMode mode, std::shared_ptr<const StimulusMap> map);
  // Puts a waveform on the copy's time axis. InvalidArgument: no map, another number of channels,
  // another sample_dt than the mode's earlier waveforms, or a number that is not finite.
  absl::Status Install(int copy, StimulusMode mode, Waveform waveform);

  // Spike times (ms from tick 0) of event sources, by gid; for all copies, replaces earlier ones.
  // InvalidArgument names a gid that is not a source or a time that is not finite and >= 0.
  absl::Status SetInputSpikes(const std::map<int64_t, std::vector<double>>& times_ms);

  // Advances every copy. Spikes are appended to `spikes` if it is not null: by step, then copy,
  // then group and cell.
  void Advance(int64_t num_steps, std::vector<Spike>* spikes, absl::Span<Probe* const> probes = {});

  // Switches learning of a copy on or off; learned weights stay in force while it is off.
  // FailedPrecondition if the culture has no plasticity.
  absl::Status SetPlasticity(int copy, bool on);
  bool plasticity_on(int copy) const { return header(copy, CopyHeader::kPlasticityOn) != 0.0; }
  // In the order of Culture::plastic_connections().
  std::vector<double> LearnedWeights(int copy) const;
  // InvalidArgument: wrong number, or a weight outside its connection's w_min .. w_max.
  absl::Status SetLearnedWeights(int copy, absl::Span<const double> weights);

  // False once a soma's voltage of the copy is not a finite number below 1e4 mV.
  bool IsFinite(int copy) const;

  double VoltageMv(int copy, int64_t gid, int section) const;

 private:
  // Steps whose normals are drawn at once.
  static constexpr int kNoiseChunk = 32;

  // One group's cells of all copies: lane copy * num_cells + cell.
  struct GroupTiles {
    int num_lanes = 0;
    int num_tiles = 0;
    std::vector<double> state;    // [tile][variable][kTileLanes]
    std::vector<double> scratch;  // [tile][CellModel::num_scratch()][kTileLanes]
    std::vector<uint8_t> stale;   // [tile], 1 where the scratch does not fit the state
    std::vector<double> params;   // distinct parameter tiles
    std::vector<int> param_tile;  // [tile] index into params
    std::vector<uint32_t> lane_mask;
    std::vector<uint32_t> crossed;  // [tile] lanes that crossed their threshold in the last step
    std::vector<double> normals;    // [step][tile][2][kTileLanes] of a chunk
    std::vector<double> drive;      // [tile][compartment][kTileLanes], current stimuli
    std::vector<double> learning;   // [tile][kTileLanes], 1 where plasticity is on
    std::vector<double> membrane;   // [tile][compartment][kTileLanes], mA/cm2 of the last step
  };
  struct StimulusSlot {
    std::shared_ptr<const StimulusMap> map;
    std::vector<StimulusTimeline> timelines;  // [copy]
    // Rows whose section some channel reaches; sparse maps only.
    std::vector<uint8_t> row_present;
  };
  struct InputEvent {
    int64_t step;
    Event event;
  };

  double& header(int copy, int i) { return headers_[copy * CopyHeader::kSize + i]; }
  double header(int copy, int i) const { return headers_[copy * CopyHeader::kSize + i]; }
  double* Variable(int group, int64_t lane, int variable);
  const double* Variable(int group, int64_t lane, int variable) const;

  void BuildTiles();
  void DrawNoise(int num_steps);
  void Deliver(int copy, int64_t tick);
  bool UpdateCurrents();  // true if any copy has a current or density stimulus
  void UpdateField(int copy, int64_t tick);
  void UpdateLight(int copy, int64_t tick);
  // The channels of a mode at a step, null for none.
  const double* ChannelsAt(StimulusSlot& slot, int copy, int64_t tick);
  // Whether anything learns or is lit, and which lanes learn, from the headers.
  void UpdateSwitches();
  // Brings up to date, before a step, what follows from states that were put there from outside.
  void PrepareTiles();
  // Tiles first .. first + num_tiles - 1 of a group: parameters, state and scratch.
  TileBatch TilesAt(int group, int first, int num_tiles);
  void Sample(Probe& probe) const;
  void EmitSpikes(int group, int tile, uint32_t lanes, std::vector<Spike>* spikes);
  void PushRows(int copy, int64_t source, int64_t emission_tick, int64_t not_before);
  void RebuildCalendar(int copy);
  // Sums channels into rows; false if all are zero.
  bool RowValues(const StimulusSlot& slot, const double* channels);

  std::shared_ptr<const Culture> culture_;
  int num_copies_;
  std::vector<GroupTiles> groups_;
  std::vector<double> headers_;           // [copy][CopyHeader::kSize]
  std::vector<double> connection_state_;  // [copy][2 * num_stateful_rows]
  std::vector<Calendar> calendars_;       // [copy]
  StimulusSlot stimuli_[kNumStimulusModes];
  std::vector<const double*> field_now_;  // [copy] the channels that the field state shows
  std::vector<const double*> light_now_;  // [copy] likewise
  bool learning_ = false;                 // some copy has learned
  bool light_ = false;                    // light has shone on some copy
  bool stale_ = true;                     // what follows from the states does not fit
  bool keep_membrane_ = false;            // some probe has asked for membrane currents
  std::vector<InputEvent> inputs_;        // ascending by step
  std::vector<size_t> next_input_;        // [copy]
  std::vector<double> row_values_;        // scratch, [num_section_rows]
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_GANG_H_
