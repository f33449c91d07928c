#include "lab/generate/culture_config_json.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/system/limits.h"
#include "lab/generate/config_fields.h"
#include "sim/network/populations.h"

namespace livnd::lab {
namespace {

using io::Json;
using io::JsonView;

// How our streams are made. A culture of another number would not come out the same.
constexpr int kStreams = 1;

constexpr const char* kTransmitters[] = {"glutamatergic", "cholinergic", "gabaergic",
                                         "glycinergic"};
constexpr const char* kRngs[] = {"philox", "livn", "numpy"};
constexpr const char* kReceptors[] = {"AMPA", "NMDA", "GABA_A", "GABA_B"};
constexpr const char* kReceptorParams[] = {"weight", "g_unit", "tau_rise", "tau_decay",
                                           "e",      "U",      "tau_rec",  "mg",
                                           "Kd",     "gamma",  "vshift"};

bool IsInhibitory(Transmitter transmitter) {
  return transmitter == Transmitter::kGabaergic || transmitter == Transmitter::kGlycinergic;
}

absl::Status ParseArea(const JsonView& document, CultureConfig& config) {
  AreaConfig& area = config.area;
  LIVND_ASSIGN_OR_RETURN(const auto shape, document.Find("area"));
  if (shape.has_value()) {
    const std::string text = shape->String().value_or("");
    const std::string name = text.substr(text.rfind('.') + 1);
    const bool livn =
        text == name || text == "systems.generate_2d." + name || text == "generate_2d." + name;
    if (!livn || (name != "rectangle" && name != "disk")) {
      return shape->Refused("rectangle, disk (places by a function of Python are not built)");
    }
    area.shape = name == "disk" ? AreaConfig::Shape::kDisk : AreaConfig::Shape::kRectangle;
  }
  LIVND_ASSIGN_OR_RETURN(const auto arguments, document.Find("area_kwargs"));
  const bool is_disk = area.shape == AreaConfig::Shape::kDisk;
  if (arguments.has_value()) {
    if (is_disk) {
      LIVND_RETURN_IF_ERROR(CheckNames(*arguments, {"center", "radius", "inner_radius"}));
      LIVND_RETURN_IF_ERROR(ReadPair(*arguments, "center", false, area.center_um));
      LIVND_RETURN_IF_ERROR(
          ReadNumber(*arguments, "radius", 1e-3, kMaxUm, "1e-3 .. 1e7 (um)", area.radius_um));
      LIVND_RETURN_IF_ERROR(ReadNumber(
          *arguments, "inner_radius", 0.0, area.radius_um,
          absl::StrCat("0 .. the radius, ", Exact(area.radius_um), " (um)"), area.inner_radius_um));
    } else {
      LIVND_RETURN_IF_ERROR(CheckNames(*arguments, {"x_range", "y_range"}));
      LIVND_RETURN_IF_ERROR(ReadPair(*arguments, "x_range", true, area.x_range_um));
      LIVND_RETURN_IF_ERROR(ReadPair(*arguments, "y_range", true, area.y_range_um));
    }
  }
  const double inner = area.inner_radius_um;
  const double most = is_disk ? (inner > 0.0 ? (area.radius_um - inner) / 2 : area.radius_um)
                              : std::min(area.x_range_um[1] - area.x_range_um[0],
                                         area.y_range_um[1] - area.y_range_um[0]) /
                                    2;
  LIVND_RETURN_IF_ERROR(ReadNumber(
      document, "margin", 0.0, most,
      absl::StrCat("0 .. ", Exact(most), " (um), which leaves an interior"), config.margin_um));
  return ReadPair(document, "z_range", true, config.z_range_um);
}

absl::Status ParsePopulation(const std::string& name, const JsonView& view,
                             PopulationConfig& population) {
  LIVND_RETURN_IF_ERROR(
      CheckNames(view, {"ratio", "count", "synapse_type", "transmitter", "soma_only"}));
  population.name = name;
  if (!IsPopulationName(name)) {
    return view.Within(MakeFieldError("", "a name of this kind", kPopulationNames));
  }
  LIVND_ASSIGN_OR_RETURN(const auto count, view.Find("count"));
  LIVND_ASSIGN_OR_RETURN(const auto ratio, view.Find("ratio"));
  if (count.has_value()) {
    LIVND_ASSIGN_OR_RETURN(population.count,
                           count->Integer(0, static_cast<int64_t>(io::kMaxCells)));
  } else if (!ratio.has_value()) {
    return view.Refused("a map with ratio or count");
  }
  LIVND_RETURN_IF_ERROR(ReadNumber(view, "ratio", 0.0, 1e9, "0 .. 1e9, a share", population.ratio));
  LIVND_ASSIGN_OR_RETURN(const auto type, view.Find("synapse_type"));
  if (type.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const size_t index, Choice(*type, {"excitatory", "inhibitory"}));
    population.inhibitory = index == 1;
  }
  population.transmitter =
      population.inhibitory ? Transmitter::kGabaergic : Transmitter::kGlutamatergic;
  LIVND_ASSIGN_OR_RETURN(const auto transmitter, view.Find("transmitter"));
  if (transmitter.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const size_t index, Choice(*transmitter, kTransmitters));
    population.transmitter = static_cast<Transmitter>(index);
    if (IsInhibitory(population.transmitter) != population.inhibitory) {
      return transmitter->Refused(
          population.inhibitory ? "gabaergic, glycinergic, where synapse_type is inhibitory"
                                : "glutamatergic, cholinergic, where synapse_type is excitatory");
    }
  }
  population.soma_only = population.inhibitory;
  LIVND_ASSIGN_OR_RETURN(const auto soma_only, view.Find("soma_only"));
  if (soma_only.has_value()) {
    LIVND_ASSIGN_OR_RETURN(population.soma_only, soma_only->Bool());
  }
  return absl::OkStatus();
}

