#include "server/metrics/metrics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "livnd/v1/admin_service.pb.h"
#include "livnd/v1/culture_service.pb.h"
#include "livnd/v1/environment_service.pb.h"
#include "livnd/v1/error_reason.pb.h"
#include "livnd/v1/recording_service.pb.h"
#include "livnd/v1/server_service.pb.h"
#include "livnd/v1/session_service.pb.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "server/machine/log.h"
#include "server/machine/mutex.h"
#include "server/machine/process_memory.h"

namespace livnd::server {
namespace {

using prometheus::Counter;
using prometheus::Histogram;
using Labels = std::map<std::string, std::string>;

constexpr int kNumCodes = 17;
constexpr int kNumStages = 5;

// 10 us .. 100 s: a step of nothing, and a long run of many copies.
const Histogram::BucketBoundaries& Boundaries() {
  static const auto* boundaries = new Histogram::BucketBoundaries{
      1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0};
  return *boundaries;
}

// Every method of livnd.v1: an index into this is what callers call a method.
const std::vector<const google::protobuf::MethodDescriptor*>& Methods() {
  static const auto* methods = [] {
    auto* all = new std::vector<const google::protobuf::MethodDescriptor*>;
    for (const google::protobuf::FileDescriptor* file :
         {v1::GetServerInfoRequest::descriptor()->file(), v1::StepRequest::descriptor()->file(),
          v1::RunRequest::descriptor()->file(), v1::CreateSessionRequest::descriptor()->file(),
          v1::ListSessionsRequest::descriptor()->file(),
          v1::StartRecordingRequest::descriptor()->file()}) {
      for (int s = 0; s < file->service_count(); ++s) {
        for (int m = 0; m < file->service(s)->method_count(); ++m) {
          all->push_back(file->service(s)->method(m));
        }
      }
    }
    return all;
  }();
  return *methods;
}

// What one method counts in.
struct OfMethod {
  Labels labels;
  // Null until the method first answers with the code.
  std::array<std::atomic<Counter*>, kNumCodes> calls{};
  std::array<Histogram*, kNumStages> stages{};
};

}  // namespace

struct Metrics::Parts final : public prometheus::Collectable {
  Parts(absl::string_view version, absl::string_view physics_version);

  std::vector<prometheus::MetricFamily> Collect() const override;
  void CountCall(OfMethod& method, absl::StatusCode code, absl::string_view reason);

  prometheus::Registry registry;
  prometheus::Family<Counter>& calls;
  std::vector<OfMethod> methods;  // by index into Methods(); one more for unknown ones
  std::map<std::string, Counter*, std::less<>> denials;  // by reason, all of them; constant
  Counter& steps;
  Counter& episodes;
  Counter& simulated_s;
  Counter& numerical_failures;
  Counter& late;
  prometheus::Gauge& sessions;
  prometheus::Gauge& sessions_on_disk;
  prometheus::Gauge& sessions_lost;
  prometheus::Gauge& environments;
  prometheus::Gauge& queued_tasks;
  prometheus::Gauge& workers;
  prometheus::Gauge& recovery_s;
  prometheus::Gauge& memory_limit;
  prometheus::Family<prometheus::Gauge>& memory_used;
  prometheus::Gauge& memory_allocated;
  prometheus::Gauge& memory_resident;
  prometheus::Gauge& recordings;
  prometheus::Gauge& recording_bytes;
  Counter& recorded_rows;
  Counter& dropped_rows;
  Counter& recording_waits;
  Counter& recording_waited_s;

