#include "server/commands/tune.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/json/yaml.h"
#include "io/neuroh5/read_system.h"
#include "lab/folder/document_file.h"
#include "lab/folder/run_document.h"
#include "lab/tune/evaluation_runner.h"
#include "lab/tune/front.h"
#include "lab/tune/target_json.h"
#include "lab/tune/tune.h"
#include "lab/tune/tune_folder.h"
#include "server/commands/flags.h"
#include "server/commands/interrupt.h"
#include "server/commands/json_line.h"
#include "server/commands/remote/remote_evaluator.h"
#include "server/commands/remote/server_list.h"
#include "server/commands/server_flags.h"
#include "server/commands/tune_report.h"
#include "server/machine/cpus.h"
#include "server/machine/file_lock.h"
#include "server/machine/mutex.h"
#include "server/machine/read_file.h"
#include "server/machine/steady_time.h"
#include "server/machine/worker_pool.h"

namespace livnd::server {
namespace {

constexpr size_t kMaxTargetBytes = size_t{1} << 20;

struct Settings {
  std::string target, out, from, search = "noise-", export_path;
  int evaluations = 400, seed = 1, population = 40, algorithm = 0, loc = 0;
  int threads = NumUsableCpus();
  ServerSettings servers;
  bool summary = false, inspect = false, overwrite = false, json = false;
  std::set<std::string> given;  // flags
};

FlagSet MakeFlags(Settings& settings) {
  FlagSet flags(
      "livnd tune SYSTEM --target TARGET.yml --out DIR [--evaluations N] [--seed S] [--threads T]\n"
      "       livnd tune --out DIR --summary | --inspect | --export FILE",
      "Searches parameters with which a culture does what TARGET.yml says, and writes the best "
      "that it\n"
      "finds to DIR/front.json. The same command goes on where an earlier one was stopped or "
      "killed, and\n"
      "with more evaluations it goes on from its end. What is found depends on the target, the "
      "seed, the\n"
      "algorithm, its population and the number of evaluations, and not on threads or servers.\n"
      "docs/tuning.md tells what a target says; systems/targets has livn's.");
  flags.String("target", "FILE",
               "what to look for: YAML (default: what the search in DIR looks for)",
               &settings.target);
  flags.String("out", "DIR", "the search's folder; made where there is none", &settings.out);
  flags.Int("evaluations", "N", "in all; a multiple of the population (default: 400)", 8,
            10'000'000, &settings.evaluations);
  flags.Int("seed", "S", "of the search (default: 1); that of the noise is the target's", 0,
            0x7fffffff, &settings.seed);
  flags.Int("threads", "T", "evaluations side by side in this process (default: one for each core)",
            1, 1024, &settings.threads);
  AddServerFlags(flags, settings.servers);
  flags.Int("population", "P", "a multiple of 4 (default: 40)", lab::SearchConfig::kMinPopulation,
            lab::SearchConfig::kMaxPopulation, &settings.population);
  flags.Choice("algorithm", "how (default: nsga2)",
               {std::begin(lab::kAlgorithms), std::end(lab::kAlgorithms)}, &settings.algorithm);
  flags.String("from", "DIR",
               "go on from a solution of that search, --loc: what --search does not name stays",
               &settings.from);
  flags.String("search", "PREFIX",
               "with --from: the beginning of the names that are searched (default: noise-)",
               &settings.search);
  flags.Int("loc", "N", "a solution by its place on the front (default: 0, the best)", 0, 1'000'000,
            &settings.loc);
  flags.Switch("summary", "print the front of DIR", &settings.summary);
  flags.Switch("inspect", "print the solution --loc of DIR, and the commands that go on from it",
               &settings.inspect);
  flags.String("export", "FILE", "write the front of DIR there", &settings.export_path);
  flags.Switch("overwrite", "have --export take the place of a file", &settings.overwrite);
  flags.Switch("json", "print one JSON object", &settings.json);
  return flags;
}

absl::StatusOr<lab::Target> ReadTarget(const std::string& path) {
  if (path.empty())
    return MakeFieldError("--target", "absent", "a file of YAML; systems/targets has some");
  LIVND_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, "a file of YAML", kMaxTargetBytes));
  LIVND_ASSIGN_OR_RETURN(const io::Json json, io::ParseYaml(path, text));
  return lab::ParseTarget(io::JsonView(json, path));
}

