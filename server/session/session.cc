#include "server/session/session.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "server/journal/answer_digests.h"
#include "server/machine/log.h"
#include "server/metrics/stopwatch.h"
#include "server/wire/errors.h"
#include "server/wire/memory_needs.h"
#include "server/wire/message_bytes.h"
#include "server/wire/spec.h"

namespace livnd::server {
namespace {

// What a snapshot and its message hold beside the contents, at most.
constexpr int64_t kOverheadBytes = 4 << 10;

// About so long an operation goes on before others have their turn: long beside what handing a worker
// over costs, and short beside what a caller on the same machine notices. Where nobody waited at the end
// of a turn the next one is longer, for at its end threads wait for each other.
constexpr absl::Duration kTurn = absl::Milliseconds(2);
constexpr absl::Duration kLongestTurn = absl::Milliseconds(8);

// A step that takes longer is worth a worker: until that has begun what another thread has handed to it
// takes a good part of this, and nobody notices that the thread which reads calls is busy for so long.
constexpr absl::Duration kHandingOver = absl::Microseconds(250);
// What a session takes beside its copies, its last operation and its buffers: strand, journal, books.
constexpr int64_t kBooksBytes = 32 << 10;
// A buffer that is larger is let go after the call that filled it.
constexpr size_t kLargeBuffer = 1 << 20;
// An answer is made of what is shown, as a message, in bytes, and kept while it is sent.
constexpr int64_t kTimesShown = 4;
// A head of a journal holds the copies as a message, twice, and in bytes.
constexpr int64_t kTimesSaved = 3;

// Lets go of what a large message took.
template <typename Message>
void LetGo(Message& message) {
  Message fresh;
  message.Swap(&fresh);
}

// Processor time of this thread. A piece is no shorter because other processes are busy: that would
// make the work more, and them no less.
absl::Duration ThreadTime() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

// Memory that an operation takes beside what it shows.
template <typename Request>
int64_t BytesFor(const HostedEnvironment& environment, const Request& request) {
  return environment.BytesFor(request);
}
int64_t BytesFor(const HostedEnvironment&, const v1::ResetRequest&) { return 0; }
int64_t BytesFor(const HostedEnvironment&, const v1::StepRequest&) { return 0; }
int64_t BytesFor(const HostedEnvironment&, const v1::ClearRequest&) { return 0; }
int64_t BytesFor(const HostedEnvironment&, const v1::StartRecordingRequest&) { return 0; }
int64_t BytesFor(const HostedEnvironment&, const v1::StopRecordingRequest&) { return 0; }

// Culture time of a copy that an operation simulates, s; of what is refused anyhow, 0.
template <typename Request>
double SimulatedBy(const HostedEnvironment&, const Request&) {
  return 0.0;
}
double SimulatedBy(const HostedEnvironment& environment, const v1::StepRequest&) {
  return environment.spec().system.empty() ? 0.0 : environment.spec().step_duration_ms * 1e-3;
}
double SimulatedBy(const HostedEnvironment& environment, const v1::RunRequest& request) {
  const bool is_culture = environment.spec().kind == env::EnvironmentKind::kCulture;
  const double duration_s = request.duration_ms() * 1e-3;
  return is_culture && duration_s > 0.0 && duration_s < 1e6 ? duration_s : 0.0;
}

v1::JournalMethod JournalMethodOf(const v1::ResetRequest&) { return v1::JOURNAL_METHOD_RESET; }
v1::JournalMethod JournalMethodOf(const v1::StepRequest&) { return v1::JOURNAL_METHOD_STEP; }
v1::JournalMethod JournalMethodOf(const v1::ConfigureRequest&) {
  return v1::JOURNAL_METHOD_CONFIGURE;
}
v1::JournalMethod JournalMethodOf(const v1::RunRequest&) { return v1::JOURNAL_METHOD_RUN; }
v1::JournalMethod JournalMethodOf(const v1::ClearRequest&) { return v1::JOURNAL_METHOD_CLEAR; }
v1::JournalMethod JournalMethodOf(const v1::RestoreRequest&) { return v1::JOURNAL_METHOD_RESTORE; }
v1::JournalMethod JournalMethodOf(const v1::StartRecordingRequest&) {
  return v1::JOURNAL_METHOD_START_RECORDING;
}
v1::JournalMethod JournalMethodOf(const v1::StopRecordingRequest&) {
  return v1::JOURNAL_METHOD_STOP_RECORDING;
}

// When the answer of an operation that is done now is due.
Pace::Time NextDue(const v1::StepRequest&, const env::EnvironmentSpec& spec, Pace& pace) {
  return pace.After(absl::Milliseconds(spec.step_duration_ms), Pace::Clock::now());
}
Pace::Time NextDue(const v1::RunRequest& request, const env::EnvironmentSpec&, Pace& pace) {
  return pace.After(absl::Milliseconds(request.duration_ms()), Pace::Clock::now());
}
template <typename Request>
Pace::Time NextDue(const Request&, const env::EnvironmentSpec&, Pace& pace) {
  pace.BeginAnew();
  return Pace::kPast;
}

}  // namespace

Session::Session(Start start, WorkerPool& pool, Metrics& metrics)
    : name_(std::move(start.name)),
      autoreset_(start.autoreset),
      pool_(pool),
      strand_(Strand::Create(pool)),
      environment_(std::move(start.environment)),
      spec_(environment_->spec()),
      num_envs_(environment_->num_envs()),
      metrics_(metrics),
      memory_(start.memory == nullptr ? unlimited_ : *start.memory),
      shown_bytes_(kTimesShown * num_envs_ * BytesShown(spec_, start.autoreset)),
      journal_(std::move(start.journal)),
      generation_(start.generation),
      tenant_(std::move(start.tenant)),
      log_(std::move(start.log)),
      counted_(environment_->work()),
      turn_(kTurn),
      piece_(turn_),
      pace_(start.speed) {
  kept_ = memory_.Reserve(MemoryUse::kSessions, 0);
  EndCall();
}

Session::~Session() {
  if (tenant_ != nullptr) tenant_->AddBytes(-num_bytes_);
}

absl::Status Session::Spend(double simulated_s) {
  if (tenant_ == nullptr || simulated_s == 0.0) return absl::OkStatus();
  LIVND_RETURN_IF_ERROR(tenant_->Spend(simulated_s));
  spent_s_ = simulated_s;
  return absl::OkStatus();
}

absl::Status Session::MakeRoom(int64_t bytes) {
  work_.Release();
  work_bytes_ = bytes;
  LIVND_ASSIGN_OR_RETURN(work_, ReserveMemory(memory_, MemoryUse::kWork, bytes, "the call"));
  return absl::OkStatus();
}

void Session::EndCall() {
  if (under_way_) return;
  if (payload_.capacity() > kLargeBuffer) std::string().swap(payload_);
  if (static_cast<size_t>(shown_bytes_) > kTimesShown * kLargeBuffer) {
    LetGo(reset_response_);
    LetGo(step_response_);
    LetGo(observe_response_);
  }
  environment_->HoldWhatItTakes();
  kept_.Resize(kBooksBytes + log_.num_bytes() + static_cast<int64_t>(payload_.capacity()));
  const int64_t bytes = environment_->num_bytes() + kept_.bytes();
  if (const int64_t before = num_bytes_.exchange(bytes); tenant_ != nullptr && bytes != before) {
    tenant_->AddBytes(bytes - before);
  }
  if (spent_s_ != 0.0) tenant_->GiveBack(std::exchange(spent_s_, 0.0));
  work_.Release();
}

void Session::StepTook(absl::Duration duration) {
  steps_are_short_.store(duration < kHandingOver, std::memory_order_relaxed);
}

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
absl::optional<Session::Reply> Session::AnswerAtOnce(Request& request) {
  due_ = Pace::kPast;
  if (const absl::Status ended = Ended(); !ended.ok()) return Reply(ended);
  if (request.generation() != 0 && request.generation() != generation_) {
    return Reply(Superseded(request.generation(), generation_));
  }
  request.clear_session();
  request.clear_generation();
  CanonicalBytes(request, &payload_);
  const absl::StatusOr<OperationLog::Verdict> verdict = log_.Admit(request.op_index(), payload_);
  if (!verdict.ok()) return Reply(verdict.status());
  const bool repeat = *verdict == OperationLog::Verdict::kRepeat;
  if (journal_ != nullptr) {
    absl::Status ready = Keep();
    if (ready.ok() && !repeat) ready = journal_->Prepare(static_cast<int64_t>(payload_.size()));
    if (!ready.ok()) return Reply(StateNotWritten(ready, repeat));
  }
  if (repeat) return Reply(log_.answer(request.op_index()));
  const int64_t bytes =
      shown_bytes_ + 2 * static_cast<int64_t>(payload_.size()) + BytesFor(*environment_, request);
  if (const absl::Status room = MakeRoom(bytes); !room.ok()) return Reply(room);
  if (absl::Status s = Spend(num_envs_ * SimulatedBy(*environment_, request)); !s.ok()) {
    return Reply(s);
  }
  computed_ = absl::ZeroDuration();
  return absl::nullopt;
}

absl::Status Session::BeginJournalAnew(bool parked) {
  // A session that leaves the memory is not kept in it for want of memory.
  const int64_t bytes = kTimesSaved * (environment_->num_bytes() + log_.num_bytes());
  MemoryBudget::Reservation writing;
  if (parked) {
    writing = memory_.Reserve(MemoryUse::kWork, bytes);
  } else {
    LIVND_ASSIGN_OR_RETURN(
        writing, ReserveMemory(memory_, MemoryUse::kWork, bytes, "writing the session down"));
  }
  v1::JournalHead state;
  std::vector<int> all(static_cast<size_t>(num_envs_));
  std::iota(all.begin(), all.end(), 0);
  environment_->Save(all, state.mutable_start());
  state.set_generation(generation_);
  state.set_next_op_index(log_.next());
  for (const OperationLog::Done& done : log_.done()) {
    if (&done == &log_.done().back()) {
      state.set_last_request(done.payload);
      state.set_last_answer(BytesOfBuffer(done.answer));
    } else {
      v1::JournalAnswer& earlier = *state.add_earlier_answers();
      earlier.set_request(done.payload);
      earlier.set_answer(BytesOfBuffer(done.answer));
    }
  }
  state.set_parked(parked);
  if (!environment_->recorder().Encode(state.mutable_recording())) state.clear_recording();
  return journal_->BeginAnew(std::move(state));
}

absl::Status Session::Keep() {
  if (journal_ == nullptr || !journal_->broken()) return absl::OkStatus();
  return BeginJournalAnew(false);
}

absl::Status Session::Park() { return BeginJournalAnew(true); }

void Session::Settle() {
  // What was begun and given up left copies that are no state of the session.
  if (journal_ == nullptr || under_way_ || !journal_->has_records()) return;
  if (const absl::Status s = BeginJournalAnew(false); !s.ok()) {
    LogLine(Severity::kWarning, "journal not cut", {{"session", tag()}, {"error", s.message()}});
  }
}

void Session::Forget() {
  if (environment_->recorder().active()) environment_->recorder().Stop();
  if (journal_ == nullptr) return;
  if (const absl::Status s = journal_->Remove(); !s.ok()) {
    LogLine(Severity::kWarning, "session that has ended is left on the disk",
            {{"session", tag()}, {"error", s.message()}});
  }
  journal_.reset();
}

template <typename Request, typename Response>
grpc::ByteBuffer Session::WriteOut(const Response& response) {
  Stopwatch writing;
  grpc::ByteBuffer bytes = SerializeMessage(response);
  metrics_.Observe(Stage::kSerialize, Metrics::MethodOf<Request>(), writing.Lap());
  return bytes;
}

template <typename Request, typename Response>
Session::Reply Session::Commit(const Request& request, Response* response, int64_t oldest) {
  metrics_.Observe(Stage::kCompute, Metrics::MethodOf<Request>(), computed_);
  const Work done = environment_->work() - std::exchange(counted_, environment_->work());
  metrics_.Count(done);
  spent_s_ -= tenant_ == nullptr ? 0.0 : done.simulated_s;
  response->set_op_index(request.op_index());
  due_ = NextDue(request, spec_, pace_);
  log_.Commit(payload_, WriteOut<Request>(*response), oldest);
  if (journal_ == nullptr) {
    HandOverRows<Request>();
    return log_.answer();
  }
  Stopwatch writing;
  const absl::string_view name_and_request = payload_;
  const absl::Status recorded = journal_->Record(
      JournalMethodOf(request), name_and_request.substr(name_and_request.find('\0') + 1),
      log_.answer(), computed_, oldest);
  if (recorded.ok()) HandOverRows<Request>();
  // A crash costs no more than this: where that fails, what there is goes on being written.
  if (recorded.ok() && journal_->ShouldBeginAnew()) Settle();
  metrics_.Observe(Stage::kJournal, Metrics::MethodOf<Request>(), writing.Lap());
  if (!recorded.ok()) return StateNotWritten(recorded, /*done=*/true);
  return log_.answer();
}

template <typename Request, typename Response>
Session::Reply Session::Operate(Request& request, Response* response, bool aside,
                                absl::Status (HostedEnvironment::*operation)(const Request&,
                                                                             Response*)) {
  const auto end = absl::MakeCleanup([this] { EndCall(); });
  if (!under_way_) {
    if (MustAwaitRoom()) return Turn::kAside;
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
Session::Reply Session::OperateInPieces(Request& request, Response* response,
                                        absl::Status (HostedEnvironment::*begin)(const Request&),
                                        absl::Status (HostedEnvironment::*finish)(Response*),
                                        int64_t oldest) {
  Stopwatch computing;
  const auto end = absl::MakeCleanup([this] { EndCall(); });
  if (!under_way_) {
    if (MustAwaitRoom()) return Turn::kAside;
    if (absl::optional<Reply> answer = AnswerAtOnce(request)) return *std::move(answer);
    LIVND_RETURN_IF_ERROR(((*environment_).*begin)(request));
    under_way_ = true;
  } else {
    LIVND_RETURN_IF_ERROR(Ended());
  }
  const bool over = ContinueForATurn();
  absl::Status room;
  if (!work_.TryResize(work_bytes_ + environment_->RecordingBytes())) {
    room = NoMemoryFor(memory_, MemoryUse::kWork, work_bytes_ + environment_->RecordingBytes(),
                       "what the run records");
    environment_->GiveUpRun();
  } else if (!over) {
    computed_ += computing.Lap();
    return Turn::kAgain;
  }
  under_way_ = false;
  const absl::Status finished = ((*environment_).*finish)(response);
  LIVND_RETURN_IF_ERROR(room);
  LIVND_RETURN_IF_ERROR(finished);
  computed_ += computing.Lap();
  return Commit(request, response, oldest);
}

bool Session::ContinueForATurn() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  // Asking for it takes as long as all of a short step: not before there is a second piece.
  absl::optional<absl::Duration> from;
  while (true) {
    const env::Progress progress = environment_->Continue(piece_.ticks());
    const absl::Duration passed = absl::FromChrono(Clock::now() - start);
    if (progress.over && !from.has_value()) {
      piece_.Took(progress.ticks, passed);
      return true;
    }
    const absl::Duration now = ThreadTime();
    piece_.Took(progress.ticks, from.has_value() ? now - *from : passed);
    if (progress.over) return true;
    if (passed >= turn_ / 2) break;
    from = now;
  }
  turn_ = pool_.TasksWait() ? kTurn : std::min(2 * turn_, kLongestTurn);
  piece_.Want(turn_);
  return false;
}

bool Session::MustAwaitRoom() {
  if (std::exchange(awaits_room_, false)) {
    environment_->recorder().WaitForRoom();
  } else {
    awaits_room_ = !environment_->recorder().has_room();
  }
  return awaits_room_;
}

template <typename Request>
void Session::HandOverRows() {
  Recorder& recorder = environment_->recorder();
  if (!recorder.active()) return;
  Stopwatch handing;
  const absl::Duration making = recorder.took();
  const int64_t number = recorder.Keep(computed_);
  if (waits_for_disk()) {
    journal_->WhenKept([environment = environment_, number](const absl::Status& kept) {
      if (kept.ok()) environment->recorder().Release(number);
    });
  } else {
    recorder.Release(number);
  }
  const absl::Duration handed = handing.Lap();
  recorder.Took(handed);
  metrics_.Observe(Stage::kRecord, Metrics::MethodOf<Request>(), making + handed);
}

Session::Reply Session::Reset(v1::ResetRequest& request) {
  return Operate(request, &reset_response_, false, &HostedEnvironment::Reset);
}

Session::Reply Session::Step(v1::StepRequest& request, int64_t oldest_op_index) {
  return OperateInPieces(request, &step_response_, &HostedEnvironment::BeginStep,
                         &HostedEnvironment::FinishStep, oldest_op_index);
}

Session::Reply Session::Configure(v1::ConfigureRequest& request) {
  v1::ConfigureResponse response;
  return Operate(request, &response, environment_->IsLong(request), &HostedEnvironment::Configure);
}

Session::Reply Session::Run(v1::RunRequest& request) {
  v1::RunResponse response;  // recordings are large; none is kept beside its answer
  return OperateInPieces(request, &response, &HostedEnvironment::BeginRun,
                         &HostedEnvironment::FinishRun);
}

Session::Reply Session::Clear(v1::ClearRequest& request) {
  v1::ClearResponse response;
  return Operate(request, &response, false, &HostedEnvironment::Clear);
}

Session::Reply Session::Restore(v1::RestoreRequest& request) {
  v1::RestoreResponse response;
  return Operate(request, &response, environment_->IsLong(request), &HostedEnvironment::Restore);
}

Session::Reply Session::StartRecording(v1::StartRecordingRequest& request) {
  v1::StartRecordingResponse response;
  return Operate(request, &response, environment_->IsLong(request),
                 &HostedEnvironment::StartRecording);
}

Session::Reply Session::StopRecording(v1::StopRecordingRequest& request) {
  v1::StopRecordingResponse response;
  return Operate(request, &response, environment_->IsLong(request),
                 &HostedEnvironment::StopRecording);
}

absl::StatusOr<std::vector<int>> Session::Chosen(
    const google::protobuf::RepeatedField<int32_t>& copies) const {
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
  return chosen;
}

absl::StatusOr<std::string> Session::Snapshot(
    const google::protobuf::RepeatedField<int32_t>& copies, int64_t max_bytes) {
  LIVND_RETURN_IF_ERROR(Ended());
  LIVND_ASSIGN_OR_RETURN(const std::vector<int> chosen, Chosen(copies));
  const auto end = absl::MakeCleanup([this] { EndCall(); });
  LIVND_RETURN_IF_ERROR(MakeRoom(kTimesSaved * environment_->num_bytes() / num_envs_ *
                                 static_cast<int64_t>(chosen.size())));
  v1::SnapshotContents contents;
  environment_->Save(chosen, &contents);
  const auto bytes = static_cast<int64_t>(contents.ByteSizeLong()) + kOverheadBytes;
  if (bytes > max_bytes) return AnswerTooLarge(bytes, max_bytes, "fewer copies");
  return SealSnapshot(environment_->identity(), std::move(contents));
}

Session::Reply Session::Observe() {
  LIVND_RETURN_IF_ERROR(Ended());
  Stopwatch computing;
  const auto end = absl::MakeCleanup([this] { EndCall(); });
  LIVND_RETURN_IF_ERROR(MakeRoom(shown_bytes_));
  LIVND_RETURN_IF_ERROR(environment_->Observe(&observe_response_));
  metrics_.Observe(Stage::kCompute, Metrics::MethodOf<v1::ObserveRequest>(), computing.Lap());
  observe_response_.set_next_op_index(log_.next());
  return WriteOut<v1::ObserveRequest>(observe_response_);
}

Session::Reply Session::Render(const v1::RenderRequest& request, int64_t max_bytes) {
  LIVND_RETURN_IF_ERROR(Ended());
  Stopwatch computing;
  const auto end = absl::MakeCleanup([this] { EndCall(); });
  LIVND_ASSIGN_OR_RETURN(const std::vector<int> chosen, Chosen(request.copies()));
  LIVND_RETURN_IF_ERROR(MakeRoom(environment_->BytesForRendering(chosen)));
  v1::RenderResponse response;
  LIVND_RETURN_IF_ERROR(environment_->Render(chosen, &response));
  metrics_.Observe(Stage::kCompute, Metrics::MethodOf<v1::RenderRequest>(), computing.Lap());
  response.set_next_op_index(log_.next());
  const auto bytes = static_cast<int64_t>(response.ByteSizeLong());
  if (bytes > max_bytes) return Reply(AnswerTooLarge(bytes, max_bytes, "fewer copies"));
  return WriteOut<v1::RenderRequest>(response);
}

Session::Reply Session::GetCulture(const v1::GetCultureRequest& request) {
  LIVND_RETURN_IF_ERROR(Ended());
  if (!under_way_ && environment_->IsLong(request)) {
    under_way_ = true;
    return Turn::kAside;
  }
  under_way_ = false;
  const auto end = absl::MakeCleanup([this] { EndCall(); });
  LIVND_RETURN_IF_ERROR(MakeRoom(environment_->BytesFor(request)));
  v1::GetCultureResponse response;
  Stopwatch computing;
  LIVND_RETURN_IF_ERROR(environment_->GetCulture(request, &response));
  metrics_.Observe(Stage::kCompute, Metrics::MethodOf<v1::GetCultureRequest>(), computing.Lap());
  response.set_next_op_index(log_.next());
  return WriteOut<v1::GetCultureRequest>(response);
}

v1::CreateSessionResponse Session::Describe() const {
  v1::CreateSessionResponse response;
  response.set_session(name_);
  *response.mutable_environment() = EncodeEnvironmentSpec(spec_);
  response.set_num_envs(num_envs_);
  response.set_autoreset_mode(EncodeAutoresetMode(autoreset_));
  response.set_next_op_index(OperationLog().next());
  response.set_generation(1);
  response.mutable_pace()->set_speed(pace_.speed());
  return response;
}

v1::CreateSessionResponse Session::DescribeNow() const {
  v1::CreateSessionResponse response = Describe();
  response.set_next_op_index(log_.next());
  response.set_generation(generation_);
  return response;
}

Session::Reply Session::Get() {
  LIVND_RETURN_IF_ERROR(Ended());
  v1::GetSessionResponse response;
  *response.mutable_session() = DescribeNow();
  if (pace_.speed() > 0.0) *response.mutable_pace() = pace_.report();
  return WriteOut<v1::GetSessionRequest>(response);
}

Session::Reply Session::Attach() {
  LIVND_RETURN_IF_ERROR(Ended());
  if (journal_ != nullptr) {
    absl::Status written = Keep();
    if (written.ok()) written = journal_->RecordAttachment(generation_ + 1);
    if (!written.ok()) return StateNotWritten(written, /*done=*/false);
  }
  ++generation_;
  v1::AttachSessionResponse response;
  *response.mutable_session() = DescribeNow();
  return WriteOut<v1::AttachSessionRequest>(response);
}

}  // namespace livnd::server
