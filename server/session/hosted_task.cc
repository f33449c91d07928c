#include "server/session/hosted_task.h"

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "server/metrics/stopwatch.h"
#include "server/wire/episode.h"
#include "server/wire/errors.h"
#include "server/wire/recorded_stream.h"
#include "server/wire/recording.h"
#include "server/wire/rendering.h"

namespace livnd::server {
namespace {

constexpr char kAccepted[] = "Reset of every copy";
// A number of a series is kept as it is sampled, and as a row of a string that grows.
constexpr int64_t kBytesOfNumber = 8, kBytesOfKey = 20;
constexpr int64_t kTimesSampled = 3;

}  // namespace

void HostedTask::CountWork(bool stepped) {
  const env::Outcome& outcome = environment_->outcome();
  for (size_t c = 0; c < outcome.began.size(); ++c) {
    work_.episodes += outcome.began[c];
    // A copy that began an episode and ended none has rested meanwhile.
    if (!stepped || (outcome.began[c] && !outcome.terminated[c] && !outcome.truncated[c])) continue;
    ++work_.steps;
    work_.numerical_failures += outcome.failed[c];
    if (!spec().system.empty()) work_.simulated_s += spec().step_duration_ms * 1e-3;
  }
}

void HostedTask::Save(absl::Span<const int> copies, v1::SnapshotContents* contents) const {
  v1::TaskSnapshot* task = contents->mutable_task();
  for (const int copy : copies) EncodeEpisode(environment_->Save(copy), task->add_copies());
}

absl::Status HostedTask::Load(const v1::SnapshotContents& contents,
                              const google::protobuf::RepeatedField<int32_t>& copy_of) {
  const v1::TaskSnapshot& task = contents.task();
  LIVND_ASSIGN_OR_RETURN(const std::vector<int> from,
                         ParseCopyOf(copy_of, num_envs(), task.copies_size(), /*may_stay=*/true));
  std::vector<std::optional<env::EnvironmentCopy>> saved(static_cast<size_t>(task.copies_size()));
  std::vector<const env::EnvironmentCopy*> copies;
  for (const int i : from) {
    if (i < 0) {
      copies.push_back(nullptr);
      continue;
    }
    std::optional<env::EnvironmentCopy>& copy = saved[static_cast<size_t>(i)];
    if (!copy.has_value()) {
      LIVND_ASSIGN_OR_RETURN(copy, ParseEpisode(task.copies(i)));
    }
    copies.push_back(&*copy);
  }
  LIVND_RETURN_IF_ERROR(AtField("snapshot", environment_->Restore(copies)));
  if (rows_ != nullptr) rows_->AddRestore(*environment_, recorder().rows());
  return absl::OkStatus();
}

absl::StatusOr<HostedEnvironment::FirstRows> HostedTask::BeginRows(
    const v1::StartRecordingRequest& request) {
  LIVND_ASSIGN_OR_RETURN(
      const env::EpisodeSelection selection,
      ParseEpisodeKinds(request.kinds(), environment_->task().model() != nullptr));
  LIVND_ASSIGN_OR_RETURN(std::vector<env::SeriesSelection> series,
                         ParseSeries("series", request.series()));
  LIVND_RETURN_IF_ERROR(environment_->RecordSeries(std::move(series)));
  rows_ = std::make_unique<env::EpisodeRows>(*environment_, selection);
  FirstRows out;
  out.streams = rows_->streams();
  out.rows.resize(out.streams.size());
  out.tick_ns = spec().tick_ns;
  out.operation_bytes = SeriesBytes();
  rows_->AddLabels(absl::MakeSpan(out.rows));
  rows_->AddRestore(*environment_, absl::MakeSpan(out.rows));
  return out;
}

void HostedTask::EndRows() {
  rows_.reset();
  environment_->RecordSeries({}).IgnoreError();  // none can always be
}

int64_t HostedTask::SeriesBytes() const {
  const std::vector<int64_t> num_rows = environment_->num_series_rows();
  int64_t bytes = 0;
  for (size_t i = 0; i < num_rows.size(); ++i) {
    const double num_samples =
        std::ceil(spec().step_duration_ms / environment_->series()[i].sample_dt_ms);
    bytes += static_cast<int64_t>(num_samples) * (num_rows[i] * kBytesOfNumber + kBytesOfKey);
  }
  return kTimesSampled * num_envs() * bytes;
}

absl::Status HostedTask::Reset(const v1::ResetRequest& request, v1::ResetResponse* response) {
  LIVND_ASSIGN_OR_RETURN(const env::ResetRequest reset, ParseReset(request, num_envs()));
  const absl::Status done = environment_->Reset(reset);
  if (done.code() == absl::StatusCode::kFailedPrecondition) {
    return NotReset(done.message(), kAccepted);
  }
  LIVND_RETURN_IF_ERROR(done);
  CountWork(false);
  if (rows_ != nullptr) {
    Stopwatch making;
    rows_->AddReset(*environment_, recorder().rows());
    recorder().Took(making.Lap());
  }
  EncodeReset(environment_->outcome(), spec(), num_envs(), response);
  return absl::OkStatus();
}

absl::Status HostedTask::BeginStep(const v1::StepRequest& request) {
  LIVND_RETURN_IF_ERROR(ParseActions(request.actions(), spec(), num_envs(), &actions_));
  if (!environment_->was_reset()) {
    return NotReset("the session was never Reset; Reset comes before the first Step", kAccepted);
  }
  if (const int ended = environment_->first_ended(); ended >= 0) {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, reason::kEpisodeEnded,
        absl::StrCat("the episode of copy ", ended, " has ended; Reset it before the next Step"),
        {{"value", absl::StrCat("copy ", ended)},
         {"accepted", "Reset of the copies whose episode has ended"}});
  }
  return environment_->BeginStep(actions_);
}

absl::Status HostedTask::FinishStep(v1::StepResponse* response) {
  CountWork(true);
  if (rows_ != nullptr) {
    Stopwatch making;
    rows_->AddStep(actions_, *environment_, recorder().rows());
    recorder().Took(making.Lap());
  }
  EncodeStep(environment_->outcome(), spec(), num_envs(), response);
  return absl::OkStatus();
}

absl::Status HostedTask::Observe(v1::ObserveResponse* response) {
  if (!environment_->was_reset()) {
    return NotReset("the session was never Reset; there is nothing to observe", kAccepted);
  }
  EncodeObserve(environment_->outcome(), spec(), num_envs(), response);
  return absl::OkStatus();
}

std::vector<env::StepActivity> HostedTask::ActivityOf(absl::Span<const int> copies) const {
  std::vector<env::StepActivity> activity;
  activity.reserve(copies.size());
  for (const int copy : copies) activity.push_back(environment_->activity(copy));
  return activity;
}

int64_t HostedTask::BytesForRendering(absl::Span<const int> copies) const {
  return RenderingBytes(ActivityOf(copies));
}

absl::Status HostedTask::Render(absl::Span<const int> copies, v1::RenderResponse* response) {
  if (!environment_->was_reset()) {
    return NotReset("the session was never Reset; there is nothing to show", kAccepted);
  }
  EncodeRendering(ActivityOf(copies), static_cast<double>(spec().tick_ns) * 1e-6, response);
  return absl::OkStatus();
}

}  // namespace livnd::server