absl::Status ParsePopulations(const JsonView& document, CultureConfig& config) {
  LIVND_ASSIGN_OR_RETURN(const auto populations, document.Find("populations"));
  if (populations.has_value()) {
    LIVND_RETURN_IF_ERROR(
        populations->ForEachMember([&](const std::string& name, const JsonView& view) {
          return ParsePopulation(name, view, config.populations.emplace_back());
        }));
    if (config.populations.empty() || config.populations.size() > io::kMaxPopulations) {
      return populations->Refused(
          absl::StrCat("1 .. ", io::kMaxPopulations, " populations by name"));
    }
    return absl::OkStatus();
  }
  for (const bool inhibitory : {false, true}) {
    PopulationConfig& population = config.populations.emplace_back();
    population.name = inhibitory ? sim::kInhibitoryCells : sim::kExcitatoryCells;
    population.ratio = inhibitory ? 0.2 : 0.8;
    population.inhibitory = population.soma_only = inhibitory;
    population.transmitter = inhibitory ? Transmitter::kGabaergic : Transmitter::kGlutamatergic;
  }
  return absl::OkStatus();
}

absl::Status ParseCounts(const JsonView& document, CultureConfig& config) {
  int64_t counted = 0;
  double ratios = 0.0;
  bool all_counted = true;
  for (const PopulationConfig& population : config.populations) {
    counted += population.count.value_or(0);
    if (population.count.has_value()) continue;
    all_counted = false;
    ratios += population.ratio;
  }
  const auto max_cells = static_cast<int64_t>(io::kMaxCells);
  LIVND_ASSIGN_OR_RETURN(const auto total, document.Find("total_cells"));
  if (total.has_value()) {
    LIVND_ASSIGN_OR_RETURN(config.total_cells, total->Integer(1, max_cells));
    if (*config.total_cells < counted || (all_counted && *config.total_cells > counted)) {
      return total->Refused(absl::StrCat(counted, all_counted ? "" : " or more",
                                         ", as the populations' counts come to"));
    }
  } else if (!all_counted && counted == 0) {
    return document.Within(
        MakeFieldError("total_cells", "absent", "how many cells the populations' ratios share"));
  }
  if (!all_counted && !(ratios > 0.0)) {
    return document.Within(MakeFieldError("populations", "ratios that sum up to 0", "a ratio > 0"));
  }
  if (counted > max_cells || (all_counted && counted == 0)) {
    return document.Within(MakeFieldError("populations", absl::StrCat(counted, " cells"),
                                          absl::StrCat("1 .. ", max_cells, " cells in all")));
  }
  return absl::OkStatus();
}

