// Copies of one culture that run together: their cells fill tiles side by side.
#ifndef LIVND_SIM_GANG_GANG_H_
#define LIVND_SIM_GANG_GANG_H_

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "sim/culture/culture.h"
#include "sim/executor.h"
#include "sim/gang/epochs.h"
#include "sim/gang/parts.h"
#include "sim/gang/probe.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::sim {

// Thread-compatible: one call at a time. A copy's results are a function of its own state, stimuli
// and inputs: not of the number of copies, its place, how steps are grouped into calls, or the
// executor.
class Gang {
 public:
  Gang(std::shared_ptr<const Culture> culture, int num_copies);

  const Culture& culture() const { return *culture_; }
  int num_copies() const { return num_copies_; }
  int64_t tick(int copy) const { return static_cast<int64_t>(header(copy, CopyHeader::kTick)); }

  // The canonical state of a copy (sim/culture/culture.h), as much as the span holds:
  // [culture().state_size()], or [culture().state_size_with_currents()].
  void SaveCopy(int copy, absl::Span<double> state) const;
  // Replaces a copy by a saved state. Its stimuli are forgotten; its membrane currents are 0 where the
  // state is without.
  void LoadCopy(int copy, absl::Span<const double> state);
  // Whether membrane currents are known: a probe has asked for some, or a loaded state had them.
  bool keeps_currents() const { return keep_membrane_; }

  // Keys the copy's noise: low 32 bits are livn's seed, high 32 bits choose another family of
  // streams (0: livn's). All streams start over; the conductances they drive stay as they are.
  void SetSeed(int copy, uint64_t seed, uint32_t noise_stream = 0);

  // How the channels of a mode reach sections; for all copies, before Install. Null switches off.
  void SetStimulusMap(StimulusMode mode, std::shared_ptr<const StimulusMap> map);
  // Puts a waveform on the copy's time axis, where it replaces earlier ones on its channels while it
  // lasts. InvalidArgument: no map, channels that the map lacks, a number that is not finite, another
  // timing than the mode's earlier waveforms since the start, under SampleTiming::kExactTicks a
  // sample_dt that is not a multiple of the tick, under kLivn another one than theirs.
  absl::Status Install(int copy, StimulusMode mode, Waveform waveform) {
    return Install(copy, mode, std::make_shared<const Waveform>(std::move(waveform)));
  }
  // Keeps what it is given until the waveform is over; that must not change before.
  absl::Status Install(int copy, StimulusMode mode, std::shared_ptr<const Waveform> waveform);

  // What Install has put on a copy and is not over yet, in that order. With the copy's state it is all
  // that decides how the copy goes on, but for what all copies share.
  std::vector<std::shared_ptr<const Waveform>> Stimuli(int copy, StimulusMode mode) const {
    return stimuli_[static_cast<int>(mode)].timelines[copy].waveforms();
  }

  // Spike times (ms from tick 0) of event sources, by gid; for all copies, replaces earlier ones.
  // InvalidArgument names a gid that is not a source or a time that is not finite and >= 0.
  absl::Status SetInputSpikes(const std::map<int64_t, std::vector<double>>& times_ms);

  // Advances every copy. Spikes are appended to `spikes` if it is not null: by step, then copy,
  // then group and cell. With an executor the tiles are cut into slices that its threads share.
  // Copies with rests[copy] != 0 stay behind: nothing is simulated for them but what shares a tile with
  // a copy that runs, and nothing of theirs is reported. Load such a copy before it runs again.
  void Advance(int64_t num_steps, std::vector<Spike>* spikes, absl::Span<Probe* const> probes = {},
               Executor* executor = nullptr, absl::Span<const uint8_t> rests = {});
  // Tiles of eight cells: the work that there is to share.
  int num_tiles() const { return num_tiles_; }

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
  // Steps whose normals are drawn at once, and the longest epoch.
  static constexpr int kNoiseChunk = 64;

  struct InputEvent {
    int64_t step;  // of the copy
    double time_ms;
    uint32_t row;
  };
  // The part of an Advance that is in progress.
  struct Run {
    int64_t steps_left = 0;   // from the open epoch on
    int64_t epochs_left = 0;  // before the threads are asked for anew
    int epoch_steps = 0;      // of the open epoch
    int chunk_at = 0;         // its first step within the chunk of normals
    int chunk_steps = 0;
    std::vector<Spike>* spikes = nullptr;
  };

  double& header(int copy, int i) { return headers_[copy * CopyHeader::kSize + i]; }
  double header(int copy, int i) const { return headers_[copy * CopyHeader::kSize + i]; }
  double* Variable(int group, int64_t lane, int variable);
  const double* Variable(int group, int64_t lane, int variable) const;
  // The copy's own count of steps at one of the gang's.
  int64_t TickAt(int copy, int64_t step) const { return step - step_offset_[copy]; }

  // gang.cc
  void BuildTiles();
  // Tiles first .. first + num_tiles - 1 of a group: parameters, state, scratch and marks.
  TileBatch TilesAt(int group, int first, int num_tiles);
  // Brings up to date, before a step, what follows from states that were put there from outside.
  void CatchUp();
  void PrepareTiles();