absl::StatusOr<std::shared_ptr<const io::System>> ReadSystem(const std::string& folder) {
  LIVND_ASSIGN_OR_RETURN(io::System system, io::ReadSystem(folder));
  return std::make_shared<const io::System>(std::move(system));
}

// A search that has begun, for those who look at it.
struct Found {
  lab::TuneRun run;
  std::unique_ptr<lab::Evaluator> evaluator;
  std::vector<lab::Evaluation> evaluations;
};

absl::StatusOr<Found> Find(const std::string& folder) {
  Found found;
  LIVND_ASSIGN_OR_RETURN(found.run, lab::ReadTuneRun(folder));
  LIVND_ASSIGN_OR_RETURN(auto system, ReadSystem(found.run.system));
  LIVND_ASSIGN_OR_RETURN(found.evaluator, lab::MakeEvaluator(std::move(system), found.run));
  LIVND_ASSIGN_OR_RETURN(found.evaluations,
                         lab::EvaluationLog::Read(lab::TunePaths(folder).log, found.run.target,
                                                  found.evaluator->space().dimensions().size()));
  return found;
}

// What is searched. Without --target and --from, what the search in --out is of.
absl::StatusOr<lab::TuneRun> RunOf(const Settings& settings) {
  lab::TuneRun run;
  run.algorithm = static_cast<lab::SearchConfig::Algorithm>(settings.algorithm);
  run.population = settings.population;
  run.seed = static_cast<uint32_t>(settings.seed);
  if (settings.from.empty()) {
    if (settings.target.empty() && std::filesystem::exists(lab::TunePaths(settings.out).run)) {
      LIVND_ASSIGN_OR_RETURN(lab::TuneRun begun, lab::ReadTuneRun(settings.out));
      if (settings.given.count("algorithm") > 0) begun.algorithm = run.algorithm;
      if (settings.given.count("population") > 0) begun.population = run.population;
      if (settings.given.count("seed") > 0) begun.seed = run.seed;
      return begun;
    }
    LIVND_ASSIGN_OR_RETURN(run.target, ReadTarget(settings.target));
    return run;
  }
  LIVND_ASSIGN_OR_RETURN(const Found found, Find(settings.from));
  const std::vector<size_t> front = lab::RankedFront(found.run.target, found.evaluations);
  if (static_cast<size_t>(settings.loc) >= front.size())
    return MissingLoc(settings.loc, front.size());
  run.target = found.run.target;
  // With what that search held, too.
  run.from = found.evaluator->space().All(
      found.evaluations[front[static_cast<size_t>(settings.loc)]].coordinates);
  run.search = settings.search;
  if (!settings.target.empty()) {
    LIVND_ASSIGN_OR_RETURN(run.target, ReadTarget(settings.target));
  }
  return run;
}

absl::StatusOr<lab::TuneRun> CheckedRun(const std::string& system, const Settings& settings) {
  LIVND_ASSIGN_OR_RETURN(lab::TuneRun run, RunOf(settings));
  run.system = std::filesystem::absolute(system).lexically_normal().string();
  if (run.population % 4 != 0) {
    return MakeFieldError("--population", absl::StrCat(run.population), "a multiple of 4");
  }
  if (settings.evaluations % run.population != 0) {
    return MakeFieldError("--evaluations", absl::StrCat(settings.evaluations),
                          absl::StrCat("a multiple of --population, ", run.population));
  }
  return run;
}

