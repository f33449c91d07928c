// Copies of a culture without a task.
#ifndef LIVND_SERVER_SESSION_HOSTED_CULTURE_H_
#define LIVND_SERVER_SESSION_HOSTED_CULTURE_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "env/culture/live_culture.h"
#include "env/passage.h"
#include "env/recording/run_rows.h"
#include "server/session/hosted_environment.h"

namespace livnd::server {

class HostedCulture final : public HostedEnvironment {
 public:
  // max_message_bytes caps one answer; build_bytes is what building another culture takes.
  HostedCulture(std::unique_ptr<env::LiveCulture> culture, int64_t max_message_bytes,
                SnapshotIdentity identity, int64_t build_bytes = 0)
      : culture_(std::move(culture)),
        max_message_bytes_(max_message_bytes),
        identity_(std::move(identity)),
        build_bytes_(build_bytes) {}

  const env::EnvironmentSpec& spec() const override { return culture_->spec(); }
  int num_envs() const override { return culture_->num_copies(); }
  Work work() const override { return work_; }
  const SnapshotIdentity& identity() const override { return identity_; }
  void Save(absl::Span<const int> copies, v1::SnapshotContents* contents) const override;
  absl::Status Load(const v1::SnapshotContents& contents,
                    const google::protobuf::RepeatedField<int32_t>& copy_of) override;
  absl::Status BeginRun(const v1::RunRequest& request) override;
  env::Progress Continue(int64_t max_ticks) override { return culture_->ContinueRun(max_ticks); }
  absl::Status FinishRun(v1::RunResponse* response) override;
  absl::Status Clear(const v1::ClearRequest& request, v1::ClearResponse* response) override;
  absl::Status Configure(const v1::ConfigureRequest& request,
                         v1::ConfigureResponse* response) override;
  absl::Status GetCulture(const v1::GetCultureRequest& request,
                          v1::GetCultureResponse* response) override;

  int64_t num_bytes() const override;
  int64_t BytesFor(const v1::RunRequest& request) const override;
  int64_t BytesFor(const v1::ConfigureRequest& request) const override;
  int64_t BytesFor(const v1::GetCultureRequest& request) const override;
  int64_t BytesFor(const v1::RestoreRequest& request) const override;
  int64_t RecordingBytes() const override;
  void GiveUpRun() override { culture_->GiveUpRun(); }

  bool IsLong(const v1::ConfigureRequest& request) const override;
  bool IsLong(const v1::RestoreRequest&) const override {
    return true;
  }  // which may build another one
  bool IsLong(const v1::GetCultureRequest& request) const override {
    return request.learned_weights() || request.electrode_hearing();
  }

 private:
  absl::StatusOr<FirstRows> BeginRows(const v1::StartRecordingRequest& request) override;
  void EndRows() override { rows_.reset(); }
  // ALREADY_RECORDING: the streams of the recording would be others.
  absl::Status CheckNotRecording(absl::string_view what) const;

  // Adds the run that has just ended.
  void CountRun();
  // What the stimuli of a run take up as rows of the recording, at most, and while they are kept for it.
  int64_t StimulusRowBytes(const v1::RunRequest& request) const;
  // What the account of a run's charges takes.
  int64_t ChargeBytes() const;
  // Takes note of the setup that a request has asked for.
  void KeepSetup(const v1::ConfigureRequest& request);

  std::unique_ptr<env::LiveCulture> culture_;
  const int64_t max_message_bytes_;
  const SnapshotIdentity identity_;
  const int64_t build_bytes_;
  v1::ConfigureRequest setup_;  // the selection and the model that hold, where some were asked for
  // Of the run that has begun.
  double duration_ms_ = 0.0;
  int64_t num_failed_before_ = 0;  // copies
  Work work_;
  std::unique_ptr<env::RunRows> rows_;  // while it is recorded
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_HOSTED_CULTURE_H_
