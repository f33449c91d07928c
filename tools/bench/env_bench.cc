// Steps an environment in this process, without server and client: what a served Step would take if
// serving were free. A worker of tools/bench/bench.py.
//
//   env_bench SYSTEM ENVIRONMENT_ID
//
// Commands: {"command": "open", "num_envs": N} makes the copies and resets them;
// {"command": "step", "count": K} answers the wall time of each of the next K steps and the sum of
// all rewards so far. {"command": "open_culture", "num_envs": N} and {"command": "run", "count": K,
// "duration_ms": T} are the same for the system's culture without a task, and count spikes.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "env/catalog.h"
#include "env/culture/culture_model.h"
#include "env/culture/live_culture.h"
#include "env/task/task.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "io/neuroh5/read_system.h"
#include "tools/bench/step_pattern.h"
#include "tools/bench/thread_executor.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

using Clock = std::chrono::steady_clock;

void Check(const absl::Status& status) {
  if (!status.ok()) Die(status.ToString());
}

std::shared_ptr<const env::Task> BuildTask(const std::string& folder, const std::string& id) {
  auto system = io::ReadSystem(folder);
  Check(system.status());
  const auto catalog =
      env::Catalog::Create({std::make_shared<const io::System>(*std::move(system))});
  Check(catalog.status());
  auto task = catalog->BuildTask(id);
  Check(task.status());
  return *std::move(task);
}

class Subject {
 public:
  Subject(std::shared_ptr<const env::Task> task, sim::Executor& executor)
      : task_(std::move(task)), executor_(executor) {}

  Json Open(const Json& request) {
    const int num_envs = request.value("num_envs", 1);
    auto made = env::VectorEnvironment::Create(task_, num_envs, env::AutoresetMode::kNextStep,
                                               /*unseeded_seed=*/0, executor_);
    Check(made.status());
    environment_ = *std::move(made);
    env::ResetRequest reset;
    for (int copy = 0; copy < num_envs; ++copy) reset.seeds.push_back(SeedOf(copy));
    Check(environment_->Reset(reset));
    step_ = 0;
    reward_sum_ = 0.0;
    return Json::object();
  }

  Json Step(const Json& request) {
    if (environment_ == nullptr) Die("step before open");
    const int count = request.value("count", 1);
    std::vector<double> us;
    for (int i = 0; i < count; ++i) {
      const env::TensorSpec& action = environment_->spec().actions.front();
      const std::vector<float> numbers =
          ActionsOf(step_++, environment_->num_envs(), static_cast<int>(action.num_elements()));
      env::TensorBatch actions({action}, environment_->num_envs());
      std::memcpy(actions.data(0).data(), numbers.data(), actions.data(0).size());
      const auto start = Clock::now();
      Check(environment_->Step(actions));
      us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
      for (double reward : environment_->outcome().rewards) reward_sum_ += reward;
    }
    return {{"us", us}, {"reward_sum", reward_sum_}};
  }

 private:
  std::shared_ptr<const env::Task> task_;
  sim::Executor& executor_;
  std::unique_ptr<env::VectorEnvironment> environment_;
  int64_t step_ = 0;
  double reward_sum_ = 0.0;
};

class Culture {
 public:
  Culture(const std::string& folder, sim::Executor& executor) : executor_(executor) {
    auto system = io::ReadSystem(folder);
    Check(system.status());
    auto model = env::CultureModel::Create(std::make_shared<const io::System>(*std::move(system)));
    Check(model.status());
    model_ = *std::move(model);
  }

  Json Open(const Json& request) {
    auto made = env::LiveCulture::Create(model_, request.value("num_envs", 1), 0, executor_);
    Check(made.status());
    culture_ = *std::move(made);
    env::CultureClear clear;
    for (int copy = 0; copy < culture_->num_copies(); ++copy) clear.seeds.push_back(SeedOf(copy));
    Check(culture_->Clear(clear));
    num_spikes_ = 0;
    return Json::object();
  }

  Json Run(const Json& request) {
    if (culture_ == nullptr) Die("run before open_culture");
    env::CultureRun run;
    run.duration_ms = request.value("duration_ms", 0.0);
    std::vector<double> us;
    for (int i = 0; i < request.value("count", 1); ++i) {
      const auto start = Clock::now();
      Check(culture_->Run(run));
      const env::CultureRecording recording = culture_->TakeRecording();
      us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
      num_spikes_ += static_cast<int64_t>(recording.spike_gids.size());
    }
    return {{"us", us}, {"num_spikes", num_spikes_}};
  }

 private:
  sim::Executor& executor_;
  std::shared_ptr<const env::CultureModel> model_;
  std::unique_ptr<env::LiveCulture> culture_;
  int64_t num_spikes_ = 0;
};

int Main(const std::vector<std::string>& args) {
  if (args.size() != 2) Die("usage: env_bench SYSTEM ENVIRONMENT_ID");
  auto task = BuildTask(args[0], args[1]);
  // As many threads as the server has by default.
  ThreadExecutor executor(static_cast<int>(std::thread::hardware_concurrency()));
  Subject subject(std::move(task), executor);
  Culture culture(args[0], executor);
  ServeCommands(Json::object(), {{"open", [&](const Json& r) { return subject.Open(r); }},
                                 {"step", [&](const Json& r) { return subject.Step(r); }},
                                 {"open_culture", [&](const Json& r) { return culture.Open(r); }},
                                 {"run", [&](const Json& r) { return culture.Run(r); }}});
  return 0;
}

}  // namespace
}  // namespace livnd::bench

int main(int argc, char** argv) {
  return livnd::bench::Main(std::vector<std::string>(argv + 1, argv + argc));
}
