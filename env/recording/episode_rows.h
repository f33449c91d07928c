// What an environment with a task leaves in a recording.
#ifndef LIVND_ENV_RECORDING_EPISODE_ROWS_H_
#define LIVND_ENV_RECORDING_EPISODE_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "env/spec.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "io/recording/stream.h"

namespace livnd::env {

// What every recording of an environment or culture says of itself.
io::Attributes RecordingAttributes(const EnvironmentSpec& spec, int num_copies);

// Turns what each Reset and Step did into rows of streams. The streams are the same for every
// autoreset mode, and so are a copy's rows for the same seeds and actions: each episode has its start
// (tick 0, with its seed), what was observed there, and for each step the action at the tick at which
// the step began, and the reward and the observation at that of its end. A step that only begins an
// episode, and simulates nothing, has neither action nor reward.
//
// Thread-compatible. A function of the outcomes alone.
class EpisodeRows {
 public:
  EpisodeRows(const EnvironmentSpec& spec, int num_copies);

  // "episode_starts" and "rewards" (io/recording/streams.h), then "actions.NAME" and
  // "observations.NAME" for each tensor of the spec.
  const std::vector<io::StreamSpec>& streams() const { return streams_; }

  // The environment is in the middle of its episodes, where this outcome left it.
  void StartFrom(const Outcome& outcome);

  // Appends the rows of streams()[i] to rows[i]. In the order of the copies.
  void AddReset(const Outcome& outcome, absl::Span<std::string> rows);
  void AddStep(const TensorBatch& actions, const Outcome& outcome, absl::Span<std::string> rows);

 private:
  void AddStart(const Outcome& outcome, int copy, absl::Span<std::string> rows) const;
  // A copy's elements of each tensor, to the streams from `first` on.
  void AddTensors(const TensorBatch& batch, const io::RowKey& key, int first, int num_tensors,
                  absl::Span<std::string> rows) const;

  const int num_actions_, num_observations_;
  const int64_t step_ticks_;
  std::vector<io::StreamSpec> streams_;
  std::vector<io::RowKey> now_;  // [copy]
};

}  // namespace livnd::env

#endif  // LIVND_ENV_RECORDING_EPISODE_ROWS_H_
