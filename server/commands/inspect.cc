#include "server/commands/inspect.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "env/catalog.h"
#include "env/culture/culture_model.h"
#include "env/spec.h"
#include "io/device/electrode_array_config.h"
#include "io/neuroh5/read_system.h"
#include "io/system/summary.h"
#include "io/system/system.h"
#include "io/system/truth.h"
#include "nlohmann/json.hpp"
#include "server/commands/flags.h"
#include "server/commands/inspect_culture.h"

namespace livnd::server {
namespace {

using Json = nlohmann::ordered_json;
using io::Population;
using io::Projection;
using io::System;

std::string ProjectionName(const Projection& projection) {
  return absl::StrCat(projection.pre, "->", projection.post);
}

// Ids of tasks that the system carries, and those that it does not, with the reasons.
struct Tasks {
  std::vector<std::string> offered;
  std::vector<env::Catalog::NotOffered> not_offered;
};

Tasks TasksOn(const System& system) {
  Tasks tasks;
  const auto catalog = env::Catalog::Create({std::make_shared<const System>(system)});
  if (!catalog.ok()) return tasks;  // one system has one name
  for (const env::EnvironmentSpec& spec : catalog->specs()) {
    if (spec.kind == env::EnvironmentKind::kTask) tasks.offered.push_back(spec.id);
  }
  tasks.not_offered = catalog->not_offered();
  return tasks;
}

// --- JSON ----------------------------------------------------------------------------------------

Json RangeJson(const io::Range& range) {
  return {{"n", range.n},
          {"sum", range.sum},
          {"min", range.min},
          {"max", range.max},
          {"mean", range.mean()}};
}

Json CountsJson(const std::map<int, uint64_t>& counts) {
  Json json = Json::object();
  for (const auto& [value, count] : counts) json[absl::StrCat(value)] = count;
  return json;
}

Json PlaceJson(const System& system, uint32_t gid) {
  const auto& place = system.position_um[gid];
  return {gid, place[0], place[1], place[2]};
}

Json CoordinatesJson(const System& system, int index) {
  const Population& cells = system.populations[index];
  const uint32_t end = cells.first_gid + cells.num_cells;
  Json first = Json::array();
  Json sum = Json::array(), min = Json::array(), max = Json::array();
  for (uint32_t gid = cells.first_gid; gid < std::min(end, cells.first_gid + 5); ++gid) {
    first.push_back(PlaceJson(system, gid));
  }
  for (int axis = 0; axis < 3; ++axis) {
    io::Range range;
    for (uint32_t gid = cells.first_gid; gid < end; ++gid) range.Add(system.position_um[gid][axis]);
    sum.push_back(range.sum);
    min.push_back(range.min);
    max.push_back(range.max);
  }
  return {{"n", cells.num_cells},
          {"first5", first},
          {"last", PlaceJson(system, end - 1)},
          {"sum_xyz", sum},
          {"min_xyz", min},
          {"max_xyz", max},
          {"sha256", io::CoordinatesSha256(system, index)}};
}

Json SynapsesJson(const System& system, int index) {
  const io::SynapseSummary summary = io::Summarize(system.synapse_sites[index]);
  return {{"cells", summary.num_cells},
          {"total", summary.num_sites},
          {"cells_with_zero", summary.cells_without_sites},
          {"per_cell_min_max", {summary.min_per_cell, summary.max_per_cell}},
          {"by_syn_type", CountsJson(summary.by_syn_type)},
          {"by_swc_type", CountsJson(summary.by_swc_type)},
          {"cdist", RangeJson(summary.path_distance_um)},
          {"sha256", io::SynapsesSha256(system, index)}};
}

Json ProjectionJson(const System& system, const Projection& projection) {
  const io::ProjectionSummary summary = io::Summarize(system, projection);
  return {{"edges", summary.num_edges},
          {"destinations_in_file_with_edges", summary.num_targets},
          {"mean_in_degree", summary.mean_in_degree},
          {"max_in_degree", summary.max_in_degree},
          {"mean_out_degree", summary.mean_out_degree},
          {"max_out_degree", summary.max_out_degree},
          {"distance", RangeJson(summary.distance_um)},
          {"delay_ms", RangeJson(summary.delay_ms)},
          {"self_connections", summary.self_connections},
          {"duplicate_pairs", summary.duplicate_pairs},
          {"edges_without_site", summary.edges_without_site},
          {"edges_sha256", io::EdgesSha256(projection)},
          {"edges_syn_sha256", io::EdgesSynSha256(projection)}};
}

absl::StatusOr<Json> ElectrodesJson(const System& system) {
  const io::ElectrodeArrayConfig& config = *system.electrode_array;
  LIVND_ASSIGN_OR_RETURN(const io::ElectrodeSummary summary, io::Summarize(system, config));
  const auto row = [](const io::Electrode& electrode) -> Json {
    const auto& place = electrode.position_um;
    return {electrode.id, place[0], place[1], place[2]};
  };
  return Json{
      {"electrodes", config.electrodes.size()},   {"first", row(config.electrodes.front())},
      {"last", row(config.electrodes.back())},    {"input_radius", config.input_radius_um},
      {"output_radius", config.output_radius_um}, {"without_cells", summary.ids_without_cells}};
}

absl::StatusOr<Json> FilesJson(const System& system) {
  Json files = Json::object();
  for (const char* name : {"cells.h5", "connections.h5", "graph.h5", "graph.json", "mea.json"}) {
    const std::string path = absl::StrCat(system.directory, "/", name);
    struct stat info;
    const absl::StatusOr<std::string> digest = io::FileSha256(path);
    if (absl::IsNotFound(digest.status())) continue;
    if (!digest.ok()) return digest.status();
    if (stat(path.c_str(), &info) != 0) return absl::ErrnoToStatus(errno, path);
    files[name] = {{"bytes", info.st_size}, {"sha256", *digest}};
  }
  return files;
}

absl::StatusOr<Json> SystemJson(const System& system) {
  Json json;
  json["name"] = system.name;
  json["populations"] = Json::object();
  json["population_names_order"] = Json::array();
  json["num_neurons"] = system.num_cells();
  json["coordinates"] = Json::object();
  json["synapses"] = Json::object();
  for (size_t i = 0; i < system.populations.size(); ++i) {
    const Population& population = system.populations[i];
    json["populations"][population.name] = {{"enum", population.label},
                                            {"start", population.first_gid},
                                            {"count", population.num_cells}};
    if (population.num_cells == 0) continue;
    json["population_names_order"].push_back(population.name);
    json["coordinates"][population.name] = CoordinatesJson(system, static_cast<int>(i));
    json["synapses"][population.name] = SynapsesJson(system, static_cast<int>(i));
  }
  json["projections"] = Json::object();
  for (const Projection& projection : system.projections) {
    json["projections"][ProjectionName(projection)] = ProjectionJson(system, projection);
  }
  json["total_edges"] = system.num_edges();
  if (system.electrode_array.has_value()) {
    LIVND_ASSIGN_OR_RETURN(json["mea"], ElectrodesJson(system));
  }
  json["documents"] = DescribeDocuments(system);
  LIVND_ASSIGN_OR_RETURN(json["files"], FilesJson(system));
  const Tasks tasks = TasksOn(system);
  json["tasks"] = tasks.offered;
  json["not_offered"] = Json::array();
  for (const env::Catalog::NotOffered& one : tasks.not_offered) {
    json["not_offered"].push_back(
        {{"environment_id", one.id}, {"why", std::string(one.why.message())}});
  }
  return json;
}

// A folder's name need not be UTF-8; what is not is replaced.
std::string ToText(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// --- tables --------------------------------------------------------------------------------------

// Columns as wide as their widest cell; the first is aligned left, the others right.
void PrintTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line = absl::StrFormat("%-*s", static_cast<int>(widths[0]), row[0]);
    for (size_t i = 1; i < row.size(); ++i) {
      absl::StrAppendFormat(&line, "  %*s", static_cast<int>(widths[i]), row[i]);
    }
    std::printf("%s\n", line.c_str());
  }
}

void PrintPopulations(const System& system) {
  std::vector<std::vector<std::string>> rows = {
      {"population", "label", "cells", "first gid", "synapses", "per cell"}};
  for (size_t i = 0; i < system.populations.size(); ++i) {
    const Population& population = system.populations[i];
    const io::SynapseSummary summary = io::Summarize(system.synapse_sites[i]);
    rows.push_back({population.name, absl::StrCat(population.label),
                    absl::StrCat(population.num_cells), absl::StrCat(population.first_gid),
                    absl::StrCat(summary.num_sites),
                    absl::StrCat(summary.min_per_cell, "-", summary.max_per_cell)});
  }
  PrintTable(rows);
}

// "AMPA NMDA(off)", or "-" where graph.json has nothing.
std::string Receptors(const System& system, const Projection& projection) {
  const io::ProjectionConfig* config = system.FindProjectionConfig(projection.post, projection.pre);
  std::vector<std::string> names;
  if (config != nullptr) {
    for (const auto& [site, receptors] : config->mechanisms) {
      for (const io::ReceptorConfig& receptor : receptors) {
        names.push_back(absl::StrCat(site == "default" ? "" : site + ":", receptor.receptor,
                                     receptor.disabled ? "(off)" : ""));
      }
    }
  }
  return names.empty() ? "-" : absl::StrJoin(names, " ");
}

void PrintProjections(const System& system) {
  std::vector<std::vector<std::string>> rows = {{"projection", "edges", "in mean", "max",
                                                 "out mean", "max", "delay ms mean", "min", "max",
                                                 "duplicates", "self", "no site", "receptors"}};
  for (const Projection& projection : system.projections) {
    const io::ProjectionSummary s = io::Summarize(system, projection);
    rows.push_back({ProjectionName(projection), absl::StrCat(s.num_edges),
                    absl::StrFormat("%.2f", s.mean_in_degree), absl::StrCat(s.max_in_degree),
                    absl::StrFormat("%.2f", s.mean_out_degree), absl::StrCat(s.max_out_degree),
                    absl::StrFormat("%.3f", s.delay_ms.mean()),
                    absl::StrFormat("%.3f", s.delay_ms.min),
                    absl::StrFormat("%.3f", s.delay_ms.max), absl::StrCat(s.duplicate_pairs),
                    absl::StrCat(s.self_connections), absl::StrCat(s.edges_without_site),
                    Receptors(system, projection)});
  }
  PrintTable(rows);
}

void PrintElectrodes(const System& system) {
  if (!system.electrode_array.has_value()) {
    std::printf("no electrodes (mea.json is missing)\n");
    return;
  }
  const io::ElectrodeArrayConfig& config = *system.electrode_array;
  const absl::StatusOr<io::ElectrodeSummary> summary = io::Summarize(system, config);
  if (!summary.ok()) return;  // the reader has validated it
  io::Range axes[3];
  for (const io::Electrode& electrode : config.electrodes) {
    for (int axis = 0; axis < 3; ++axis) axes[axis].Add(electrode.position_um[axis]);
  }
  PrintTable(
      {{"electrodes", "x um", "y um", "z um", "output radius um", "cells mean", "max",
        "without cells"},
       {absl::StrCat(config.electrodes.size()),
        absl::StrFormat("%.1f..%.1f", axes[0].min, axes[0].max),
        absl::StrFormat("%.1f..%.1f", axes[1].min, axes[1].max),
        absl::StrFormat("%.1f..%.1f", axes[2].min, axes[2].max),
        absl::StrFormat("%g", config.output_radius_um),
        absl::StrFormat("%.2f", summary->cells.mean()), absl::StrFormat("%g", summary->cells.max),
        absl::StrCat(summary->ids_without_cells.size())}});
}

// What may be meant, and looks like a mistake.
void PrintWarnings(const System& system) {
  if (!system.electrode_array.has_value()) return;
  const io::ElectrodeArrayConfig& config = *system.electrode_array;
  const absl::StatusOr<io::ElectrodeSummary> summary = io::Summarize(system, config);
  if (!summary.ok() || summary->ids_without_cells.empty()) return;
  constexpr size_t kMaxShown = 16;
  const std::vector<int32_t>& all = summary->ids_without_cells;
  const std::vector<int32_t> ids(all.begin(), all.begin() + std::min(all.size(), kMaxShown));
  std::fprintf(stderr,
               "livnd inspect: warning: %zu of %zu electrodes hear no cell: no soma lies within "
               "%g um (output_radius of mea.json) of %s%s\n",
               all.size(), config.electrodes.size(), config.output_radius_um,
               absl::StrJoin(ids, ", ").c_str(), all.size() > kMaxShown ? ", ..." : "");
}

void PrintDocuments(const System& system) {
  if (system.model.has_value()) {
    std::printf("model.json: %s, %zu arguments\n", system.model->model_class.c_str(),
                system.model->arguments.size());
  }
  for (const auto& [document, models] : system.params) {
    for (const auto& [model, groups] : models) {
      for (const auto& [group, params] : groups) {
        std::printf("params/%s.json: %s, group %s, %zu parameters\n", document.c_str(),
                    model.c_str(), group.c_str(), params.size());
      }
    }
  }
  for (const auto& [name, selection] : system.selections) {
    std::printf("selection/%s.json:", name.c_str());
    for (const auto& [population, gids] : selection.gids) {
      std::printf(" %s %zu", population.c_str(), gids.size());
    }
    std::printf("\n");
  }
}

void PrintTasks(const System& system) {
  const Tasks tasks = TasksOn(system);
  std::printf("tasks: %s\n",
              tasks.offered.empty() ? "none" : absl::StrJoin(tasks.offered, ", ").c_str());
  for (const env::Catalog::NotOffered& one : tasks.not_offered) {
    std::printf("no %s: %s\n", one.id.c_str(), std::string(one.why.message()).c_str());
  }
}

void PrintTables(const System& system) {
  std::printf("%s: %u cells, %s edges\n\n", system.name.c_str(), system.num_cells(),
              absl::StrCat(system.num_edges()).c_str());
  PrintPopulations(system);
  std::printf("\n");
  PrintProjections(system);
  std::printf("\n");
  PrintElectrodes(system);
  PrintDocuments(system);
  PrintTasks(system);
}

// `culture`: what --culture is to show; null without it.
absl::Status Inspect(const std::string& folder, bool as_json, const CultureFlags* culture) {
  LIVND_ASSIGN_OR_RETURN(const System system, io::ReadSystem(folder));
  if (culture != nullptr) {
    LIVND_ASSIGN_OR_RETURN(const Json json, DescribeCulture(system, *culture));
    std::printf("%s\n", (as_json ? ToText(json) : CultureText(json)).c_str());
    return absl::OkStatus();
  }
  if (as_json) {
    LIVND_ASSIGN_OR_RETURN(const Json json, SystemJson(system));
    std::printf("%s\n", ToText(json).c_str());
  } else {
    PrintTables(system);
  }
  PrintWarnings(system);
  // What its files have can be seen even if they do not fit together.
  return env::PrepareCulture(system, {}).status();
}

}  // namespace