// livn's numbers, and the next free ones for names that it does not know.
absl::Status ParseLabels(const JsonView& document, CultureConfig& config) {
  std::map<std::string, uint16_t> labels = {{sim::kExcitatoryCells, 10},
                                            {sim::kInhibitoryCells, 11}};
  LIVND_ASSIGN_OR_RETURN(const auto definitions, document.Find("population_definitions"));
  if (definitions.has_value()) {
    std::vector<std::string> names;
    for (const PopulationConfig& population : config.populations) names.push_back(population.name);
    LIVND_RETURN_IF_ERROR(CheckNames(*definitions, names));
    labels.clear();
    LIVND_RETURN_IF_ERROR(definitions->ForEachMember(
        [&](const std::string& name, const JsonView& view) -> absl::Status {
          LIVND_ASSIGN_OR_RETURN(const int64_t label,
                                 view.Integer(0, std::numeric_limits<uint16_t>::max()));
          for (const auto& [other, taken] : labels) {
            if (taken == label)
              return view.Refused(absl::StrCat("a number that ", other, " has not"));
          }
          labels[name] = static_cast<uint16_t>(label);
          return absl::OkStatus();
        }));
  }
  std::set<uint16_t> taken;
  for (const auto& [name, label] : labels) taken.insert(label);
  uint16_t next = 10;
  for (PopulationConfig& population : config.populations) {
    const auto found = labels.find(population.name);
    if (found != labels.end()) {
      population.label = found->second;
      continue;
    }
    while (taken.count(next) > 0) ++next;
    population.label = next;
    taken.insert(next);
  }
  return absl::OkStatus();
}

std::vector<std::string> ProjectionNames(const CultureConfig& config) {
  std::vector<std::string> names;
  for (const PopulationConfig& post : config.populations) {
    for (const PopulationConfig& pre : config.populations)
      names.push_back(ProjectionName(pre, post));
  }
  return names;
}

absl::Status ParseDegrees(const JsonView& connectivity, CultureConfig& config) {
  constexpr const char* kAccepted = "inputs a cell, 0 .. 1e7";
  LIVND_ASSIGN_OR_RETURN(const auto degrees, connectivity.Find("mean_degree"));
  if (!degrees.has_value()) {
    return connectivity.Within(
        MakeFieldError("mean_degree", "absent",
                       absl::StrCat("inputs a cell: one number for all, or by projection {\"",
                                    ProjectionNames(config)[0], "\": 20, default: 0}")));
  }
  if (!degrees->is_object()) {
    LIVND_ASSIGN_OR_RETURN(
        config.default_degree,
        NumberWithin(*degrees, 0.0, kMaxUm, absl::StrCat(kAccepted, ", or a map of projections")));
    return absl::OkStatus();
  }
  std::vector<std::string> names = ProjectionNames(config);
  names.push_back("default");
  LIVND_RETURN_IF_ERROR(CheckNames(*degrees, names));
  return degrees->ForEachMember([&](const std::string& name, const JsonView& view) -> absl::Status {
    LIVND_ASSIGN_OR_RETURN(const double degree, NumberWithin(view, 0.0, kMaxUm, kAccepted));
    (name == "default" ? config.default_degree : config.mean_degree[name]) = degree;
    return absl::OkStatus();
  });
}

