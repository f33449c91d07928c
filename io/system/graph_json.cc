#include "io/system/graph_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

constexpr absl::string_view kReceptors[] = {"AMPA", "NMDA", "GABA_A", "GABA_B"};
constexpr absl::string_view kReceptorParams[] = {"weight", "g_unit", "tau_rise", "tau_decay",
                                                 "e",      "U",      "tau_rec",  "mg",
                                                 "Kd",     "gamma",  "vshift"};

template <size_t N>
absl::StatusOr<std::array<double, N>> ParsePoint(const JsonView& view) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<double> numbers, view.Numbers(N));
  std::array<double, N> point = {};
  std::copy(numbers.begin(), numbers.end(), point.begin());
  return point;
}

// [[min...], [max...]]
template <size_t N, typename Extent>
absl::Status ParseExtent(const JsonView& view, Extent& extent) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> corners, view.Elements(2));
  LIVND_ASSIGN_OR_RETURN(extent.min_um, ParsePoint<N>(corners[0]));
  LIVND_ASSIGN_OR_RETURN(extent.max_um, ParsePoint<N>(corners[1]));
  for (size_t i = 0; i < N; ++i) {
    if (extent.min_um[i] <= extent.max_um[i]) continue;
    return corners[0].Within(MakeFieldError(
        absl::StrCat("[", i, "]"), Exact(extent.min_um[i]),
        absl::StrCat("a minimum that is not above the maximum, ", Exact(extent.max_um[i]))));
  }
  return absl::OkStatus();
}

absl::Status CheckVersion(const JsonView& document) {
  LIVND_ASSIGN_OR_RETURN(const auto version, document.Find("version"));
  if (!version.has_value()) return absl::OkStatus();
  const auto number = version->Number();
  if (!number.ok() || *number != 1) {
    return version->Refused("1");
  }
  return absl::OkStatus();
}

absl::Status ParseString(const JsonView& object, absl::string_view name, std::string& value) {
  LIVND_ASSIGN_OR_RETURN(const auto member, object.Find(name));
  if (!member.has_value()) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(value, member->String());
  if (value.empty() || value.find('/') != std::string::npos || value == "." || value == "..") {
    return member->Refused("the name of a group");
  }
  return absl::OkStatus();
}

absl::Status ParseArchitecture(const JsonView& config, Graph& graph) {
  LIVND_RETURN_IF_ERROR(ParseString(config, "coordinate_namespace", graph.coordinates_namespace));
  LIVND_ASSIGN_OR_RETURN(const auto area, config.Find("area"));
  if (area.has_value()) {
    LIVND_RETURN_IF_ERROR(ParseExtent<2>(*area, graph.area.emplace()));
  }
  LIVND_ASSIGN_OR_RETURN(const auto layers, config.Find("layer_extents"));
  if (!layers.has_value()) return absl::OkStatus();
  return layers->ForEachMember([&](const std::string& name, const JsonView& view) {
    graph.layers.emplace_back().name = name;
    return ParseExtent<3>(view, graph.layers.back());
  });
}

absl::Status ParseMechanisms(const JsonView& view, ProjectionConfig& projection) {
  return view.ForEachMember([&](const std::string& site, const JsonView& mechanisms) {
    const bool is_number = !site.empty() && site.size() <= 3 &&
                           site.find_first_not_of("0123456789") == std::string::npos;
    if (site != "default" && !is_number) {
      return mechanisms.Within(MakeFieldError("", kUnknownName, "\"default\" or an SWC number"));
    }
    auto& receptors = projection.mechanisms[site];
    return mechanisms.ForEachMember(
        [&](const std::string& name, const JsonView& receptor) -> absl::Status {
          LIVND_ASSIGN_OR_RETURN(receptors.emplace_back(), ParseReceptor(name, receptor));
          return absl::OkStatus();
        });
  });
}

