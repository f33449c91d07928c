// Runs samples on the engine of this process, as copies of one culture.
#ifndef LIVND_LAB_SAMPLE_ENGINE_RUNNER_H_
#define LIVND_LAB_SAMPLE_ENGINE_RUNNER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/culture/culture_model.h"
#include "env/culture/culture_types.h"
#include "env/culture/live_culture.h"
#include "io/system/system.h"
#include "lab/sample/sample_plan.h"
#include "lab/sample/sample_runner.h"
#include "sim/executor.h"

namespace livnd::lab {

// What a culture is told to record, and to make of features, for a plan.
env::RecordingSelection RecordingOf(const SamplePlan& plan);
std::optional<env::EncodingSelection> EncodingOf(const SamplePlan& plan);

// What a run of copies left of a trial, by copy.
std::vector<SampledTrial> TrialsOf(const SamplePlan& plan, const env::CultureRecording& recording);

// Of a copy that had failed before the trial began.
SampledTrial FailedTrial(const SamplePlan& plan, double failed_at_ms);

class EngineRunner final : public SampleRunner {
 public:
  // Plan and executor must outlive it. `batch` 0: what fills the executor's threads. `stop`: see SampleRunner::Run.
  // Errors are those of the culture about the plan's params and encoding.
  static absl::StatusOr<std::unique_ptr<EngineRunner>> Create(
      std::shared_ptr<const io::System> system, const SamplePlan& plan, sim::Executor& executor,
      int64_t batch, std::function<bool()> stop);

  int64_t batch() const override { return batch_; }
  // ResourceExhausted: a sample has more spikes than a gigabyte holds.
  absl::StatusOr<std::vector<SampledTrials>> Run(int64_t first, int64_t num) override;

 private:
  EngineRunner(const SamplePlan& plan, std::shared_ptr<const env::CultureModel> model,
               sim::Executor& executor, std::function<bool()> stop)
      : plan_(plan), model_(std::move(model)), executor_(executor), stop_(std::move(stop)) {}

  absl::StatusOr<std::unique_ptr<env::LiveCulture>> Begin(int num_copies);
  // Cancelled: the culture is left in the middle of it.
  absl::Status Pass(env::LiveCulture& culture, const env::CultureRun& run) const;
  absl::StatusOr<std::vector<SampledTrials>> RunCopies(int64_t first, int64_t num);

  const SamplePlan& plan_;
  const std::shared_ptr<const env::CultureModel> model_;
  sim::Executor& executor_;
  const std::function<bool()> stop_;
  int64_t batch_ = 1;
  std::unique_ptr<env::LiveCulture> culture_;  // of the last batch
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_SAMPLE_ENGINE_RUNNER_H_
