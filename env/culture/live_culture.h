// Copies of one culture without a task, with livn's way of running: run, go on, clear, change.
#ifndef LIVND_ENV_CULTURE_LIVE_CULTURE_H_
#define LIVND_ENV_CULTURE_LIVE_CULTURE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "env/copies.h"
#include "env/culture/culture_model.h"
#include "env/culture/culture_types.h"
#include "env/culture/run_decodings.h"
#include "env/culture/run_features.h"
#include "env/culture/run_pulses.h"
#include "env/culture/saved_culture.h"
#include "env/culture/series_recorder.h"
#include "env/culture/stimulus_plan.h"
#include "env/passage.h"
#include "sim/culture/culture.h"
#include "sim/executor.h"
#include "sim/gang/probe.h"

namespace livnd::env {

// All copies have the same parameters, the same clock and the same recording; seeds and stimuli may
// differ. livn 2.0.0's native backend is the model of what each call means
// (livn/backend/native/env.py: run, clear, set_params, play_input_spikes).
//
// Every call either does all of what it was asked or, with an error, nothing. Field errors
// (base/field_error.h) name the member of the argument, or a place in a file of the system. A copy
// whose numbers leave their range stops there until the next Clear, and the others go on.
//
// Thread-compatible: one call at a time. Results are a function of the model, the changes, the
// seeds and the stimuli alone: not of the number of copies, a copy's place, the executor, or how a
// span of time is cut into runs (a recording's samples begin with each run; where a stimulus of
// livn's timing begins depends on the sum of the durations before it).
class LiveCulture {
 public:
  // InvalidArgument if num_copies < 1. Copies that are first cleared without a seed take theirs from
  // unseeded_seed, each its own. The executor must outlive the culture.
  static absl::StatusOr<std::unique_ptr<LiveCulture>> Create(
      std::shared_ptr<const CultureModel> model, int num_copies, uint64_t unseeded_seed,
      sim::Executor& executor);

  // The culture that was saved, with copies copy_of[0], copy_of[1] ... of its copies. InvalidArgument:
  // no copies, or what cannot have been saved of a culture of this model ("copies[2].state[7]",
  // "settings" and what the change says is wrong).
  static absl::StatusOr<std::unique_ptr<LiveCulture>> Restore(
      std::shared_ptr<const CultureModel> model, const SavedCulture& saved,
      absl::Span<const int> copy_of, sim::Executor& executor);
  SavedCulture Save() const;

  // Puts every copy back to time 0, at rest, with no event on its way and no stimulus. Parameters,
  // recording, input spikes and whether plasticity is on stay.
  absl::Status Clear(const CultureClear& clear);

  // Lets all copies run on: BeginRun, ContinueRun until it is over, and FinishRun.
  absl::Status Run(const CultureRun& run);

  // FailedPrecondition: never cleared, or every copy has failed.
  absl::Status BeginRun(const CultureRun& run);
  // Takes a run that has begun on, some copies of it by at most max_ticks >= 1. Between BeginRun and
  // FinishRun nothing else may be called but this. How a run is cut changes no bit.
  Progress ContinueRun(int64_t max_ticks);
  // Ends a run that is over. ResourceExhausted: more spikes than the recording may hold; nothing has
  // changed.
  absl::Status FinishRun();

  // Has a run that has begun be over before its end; FinishRun then fails as where there are too many
  // spikes. Of runs that may exceed their sure_recording_bytes.
  void GiveUpRun() { run_->given_up = true; }

  // Memory. What the recording of a run takes, of its spikes no more than so much; 0 for a run of no
  // length that BeginRun accepts.
  int64_t RecordingBytes(double duration_ms, int64_t max_spike_bytes) const;
  // What the spikes of the run that has begun take up.
  int64_t SpikeBytes() const;
  // What the stimuli that are not over take up.
  int64_t StimulusBytes() const { return plan_.num_bytes(); }
  // What the decodings of a run take up, and what its features become; 0 of a run that BeginRun refuses.
  int64_t CodingBytes(double duration_ms, bool with_features);
  // What features of a run become in all, if it keeps its stimuli.
  int64_t FeatureBytes(double duration_ms) const;
  // What input spikes would take up in all the gangs, so many of them.
  int64_t InputSpikeBytes(int64_t num_spikes) const;
  // Whether the culture is its own: built after a change, and not the model's.
  bool owns_culture() const { return prepared_.culture != model_->prepared().culture; }

