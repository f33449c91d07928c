#include "server/commands/tune_report.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "lab/tune/front.h"

namespace livnd::server {
namespace {

using io::Json;

std::string Shown(const Json& number) {
  return number.is_null() ? "--" : absl::StrFormat("%.4g", number.get<double>());
}

bool IsInBand(const lab::Target& target, size_t feature, const Json& value) {
  for (const auto& [index, band] : target.feature_bands) {
    if (index == feature) return !value.is_null() && value >= band[0] && value <= band[1];
  }
  return false;
}

void PrintNumbers(const char* title, const Json& numbers) {
  std::printf("\n%s\n", title);
  for (const auto& [name, value] : numbers.items()) {
    std::printf("  %-44s %s\n", name.c_str(), Shown(value).c_str());
  }
}

}  // namespace

size_t NumFeasible(absl::Span<const lab::Evaluation> evaluations) {
  return static_cast<size_t>(std::count_if(evaluations.begin(), evaluations.end(),
                                           [](const auto& e) { return e.scores.feasible(); }));
}

std::string ProgressText(const lab::Target& target, absl::Span<const lab::Evaluation> evaluations,
                         int64_t wanted) {
  return absl::StrCat(evaluations.size(), " of ", wanted, " evaluations, ",
                      NumFeasible(evaluations), " feasible, ",
                      lab::RankedFront(target, evaluations).size(), " on the front");
}

void PrintSummary(const lab::Target& target, const Json& front) {
  std::vector<size_t> features;
  const auto add = [&](size_t feature) {
    if (std::find(features.begin(), features.end(), feature) == features.end())
      features.push_back(feature);
  };
  for (const lab::Objective& objective : target.objectives) add(objective.feature);
  for (const auto& band : target.feature_bands) add(band.first);
  std::printf("%4s %9s", "loc", "feasible");
  for (const size_t feature : features) std::printf(" %25s", lab::kFeatures[feature].name);
  std::printf("\n");
  for (const Json& solution : front["solutions"]) {
    std::printf("%4d %9s", solution["loc"].get<int>(),
                solution["feasible"].get<bool>() ? "yes" : "no");
    for (const size_t feature : features) {
      const Json& value = solution["features"][lab::kFeatures[feature].name];
      std::printf(" %25s",
                  absl::StrCat(Shown(value), IsInBand(target, feature, value) ? "*" : "").c_str());
    }
    std::printf("\n");
  }
  std::printf("%zu solutions of %lld evaluations\n", front["solutions"].size(),
              front["evaluations"].get<long long>());
  if (target.feature_bands.empty()) return;
  std::printf("* within the band:\n");
  for (const auto& [feature, band] : target.feature_bands) {
    std::printf("  %-26s %.4g .. %.4g\n", lab::kFeatures[feature].name, band[0], band[1]);
  }
}

absl::Status MissingLoc(int loc, size_t num_solutions) {
  return MakeFieldError("--loc", absl::StrCat(loc),
                        num_solutions == 0 ? "none: the search has no evaluations yet"
                                           : absl::StrCat("0 .. ", num_solutions - 1));
}

absl::Status PrintSolution(const std::string& folder, int loc, const lab::TuneRun& run,
                           const Json& front) {
  const Json& solutions = front["solutions"];
  if (static_cast<size_t>(loc) >= solutions.size()) return MissingLoc(loc, solutions.size());
  const Json& solution = solutions[static_cast<size_t>(loc)];
  std::printf("%s, target %s: %s\n", run.system.c_str(), run.target.name.c_str(),
              absl::StrCat("solution ", loc, " of ", solutions.size(), ", ",
                           solution["feasible"].get<bool>() ? "feasible" : "not feasible")
                  .c_str());
  PrintNumbers("Objectives", solution["objectives"]);
  PrintNumbers("Features", solution["features"]);
  PrintNumbers("Constraints (held above 0)", solution["constraints"]);
  PrintNumbers("Parameters", solution["params"]);
  const long long evaluations = front["evaluations"].get<long long>();
  std::printf("\nTo search on:\n  livnd tune %s --out %s --evaluations %lld\n", run.system.c_str(),
              folder.c_str(), (evaluations / run.population + 10) * run.population);
  std::printf(
      "To go on with the noise alone:\n"
      "  livnd tune %s --from %s --loc %d --search noise- --out %s-noise --population %d "
      "--evaluations %d\n",
      run.system.c_str(), folder.c_str(), loc, folder.c_str(), run.population, 10 * run.population);
  std::printf("To have the system begin with it:\n  livnd promote %s --loc %d\n", folder.c_str(),
              loc);
  return absl::OkStatus();
}

}  // namespace livnd::server