// The servers that run a search's evaluations.
class Servers {
 public:
  // Null where this process is to do it.
  static absl::StatusOr<std::unique_ptr<Servers>> Of(const Settings& settings,
                                                     const lab::Evaluator& evaluator) {
    LIVND_ASSIGN_OR_RETURN(auto list, ServersOf(settings.servers));
    if (list == nullptr) return nullptr;
    auto out = std::make_unique<Servers>();
    out->list_ = std::move(list);
    out->work_.terms = {evaluator.system().name, settings.servers.patience, Interrupted};
    out->work_.evaluator = &evaluator;
    LIVND_ASSIGN_OR_RETURN(std::tie(out->work_.probe, out->work_.probed),
                           evaluator.Probe(Interrupted));
    return out;
  }

  // As many as there can be evaluations at once, whatever servers may come later.
  std::vector<lab::EvaluationRunner*> Runners(int population) {
    std::vector<lab::EvaluationRunner*> out;
    for (int i = 0; i < std::min(population, kMaxRunners); ++i) {
      runners_.push_back(std::make_unique<RemoteEvaluator>(work_, *list_));
      out.push_back(runners_.back().get());
    }
    return out;
  }

 private:
  static constexpr int kMaxRunners = 512;

  std::unique_ptr<ServerList> list_;
  RemoteEvaluations work_;
  std::vector<std::unique_ptr<RemoteEvaluator>> runners_;
};

// A line on standard error every few seconds.
class Progress {
 public:
  Progress(const lab::Target& target, int64_t wanted, size_t begun)
      : target_(target), wanted_(wanted), begun_(begun) {}

  void Tell(const lab::EvaluationLog& log) {
    const absl::Time now = SteadyNow();
    const auto done = static_cast<int64_t>(log.evaluations().size());
    if (now - told_ < absl::Seconds(2) && done < wanted_) return;
    told_ = now;
    const double seconds = absl::ToDoubleSeconds(now - start_);
    const double rate = static_cast<double>(log.evaluations().size() - begun_) / seconds;
    std::fprintf(stderr, "livnd tune: %s, %.3g a second, about %.0f s left\n",
                 ProgressText(target_, log.evaluations(), wanted_).c_str(), rate,
                 static_cast<double>(wanted_ - done) / rate);
  }

 private:
  const lab::Target& target_;
  const int64_t wanted_;
  const size_t begun_;
  const absl::Time start_ = SteadyNow();
  absl::Time told_ = start_;
};