  // Changes parameters; at any time unless the field says otherwise. A running state is carried on.
  // FailedPrecondition: the change is possible at time 0 only, and some time has passed.
  absl::Status Change(const CultureChange& change);

  // Of the last Run; empty before the first, after a Clear, and after TakeRecording.
  const CultureRecording& recording() const { return recording_; }
  CultureRecording TakeRecording() { return std::exchange(recording_, {}); }

  const EnvironmentSpec& spec() const { return model_->spec(); }
  const CultureModel& model() const { return *model_; }
  const std::shared_ptr<const CultureModel>& shared_model() const { return model_; }
  sim::Executor& executor() const { return executor_; }
  int num_copies() const { return num_copies_; }
  bool was_cleared() const { return was_cleared_; }
  bool all_failed() const;
  const sim::Culture& culture() const { return *prepared_.culture; }
  const io::CultureSetup& setup() const { return prepared_.setup; }
  // Everything that was set, the start's default parameters included, in order.
  const io::ParamList& params() const { return prepared_.params; }
  // Of the electrodes of setup().
  const io::StimulationLimits& limits() const { return prepared_.limits; }
  const std::optional<io::LightArrayConfig>& light_array() const { return prepared_.light_array; }
  const RecordingSelection& selection() const { return selection_; }
  // Null where there is none.
  const CultureEncoding* encoding() const { return encoding_.get(); }
  std::vector<int64_t> num_rows() const;  // of each series of the selection
  bool plasticity_on() const { return plasticity_on_; }
  // [copy][plastic connection], in the order of sim::Culture::plastic_connections().
  std::vector<double> LearnedWeights() const;
  // Made when first asked for. InvalidArgument: there are no electrodes.
  absl::StatusOr<std::shared_ptr<const ElectrodeHearing>> Hearing();
  // Event sources that take input spikes, ascending.
  std::vector<int64_t> input_gids() const;

  int64_t tick() const { return tick_; }
  double time_ms() const { return static_cast<double>(tick_) * culture().dt_ms(); }
  // The copy that failed first, by its time since the last Clear, or -1.
  int first_failed() const;
  int64_t num_clears() const { return num_clears_; }
  uint32_t noise_stream() const { return noise_stream_; }
  const std::vector<uint64_t>& seeds() const { return seeds_; }              // [copy]
  const std::vector<double>& failed_at_ms() const { return failed_at_ms_; }  // [copy]; NaN: good

 private:
  // CultureChange.opsin's names.
  static const std::map<std::string, double sim::OpsinParams::*>& OpsinNumbers();
  // Ranges are sim::Culture::Create's business.
  static absl::Status SetOpsin(const std::map<std::string, double>& values,
                               sim::OpsinParams& opsin);

  // What a group of copies leaves of a run.
  struct GroupRun {
    std::vector<sim::Spike> spikes;                      // of copies counted from the group's first
    int64_t num_kept = 0;                                // of them; later ones are not checked yet
    std::vector<GivenStimulus> given;                    // of features, where they are kept
    std::vector<std::vector<SeriesRecorder>> recorders;  // [copy of the group][series]
    std::vector<std::vector<SeriesRecorder>> heard;  // [copy of the group][decoding of potentials]
  };
  // A run that has begun.
  struct RunUnderWay {
    double duration_ms;
    int64_t num_ticks;
    int64_t max_spikes;
    std::shared_ptr<const ElectrodeHearing> hearing;  // where it is recorded
    // To go back to where there are too many spikes; `states` only where there can be so many.
    StimulusPlan plan;
    std::vector<double> failed_at_ms;
    std::vector<std::vector<double>> states;
    std::vector<GroupRun> groups;
    Passage passage;
    std::shared_ptr<const RunPulses> pulses;
    std::optional<std::vector<GivenStimulus>> given;  // where they are kept
    std::vector<io::ElectrodeCharge> charges;
    std::optional<RunFeatures> features;
    EncodingStates encoding_states;  // to go back to
    RunDecodings decodings;
    bool given_up = false;

    bool too_many_spikes() const;
  };

  LiveCulture(std::shared_ptr<const CultureModel> model, int num_copies, uint64_t unseeded_seed,
              sim::Executor& executor);