absl::Status ParseConnectivity(const JsonView& document, CultureConfig& config) {
  LIVND_ASSIGN_OR_RETURN(const auto view, document.Find("connectivity"));
  if (!view.has_value()) {
    return document.Within(MakeFieldError("connectivity", "absent", "a map with mean_degree"));
  }
  LIVND_RETURN_IF_ERROR(
      CheckNames(*view, {"kernel", "sigma", "mean_degree", "cutoff", "allow_self_connections"}));
  LIVND_ASSIGN_OR_RETURN(const auto kernel, view->Find("kernel"));
  if (kernel.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const size_t index, Choice(*kernel, {"exponential", "gaussian"}));
    config.kernel.gaussian = index == 1;
  }
  LIVND_RETURN_IF_ERROR(
      ReadNumber(*view, "sigma", 1e-3, kMaxUm, "1e-3 .. 1e7 (um)", config.kernel.sigma_um));
  LIVND_ASSIGN_OR_RETURN(const auto cutoff, view->Find("cutoff"));
  if (cutoff.has_value()) {
    LIVND_ASSIGN_OR_RETURN(config.cutoff,
                           NumberWithin(*cutoff, 0.0, 1.0, "a probability, 0 .. 1, or null"));
  }
  LIVND_ASSIGN_OR_RETURN(const auto self, view->Find("allow_self_connections"));
  if (self.has_value()) {
    LIVND_ASSIGN_OR_RETURN(config.allow_self_connections, self->Bool());
  }
  return ParseDegrees(*view, config);
}

template <size_t N>
std::vector<std::string> Names(const char* const (&names)[N]) {
  return {std::begin(names), std::end(names)};
}

absl::Status ParseReceptor(const JsonView& view,
                           std::map<std::string, std::optional<double>>& params) {
  LIVND_RETURN_IF_ERROR(CheckNames(view, Names(kReceptorParams)));
  return view.ForEachMember([&](const std::string& name, const JsonView& value) -> absl::Status {
    std::optional<double>& param = params[name];
    if (value.is_null()) return absl::OkStatus();
    LIVND_ASSIGN_OR_RETURN(param, value.Number());
    if (absl::StartsWith(name, "tau_") && *param <= 0.0)
      return value.Refused("a time constant > 0 (ms)");
    return absl::OkStatus();
  });
}

absl::Status ParseOverrides(const JsonView& document, CultureConfig& config) {
  LIVND_ASSIGN_OR_RETURN(const auto view, document.Find("synapse_overrides"));
  if (!view.has_value()) return absl::OkStatus();
  LIVND_RETURN_IF_ERROR(CheckNames(*view, ProjectionNames(config)));
  return view->ForEachMember(
      [&](const std::string& projection, const JsonView& receptors) -> absl::Status {
        LIVND_RETURN_IF_ERROR(CheckNames(receptors, Names(kReceptors)));
        return receptors.ForEachMember([&](const std::string& receptor, const JsonView& params) {
          return ParseReceptor(params, config.synapse_overrides[projection][receptor]);
        });
      });
}

absl::Status ParseRandom(const JsonView& document, CultureConfig& config) {
  LIVND_ASSIGN_OR_RETURN(const auto seed, document.Find("random_seed"));
  if (seed.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const int64_t number,
                           seed->Integer(0, std::numeric_limits<int64_t>::max()));
    config.random_seed = static_cast<uint64_t>(number);
  }
  LIVND_ASSIGN_OR_RETURN(const auto rng, document.Find("rng"));
  if (rng.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const size_t index, Choice(*rng, kRngs));
    config.rng = static_cast<Rng>(index);
  }
  LIVND_ASSIGN_OR_RETURN(const auto directory, document.Find("output_directory"));
  if (directory.has_value()) {
    LIVND_ASSIGN_OR_RETURN(config.output_directory, directory->String());
  }
  return absl::OkStatus();
}

absl::StatusOr<CultureConfig> ParseSettings(const JsonView& document, Rng default_rng,
                                            bool of_livn) {
  std::vector<std::string> names = {"area",
                                    "area_kwargs",
                                    "margin",
                                    "z_range",
                                    "total_cells",
                                    "populations",
                                    "connectivity",
                                    "synapse_overrides",
                                    "population_definitions",
                                    "random_seed",
                                    "rng",
                                    "output_directory"};
  // How the settings came about, which a provenance.json of livn tells beside them.
  if (of_livn) names.insert(names.end(), {"_default_", "_update_", "_version_"});
  LIVND_RETURN_IF_ERROR(CheckNames(document, names));
  CultureConfig config;
  config.rng = default_rng;
  LIVND_RETURN_IF_ERROR(ParseArea(document, config));
  LIVND_RETURN_IF_ERROR(ParsePopulations(document, config));
  LIVND_RETURN_IF_ERROR(ParseCounts(document, config));
  LIVND_RETURN_IF_ERROR(ParseLabels(document, config));
  LIVND_RETURN_IF_ERROR(ParseConnectivity(document, config));
  LIVND_RETURN_IF_ERROR(ParseOverrides(document, config));
  LIVND_RETURN_IF_ERROR(ParseRandom(document, config));
  return config;
}

