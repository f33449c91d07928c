// Evaluates points of a search: a worker of tools/bench/bench.py.
//
//   tune_bench SEARCH THREADS    SEARCH: the folder of a search of livnd's
//
// The command {"command": "evaluate", "points": [[...], ...]} answers {"scores": [...]}, of each point its objectives
// and constraints by name.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system.h"
#include "lab/tune/evaluator.h"
#include "lab/tune/score.h"
#include "lab/tune/target.h"
#include "lab/tune/tune_folder.h"
#include "tools/bench/thread_executor.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

std::unique_ptr<lab::Evaluator> MakeEvaluator(const std::string& folder) {
  const absl::StatusOr<lab::TuneRun> run = lab::ReadTuneRun(folder);
  if (!run.ok()) Die(run.status().ToString());
  absl::StatusOr<io::System> system = io::ReadSystem(run->system);
  if (!system.ok()) Die(system.status().ToString());
  auto evaluator = lab::MakeEvaluator(std::make_shared<const io::System>(*std::move(system)), *run);
  if (!evaluator.ok()) Die(evaluator.status().ToString());
  return *std::move(evaluator);
}

Json ScoresJson(const lab::Target& target, const lab::Scores& scores) {
  Json objectives = Json::object(), constraints = Json::object();
  for (size_t i = 0; i < target.objectives.size(); ++i) {
    objectives[target.objectives[i].name] = scores.objectives[i];
  }
  for (size_t i = 0; i < target.constraints.size(); ++i) {
    constraints[target.constraints[i].name] = scores.constraints[i];
  }
  return {{"objectives", std::move(objectives)}, {"constraints", std::move(constraints)}};
}

Json Evaluate(const lab::Evaluator& evaluator, ThreadExecutor& executor, const Json& request) {
  const auto points = request.at("points").get<std::vector<std::vector<double>>>();
  const size_t num = evaluator.space().dimensions().size();
  std::vector<Json> scores(points.size());
  executor.ParallelFor(static_cast<int>(points.size()), [&](int piece) {
    const auto i = static_cast<size_t>(piece);
    if (points[i].size() != num) Die("a point of another space");
    const absl::StatusOr<lab::Scores> got = evaluator.Evaluate(points[i]);
    if (!got.ok()) Die(got.status().ToString());
    scores[i] = ScoresJson(evaluator.target(), *got);
  });
  return {{"scores", scores}};
}

int Main(const std::vector<std::string>& args) {
  int num_threads = 0;
  if (args.size() != 2 || !absl::SimpleAtoi(args[1], &num_threads) || num_threads < 1) {
    Die("usage: tune_bench SEARCH THREADS");
  }
  const std::unique_ptr<lab::Evaluator> evaluator = MakeEvaluator(args[0]);
  ThreadExecutor executor(num_threads);
  ServeCommands({{"numbers", evaluator->space().dimensions().size()}},
                {{"evaluate", [&](const Json& r) { return Evaluate(*evaluator, executor, r); }}});
  return 0;
}

}  // namespace
}  // namespace livnd::bench

int main(int argc, char** argv) {
  return livnd::bench::Main(std::vector<std::string>(argv + 1, argv + argc));
}
