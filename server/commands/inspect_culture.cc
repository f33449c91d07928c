#include "server/commands/inspect_culture.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/culture/culture_setup.h"
#include "io/culture/params.h"
#include "io/device/electrode_array_json.h"
#include "io/json/json_file.h"
#include "io/system/system_documents.h"
#include "sim/culture/cell_params.h"
#include "sim/culture/culture.h"
#include "sim/culture/synapse_params.h"

namespace livnd::server {
namespace {

using Json = nlohmann::ordered_json;

// The text of a flag as JSON; a bare name becomes a string.
absl::StatusOr<Json> ParseFlag(const std::string& flag, const std::string& text) {
  absl::StatusOr<Json> json = io::ParseJson(flag, text);
  const bool is_name = text.find_first_of("{}[]\"") == std::string::npos;
  if (!json.ok() && is_name) return Json(text);
  return json;
}

absl::StatusOr<io::SetupOptions> OptionsOf(const CultureFlags& flags) {
  io::SetupOptions options;
  if (!flags.selection.empty()) {
    LIVND_ASSIGN_OR_RETURN(const Json json, ParseFlag("--selection", flags.selection));
    LIVND_ASSIGN_OR_RETURN(options.selection,
                           io::ParseSelectionSpec(io::JsonView(json, "--selection")));
  }
  if (!flags.model.empty()) {
    LIVND_ASSIGN_OR_RETURN(const Json json, io::ParseJson("--model", flags.model));
    LIVND_ASSIGN_OR_RETURN(options.model, io::ParseModelDocument(io::JsonView(json, "--model")));
  }
  return options;
}

// An error about what the flags say, as one about the flag.
absl::Status InFlag(const absl::Status& status) {
  std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value() || !error->file.empty()) return status;
  absl::string_view field = error->field;
  const char* flag = "--set";
  if (absl::ConsumePrefix(&field, "selection.")) flag = "--selection";
  if (absl::ConsumePrefix(&field, "model.")) flag = "--model";
  if (absl::ConsumePrefix(&field, "group")) flag = "--group";
  error->field = std::string(field);
  return InFile(flag, WithFieldError(*error, status));
}

// Parameters to apply, and where they come from.
struct Params {
  std::string group;       // of the default ones
  io::ParamList defaults;  // of the system
  io::ParamList set;       // --set
  std::string from;
};

absl::StatusOr<Params> ParamsOf(const io::System& system, const CultureFlags& flags,
                                const io::CultureSetup& setup) {
  Params out;
  std::vector<std::string> from;
  if (flags.group != "none") {
    const std::string group = flags.group.empty() ? "default" : flags.group;
    out.group = group;
    absl::StatusOr<io::ParamList> defaults = io::DefaultParams(system, setup, group);
    if (!defaults.ok()) {
      return flags.group.empty() ? io::InDefaultParams(system, setup, group, defaults.status())
                                 : defaults.status();
    }
    out.defaults = *std::move(defaults);
    const std::string document = setup.selection.empty() ? "default" : setup.selection;
    const auto stored = system.params.find(document);
    from.push_back(stored != system.params.end() && stored->second.count(setup.params_key) > 0
                       ? absl::StrCat("params/", document, ".json, group ", group)
                       : "the model's defaults");
  }
  if (!flags.set.empty()) {
    LIVND_ASSIGN_OR_RETURN(const Json json, io::ParseJson("--set", flags.set));
    LIVND_ASSIGN_OR_RETURN(out.set, io::ParseParamList(io::JsonView(json, "--set")));
    from.push_back("--set");
  }
  out.from = from.empty() ? "none" : absl::StrJoin(from, "; ");
  return out;
}

absl::StatusOr<std::shared_ptr<const sim::Culture>> Build(const io::System& system,
                                                          const io::SetupOptions& options,
                                                          const Params& params,
                                                          io::CultureSetup& setup) {
  const auto in_defaults = [&](const absl::Status& status) {
    return io::InDefaultParams(system, setup, params.group, status);
  };
  if (absl::Status s = io::ApplyParams(params.defaults, setup); !s.ok()) return in_defaults(s);
  LIVND_RETURN_IF_ERROR(io::ApplyParams(params.set, setup));
  auto culture = sim::Culture::Create(setup.culture);
  if (culture.ok()) return culture;
  if (const auto s = io::FaultOfParams(params.set, setup, culture.status())) return *s;
  if (const auto s = io::FaultOfParams(params.defaults, setup, culture.status())) {
    return in_defaults(*s);
  }
  return io::FaultOfSetup(system, options, culture.status());
}

Json ReceptorJson(const sim::PlacedReceptor& placed) {
  const sim::Receptor& r = placed.receptor;
  const sim::Kinetics& k = r.kinetics;
  Json json = {{"weight", placed.weight},
               {"g_unit", r.g_unit_us},
               {"tau_rise", k.tau_rise_ms},
               {"tau_decay", k.tau_decay_ms},
               {"e", k.reversal_mv}};
  if (r.kind == sim::SynapseKind::kDepressing) {
    json["U"] = r.release_fraction;
    json["tau_rec"] = r.recovery_tau_ms;
  }
  if (k.magnesium_block) {
    json["mg"] = k.mg_mm;
    json["Kd"] = k.kd_mm;
    json["gamma"] = k.gamma_per_mv;
    json["vshift"] = k.vshift_mv;
  }
  return json;
}

// Point neurons have one place for synapses, and weights alone.
Json PointSynapsesJson(const sim::CultureConfig& config) {
  Json out = Json::object();
  for (const sim::ProjectionConfig& p : config.projections) {
    for (const sim::ReceptorConfig& r : p.ReceptorsAt(sim::ProjectionConfig::kDefaultReceptors)) {
      const sim::WeightName name = {p.post, p.pre, "soma", r.receptor};
      const auto own = config.weights.find(name.key());
      const auto graph = r.params.find("weight");
      Json& entry = out[absl::StrCat(p.post, "_", p.pre, "-soma-", r.receptor)];
      entry = r.params;
      entry["weight"] = own != config.weights.end() ? own->second
                        : graph != r.params.end()   ? graph->second
                                                    : 1.0;
      entry["connections"] = p.edges.size();
    }
  }
  return out;
}

absl::StatusOr<Json> SynapsesJson(const sim::CultureConfig& config) {
  if (config.model.point.has_value()) return PointSynapsesJson(config);
  std::map<std::string, Json> by_key;
  for (const sim::ProjectionConfig& projection : config.projections) {
    std::map<int, int64_t> connections;
    for (const sim::Edge& edge : projection.edges) ++connections[edge.swc_type];
    for (const auto& [swc_type, count] : connections) {
      LIVND_ASSIGN_OR_RETURN(const std::vector<sim::PlacedReceptor> placed,
                             sim::PlaceReceptors(config, projection, swc_type));
      for (const sim::PlacedReceptor& p : placed) {
        const std::string key = absl::StrCat(projection.post, "_", projection.pre, "-",
                                             sim::SectionLabel(swc_type), "-", p.receptor.name);
        // Of several SWC types with one label the first is shown.
        Json& entry = by_key.try_emplace(key, ReceptorJson(p)).first->second;
        entry["connections"] = entry.value("connections", int64_t{0}) + count;
      }
    }
  }
  Json out = Json::object();
  for (auto& [key, entry] : by_key) out[key] = std::move(entry);
  return out;
}

absl::StatusOr<Json> CellsJson(const io::CultureSetup& setup) {
  std::vector<sim::ParamValues> cells;
  std::set<std::string> keys;
  for (int64_t gid : setup.BuiltGids()) {
    LIVND_ASSIGN_OR_RETURN(cells.emplace_back(), sim::CellParamsOf(setup.culture, gid));
    for (const auto& [key, value] : cells.back()) keys.insert(key);
  }
  Json out = Json::object();
  for (const std::string& key : keys) {
    Json& values = out[key] = Json::array();
    for (const sim::ParamValues& cell : cells) {
      const auto value = cell.find(key);
      values.push_back(value == cell.end() ? Json() : Json(value->second));
    }
  }
  return out;
}

absl::StatusOr<Json> Describe(const io::System& system, const CultureFlags& flags) {
  LIVND_ASSIGN_OR_RETURN(const io::SetupOptions options, OptionsOf(flags));
  LIVND_ASSIGN_OR_RETURN(io::CultureSetup setup, io::SetUpCulture(system, options));
  LIVND_ASSIGN_OR_RETURN(const Params params, ParamsOf(system, flags, setup));
  LIVND_ASSIGN_OR_RETURN(const auto culture, Build(system, options, params, setup));
  Json json = {{"model", setup.params_key}, {"params_from", params.from}};
  json["gids"] = Json::object();
  json["noise"] = setup.culture.noise.has_value() ? Json::object() : Json();
  for (const sim::PopulationConfig& p : setup.culture.populations) {
    if (!setup.Builds(p.name) || p.is_event_source()) continue;
    Json& gids = json["gids"][p.name] = Json::array();
    for (int64_t i = 0; i < p.num_present(); ++i) gids.push_back(p.gid(i));
    if (setup.culture.noise.has_value()) {
      json["noise"][p.name] = sim::NoiseParamsOf(setup.culture, p.name);
    }
  }
  LIVND_ASSIGN_OR_RETURN(json["synapses"], SynapsesJson(setup.culture));
  LIVND_ASSIGN_OR_RETURN(json["cells"], CellsJson(setup));
  if (setup.electrode_array.has_value()) {
    json["electrodes"] = io::ElectrodeArrayToJson(*setup.electrode_array);
  }
  json["accepted"] = io::AcceptedParams(setup);
  return json;
}

// "a 1, b 2".
std::string Numbers(const Json& object) {
  std::vector<std::string> out;
  for (const auto& [name, value] : object.items()) {
    if (value.is_number()) out.push_back(absl::StrFormat("%s %g", name, value.get<double>()));
  }
  return absl::StrJoin(out, ", ");
}

}  // namespace

