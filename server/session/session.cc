#include "server/session/session.h"

#include <time.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "server/metrics/stopwatch.h"
#include "server/wire/errors.h"
#include "server/wire/message_bytes.h"

namespace livnd::server {
namespace {

// What a snapshot and its message hold beside the contents, at most.
constexpr int64_t kOverheadBytes = 4 << 10;

}  // namespace

namespace {

// About so long an operation goes on before others have their turn: long beside what handing a worker
// over costs, and short beside what a caller on the same machine notices.
constexpr absl::Duration kTurn = absl::Milliseconds(2);

// Processor time of this thread. A piece is no shorter because other processes are busy: that would
// make the work more, and them no less.
absl::Duration ThreadTime() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

}  // namespace

Session::Session(std::string name, std::unique_ptr<HostedEnvironment> environment,
                 env::AutoresetMode autoreset, WorkerPool& pool, Metrics& metrics)
    : name_(std::move(name)),
      autoreset_(autoreset),
      pool_(pool),
      strand_(Strand::Create(pool)),
      environment_(std::move(environment)),
      spec_(environment_->spec()),
      num_envs_(environment_->num_envs()),
      metrics_(metrics),
      pace_(kTurn) {}

void Session::Close() {
  closed_ = true;
  strand_->Close();
}

absl::Status Session::Ended() const {
  if (ended_) return UnknownSession(name_);
  if (pool_.stop_requested()) return ShuttingDown();
  return absl::OkStatus();
}

template <typename Request>
absl::optional<Session::Reply> Session::AnswerAtOnce(const Request& request) {
  if (const absl::Status ended = Ended(); !ended.ok()) return Reply(ended);
  CanonicalBytes(request, &payload_);
  const absl::StatusOr<OperationLog::Verdict> verdict = log_.Admit(request.op_index(), payload_);
  if (!verdict.ok()) return Reply(verdict.status());
  if (*verdict == OperationLog::Verdict::kRepeat) return Reply(log_.answer());
  computed_ = absl::ZeroDuration();
  return absl::nullopt;
}

template <typename Request, typename Response>
grpc::ByteBuffer Session::WriteOut(const Response& response) {
  Stopwatch writing;
  grpc::ByteBuffer bytes = SerializeMessage(response);
  metrics_.Observe(Stage::kSerialize, Metrics::MethodOf<Request>(), writing.Lap());
  return bytes;
}

template <typename Request, typename Response>
Session::Reply Session::Commit(const Request& request, Response* response) {
  metrics_.Observe(Stage::kCompute, Metrics::MethodOf<Request>(), computed_);
  metrics_.Count(environment_->work() - std::exchange(counted_, environment_->work()));
  response->set_op_index(request.op_index());
  log_.Commit(payload_, WriteOut<Request>(*response));
  return log_.answer();
}

template <typename Request, typename Response>
Session::Reply Session::Operate(const Request& request, Response* response, bool aside,
                                absl::Status (HostedEnvironment::*operation)(const Request&,
                                                                             Response*)) {
  if (!under_way_) {
    if (absl::optional<Reply> answer = AnswerAtOnce(request)) return *std::move(answer);
    under_way_ = aside;
    if (aside) return Turn::kAside;
  }
  under_way_ = false;
  LIVND_RETURN_IF_ERROR(Ended());
  if (aside && closed_) return ShuttingDown();  // it was still waiting
  Stopwatch computing;
  LIVND_RETURN_IF_ERROR(((*environment_).*operation)(request, response));
  computed_ = computing.Lap();
  return Commit(request, response);
}

template <typename Request, typename Response>
Session::Reply Session::OperateInPieces(const Request& request, Response* response,
                                        absl::Status (HostedEnvironment::*begin)(const Request&),
                                        absl::Status (HostedEnvironment::*finish)(Response*)) {
  Stopwatch computing;
  if (!under_way_) {
    if (absl::optional<Reply> answer = AnswerAtOnce(request)) return *std::move(answer);
    LIVND_RETURN_IF_ERROR(((*environment_).*begin)(request));
    under_way_ = true;
  } else {
    LIVND_RETURN_IF_ERROR(Ended());
  }
  if (!ContinueForATurn()) {
    computed_ += computing.Lap();
    return Turn::kAgain;
  }
  under_way_ = false;
  LIVND_RETURN_IF_ERROR(((*environment_).*finish)(response));
  computed_ += computing.Lap();
  return Commit(request, response);
}

bool Session::ContinueForATurn() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  absl::Duration from = ThreadTime();
  while (true) {
    const env::Progress progress = environment_->Continue(pace_.ticks());
    const absl::Duration now = ThreadTime();
    pace_.Took(progress.ticks, now - from);
    if (progress.over) return true;
    if (absl::FromChrono(Clock::now() - start) >= kTurn / 2) return false;
    from = now;
  }
}