absl::Status Search(const std::string& system_folder, const Settings& settings) {
  if (settings.out.empty()) return MakeFieldError("--out", "absent", "the search's folder");
  LIVND_ASSIGN_OR_RETURN(const lab::TuneRun run, CheckedRun(system_folder, settings));
  LIVND_ASSIGN_OR_RETURN(auto system, ReadSystem(run.system));
  const auto evaluator = lab::MakeEvaluator(system, run);
  if (!evaluator.ok()) {
    return settings.target.empty() ? evaluator.status()
                                   : InFile(settings.target, evaluator.status());
  }
  LIVND_ASSIGN_OR_RETURN(const std::unique_ptr<Servers> servers,
                         Servers::Of(settings, **evaluator));

  const lab::TunePaths paths(settings.out);
  std::error_code error;
  std::filesystem::create_directories(settings.out, error);
  if (error)
    return MakeFieldError("--out", settings.out, "a folder that can be made: " + error.message());
  LIVND_ASSIGN_OR_RETURN(const auto lock, FileLock::Acquire(paths.lock));
  LIVND_RETURN_IF_ERROR(lab::PrepareTuneFolder(settings.out, run, *system));
  LIVND_ASSIGN_OR_RETURN(
      const auto log,
      lab::EvaluationLog::Open(paths.log, run.target, (*evaluator)->space().dimensions().size()));
  const size_t begun = log->evaluations().size();
  if (begun > static_cast<size_t>(settings.evaluations)) {
    return MakeFieldError("--evaluations", absl::StrCat(settings.evaluations),
                          absl::StrCat("at least the ", begun, " that ", paths.log, " has"));
  }
  std::fprintf(
      stderr,
      "livnd tune: %zu numbers, %zu objectives, %zu constraints; %zu of %d evaluations are there\n",
      (*evaluator)->space().dimensions().size(), run.target.objectives.size(),
      run.target.constraints.size(), begun, settings.evaluations);

  Mutex mu;
  Progress progress(run.target, settings.evaluations, begun);
  lab::TuneWork work;
  if (servers != nullptr) work.runners = servers->Runners(run.population);
  WorkerPool pool(servers != nullptr ? static_cast<int>(work.runners.size()) : settings.threads);
  work.executor = &pool;
  work.threads.one_at_a_time = [&](absl::FunctionRef<void()> fn) {
    MutexLock locked(mu);
    fn();
  };
  // An evaluation here may take a few of them.
  const absl::Duration pause = absl::Milliseconds(servers != nullptr ? 20 : 1);
  work.threads.pause = [pause] { absl::SleepFor(pause); };
  work.progress = [&](const lab::EvaluationLog& now) { progress.Tell(now); };
  work.stop = Interrupted;  // what is in the log stays
  const absl::Time start = SteadyNow();
  const absl::Status status = lab::Tune(**evaluator, run.Config(settings.evaluations), work, *log);
  if (absl::IsCancelled(status)) {
    return absl::CancelledError("interrupted; the same command goes on from here");
  }
  if (absl::IsUnavailable(status)) {
    return absl::UnavailableError(
        absl::StrCat(status.message(), "; the same command goes on from here"));
  }
  LIVND_RETURN_IF_ERROR(status);
  const double seconds = absl::ToDoubleSeconds(SteadyNow() - start);
  const io::Json front = lab::TuneFront(settings.out, run, **evaluator, log->evaluations());
  LIVND_RETURN_IF_ERROR(lab::WriteWhole(paths.front, lab::DocumentText(front)));
  if (settings.json) {
    const size_t done = log->evaluations().size() - begun;
    std::printf("%s\n", JsonLine({{"front", paths.front},
                                  {"evaluations", front["evaluations"]},
                                  {"feasible", NumFeasible(log->evaluations())},
                                  {"solutions", front["solutions"].size()},
                                  {"evaluated", done},
                                  {"seconds", seconds}})
                            .c_str());
  } else {
    PrintSummary(run.target, front);
    std::printf("%s\n", paths.front.c_str());
  }
  return absl::OkStatus();
}

absl::Status Look(const Settings& settings) {
  if (settings.out.empty()) return MakeFieldError("--out", "absent", "the folder of a search");
  LIVND_ASSIGN_OR_RETURN(const Found found, Find(settings.out));
  const io::Json front =
      lab::TuneFront(settings.out, found.run, *found.evaluator, found.evaluations);
  if (!settings.export_path.empty()) {
    LIVND_RETURN_IF_ERROR(
        lab::WriteDocument(front, settings.export_path, {settings.overwrite, Interrupted}));
    std::printf("wrote %zu solutions to %s\n", front["solutions"].size(),
                settings.export_path.c_str());
  }
  if (settings.json && (settings.summary || settings.inspect)) {
    std::printf("%s\n", JsonLine(front).c_str());
    return absl::OkStatus();
  }
  if (settings.summary) PrintSummary(found.run.target, front);
  if (settings.inspect) return PrintSolution(settings.out, settings.loc, found.run, front);
  return absl::OkStatus();
}

}  // namespace

int TuneCommand(absl::Span<const std::string> args) {
  Settings settings;
  const FlagSet flags = MakeFlags(settings);
  const auto looks = [&] {
    return settings.summary || settings.inspect || !settings.export_path.empty();
  };
  int exit_status = kExitOk;
  const std::optional<FlagSet::Parsed> parsed = ParsedArguments(
      flags, args, "tune", "expected one system",
      [&](const std::vector<std::string>& positional) {
        return positional.size() == 1 || (positional.empty() && looks());
      },
      &exit_status);
  if (!parsed.has_value()) return exit_status;
  settings.given = parsed->given;
  StopOnSignals();
  const absl::Status status = looks() ? Look(settings) : Search(parsed->positional[0], settings);
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "livnd tune: %s\n", std::string(status.message()).c_str());
  return kExitFailure;
}

}  // namespace livnd::server