  mutable Mutex mu;
  std::function<Levels()> levels ABSL_GUARDED_BY(mu);
};

namespace {

Counter& AddCounter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Gauge& AddGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

Metrics::Parts::Parts(absl::string_view version, absl::string_view physics_version)
    : calls(prometheus::BuildCounter()
                .Name("livnd_calls_total")
                .Help("Calls that were answered, by the gRPC code of the answer.")
                .Register(registry)),
      methods(Methods().size() + 1),
      steps(AddCounter(registry, "livnd_steps_total",
                       "Steps of environments with a task, each copy's own.")),
      episodes(AddCounter(registry, "livnd_episodes_total",
                          "Episodes that have begun, by Reset or by autoreset.")),
      simulated_s(AddCounter(registry, "livnd_simulated_seconds_total",
                             "Time that cultures have lived, each copy's own.")),
      numerical_failures(AddCounter(registry, "livnd_numerical_failures_total",
                                    "Copies whose simulation has left the range of numbers.")),
      late(AddCounter(registry, "livnd_late_answers_total",
                      "Answers of paced sessions that came more than 1 ms after they were due.")),
      sessions(AddGauge(registry, "livnd_sessions", "Sessions in memory.")),
      sessions_on_disk(AddGauge(registry, "livnd_sessions_on_disk",
                                "Sessions that their next call brings back from the disk.")),
      sessions_lost(AddGauge(registry, "livnd_sessions_lost",
                             "Sessions whose journal is kept and cannot be gone on with.")),
      environments(AddGauge(registry, "livnd_environments", "Copies in all sessions.")),
      queued_tasks(
          AddGauge(registry, "livnd_queued_tasks", "Pieces of work that wait for a worker.")),
      workers(AddGauge(registry, "livnd_workers", "Threads that simulate.")),
      recovery_s(AddGauge(registry, "livnd_recovery_seconds",
                          "Time that bringing back sessions took when the server started.")),
      memory_limit(AddGauge(registry, "livnd_memory_limit_bytes",
                            "Memory that the server may use, as it counts it.")),
      memory_used(prometheus::BuildGauge()
                      .Name("livnd_memory_used_bytes")
                      .Help("Memory that is spoken for, by what it is used for.")
                      .Register(registry)),
      memory_allocated(AddGauge(registry, "livnd_memory_allocated_bytes",
                                "Memory that the program has asked for and not returned.")),
      memory_resident(AddGauge(registry, "process_resident_memory_bytes",
                               "Memory that the system keeps for the process.")),
      recordings(AddGauge(registry, "livnd_recordings", "Recordings that grow.")),
      recording_bytes(AddGauge(registry, "livnd_recording_file_bytes",
                               "What the files of all recordings take.")),
      recorded_rows(
          AddCounter(registry, "livnd_recorded_rows_total", "Rows that recordings have taken.")),
      dropped_rows(AddCounter(registry, "livnd_recording_dropped_rows_total",
                              "Rows that are missing in recordings that could not go on.")),
      recording_waits(AddCounter(registry, "livnd_recording_waits_total",
                                 "Operations that waited for a recording's disk.")),
      recording_waited_s(AddCounter(registry, "livnd_recording_waited_seconds_total",
                                    "Time that operations waited for a recording's disk.")) {
  prometheus::BuildGauge()
      .Name("livnd_build_info")
      .Help("1; which livnd this is, by its labels.")
      .Register(registry)
      .Add({{"version", std::string(version)}, {"physics_version", std::string(physics_version)}})
      .Set(1);

  auto& refused = prometheus::BuildCounter()
                      .Name("livnd_denials_total")
                      .Help("Calls that were refused, by the reason that the caller was told.")
                      .Register(registry);
  const google::protobuf::EnumDescriptor* reasons = v1::ErrorReason_descriptor();
  for (int i = 0; i < reasons->value_count(); ++i) {
    if (reasons->value(i)->number() == 0) continue;  // unspecified
    absl::string_view reason = reasons->value(i)->name();
    absl::ConsumePrefix(&reason, "ERROR_REASON_");
    denials[std::string(reason)] = &refused.Add({{"reason", std::string(reason)}});
  }

  const std::array<std::pair<const char*, const char*>, kNumStages> stages = {{
      {"livnd_call_queue_seconds",
       "Time that calls waited for their session and a worker, between their turns too."},
      {"livnd_call_compute_seconds", "Time that calls took on a worker, but for the writing out."},
      {"livnd_call_serialize_seconds", "Time that writing out the answers of calls took."},
      {"livnd_call_journal_seconds", "Time that writing down what calls did took."},
      {"livnd_call_record_seconds", "Time that recording what calls did took of them."},
  }};
  for (size_t m = 0; m < Methods().size(); ++m) {
    methods[m].labels = {{"service", Methods()[m]->service()->name()},
                         {"method", Methods()[m]->name()}};
    // Calls of a session wait and compute. Others are answered at once, but for creations and
    // deletions, which wait for more than workers.
    const std::string& name = Methods()[m]->name();
    if (Methods()[m]->input_type()->FindFieldByName("session") == nullptr ||
        name == "DeleteSession" || name == "EndSession" || name == "RenewLease") {
      continue;
    }
    for (size_t s = 0; s < stages.size(); ++s) {
      methods[m].stages[s] = &prometheus::BuildHistogram()
                                  .Name(stages[s].first)
                                  .Help(stages[s].second)
                                  .Register(registry)
                                  .Add(methods[m].labels, Boundaries());
    }
  }
  methods.back().labels = {{"service", "unknown"}, {"method", "unknown"}};
}

std::vector<prometheus::MetricFamily> Metrics::Parts::Collect() const {
  MutexLock lock(mu);
  const Levels now = levels ? levels() : Levels();
  sessions.Set(now.sessions);
  environments.Set(now.environments);
  queued_tasks.Set(now.queued_tasks);
  workers.Set(now.workers);
  sessions_on_disk.Set(now.sessions_on_disk);
  sessions_lost.Set(now.sessions_lost);
  recovery_s.Set(now.recovery_s);
  memory_limit.Set(static_cast<double>(now.memory_limit));
  for (const auto& [use, bytes] : now.memory_used) {
    memory_used.Add({{"use", use}}).Set(static_cast<double>(bytes));
  }
  const ProcessMemory process = ReadProcessMemory();
  memory_allocated.Set(static_cast<double>(process.allocated_bytes));
  memory_resident.Set(static_cast<double>(process.resident_bytes));
  recordings.Set(now.recordings);
  recording_bytes.Set(static_cast<double>(now.recording_bytes));
  const auto raise = [](Counter& counter, auto to) {
    counter.Increment(std::max(0.0, static_cast<double>(to) - counter.Value()));
  };
  raise(recorded_rows, now.recorded_rows);
  raise(dropped_rows, now.dropped_rows);
  raise(recording_waits, now.recording_waits);
  raise(recording_waited_s, now.recording_waited_s);
  return registry.Collect();
}

void Metrics::Parts::CountCall(OfMethod& method, absl::StatusCode code, absl::string_view reason) {
  if (static_cast<int>(code) < 0 || static_cast<int>(code) >= kNumCodes) {
    code = absl::StatusCode::kUnknown;
  }
  std::atomic<Counter*>& counter = method.calls[static_cast<size_t>(code)];
  Counter* known = counter.load(std::memory_order_acquire);
  if (known == nullptr) {
    Labels labels = method.labels;
    labels["code"] = absl::StatusCodeToString(code);
    known = &calls.Add(labels);  // finds what another thread has added meanwhile
    counter.store(known, std::memory_order_release);
  }
  known->Increment();
  // A caller that has gone is told nothing.
  if (code == absl::StatusCode::kOk || code == absl::StatusCode::kCancelled) return;
  const auto denial = denials.find(reason);
  if (denial != denials.end()) denial->second->Increment();
}

Metrics::Metrics(absl::string_view version, absl::string_view physics_version)
    : parts_(std::make_shared<Parts>(version, physics_version)) {}

Metrics::~Metrics() { ReadLevelsFrom(nullptr); }

int Metrics::MethodTaking(absl::string_view request_type) {
  const auto& methods = Methods();
  for (size_t m = 0; m < methods.size(); ++m) {
    if (methods[m]->input_type()->full_name() == request_type) return static_cast<int>(m);
  }
  LogError(request_type, " is no request of livnd.v1");
  std::abort();
}

void Metrics::CountCall(int method, absl::StatusCode code, absl::string_view reason) {
  parts_->CountCall(parts_->methods[static_cast<size_t>(method)], code, reason);
}

void Metrics::CountUnknownMethod(absl::StatusCode code, absl::string_view reason) {
  parts_->CountCall(parts_->methods.back(), code, reason);
}

void Metrics::Observe(Stage stage, int method, absl::Duration time) {
  Histogram* histogram =
      parts_->methods[static_cast<size_t>(method)].stages[static_cast<size_t>(stage)];
  if (histogram != nullptr) histogram->Observe(absl::ToDoubleSeconds(time));
}

void Metrics::Count(const Work& work) {
  if (work.steps > 0) parts_->steps.Increment(static_cast<double>(work.steps));
  if (work.episodes > 0) parts_->episodes.Increment(static_cast<double>(work.episodes));
  if (work.simulated_s > 0) parts_->simulated_s.Increment(work.simulated_s);
  if (work.numerical_failures > 0) {
    parts_->numerical_failures.Increment(static_cast<double>(work.numerical_failures));
  }
}

void Metrics::CountLate() { parts_->late.Increment(); }

void Metrics::ReadLevelsFrom(std::function<Levels()> levels) {
  MutexLock lock(parts_->mu);
  parts_->levels = std::move(levels);
}

std::shared_ptr<prometheus::Collectable> Metrics::collectable() const { return parts_; }

}  // namespace livnd::server