Session::Reply Session::Reset(const v1::ResetRequest& request) {
  return Operate(request, &reset_response_, false, &HostedEnvironment::Reset);
}

Session::Reply Session::Step(const v1::StepRequest& request) {
  return OperateInPieces(request, &step_response_, &HostedEnvironment::BeginStep,
                         &HostedEnvironment::FinishStep);
}

Session::Reply Session::Configure(const v1::ConfigureRequest& request) {
  v1::ConfigureResponse response;
  return Operate(request, &response, environment_->IsLong(request), &HostedEnvironment::Configure);
}

Session::Reply Session::Run(const v1::RunRequest& request) {
  v1::RunResponse response;  // recordings are large; none is kept beside its answer
  return OperateInPieces(request, &response, &HostedEnvironment::BeginRun,
                         &HostedEnvironment::FinishRun);
}

Session::Reply Session::Clear(const v1::ClearRequest& request) {
  v1::ClearResponse response;
  return Operate(request, &response, false, &HostedEnvironment::Clear);
}

Session::Reply Session::Restore(const v1::RestoreRequest& request) {
  v1::RestoreResponse response;
  return Operate(request, &response, environment_->IsLong(request), &HostedEnvironment::Restore);
}

absl::StatusOr<std::string> Session::Snapshot(
    const google::protobuf::RepeatedField<int32_t>& copies, int64_t max_bytes) {
  LIVND_RETURN_IF_ERROR(Ended());
  std::vector<int> chosen(copies.begin(), copies.end());
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i] >= 0 && chosen[i] < num_envs_) continue;
    return InvalidField(absl::StrCat("copies[", i, "]"), absl::StrCat(chosen[i]),
                        absl::StrCat("0 .. ", num_envs_ - 1));
  }
  if (static_cast<int64_t>(chosen.size()) > num_envs_) {
    return InvalidField("copies", absl::StrCat(chosen.size(), " numbers"),
                        absl::StrCat("at most ", num_envs_));
  }
  for (int c = 0; copies.empty() && c < num_envs_; ++c) chosen.push_back(c);
  v1::SnapshotContents contents;
  environment_->Save(chosen, &contents);
  const auto bytes = static_cast<int64_t>(contents.ByteSizeLong()) + kOverheadBytes;
  if (bytes > max_bytes) return AnswerTooLarge(bytes, max_bytes, "fewer copies");
  return SealSnapshot(environment_->identity(), std::move(contents));
}

Session::Reply Session::Observe() {
  LIVND_RETURN_IF_ERROR(Ended());
  Stopwatch computing;
  LIVND_RETURN_IF_ERROR(environment_->Observe(&observe_response_));
  metrics_.Observe(Stage::kCompute, Metrics::MethodOf<v1::ObserveRequest>(), computing.Lap());
  observe_response_.set_next_op_index(log_.next());
  return WriteOut<v1::ObserveRequest>(observe_response_);
}

Session::Reply Session::GetCulture(const v1::GetCultureRequest& request) {
  LIVND_RETURN_IF_ERROR(Ended());
  if (!under_way_ && environment_->IsLong(request)) {
    under_way_ = true;
    return Turn::kAside;
  }
  under_way_ = false;
  v1::GetCultureResponse response;
  Stopwatch computing;
  LIVND_RETURN_IF_ERROR(environment_->GetCulture(request, &response));
  metrics_.Observe(Stage::kCompute, Metrics::MethodOf<v1::GetCultureRequest>(), computing.Lap());
  response.set_next_op_index(log_.next());
  return WriteOut<v1::GetCultureRequest>(response);
}

}  // namespace livnd::server