int InspectCommand(absl::Span<const std::string> args) {
  bool as_json = false, as_culture = false;
  CultureFlags culture_flags;
  FlagSet flags(
      "livnd inspect SYSTEM [--json] [--culture [FLAGS]]",
      "Prints what a system (a NeuroH5 folder) consists of, or which culture its documents "
      "make of it (docs/params.md).");
  flags.Switch("json", "one JSON object with all counts and digests instead of tables", &as_json);
  flags.Switch("culture", "the model, cells and parameters that a culture of it has", &as_culture);
  flags.String("selection", "SPEC", "with --culture: a stored selection, or JSON such as 0.25",
               &culture_flags.selection);
  flags.String("model", "JSON", "with --culture: in place of model.json", &culture_flags.model);
  flags.String("group", "NAME", "with --culture: group of the params document, or none",
               &culture_flags.group);
  flags.String("set", "JSON", "with --culture: more parameters, {\"KEY\": NUMBER, ...}",
               &culture_flags.set);
  int exit_status = kExitOk;
  const std::optional<std::string> folder =
      OnlyArgument(flags, args, "inspect", "expected one system's folder", &exit_status);
  if (!folder.has_value()) return exit_status;
  if (!as_culture && !culture_flags.empty()) {
    std::fprintf(stderr, "livnd inspect: --selection, --model, --group and --set need --culture\n");
    return kExitUsage;
  }
  const absl::Status status = Inspect(*folder, as_json, as_culture ? &culture_flags : nullptr);
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "livnd inspect: %s\n",
               status.ToString(absl::StatusToStringMode::kWithNoExtraData).c_str());
  return kExitFailure;
}

}  // namespace livnd::server
