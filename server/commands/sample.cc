#include "server/commands/sample.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system.h"
#include "lab/sample/engine_runner.h"
#include "lab/sample/sample.h"
#include "lab/sample/sample_folder.h"
#include "server/commands/flags.h"
#include "server/commands/interrupt.h"
#include "server/commands/json_line.h"
#include "server/commands/remote/remote_sampler.h"
#include "server/commands/remote/server_list.h"
#include "server/commands/sample_flags.h"
#include "server/commands/server_flags.h"
#include "server/machine/file_lock.h"
#include "server/machine/mutex.h"
#include "server/machine/steady_time.h"
#include "server/machine/worker_pool.h"
#include "sim/executor.h"

namespace livnd::server {
namespace {

// A line on standard error every few seconds.
class Progress {
 public:
  void Tell(const lab::SampleProgress& now) {
    at_ = now;
    if (now.done == now.begun) {
      std::fprintf(stderr, "livnd sample: %lld of %lld samples are there\n",
                   static_cast<long long>(now.begun), static_cast<long long>(now.total));
      return;
    }
    const absl::Time time = SteadyNow();
    if (time - told_ < absl::Seconds(2) && now.done < now.total) return;
    told_ = time;
    const double rate = static_cast<double>(now.done - now.begun) / seconds();
    std::fprintf(stderr, "livnd sample: %lld of %lld samples, %.3g a second, about %.0f s left\n",
                 static_cast<long long>(now.done), static_cast<long long>(now.total), rate,
                 static_cast<double>(now.total - now.done) / rate);
  }

  double seconds() const { return absl::ToDoubleSeconds(SteadyNow() - start_); }
  const lab::SampleProgress& at() const { return at_; }

 private:
  const absl::Time start_ = SteadyNow();
  absl::Time told_ = start_;
  lab::SampleProgress at_;
};

absl::Status Run(const std::string& folder, const SampleSettings& settings) {
  if (settings.out.empty()) return MakeFieldError("--out", "absent", "the data set's folder");
  LIVND_ASSIGN_OR_RETURN(const lab::SampleConfig config, ConfigOf(settings));
  LIVND_ASSIGN_OR_RETURN(io::System read, io::ReadSystem(folder));
  const auto system = std::make_shared<const io::System>(std::move(read));
  LIVND_ASSIGN_OR_RETURN(
      const lab::SamplePlan plan,
      lab::SamplePlan::Create(*system, config, CommandOf(system->name, settings)));
  LIVND_ASSIGN_OR_RETURN(const std::unique_ptr<ServerList> servers, ServersOf(settings.servers));
  WorkerPool pool(servers != nullptr ? static_cast<int>(servers->size()) : settings.threads);
  sim::InlineExecutor this_thread;
  sim::Executor& of_engine = servers != nullptr ? static_cast<sim::Executor&>(this_thread) : pool;
  LIVND_ASSIGN_OR_RETURN(
      const std::unique_ptr<lab::EngineRunner> engine,
      lab::EngineRunner::Create(system, plan, of_engine, servers != nullptr ? 0 : settings.batch,
                                Interrupted));
  std::error_code error;
  std::filesystem::create_directories(settings.out, error);
  if (error) {
    return MakeFieldError("--out", settings.out, "a folder that can be made: " + error.message());
  }
  LIVND_ASSIGN_OR_RETURN(const auto lock, FileLock::Acquire(lab::SamplePaths(settings.out).lock));
  LIVND_RETURN_IF_ERROR(lab::PrepareSampleFolder(settings.out, plan));
  Progress progress;
  Mutex mu;
  lab::SampleWork work;
  work.executor = &pool;
  work.threads.one_at_a_time = [&](absl::FunctionRef<void()> fn) {
    MutexLock locked(mu);
    fn();
  };
  work.threads.pause = [] { absl::SleepFor(absl::Milliseconds(50)); };
  work.progress = [&](const lab::SampleProgress& now) { progress.Tell(now); };
  std::vector<lab::SampleRunner*> runners = {engine.get()};
  RemoteSamples remote;
  std::vector<std::unique_ptr<RemoteSampler>> remotes;
  if (servers != nullptr) {
    remote.terms = {system->name, settings.servers.patience, Interrupted};
    remote.plan = &plan;
    remote.copies_of_thread = engine->batch();
    remote.batch = settings.batch;
    LIVND_ASSIGN_OR_RETURN(std::vector<lab::SampledTrials> first, engine->Run(plan.begin(), 1));
    remote.first = std::move(first[0]);
    runners.clear();
    for (size_t i = 0; i < servers->size(); ++i) {
      remotes.push_back(std::make_unique<RemoteSampler>(remote, *servers));
      runners.push_back(remotes.back().get());
    }
  }
  const absl::Status status = lab::RunSamples(plan, settings.out, runners, work);
  if (absl::IsCancelled(status)) {
    return absl::CancelledError("interrupted; the same command goes on from here");
  }
  if (absl::IsUnavailable(status)) {
    return absl::UnavailableError(
        absl::StrCat(status.message(), "; the same command goes on from here"));
  }
  LIVND_RETURN_IF_ERROR(status);
  const lab::SampleProgress& done = progress.at();
  if (settings.json) {
    std::printf("%s\n", JsonLine({{"out", settings.out},
                                  {"samples", done.total},
                                  {"sampled", done.done - done.begun},
                                  {"spikes", done.num_spikes},
                                  {"splits", plan.document()["splits"]},
                                  {"seconds", progress.seconds()}})
                            .c_str());
  } else {
    std::printf("%s: %lld samples of %s, %lld of them new, with %lld spikes\n",
                settings.out.c_str(), static_cast<long long>(done.total), system->name.c_str(),
                static_cast<long long>(done.done - done.begun),
                static_cast<long long>(done.num_spikes));
  }
  return absl::OkStatus();
}

}  // namespace

int SampleCommand(absl::Span<const std::string> args) {
  SampleSettings settings;
  const FlagSet flags = SampleFlags(settings);
  int exit_status = kExitOk;
  const std::optional<std::string> system =
      OnlyArgument(flags, args, "sample", "expected one system", &exit_status);
  if (!system.has_value()) return exit_status;
  StopOnSignals();
  const absl::Status status = Run(*system, settings);
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "livnd sample: %s\n", std::string(status.message()).c_str());
  return kExitFailure;
}

}  // namespace livnd::server
