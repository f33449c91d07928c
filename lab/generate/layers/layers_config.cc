#include "lab/generate/layers/layers_config.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/system/graph_json.h"
#include "io/system/limits.h"
#include "lab/generate/config_fields.h"

namespace livnd::lab {
namespace {

using io::Json;
using io::JsonView;

constexpr const char* kSections[] = {"soma",  "axon", "basal", "apical",
                                     "trunk", "tuft", "ais",   "hillock"};

template <typename Map>
std::vector<std::string> KeysOf(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

std::vector<std::string> PopulationNames(const LayersConfig& config) {
  std::vector<std::string> names;
  for (const LayeredPopulation& population : config.populations) names.push_back(population.name);
  return names;
}

LayeredPopulation* Find(LayersConfig& config, const std::string& name) {
  for (LayeredPopulation& population : config.populations) {
    if (population.name == name) return &population;
  }
  return nullptr;
}

absl::Status ParseDefinitions(const JsonView& document, LayersConfig& config) {
  LIVND_ASSIGN_OR_RETURN(const JsonView view, document.Member("Definitions"));
  LIVND_RETURN_IF_ERROR(CheckNames(view, {"Populations", "Layers", "Synapse Mechanisms"}));
  LIVND_ASSIGN_OR_RETURN(const JsonView populations, view.Member("Populations"));
  std::set<int64_t> labels;
  LIVND_RETURN_IF_ERROR(populations.ForEachMember(
      [&](const std::string& name, const JsonView& value) -> absl::Status {
        LIVND_ASSIGN_OR_RETURN(const int64_t label,
                               value.Integer(0, std::numeric_limits<uint16_t>::max()));
        if (!labels.insert(label).second) return value.Refused("a number that no other has");
        if (!IsPopulationName(name)) {
          return value.Within(MakeFieldError("", "a name of this kind", kPopulationNames));
        }
        config.populations.push_back({name, static_cast<uint16_t>(label), {}, {}, {}});
        return absl::OkStatus();
      }));
  if (config.populations.empty() || config.populations.size() > io::kMaxPopulations) {
    return populations.Refused(absl::StrCat("1 .. ", io::kMaxPopulations, " populations by name"));
  }
  std::sort(config.populations.begin(), config.populations.end(),
            [](const auto& a, const auto& b) { return a.label < b.label; });
  LIVND_ASSIGN_OR_RETURN(const JsonView layers, view.Member("Layers"));
  return layers.ForEachMember([&](const std::string& name, const JsonView& value) -> absl::Status {
    LIVND_ASSIGN_OR_RETURN(const int64_t number, value.Integer(0, 127));
    config.layer_numbers[name] = static_cast<int32_t>(number);
    return absl::OkStatus();
  });
}

absl::Status ParseExtent(const JsonView& view, io::LayerExtent& layer) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> corners, view.Elements(2));
  for (size_t corner = 0; corner < 2; ++corner) {
    LIVND_ASSIGN_OR_RETURN(const std::vector<double> place, corners[corner].Numbers(3));
    for (size_t axis = 0; axis < 3; ++axis) {
      (corner == 0 ? layer.min_um : layer.max_um)[axis] = place[axis];
      const bool below = corner == 1 && place[axis] < layer.min_um[axis];
      if (below || !(std::abs(place[axis]) <= kMaxUm)) {
        return corners[corner].Refused(
            "three lengths, -1e7 .. 1e7 (um), none below the first corner's");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status ParseGeometry(const JsonView& document, LayersConfig& config) {
  LIVND_ASSIGN_OR_RETURN(const JsonView view, document.Member("Geometry"));
  LIVND_RETURN_IF_ERROR(CheckNames(view, {"Parametric Surface", "Cell Distribution"}));
  LIVND_ASSIGN_OR_RETURN(const JsonView surface, view.Member("Parametric Surface"));
  LIVND_RETURN_IF_ERROR(CheckNames(surface, {"Layer Extents"}));
  LIVND_ASSIGN_OR_RETURN(const JsonView extents, surface.Member("Layer Extents"));
  std::vector<std::string> layers;
  LIVND_RETURN_IF_ERROR(CheckNames(extents, KeysOf(config.layer_numbers)));
  LIVND_RETURN_IF_ERROR(extents.ForEachMember([&](const std::string& name, const JsonView& value) {
    layers.push_back(name);
    config.layers.emplace_back().name = name;
    return ParseExtent(value, config.layers.back());
  }));
  LIVND_ASSIGN_OR_RETURN(const JsonView cells, view.Member("Cell Distribution"));
  LIVND_RETURN_IF_ERROR(CheckNames(cells, PopulationNames(config)));
  int64_t total = 0;
  LIVND_RETURN_IF_ERROR(cells.ForEachMember([&](const std::string& name, const JsonView& row) {
    return ForEachNamed(
        row, layers, [&](const std::string& layer, const JsonView& value) -> absl::Status {
          LIVND_ASSIGN_OR_RETURN(const int64_t count,
                                 value.Integer(0, static_cast<int64_t>(io::kMaxCells) - total));
          total += count;
          Find(config, name)->cells.push_back({layer, count});
          return absl::OkStatus();
        });
  }));
  return total > 0 ? absl::OkStatus() : cells.Refused("a cell at least");
}

absl::Status ParseAxons(const JsonView& generator, LayersConfig& config) {
  LIVND_ASSIGN_OR_RETURN(const JsonView axons, generator.Member("Axon Extent"));
  LIVND_RETURN_IF_ERROR(CheckNames(axons, PopulationNames(config)));
  std::vector<std::string> layers = KeysOf(config.layer_numbers);
  layers.push_back("default");
  return axons.ForEachMember([&](const std::string& name, const JsonView& row) {
    return ForEachNamed(
        row, layers, [&](const std::string& layer, const JsonView& view) -> absl::Status {
          LIVND_RETURN_IF_ERROR(CheckNames(view, {"width", "offset"}));
          LIVND_RETURN_IF_ERROR(view.Member("width").status());
          std::array<double, 2> width_um = {0, 0}, offset_um = {0, 0};
          LIVND_RETURN_IF_ERROR(ReadPair(view, "width", false, width_um));
          LIVND_RETURN_IF_ERROR(ReadPair(view, "offset", false, offset_um));
          AxonExtent& axon = Find(config, name)->axons[layer];
          axon.offset_um = offset_um;
          for (size_t axis = 0; axis < 2; ++axis) {
            axon.reach_um[axis] = width_um[axis] / 2 - offset_um[axis];
            if (axon.reach_um[axis] > 0.0 && offset_um[axis] >= 0.0) continue;
            return view.Refused("a width > 0 and an offset of 0 .. half of it (um)");
          }
          return absl::OkStatus();
        });
  });
}

absl::Status ParseProjection(const JsonView& view, const LayersConfig& config,
                             io::ProjectionConfig& projection) {
  LIVND_RETURN_IF_ERROR(
      CheckNames(view, {"type", "sections", "layers", "proportions", "mechanisms", "contacts"}));
  LIVND_ASSIGN_OR_RETURN(const JsonView type, view.Member("type"));
  LIVND_ASSIGN_OR_RETURN(const size_t inhibitory, Choice(type, {"excitatory", "inhibitory"}));
  projection.type = inhibitory == 1 ? "inhibitory" : "excitatory";
  LIVND_ASSIGN_OR_RETURN(const auto contacts, view.Find("contacts"));
  // Of several contacts, MiV-Simulator asks the sites of a cell for each.
  if (contacts.has_value()) LIVND_RETURN_IF_ERROR(contacts->Integer(1, 1).status());
  LIVND_ASSIGN_OR_RETURN(const JsonView sections, view.Member("sections"));
  LIVND_ASSIGN_OR_RETURN(projection.sections, sections.Strings());
  LIVND_ASSIGN_OR_RETURN(const JsonView layers, view.Member("layers"));
  LIVND_ASSIGN_OR_RETURN(projection.layers, layers.Strings());
  LIVND_ASSIGN_OR_RETURN(const JsonView proportions, view.Member("proportions"));
  LIVND_ASSIGN_OR_RETURN(projection.proportions, proportions.Numbers());
  const size_t size = projection.sections.size();
  if (projection.layers.size() != size) return layers.Refused(absl::StrCat(size, ", as sections"));
  if (projection.proportions.size() != size) {
    return proportions.Refused(absl::StrCat(size, " numbers, as sections"));
  }
  for (size_t i = 0; i < size; ++i) {
    if (SwcTypeOf(projection.sections[i]) == 0) {
      return sections.Within(MakeFieldError(absl::StrCat("[", i, "]"), projection.sections[i],
                                            absl::StrJoin(kSections, ", ")));
    }
    if (config.layer_numbers.count(projection.layers[i]) == 0) {
      return layers.Within(MakeFieldError(absl::StrCat("[", i, "]"), projection.layers[i],
                                          absl::StrJoin(KeysOf(config.layer_numbers), ", ")));
    }
    if (!(projection.proportions[i] >= 0.0 && projection.proportions[i] <= 1e6)) {
      return proportions.Within(
          MakeFieldError(absl::StrCat("[", i, "]"), Exact(projection.proportions[i]), "0 .. 1e6"));
    }
  }
  LIVND_ASSIGN_OR_RETURN(const JsonView mechanisms, view.Member("mechanisms"));
  return mechanisms.ForEachMember(
      [&](const std::string& name, const JsonView& receptor) -> absl::Status {
        LIVND_ASSIGN_OR_RETURN(projection.mechanisms["default"].emplace_back(),
                               io::ParseReceptor(name, receptor));
        return absl::OkStatus();
      });
}

absl::Status ParseConnections(const JsonView& document, LayersConfig& config) {
  LIVND_ASSIGN_OR_RETURN(const JsonView view, document.Member("Connection Generator"));
  LIVND_RETURN_IF_ERROR(CheckNames(view, {"Axon Extent", "Synapses"}));
  LIVND_RETURN_IF_ERROR(ParseAxons(view, config));
  LIVND_ASSIGN_OR_RETURN(const JsonView synapses, view.Member("Synapses"));
  const std::vector<std::string> names = PopulationNames(config);
  LIVND_RETURN_IF_ERROR(CheckNames(synapses, names));
  LIVND_RETURN_IF_ERROR(synapses.ForEachMember([&](const std::string& post, const JsonView& row) {
    return ForEachNamed(row, names, [&](const std::string& pre, const JsonView& value) {
      io::ProjectionConfig& projection = config.projections.emplace_back();
      projection.post = post;
      projection.pre = pre;
      return ParseProjection(value, config, projection);
    });
  }));
  for (const io::ProjectionConfig& projection : config.projections) {
    const LayeredPopulation& pre = *Find(config, projection.pre);
    for (const std::string& layer : projection.layers) {
      if (pre.axons.count(layer) + pre.axons.count("default") > 0) continue;
      return view.Within(MakeFieldError(absl::StrCat("Axon Extent.", pre.name),
                                        absl::StrCat("without ", layer),
                                        absl::StrCat(layer, " or default, as ", projection.post,
                                                     " gets synapses from it there")));
    }
  }
  return absl::OkStatus();
}

absl::Status ParseDensity(const JsonView& view, SynapseDensity& density) {
  LIVND_RETURN_IF_ERROR(CheckNames(view, {"mean", "variance"}));
  LIVND_RETURN_IF_ERROR(view.Member("mean").status());
  LIVND_RETURN_IF_ERROR(
      ReadNumber(view, "mean", 0.0, 1e3, "synapses a um, 0 .. 1000", density.mean));
  LIVND_RETURN_IF_ERROR(ReadNumber(view, "variance", 0.0, 1e3,
                                   "the deviation from the mean, 0 .. 1000", density.deviation));
  if (density.mean > 0.0 || density.deviation > 0.0) return absl::OkStatus();
  return view.Refused("a mean or a variance > 0");
}

absl::Status ParseCellType(const JsonView& view, const LayersConfig& config,
                           LayeredPopulation& population) {
  // What simulates the cell is no matter of where its synapses are.
  LIVND_RETURN_IF_ERROR(CheckNames(view, {"template", "mechanism", "synapses"}));
  LIVND_ASSIGN_OR_RETURN(const JsonView synapses, view.Member("synapses"));
  LIVND_RETURN_IF_ERROR(CheckNames(synapses, {"density"}));
  LIVND_ASSIGN_OR_RETURN(const JsonView density, synapses.Member("density"));
  std::vector<std::string> layers = KeysOf(config.layer_numbers);
  layers.push_back("default");
  const std::vector<std::string> sections(std::begin(kSections), std::end(kSections));
  return ForEachNamed(density, sections, [&](const std::string& section, const JsonView& types) {
    return ForEachNamed(types, {"excitatory", "inhibitory"},
                        [&](const std::string& type, const JsonView& by_layer) {
                          return ForEachNamed(by_layer, layers,
                                              [&](const std::string& layer, const JsonView& value) {
                                                SynapseDensity& one =
                                                    population.densities.emplace_back();
                                                one.swc_type = SwcTypeOf(section);
                                                one.inhibitory = type == "inhibitory";
                                                if (layer != "default")
                                                  one.layer = config.layer_numbers.at(layer);
                                                return ParseDensity(value, one);
                                              });
                        });
  });
}

}  // namespace

uint8_t SwcTypeOf(const std::string& section) {
  for (size_t i = 0; i < std::size(kSections); ++i) {
    if (section == kSections[i]) return static_cast<uint8_t>(i + 1);
  }
  return 0;
}

bool IsLayersConfig(const JsonView& document) {
  return document.is_object() &&
         (document.json().contains("Geometry") || document.json().contains("Connection Generator"));
}

absl::StatusOr<LayersConfig> ParseLayersConfig(const JsonView& document) {
  LIVND_RETURN_IF_ERROR(
      CheckNames(document, {"Definitions", "Geometry", "Connection Generator", "Cell Types",
                            "random_seed", "density_of_layer", "output_directory"}));
  LayersConfig config;
  config.source = document.json();
  config.source.erase("output_directory");
  config.source.erase("random_seed");
  LIVND_RETURN_IF_ERROR(ParseDefinitions(document, config));
  LIVND_RETURN_IF_ERROR(ParseGeometry(document, config));
  LIVND_RETURN_IF_ERROR(ParseConnections(document, config));
  LIVND_ASSIGN_OR_RETURN(const JsonView types, document.Member("Cell Types"));
  const std::vector<std::string> names = PopulationNames(config);
  LIVND_RETURN_IF_ERROR(
      ForEachNamed(types, names, [&](const std::string& name, const JsonView& view) {
        return ParseCellType(view, config, *Find(config, name));
      }));
  LIVND_ASSIGN_OR_RETURN(const auto seed, document.Find("random_seed"));
  if (seed.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const int64_t number,
                           seed->Integer(0, std::numeric_limits<int64_t>::max()));
    config.random_seed = static_cast<uint64_t>(number);
  }
  LIVND_ASSIGN_OR_RETURN(const auto rule, document.Find("density_of_layer"));
  if (rule.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const size_t index, Choice(*rule, {"own", "last"}));
    config.density_of_last_layer = index == 1;
  }
  LIVND_ASSIGN_OR_RETURN(const auto directory, document.Find("output_directory"));
  if (directory.has_value()) {
    LIVND_ASSIGN_OR_RETURN(config.output_directory, directory->String());
  }
  return config;
}

}  // namespace livnd::lab
