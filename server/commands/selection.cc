#include "server/commands/selection.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/json/json_view.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system.h"
#include "lab/folder/document_file.h"
#include "lab/folder/named_selection.h"
#include "server/commands/flag_value.h"
#include "server/commands/flags.h"
#include "server/commands/interrupt.h"
#include "server/commands/json_line.h"

namespace livnd::server {
namespace {

using io::Json;
using io::JsonView;

struct Settings {
  std::string name, cells, seed, bounds, boxes, center, populations;
  int method = 0;
  bool overwrite = false, json = false;
  bool with_method = false;  // --method was given
};

FlagSet MakeFlags(Settings& settings) {
  FlagSet flags(
      "livnd selection SYSTEM [--name NAME --cells CELLS | --name NAME --bounds BOX | --boxes "
      "SIDES]",
      "Names a part of a system: writes SYSTEM/selection/NAME.json with the cells that livn's\n"
      "selection() resolves to, which livnd and livn take wherever they take a selection. Without\n"
      "a wish it lists the selections that the system has. Lengths are um.");
  flags.String("name", "NAME", "of the selection; no number", &settings.name);
  flags.String("cells", "CELLS",
               "100 (cells in all), 0.25 (of each population; of the area for patch), or by\n"
               "      population '{EXC: 40, INH: 0.5}', '{EXC: [3, 17]}'",
               &settings.cells);
  flags.Choice("method",
               "which: the first of each population, drawn ones, or a patch about the middle",
               {"first", "random", "patch"}, &settings.method);
  flags.String("seed", "N", "of --method random (default: 123)", &settings.seed);
  flags.String("bounds", "BOX", "the cells in a box: '[[x0, y0], [x1, y1]]', edges included",
               &settings.bounds);
  flags.String("boxes", "SIDES",
               "squares about the middle, one selection each: '250, 500, 1000' makes e1, e2, e3",
               &settings.boxes);
  flags.String("center", "X,Y", "the middle of --boxes (default: of the cells)", &settings.center);
  flags.String("populations", "NAMES", "from these alone: 'EXC,INH' (default: from all)",
               &settings.populations);
  flags.Switch("overwrite", "in place of a selection of that name", &settings.overwrite);
  flags.Switch("json", "print one JSON object", &settings.json);
  return flags;
}

absl::Status CheckWays(const Settings& settings) {
  const auto alone = [](const char* name, const std::string& value, bool refused,
                        const char* accepted) -> absl::Status {
    if (value.empty() || !refused) return absl::OkStatus();
    return MakeFieldError(name, value, accepted);
  };
  const bool boxes = !settings.boxes.empty(), bounds = !settings.bounds.empty();
  LIVND_RETURN_IF_ERROR(
      alone("--name", settings.name, boxes, "nothing with --boxes, which are e1, e2, ..."));
  LIVND_RETURN_IF_ERROR(alone("--cells", settings.cells, boxes || bounds,
                              "nothing with --boxes or --bounds, which take all cells within"));
  LIVND_RETURN_IF_ERROR(alone("--bounds", settings.bounds, boxes, "nothing with --boxes"));
  LIVND_RETURN_IF_ERROR(alone("--center", settings.center, !boxes, "nothing without --boxes"));
  const bool random = settings.with_method && settings.method == 1;
  LIVND_RETURN_IF_ERROR(alone("--seed", settings.seed, !random, "nothing without --method random"));
  if (settings.with_method && (boxes || (bounds && settings.method != 2))) {
    constexpr const char* kMethods[] = {"first", "random", "patch"};
    return MakeFieldError("--method", kMethods[settings.method],
                          "patch, which is what --boxes and --bounds mean");
  }
  if (boxes) return absl::OkStatus();
  if (settings.name.empty()) {
    return MakeFieldError("--name", "absent", "what the selection is to be called");
  }
  if (settings.cells.empty() && !bounds) {
    return MakeFieldError("--cells", "absent", "which cells, or --bounds");
  }
  return lab::CheckSelectionName(settings.name);
}

// The request as io::ParseSelectionSpec reads it.
absl::StatusOr<Json> SpecOf(const Settings& settings) {
  Json spec = Json::object();
  if (!settings.bounds.empty()) {
    spec["method"] = "patch";
    LIVND_ASSIGN_OR_RETURN(spec["bounds"], FlagValue("bounds", settings.bounds));
    return spec;
  }
  LIVND_ASSIGN_OR_RETURN(spec["cells"], FlagValue("cells", settings.cells));
  if (!settings.with_method) return spec;
  constexpr const char* kMethods[] = {"first", "random", "patch"};
  spec["method"] = kMethods[settings.method];
  if (settings.seed.empty()) return spec;
  LIVND_ASSIGN_OR_RETURN(spec["seed"], FlagValue("seed", settings.seed));
  return spec;
}

using Requests = std::vector<std::pair<std::string, Json>>;  // by name

absl::StatusOr<Requests> BoxRequests(const io::System& system, const Settings& settings) {
  std::optional<std::array<double, 2>> center_um;
  if (!settings.center.empty()) {
    LIVND_ASSIGN_OR_RETURN(const Json center, FlagList("center", settings.center));
    LIVND_ASSIGN_OR_RETURN(const std::vector<double> numbers,
                           JsonView(center, "--center").Numbers(2));
    center_um = {numbers[0], numbers[1]};
  }
  LIVND_ASSIGN_OR_RETURN(const Json sides, FlagList("boxes", settings.boxes));
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> views, JsonView(sides, "--boxes").Elements());
  Requests requests;
  for (const JsonView& view : views) {
    LIVND_ASSIGN_OR_RETURN(const double side_um, view.Number());
    if (!(side_um > 0.0 && side_um <= 1e7)) return view.Refused("a side, 0 .. 1e7 (um)");
    requests.emplace_back(absl::StrCat("e", requests.size() + 1),
                          lab::SquareSpec(system, side_um, center_um));
  }
  if (requests.empty()) return JsonView(sides, "--boxes").Refused("one side or more, 250, 500");
  return requests;
}

// An error about the spec, as one about the flags that it is made of.
absl::Status AboutFlags(const absl::Status& status) {
  std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value() || !error->file.empty()) return status;
  error->field = absl::StrCat("--", error->field);
  return WithFieldError(*error, status);
}