std::string AreaName(const AreaConfig& area) {
  return area.shape == AreaConfig::Shape::kDisk ? "disk" : "rectangle";
}

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value.has_value() ? Json(*value) : Json(nullptr);
}

}  // namespace

absl::StatusOr<CultureConfig> ParseCultureConfig(const JsonView& document) {
  if (!document.is_object())
    return document.Refused("a map of settings, lines like total_cells: 100");
  LIVND_ASSIGN_OR_RETURN(const auto generator, document.Find("generator"));
  if (!generator.has_value()) return ParseSettings(document, Rng::kPhilox, false);
  LIVND_ASSIGN_OR_RETURN(const JsonView config, document.Member("config"));
  LIVND_ASSIGN_OR_RETURN(const std::string name, generator->String());
  if (name == "livnd generate") {
    LIVND_ASSIGN_OR_RETURN(const JsonView streams, document.Member("streams"));
    LIVND_RETURN_IF_ERROR(streams.Integer(kStreams, kStreams).status());
    return ParseSettings(config, Rng::kPhilox, false);
  }
  if (!absl::EndsWith(name, "generate_2d.Generate2DSystem")) {
    return generator->Refused("livnd generate, generate_2d.Generate2DSystem");
  }
  LIVND_ASSIGN_OR_RETURN(const auto chunk, document.Find("connectivity_chunk"));
  return ParseSettings(config, chunk.has_value() ? Rng::kLivn : Rng::kNumpy, true);
}

Json CultureConfigToJson(const CultureConfig& config) {
  const AreaConfig& area = config.area;
  Json populations = Json::object(), labels = Json::object(), degrees = Json::object();
  for (const PopulationConfig& population : config.populations) {
    Json& json = populations[population.name] = Json::object();
    if (population.count.has_value()) {
      json["count"] = *population.count;
    } else {
      json["ratio"] = population.ratio;
    }
    json["synapse_type"] = population.inhibitory ? "inhibitory" : "excitatory";
    json["transmitter"] = kTransmitters[static_cast<size_t>(population.transmitter)];
    json["soma_only"] = population.soma_only;
    labels[population.name] = population.label;
  }
  for (const auto& [projection, degree] : config.mean_degree) degrees[projection] = degree;
  degrees["default"] = config.default_degree;
  Json overrides = Json::object();
  for (const auto& [projection, receptors] : config.synapse_overrides) {
    for (const auto& [receptor, params] : receptors) {
      Json& json = overrides[projection][receptor] = Json::object();
      for (const auto& [name, value] : params) json[name] = OrNull(value);
    }
  }
  return {{"area", AreaName(area)},
          {"area_kwargs", area.shape == AreaConfig::Shape::kDisk
                              ? Json{{"center", area.center_um},
                                     {"radius", area.radius_um},
                                     {"inner_radius", area.inner_radius_um}}
                              : Json{{"x_range", area.x_range_um}, {"y_range", area.y_range_um}}},
          {"margin", config.margin_um},
          {"z_range", config.z_range_um},
          {"total_cells", OrNull(config.total_cells)},
          {"populations", std::move(populations)},
          {"connectivity",
           {{"kernel", config.kernel.gaussian ? "gaussian" : "exponential"},
            {"sigma", config.kernel.sigma_um},
            {"mean_degree", std::move(degrees)},
            {"cutoff", OrNull(config.cutoff)},
            {"allow_self_connections", config.allow_self_connections}}},
          {"synapse_overrides", std::move(overrides)},
          {"population_definitions", std::move(labels)},
          {"random_seed", config.random_seed},
          {"rng", kRngs[static_cast<size_t>(config.rng)]}};
}

Json ProvenanceJson(const CultureConfig& config, const std::string& version) {
  return {{"generator", "livnd generate"},
          {"livnd", version},
          {"streams", kStreams},
          {"config", CultureConfigToJson(config)}};
}

}  // namespace livnd::lab