absl::Status ParseProjection(const JsonView& view, ProjectionConfig& projection) {
  LIVND_ASSIGN_OR_RETURN(const JsonView type, view.Member("type"));
  LIVND_ASSIGN_OR_RETURN(projection.type, type.String());
  if (projection.type != "excitatory" && projection.type != "inhibitory") {
    return type.Refused("\"excitatory\", \"inhibitory\"");
  }
  LIVND_ASSIGN_OR_RETURN(const auto contacts, view.Find("contacts"));
  if (contacts.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const int64_t number, contacts->Integer(0, 1'000'000));
    projection.contacts = static_cast<int>(number);
  }
  LIVND_ASSIGN_OR_RETURN(const auto sections, view.Find("sections"));
  if (sections.has_value()) {
    LIVND_ASSIGN_OR_RETURN(projection.sections, sections->Strings());
  }
  LIVND_ASSIGN_OR_RETURN(const auto layers, view.Find("layers"));
  if (layers.has_value()) {
    LIVND_ASSIGN_OR_RETURN(projection.layers, layers->Strings());
  }
  LIVND_ASSIGN_OR_RETURN(const auto proportions, view.Find("proportions"));
  if (proportions.has_value()) {
    LIVND_ASSIGN_OR_RETURN(projection.proportions, proportions->Numbers());
  }
  LIVND_ASSIGN_OR_RETURN(const JsonView mechanisms, view.Member("mechanisms"));
  return ParseMechanisms(mechanisms, projection);
}

absl::Status ParseConnections(const JsonView& config, Graph& graph) {
  LIVND_RETURN_IF_ERROR(ParseString(config, "synapses_namespace", graph.synapses_namespace));
  LIVND_RETURN_IF_ERROR(
      ParseString(config, "connectivity_namespace", graph.connectivity_namespace));
  LIVND_ASSIGN_OR_RETURN(const auto labels, config.Find("population_definitions"));
  if (labels.has_value()) {
    LIVND_RETURN_IF_ERROR(
        labels->ForEachMember([&](const std::string& name, const JsonView& view) -> absl::Status {
          LIVND_ASSIGN_OR_RETURN(graph.population_labels[name], view.Integer(0, 65535));
          return absl::OkStatus();
        }));
  }
  LIVND_ASSIGN_OR_RETURN(const JsonView synapses, config.Member("synapses"));
  return synapses.ForEachMember([&](const std::string& post, const JsonView& row) {
    return row.ForEachMember([&](const std::string& pre, const JsonView& view) {
      ProjectionConfig& projection = graph.projections.emplace_back();
      projection.post = post;
      projection.pre = pre;
      return ParseProjection(view, projection);
    });
  });
}

template <typename Extent>
Json ExtentToJson(const Extent& extent) {
  return Json::array({extent.min_um, extent.max_um});
}

Json ReceptorToJson(const ReceptorConfig& receptor) {
  Json json = Json::object();
  for (const auto& [name, value] : receptor.params) json[name] = value;
  if (receptor.disabled) json["tau_decay"] = nullptr;
  return json;
}

Json ProjectionToJson(const ProjectionConfig& projection) {
  Json json = {{"type", projection.type},
               {"contacts", projection.contacts},
               {"layers", projection.layers},
               {"sections", projection.sections},
               {"proportions", projection.proportions},
               {"mechanisms", Json::object()}};
  for (const auto& [site, receptors] : projection.mechanisms) {
    Json& mechanisms = json["mechanisms"][site] = Json::object();
    for (const ReceptorConfig& receptor : receptors) {
      mechanisms[receptor.receptor] = ReceptorToJson(receptor);
    }
  }
  return json;
}

Json ArchitectureToJson(const Graph& graph,
                        const std::vector<std::pair<std::string, uint32_t>>& num_cells) {
  Json config = {{"coordinate_namespace", graph.coordinates_namespace},
                 {"cell_distributions", Json::object()},
                 {"cell_counts", Json::object()},
                 {"layer_extents", Json::object()}};
  if (graph.area.has_value()) config["area"] = ExtentToJson(*graph.area);
  for (const LayerExtent& layer : graph.layers) {
    config["layer_extents"][layer.name] = ExtentToJson(layer);
  }
  for (const auto& [population, count] : num_cells) {
    // livn reads the names of the populations from here; in which layer the cells are nobody says.
    config["cell_distributions"][population] = Json::object();
    config["cell_counts"][population] = count;
  }
  return config;
}

}  // namespace