absl::StatusOr<lab::NamedSelection> Select(const io::System& system, const Json& spec,
                                           const std::vector<std::string>& populations) {
  absl::StatusOr<lab::NamedSelection> selection =
      lab::SelectCells(system, JsonView(spec, ""), populations);
  if (!selection.ok()) return AboutFlags(selection.status());
  return selection;
}

Json Told(const std::string& path, const std::string& name, const lab::NamedSelection& selection) {
  uint64_t num_cells = 0;
  for (const auto& [population, gids] : selection.gids) num_cells += gids.size();
  return {{"file", path},
          {"name", name},
          {"cells", num_cells},
          {"populations", selection.document["meta"]["counts"]},
          {"edges", selection.num_edges},
          {"kept_inputs", selection.kept_inputs}};
}

void Print(const Json& told) {
  std::printf("%s: %llu cells (", told["file"].get<std::string>().c_str(),
              told["cells"].get<unsigned long long>());
  const char* between = "";
  for (const auto& [population, count] : told["populations"].items()) {
    std::printf("%s%s %llu", between, population.c_str(), count.get<unsigned long long>());
    between = ", ";
  }
  std::printf("), %llu connections: %.0f %% of their inputs\n",
              told["edges"].get<unsigned long long>(), 100 * told["kept_inputs"].get<double>());
}

void List(const io::System& system, bool as_json) {
  Json told = Json::array();
  for (const auto& [name, document] : system.selections) {
    Json counts = Json::object();
    for (const auto& [population, gids] : document.gids) counts[population] = gids.size();
    const bool of_graph = document.graph_uuid.empty() || system.graph_uuid.empty() ||
                          document.graph_uuid == system.graph_uuid;
    told.push_back(
        {{"name", name}, {"populations", std::move(counts)}, {"of_this_graph", of_graph}});
  }
  if (as_json) {
    std::printf("%s\n", JsonLine({{"system", system.directory}, {"selections", told}}).c_str());
    return;
  }
  if (told.empty()) std::printf("%s has no selections\n", system.directory.c_str());
  for (const Json& selection : told) {
    std::printf("%s:", selection["name"].get<std::string>().c_str());
    for (const auto& [population, count] : selection["populations"].items()) {
      std::printf(" %s %llu", population.c_str(), count.get<unsigned long long>());
    }
    std::printf("%s\n", selection["of_this_graph"].get<bool>() ? "" : " (of another graph)");
  }
}

absl::Status Run(const std::string& directory, const Settings& settings, bool only_list) {
  if (!only_list) LIVND_RETURN_IF_ERROR(CheckWays(settings));
  LIVND_ASSIGN_OR_RETURN(const io::System system, io::ReadSystem(directory));
  if (only_list) {
    List(system, settings.json);
    return absl::OkStatus();
  }
  Requests requests;
  if (!settings.boxes.empty()) {
    LIVND_ASSIGN_OR_RETURN(requests, BoxRequests(system, settings));
  } else {
    LIVND_ASSIGN_OR_RETURN(Json spec, SpecOf(settings));
    requests.emplace_back(settings.name, std::move(spec));
  }
  std::vector<std::string> populations;
  if (!settings.populations.empty()) populations = absl::StrSplit(settings.populations, ',');
  // All of them before the first is written.
  std::vector<lab::NamedSelection> selections;
  for (const auto& [name, spec] : requests) {
    if (!settings.overwrite && system.selections.count(name) > 0) {
      return MakeFieldError(settings.boxes.empty() ? "--name" : "--boxes", name,
                            "a name that no selection has, or --overwrite");
    }
    LIVND_ASSIGN_OR_RETURN(selections.emplace_back(), Select(system, spec, populations));
  }
  Json made = Json::array();
  for (size_t i = 0; i < requests.size(); ++i) {
    const std::string& name = requests[i].first;
    const std::string path = absl::StrCat(directory, "/selection/", name, ".json");
    LIVND_RETURN_IF_ERROR(
        lab::WriteDocument(selections[i].document, path, {settings.overwrite, Interrupted}));
    made.push_back(Told(path, name, selections[i]));
    if (!settings.json) Print(made.back());
  }
  if (settings.json) {
    std::printf("%s\n", JsonLine({{"system", directory}, {"selections", made}}).c_str());
  }
  return absl::OkStatus();
}

}  // namespace

int SelectionCommand(absl::Span<const std::string> args) {
  Settings settings;
  const FlagSet flags = MakeFlags(settings);
  int exit_status = kExitOk;
  std::optional<FlagSet::Parsed> parsed = ParsedArguments(
      flags, args, "selection", "expected one system",
      [](const std::vector<std::string>& positional) { return positional.size() == 1; },
      &exit_status);
  if (!parsed.has_value()) return exit_status;
  std::set<std::string>& given = parsed->given;
  settings.with_method = given.count("method") > 0;
  given.erase("json");
  StopOnSignals();
  const absl::Status status = Run(parsed->positional.front(), settings, given.empty());
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "livnd selection: %s\n", std::string(status.message()).c_str());
  return kExitFailure;
}

}  // namespace livnd::server
