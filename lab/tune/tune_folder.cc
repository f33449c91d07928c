#include "lab/tune/tune_folder.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/json/json_view.h"
#include "io/system/system_documents.h"
#include "lab/folder/run_document.h"
#include "lab/generate/config_fields.h"
#include "lab/tune/front.h"
#include "lab/tune/target_json.h"
#include "sim/culture/culture.h"

namespace livnd::lab {
namespace {

using io::Json;
using io::JsonView;

absl::StatusOr<Json> RunJson(const TuneRun& run, const io::System& system) {
  LIVND_ASSIGN_OR_RETURN(Json files, SystemFiles(system));
  Json json = {{"tune", 1},
               {"physics_version", sim::kPhysicsVersion},
               {"system", run.system},
               {"files", std::move(files)},
               {"target", run.target.document},
               {"algorithm", kAlgorithms[static_cast<size_t>(run.algorithm)]},
               {"population", run.population},
               {"seed", run.seed}};
  if (!run.from.empty()) {
    json["search"] = run.search;
    json["from"] = run.from;
  }
  return json;
}

}  // namespace

SearchConfig TuneRun::Config(int64_t evaluations) const {
  SearchConfig config;
  config.algorithm = algorithm;
  config.population = population;
  config.evaluations = evaluations;
  config.seed = seed;
  return config;
}

TunePaths::TunePaths(const std::string& folder)
    : run(absl::StrCat(folder, "/run.json")),
      log(absl::StrCat(folder, "/evaluations.jsonl")),
      front(absl::StrCat(folder, "/front.json")),
      lock(absl::StrCat(folder, "/lock")) {}

absl::Status PrepareTuneFolder(const std::string& folder, const TuneRun& run,
                               const io::System& system) {
  const TunePaths paths(folder);
  LIVND_ASSIGN_OR_RETURN(const Json wanted, RunJson(run, system));
  const absl::StatusOr<Json> have = io::ReadJsonFile(paths.run);
  if (absl::IsNotFound(have.status())) {
    if (std::filesystem::exists(paths.log)) {
      return absl::FailedPreconditionError(absl::StrCat(paths.log, " is there without a run.json"));
    }
    return WriteWhole(paths.run, DocumentText(wanted));
  }
  if (!have.ok()) return have.status();
  // Another path to the same files is no other system.
  return CheckSameRun(paths.run, *have, wanted, {"system"}, "search",
                      "give the same arguments, or another --out");
}

absl::StatusOr<TuneRun> ReadTuneRun(const std::string& folder) {
  const TunePaths paths(folder);
  LIVND_ASSIGN_OR_RETURN(const Json json, io::ReadJsonFile(paths.run));
  const JsonView view(json, paths.run);
  LIVND_ASSIGN_OR_RETURN(const JsonView version, view.Member("tune"));
  LIVND_RETURN_IF_ERROR(version.Integer(1, 1).status());
  TuneRun run;
  LIVND_ASSIGN_OR_RETURN(const JsonView system, view.Member("system"));
  LIVND_ASSIGN_OR_RETURN(run.system, system.String());
  LIVND_ASSIGN_OR_RETURN(const JsonView target, view.Member("target"));
  LIVND_ASSIGN_OR_RETURN(run.target, ParseTarget(target));
  LIVND_ASSIGN_OR_RETURN(const JsonView algorithm, view.Member("algorithm"));
  LIVND_ASSIGN_OR_RETURN(const size_t index, Choice(algorithm, kAlgorithms));
  run.algorithm = static_cast<SearchConfig::Algorithm>(index);
  LIVND_ASSIGN_OR_RETURN(const JsonView population, view.Member("population"));
  LIVND_ASSIGN_OR_RETURN(const int64_t size, population.Integer(SearchConfig::kMinPopulation,
                                                                SearchConfig::kMaxPopulation));
  run.population = static_cast<int>(size);
  LIVND_ASSIGN_OR_RETURN(const JsonView seed, view.Member("seed"));
  LIVND_ASSIGN_OR_RETURN(const int64_t number, seed.Integer(0, 0xffffffff));
  run.seed = static_cast<uint32_t>(number);
  LIVND_ASSIGN_OR_RETURN(const auto from, view.Find("from"));
  if (from.has_value()) {
    LIVND_ASSIGN_OR_RETURN(run.from, from->Numbers());
    LIVND_ASSIGN_OR_RETURN(const JsonView search, view.Member("search"));
    LIVND_ASSIGN_OR_RETURN(run.search, search.String());
  }
  return run;
}

absl::StatusOr<std::unique_ptr<Evaluator>> MakeEvaluator(std::shared_ptr<const io::System> system,
                                                         const TuneRun& run) {
  LIVND_ASSIGN_OR_RETURN(auto evaluator, Evaluator::Create(std::move(system), run.target));
  if (run.from.empty()) return evaluator;
  SearchSpace& space = evaluator->mutable_space();
  if (run.from.size() != space.dimensions().size()) {
    return MakeFieldError("from", absl::StrCat(run.from.size(), " numbers"),
                          absl::StrCat(space.dimensions().size(), ", those of the same target"));
  }
  space.Hold(run.from, run.search);
  if (space.dimensions().empty()) {
    return MakeFieldError("--search", run.search, "the beginning of a name of the space");
  }
  return evaluator;
}

Json TuneFront(const std::string& folder, const TuneRun& run, const Evaluator& evaluator,
               absl::Span<const Evaluation> evaluations) {
  FrontSource source;
  source.system = run.system;
  source.selection = run.target.selection.value_or(Json(nullptr));
  const io::System& system = evaluator.system();
  const std::optional<io::ModelDocument>& model =
      run.target.model.has_value() ? run.target.model : system.model;
  if (model.has_value()) {
    const Json document = io::ModelDocumentToJson(*model);
    source.model = Json::array(
        {document["cls"], document.contains("kwargs") ? document["kwargs"] : Json::object()});
  } else {
    source.model = "livn.models.rcsd.ReducedCalciumSomaDendrite";
  }
  source.params_key = evaluator.setup().params_key;
  source.source = TunePaths(folder).log;
  source.generations = static_cast<int64_t>(evaluations.size()) / run.population;
  return FrontJson(run.target, evaluator.space(), source, evaluations);
}

}  // namespace livnd::lab