  // slices.cc
  void ArrangeSlices(int concurrency);
  // Takes note of which copies rest, and finds the tiles in which some copy runs.
  void FindRunningTiles(absl::Span<const uint8_t> rests);
  bool TileRuns(const GroupTiles& tiles, int tile) const;
  void OpenEpoch();
  // Everything that a slice does in the open epoch; slices may run side by side.
  void RunEpoch(GangSlice& slice);
  void StepSlice(GangSlice& slice, int64_t step, int chunk_step);
  // Sends spikes out after an epoch and opens the next one; false: that was the last.
  bool CloseEpoch();

  // events.cc
  // Whether a row of a copy, or some row of a run, ends in a slice.
  bool Owns(const GangSlice& slice, int copy, const ConnectionRow& row) const;
  bool OwnsSome(const GangSlice& slice, int copy, uint32_t first_row) const;
  void PushInputs(GangSlice& slice);
  void PushRows(GangSlice& slice, int copy, int64_t source, int64_t emission_tick,
                int64_t not_before);
  void RebuildEvents();
  void Deliver(GangSlice& slice, int64_t step);
  void DeliverTo(const ConnectionRow& row, const Event& event);
  // Rows that are alike (Connectivity::alike_end).
  void DeliverAlike(const GangSlice& slice, uint32_t first, uint32_t end, int copy);
  void EmitSpikes(GangSlice& slice, int group, int tile, uint32_t lanes, int64_t step);

  // noise.cc
  void DecideNoise(int num_steps);
  void DrawNoise(int group, int first_tile, int num_tiles, int num_steps);
  void SpreadNormals(GroupTiles& tiles, const NoiseStream& stream, int tile, int num_steps,
                     const double (*drawn)[2 * kNoiseChunk]);

  // stimuli.cc, currents.cc
  SampleRule RuleOf(StimulusMode mode) const;
  absl::Status CheckWaveform(StimulusMode mode, const Waveform& waveform) const;
  void BeginStimuli();
  void EndStimuli();
  // Goes to a tick of the copy; true if the channels of the mode may have changed.
  bool Follow(StimulusMode mode, SliceStimuli& stimuli, int64_t tick) const;
  // visit(group, first cell, end cell): a copy's cells in a slice; visit(begin, end): their rows.
  template <typename Visit>
  void ForCells(const GangSlice& slice, int copy, Visit visit) const;
  template <typename Visit>
  void ForRows(const GangSlice& slice, int copy, Visit visit) const;
  // Sums channels into the rows of a copy's cells in a slice; false if all are zero.
  bool RowValues(GangSlice& slice, const StimulusSlot& slot, int copy,
                 const double* channels) const;
  void UpdateField(GangSlice& slice, SliceStimuli& stimuli, int64_t tick);
  void UpdateLight(GangSlice& slice, SliceStimuli& stimuli, int64_t tick);
  // True if any compartment of the slice has a current.
  bool UpdateCurrents(GangSlice& slice, int64_t step);
  void ChangeCurrents(GangSlice& slice, SliceStimuli& stimuli, int64_t tick);
  void BuildParts(GangSlice& slice, StimulusMode mode, int copy, const TimelineReader& reader,
                  std::vector<CurrentPart>& parts);
  void DenseParts(GangSlice& slice, const StimulusSlot& slot, StimulusMode mode, int copy,
                  const double* channels, std::vector<CurrentPart>& parts);
  double* Drive(int group, int copy, int cell, int compartment);

  // learning.cc, probes.cc
  // Whether anything learns, and which lanes, from the headers.
  void UpdateSwitches();
  void KeepMembrane();
  // A copy's membrane currents to and from where they lie in its state; null stands for 0.
  void SaveCurrents(int copy, double* out) const;
  void LoadCurrents(int copy, const double* in);
  ProbeSite SiteOf(const Probe& probe, const Probe::Site& site) const;
  void BeginProbes(int64_t num_steps, absl::Span<Probe* const> probes);
  void Sample(GangSlice& slice, int64_t step);

  std::shared_ptr<const Culture> culture_;
  int num_copies_;
  int num_tiles_ = 0;  // of all groups
  std::vector<GroupTiles> groups_;
  std::vector<DeliveryTarget> targets_;   // [terminal]
  std::vector<double> headers_;           // [copy][CopyHeader::kSize]
  std::vector<double> connection_state_;  // [copy][2 * num_stateful_rows]
  StimulusSlot stimuli_[kNumStimulusModes];
  std::vector<InputEvent> inputs_;  // ascending by step

  int64_t step_ = 0;                  // the gang's steps so far
  std::vector<int64_t> step_offset_;  // [copy] step_ minus its tick
  std::vector<GangSlice> slices_;
  std::unique_ptr<Epochs> epochs_;  // where there is more than one slice
  Run run_;
  std::vector<Emission> sent_;  // of the last epoch, not yet in the calendars
  std::vector<uint8_t> rests_;  // [copy] 1: not in the Advance that is in progress
  std::vector<uint8_t> due_;    // [copy][step of the chunk] 1 where noise is drawn
  std::vector<int> num_due_;    // [copy]
  // What does not fit the states, [copy]: events on their way; what slices know of its stimuli.
  std::vector<uint8_t> events_stale_, stimuli_stale_;
  bool stale_ = true;           // any of it, or a tile's scratch, or the switches
  bool learning_ = false;       // some copy has learned
  bool keep_membrane_ = false;  // keeps_currents()
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_GANG_GANG_H_