absl::StatusOr<Json> DescribeCulture(const io::System& system, const CultureFlags& flags) {
  absl::StatusOr<Json> json = Describe(system, flags);
  if (json.ok()) return json;
  const absl::Status status = InFlag(json.status());
  return absl::Status(status.code(), absl::StrCat(system.name, ": ", status.message()));
}

std::string CultureText(const Json& culture) {
  std::string out =
      absl::StrCat("model: ", culture["model"].get<std::string>(),
                   "\nparameters: ", culture["params_from"].get<std::string>(), "\ncells:");
  for (const auto& [population, gids] : culture["gids"].items()) {
    absl::StrAppend(&out, " ", population, " ", gids.size());
  }
  absl::StrAppend(&out, "\nsynapses\n");
  for (const auto& [key, numbers] : culture["synapses"].items()) {
    absl::StrAppend(&out, "  ", key, ": ", Numbers(numbers), "\n");
  }
  absl::StrAppend(&out, "noise", culture["noise"].is_null() ? ": off" : "", "\n");
  for (const auto& [population, numbers] : culture["noise"].items()) {
    absl::StrAppend(&out, "  ", population, ": ", Numbers(numbers), "\n");
  }
  absl::StrAppend(&out, "cells (smallest and largest)\n");
  for (const auto& [key, values] : culture["cells"].items()) {
    double low = 0.0, high = 0.0;
    bool first = true;
    for (const Json& value : values) {
      if (value.is_null()) continue;
      low = first ? value.get<double>() : std::min(low, value.get<double>());
      high = first ? value.get<double>() : std::max(high, value.get<double>());
      first = false;
    }
    absl::StrAppend(&out, "  ", key, ": ", low);
    if (high != low) absl::StrAppend(&out, " to ", high);
    out += "\n";
  }
  return out;
}

Json DescribeDocuments(const io::System& system) {
  Json json = Json::object();
  if (system.model.has_value()) {
    Json arguments = Json::object();
    for (const auto& argument : system.model->arguments) {
      Json& out = arguments[argument.first];
      std::visit(
          [&out](const auto& v) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::monostate>) out = v;
          },
          argument.second);
    }
    json["model"] = {{"cls", system.model->model_class}, {"kwargs", arguments}};
  }
  for (const auto& [document, models] : system.params) {
    for (const auto& [model, groups] : models) {
      for (const auto& [group, params] : groups) {
        json["params"][document][model][group] = params.size();
      }
    }
  }
  for (const auto& [name, selection] : system.selections) {
    for (const auto& [population, gids] : selection.gids) {
      json["selections"][name][population] = gids.size();
    }
  }
  return json;
}

}  // namespace livnd::server
