// Copies of an environment with a task: episodes of steps.
#ifndef LIVND_SERVER_SESSION_HOSTED_TASK_H_
#define LIVND_SERVER_SESSION_HOSTED_TASK_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "env/passage.h"
#include "env/recording/episode_rows.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "server/session/hosted_environment.h"

namespace livnd::server {

class HostedTask final : public HostedEnvironment {
 public:
  HostedTask(std::unique_ptr<env::VectorEnvironment> environment, SnapshotIdentity identity)
      : environment_(std::move(environment)),
        identity_(std::move(identity)),
        actions_(environment_->spec().actions, environment_->num_envs()) {}

  const env::EnvironmentSpec& spec() const override { return environment_->spec(); }
  int num_envs() const override { return environment_->num_envs(); }
  Work work() const override { return work_; }
  const SnapshotIdentity& identity() const override { return identity_; }
  void Save(absl::Span<const int> copies, v1::SnapshotContents* contents) const override;
  absl::Status Load(const v1::SnapshotContents& contents,
                    const google::protobuf::RepeatedField<int32_t>& copy_of) override;
  absl::Status Reset(const v1::ResetRequest& request, v1::ResetResponse* response) override;
  absl::Status BeginStep(const v1::StepRequest& request) override;
  env::Progress Continue(int64_t max_ticks) override {
    return environment_->ContinueStep(max_ticks);
  }
  absl::Status FinishStep(v1::StepResponse* response) override;
  absl::Status Observe(v1::ObserveResponse* response) override;
  int64_t BytesForRendering(absl::Span<const int> copies) const override;
  absl::Status Render(absl::Span<const int> copies, v1::RenderResponse* response) override;

 private:
  std::vector<env::StepActivity> ActivityOf(absl::Span<const int> copies) const;
  absl::StatusOr<FirstRows> BeginRows(const v1::StartRecordingRequest& request) override;
  void EndRows() override;
  // What the series of a step take up, and their rows.
  int64_t SeriesBytes() const;
  // Adds what the last Reset or Step did.
  void CountWork(bool stepped);

  const std::unique_ptr<env::VectorEnvironment> environment_;
  const SnapshotIdentity identity_;
  env::TensorBatch actions_;                // kept for its memory
  std::unique_ptr<env::EpisodeRows> rows_;  // while it is recorded
  Work work_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_HOSTED_TASK_H_