  // sim::Culture::Create's error about what a change makes, in the words of the change.
  absl::Status FaultOf(const CultureChange& change, const PreparedCulture& next,
                       const absl::Status& status) const;
  // The culture with the change's parameters; nullopt where it names none.
  absl::StatusOr<std::optional<PreparedCulture>> Prepare(const CultureChange& change) const;
  absl::Status CheckLearnedWeights(const CultureChange& change, const sim::Culture& culture) const;
  void ChangeLearnedWeights(const CultureChange& change);
  // Learned weights of one copy, each within the bounds that its rule has now; 1 for a NaN.
  std::vector<double> WithinBounds(absl::Span<const double> weights) const;
  // Gives weights back to all copies.
  void LoadLearnedWeights(const std::vector<double>& weights);
  void KeyNoise();
  void SetPlasticity();

  // Null where the system has no electrodes; made when first asked for.
  absl::StatusOr<const Electrodes*> FindElectrodes();
  // Null where it has no fibres; likewise.
  absl::StatusOr<const Fibers*> FindFibers();
  // Those that were found.
  Devices devices() const { return {electrodes_.get(), fibers_.get()}; }
  // `have`: what the copies have got of the plan, or null. Fails for restored plans alone.
  absl::Status InstallStimuli(const StimulusPlan* have);
  CultureChange Settings() const;
  absl::Status Load(const SavedCulture& saved, absl::Span<const int> copy_of);
  absl::Status CheckDuration(double duration_ms) const;
  int64_t NumTicks(double duration_ms) const;
  // Spikes that the copies can have at most.
  double MostSpikes(int64_t num_ticks) const;
  int64_t NumRows(const SeriesSelection& series) const;
  // Bytes of the series of a run.
  int64_t SeriesBytes(int64_t num_ticks) const;
  // The longest run below num_ticks, which is too long, whose series take no more; -1 if none does.
  int64_t LongestTicks(int64_t max_bytes, int64_t num_ticks) const;
  // Puts a copy that has failed to rest; what it has learned stays.
  void Park(int copy);
  void MakeRecorders(const Copies::Group& group, GroupRun& of_group) const;
  // From one tick of the run to another.
  void Advance(Copies::Group& group, GroupRun& of_group, int64_t from, int64_t to);
  // The decodings of a run; those of no length, and none, are empty.
  absl::StatusOr<RunDecodings> MakeDecodings(int64_t num_ticks);
  // Takes note of a run's features, and the field from electrodes.
  absl::Status TakeFeatures(const CultureRun& run, int64_t num_ticks, const Devices& devices,
                            StimulusPlan& plan, std::optional<RunFeatures>* features) const;
  // Gives a group's copies the pulses that begin between two ticks of the run.
  void InstallPulses(const Copies::Group& group, int64_t from, int64_t to);
  // And the steps of its features, likewise.
  void InstallFeatures(const Copies::Group& group, GroupRun& of_group, int64_t from, int64_t to);
  // Has decodings hear what has happened to the copies of a group that are good.
  void Decode(const Copies::Group& group, GroupRun& of_group);
  // Finds the copies that have failed since `from`, which is when the last check was.
  void CheckCopies(const Copies::Group& group, GroupRun& of_group, int64_t from);
  bool RecordsSpikesOf(int64_t gid) const;
  void Collect(std::vector<GroupRun>& runs, int64_t num_ticks);

  const std::shared_ptr<const CultureModel> model_;
  const int num_copies_;
  sim::Executor& executor_;

  // What was asked for.
  PreparedCulture prepared_;
  RecordingSelection selection_;
  std::map<int64_t, std::vector<double>> input_spikes_ms_;
  bool plasticity_on_ = false;
  std::shared_ptr<const CultureEncoding> encoding_;

  // What runs.
  std::unique_ptr<const Electrodes> electrodes_;
  std::unique_ptr<const Fibers> fibers_;
  std::shared_ptr<const ElectrodeHearing> hearing_;
  std::shared_ptr<const DecodingEars> ears_;
  EncodingStates encoding_states_;
  std::unique_ptr<Copies> copies_;
  StimulusPlan plan_;
  int64_t tick_ = 0;
  double summed_ms_ = 0.0;  // StimulusOnset
  int64_t num_clears_ = 0;
  bool was_cleared_ = false;
  uint32_t noise_stream_ = 0;
  std::vector<uint64_t> seeds_;  // before the first Clear: of copies that it gives none
  std::vector<double> failed_at_ms_;
  std::optional<RunUnderWay> run_;
  CultureRecording recording_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_LIVE_CULTURE_H_
