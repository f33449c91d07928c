// What an environment with a task leaves in a recording.
#ifndef LIVND_ENV_RECORDING_EPISODE_ROWS_H_
#define LIVND_ENV_RECORDING_EPISODE_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "env/recording/channel_events.h"
#include "env/recording/device_rows.h"
#include "env/recording/series_rows.h"
#include "env/spec.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "io/recording/stream.h"

namespace livnd::env {

// What every recording of an environment or culture says of itself.
io::Attributes RecordingAttributes(const EnvironmentSpec& spec, int num_copies);

// What of it is wanted.
struct EpisodeSelection {
  bool episode_starts = true, rewards = true, actions = true, observations = true;
  // Of a task with a culture.
  bool spikes = true, stimuli = true, channel_events = true;
};

// Turns what each Reset and Step did into rows of streams. The streams are the same for every
// autoreset mode, and so are a copy's rows for the same seeds and actions: each episode has its start
// (tick 0, with its seed), what was observed there, and for each step the action at the tick at which
// the step began, the stimuli and spikes at their own, and the reward and the observation at that of its
// end. A step that only begins an episode, and simulates nothing, has neither action nor reward.
//
// Thread-compatible. A function of what the environment tells alone, which it does not change.
class EpisodeRows {
 public:
  EpisodeRows(const VectorEnvironment& environment, const EpisodeSelection& selection);

  // Of those that are selected: "episode_starts", "rewards", "spikes", "channel_events" and "stimuli"
  // (io/recording/streams.h), then "actions.NAME" and "observations.NAME" for each tensor of the spec, and the
  // streams of SeriesRows of the series that the environment records, and those of DeviceRows.
  const std::vector<io::StreamSpec>& streams() const { return streams_; }

  // What series' rows are, and where electrodes are, to be written once.
  void AddLabels(absl::Span<std::string> rows) const {
    series_.AddLabels(rows);
    devices_.AddPlaces(rows);
  }
  // The environment is in the middle of its episodes, where the last outcome, or a Restore, left it.
  void StartFrom(const Outcome& outcome);
  // The same; and the starts of the episodes that run, which are not in the recording, or not with these
  // seeds.
  void AddRestore(const VectorEnvironment& environment, absl::Span<std::string> rows);

  // Appends the rows of streams()[i] to rows[i], of what the environment has just done. In the order of
  // the copies.
  void AddReset(const VectorEnvironment& environment, absl::Span<std::string> rows);
  void AddStep(const TensorBatch& actions, const VectorEnvironment& environment,
               absl::Span<std::string> rows);

 private:
  void AddSeed(const Outcome& outcome, size_t copy, absl::Span<std::string> rows) const;
  void AddStart(const Outcome& outcome, int copy, absl::Span<std::string> rows) const;
  void AddActivity(const StepActivity& activity, const io::RowKey& key,
                   absl::Span<std::string> rows) const;
  void AddSeries(const StepActivity& activity, const io::RowKey& key,
                 absl::Span<std::string> rows) const;
  // A copy's elements of each tensor, to the streams from `first` on; nowhere where that is -1.
  void AddTensors(const TensorBatch& batch, const io::RowKey& key, int first,
                  absl::Span<std::string> rows) const;

  const int64_t step_ticks_;
  const double tick_ms_;
  std::vector<io::StreamSpec> streams_;
  // Places of streams, or -1.
  int starts_ = -1, rewards_ = -1, spikes_ = -1, events_ = -1, stimuli_ = -1;
  int actions_ = -1, observations_ = -1;  // the first of them
  SeriesRows series_;
  DeviceRows devices_;
  std::vector<int32_t> electrode_ids_;  // in declared order
  ChannelEvents channel_events_;
  std::vector<io::RowKey> now_;  // [copy]
};

}  // namespace livnd::env

#endif  // LIVND_ENV_RECORDING_EPISODE_ROWS_H_