absl::StatusOr<ReceptorConfig> ParseReceptor(const std::string& name, const JsonView& view) {
  if (std::find(std::begin(kReceptors), std::end(kReceptors), name) == std::end(kReceptors)) {
    return view.Within(MakeFieldError("", kUnknownName, absl::StrJoin(kReceptors, ", ")));
  }
  LIVND_RETURN_IF_ERROR(view.CheckMembers(kReceptorParams));
  ReceptorConfig receptor;
  receptor.receptor = name;
  LIVND_RETURN_IF_ERROR(
      view.ForEachMember([&](const std::string& param, const JsonView& value) -> absl::Status {
        if (value.is_null()) return absl::OkStatus();
        LIVND_ASSIGN_OR_RETURN(const double number, value.Number());
        const bool is_time = param == "tau_rise" || param == "tau_decay" || param == "tau_rec";
        if (is_time && number <= 0) return value.Refused("a time constant > 0 (ms)");
        receptor.params[param] = number;
        return absl::OkStatus();
      }));
  // livn builds no process without it, though its processes have a default.
  receptor.disabled = receptor.params.count("tau_decay") == 0;
  return receptor;
}

Graph GraphOf(const System& system) {
  Graph graph;
  graph.uuid = system.graph_uuid;
  graph.area = system.area;
  graph.layers = system.layers;
  for (const Population& population : system.populations) {
    graph.population_labels[population.name] = population.label;
  }
  graph.projections = system.projection_configs;
  return graph;
}

Json GraphToJson(const Graph& graph,
                 const std::vector<std::pair<std::string, uint32_t>>& num_cells) {
  Json synapses = Json::object();
  for (const ProjectionConfig& projection : graph.projections) {
    synapses[projection.post][projection.pre] = ProjectionToJson(projection);
  }
  Json labels = Json::object();
  for (const auto& [population, label] : graph.population_labels) labels[population] = label;
  const Json connections = {{"coordinates_namespace", graph.coordinates_namespace},
                            {"connectivity_namespace", graph.connectivity_namespace},
                            {"population_definitions", std::move(labels)},
                            {"synapses_namespace", graph.synapses_namespace},
                            {"synapses", std::move(synapses)}};
  // livn takes for an element only what has a uuid.
  return {
      {"version", 1},
      {"architecture", {{"uuid", graph.uuid}, {"config", ArchitectureToJson(graph, num_cells)}}},
      {"connections", {{"connections", {{"uuid", graph.uuid}, {"config", connections}}}}}};
}

absl::StatusOr<Graph> ParseGraph(const JsonView& document) {
  LIVND_RETURN_IF_ERROR(CheckVersion(document));
  Graph graph;
  LIVND_ASSIGN_OR_RETURN(const JsonView architecture, document.Member("architecture"));
  LIVND_ASSIGN_OR_RETURN(const auto uuid, architecture.Find("uuid"));
  if (uuid.has_value()) {
    LIVND_ASSIGN_OR_RETURN(graph.uuid, uuid->String());
  }
  LIVND_ASSIGN_OR_RETURN(const JsonView architecture_config, architecture.Member("config"));
  LIVND_RETURN_IF_ERROR(ParseArchitecture(architecture_config, graph));
  LIVND_ASSIGN_OR_RETURN(const JsonView connections, document.Member("connections"));
  LIVND_ASSIGN_OR_RETURN(const JsonView first, connections.FirstMember());
  LIVND_ASSIGN_OR_RETURN(const JsonView config, first.Member("config"));
  LIVND_RETURN_IF_ERROR(ParseConnections(config, graph));
  return graph;
}

}  // namespace livnd::io
