#include "io/neuroh5/read_system.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "io/device/electrode_array_json.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "io/neuroh5/cell_attribute.h"
#include "io/neuroh5/graph_json.h"
#include "io/neuroh5/hdf5_file.h"
#include "io/neuroh5/limits.h"
#include "io/neuroh5/projection.h"
#include "io/status_macros.h"

namespace livnd::io {
namespace {

constexpr char kPopulationTable[] = "H5Types/Populations";
constexpr JsonLimits kJsonLimits = {kMaxJsonBytes, kMaxJsonDepth, kMaxJsonMembers};

bool Exists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

std::string LastComponent(absl::string_view directory) {
  while (directory.size() > 1 && absl::EndsWith(directory, "/")) directory.remove_suffix(1);
  const size_t slash = directory.rfind('/');
  return std::string(slash == absl::string_view::npos ? directory : directory.substr(slash + 1));
}

bool IsPopulationName(const std::string& name) {
  return !name.empty() && name.size() <= 64 && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return c > ' ' && c < 127 && c != '/'; });
}

absl::StatusOr<std::vector<Population>> ReadPopulations(const Hdf5File& file) {
  LIVND_IO_ASSIGN_OR_RETURN(std::vector<PopulationRow> rows,
                            file.ReadPopulationRows(kPopulationTable));
  // Empty populations come before the one that starts at the same gid.
  std::sort(rows.begin(), rows.end(), [](const PopulationRow& a, const PopulationRow& b) {
    return std::tie(a.start, a.count, a.label) < std::tie(b.start, b.count, b.label);
  });
  std::vector<Population> populations;
  std::set<std::string> names;
  uint64_t next_gid = 0;
  for (const PopulationRow& row : rows) {
    if (!IsPopulationName(row.name)) {
      return file.Invalid(kPopulationTable, "a population's name is not plain text");
    }
    if (!names.insert(row.name).second) {
      return file.Invalid(kPopulationTable, absl::StrCat("lists ", row.name, " twice"));
    }
    if (row.start != next_gid || row.label > UINT16_MAX || row.count > kMaxCells - next_gid) {
      return file.Invalid(
          kPopulationTable,
          absl::StrCat(row.name, " (label ", row.label, ") starts at cell ", row.start, " with ",
                       row.count, " cells, expected to start at ", next_gid, " with at most ",
                       kMaxCells - next_gid, " and a label of at most ", UINT16_MAX));
    }
    populations.push_back({row.name, static_cast<uint16_t>(row.label),
                           static_cast<uint32_t>(row.start), static_cast<uint32_t>(row.count)});
    next_gid += row.count;
  }
  if (next_gid == 0) return file.Invalid(kPopulationTable, "lists no cells");
  return populations;
}

// connections.h5 repeats the table of cells.h5; both must say the same.
absl::Status CheckSamePopulations(const Hdf5File& file, const System& system) {
  if (!file.Contains(kPopulationTable)) return absl::OkStatus();
  LIVND_IO_ASSIGN_OR_RETURN(const std::vector<Population> found, ReadPopulations(file));
  const bool same = std::equal(
      found.begin(), found.end(), system.populations.begin(), system.populations.end(),
      [](const Population& a, const Population& b) {
        return std::tie(a.name, a.label, a.first_gid, a.num_cells) ==
               std::tie(b.name, b.label, b.first_gid, b.num_cells);
      });
  if (same) return absl::OkStatus();
  return file.Invalid(kPopulationTable, "differs from the table in cells.h5");
}

absl::Status ReadPositions(const Hdf5File& file, const Population& population,
                           const std::string& name_space, System& system) {
  constexpr const char* kAxes[] = {"X Coordinate", "Y Coordinate", "Z Coordinate"};
  for (int axis = 0; axis < 3; ++axis) {
    const std::string inner =
        absl::StrCat("Populations/", population.name, "/", name_space, "/", kAxes[axis]);
    LIVND_IO_ASSIGN_OR_RETURN(const RealAttribute attribute,
                              ReadRealAttribute(file, inner, population.num_cells));
    for (uint32_t cell = 0; cell < population.num_cells; ++cell) {
      if (attribute.ranges.count[cell] != 1) {
        return file.Invalid(inner, absl::StrCat("cell ", cell, " has ",
                                                attribute.ranges.count[cell],
                                                " values, expected 1"));
      }
      system.position_um[population.first_gid + cell][axis] =
          attribute.values[attribute.ranges.begin[cell]];
    }
  }
  return absl::OkStatus();
}

// Appends the values of one attribute in order of the cells; the first attribute decides how
// many each cell has.
template <typename T, typename Attribute>
absl::Status AppendByCell(const Hdf5File& file, const std::string& inner,
                          const Attribute& attribute, const SynapseSites& sites,
                          std::vector<T>& out) {
  out.reserve(sites.offsets.back());
  for (size_t cell = 0; cell + 1 < sites.offsets.size(); ++cell) {
    const uint64_t count = attribute.ranges.count[cell];
    const uint64_t expected = sites.offsets[cell + 1] - sites.offsets[cell];
    if (count != expected) {
      return file.Invalid(inner, absl::StrCat("cell ", cell, " has ", count,
                                              " values, expected ", expected,
                                              " as in syn_ids"));
    }
    const auto first = attribute.values.begin() + attribute.ranges.begin[cell];
    for (auto value = first; value != first + count; ++value) {
      out.push_back(static_cast<T>(*value));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSynapseIds(const Hdf5File& file, const std::string& inner,
                             const SynapseSites& sites) {
  std::vector<uint32_t> ids;
  for (size_t cell = 0; cell + 1 < sites.offsets.size(); ++cell) {
    ids.assign(sites.syn_id.begin() + sites.offsets[cell],
               sites.syn_id.begin() + sites.offsets[cell + 1]);
    std::sort(ids.begin(), ids.end());
    const auto twice = std::adjacent_find(ids.begin(), ids.end());
    if (twice != ids.end()) {
      return file.Invalid(inner, absl::StrCat("cell ", cell, " has syn_id ", *twice, " twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckReals(const Hdf5File& file, const std::string& inner,
                        const std::vector<float>& values, float max) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] >= 0 && values[i] <= max)) {
      return file.Invalid(inner, absl::StrCat("value ", i, " is ", values[i],
                                              ", expected 0 to ", max));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<SynapseSites> ReadSynapseSites(const Hdf5File& file, const Population& population,
                                              const std::string& name_space) {
  const uint32_t num_cells = population.num_cells;
  SynapseSites sites;
  sites.offsets.assign(size_t{num_cells} + 1, 0);
  const std::string group = absl::StrCat("Populations/", population.name, "/", name_space);
  if (num_cells == 0 || !file.Contains(group)) return sites;

  const std::string id_path = group + "/syn_ids";
  LIVND_IO_ASSIGN_OR_RETURN(const IntegerAttribute ids,
                            ReadIntegerAttribute(file, id_path, num_cells, 0, UINT32_MAX));
  for (uint32_t cell = 0; cell < num_cells; ++cell) {
    sites.offsets[cell + 1] = sites.offsets[cell] + ids.ranges.count[cell];
  }
  LIVND_IO_RETURN_IF_ERROR(AppendByCell(file, id_path, ids, sites, sites.syn_id));
  LIVND_IO_RETURN_IF_ERROR(CheckSynapseIds(file, id_path, sites));

  const auto read_integers = [&](const char* name, int64_t min, int64_t max,
                                 auto& out) -> absl::Status {
    const std::string inner = absl::StrCat(group, "/", name);
    LIVND_IO_ASSIGN_OR_RETURN(const IntegerAttribute attribute,
                              ReadIntegerAttribute(file, inner, num_cells, min, max));
    return AppendByCell(file, inner, attribute, sites, out);
  };
  LIVND_IO_RETURN_IF_ERROR(read_integers("syn_types", 0, 1, sites.syn_type));
  LIVND_IO_RETURN_IF_ERROR(read_integers("swc_types", 0, UINT8_MAX, sites.swc_type));
  LIVND_IO_RETURN_IF_ERROR(read_integers("syn_secs", INT32_MIN, INT32_MAX, sites.section));
  LIVND_IO_RETURN_IF_ERROR(read_integers("syn_layers", INT32_MIN, INT32_MAX, sites.layer));

  const auto read_reals = [&](const char* name, float max,
                              std::vector<float>& out) -> absl::Status {
    const std::string inner = absl::StrCat(group, "/", name);
    LIVND_IO_ASSIGN_OR_RETURN(const RealAttribute attribute,
                              ReadRealAttribute(file, inner, num_cells));
    LIVND_IO_RETURN_IF_ERROR(AppendByCell(file, inner, attribute, sites, out));
    return CheckReals(file, inner, out, max);
  };
  LIVND_IO_RETURN_IF_ERROR(read_reals("syn_locs", 1.0f, sites.location));
  LIVND_IO_RETURN_IF_ERROR(read_reals("syn_cdists", 1e9f, sites.path_distance_um));
  return sites;
}

absl::Status ReadCells(const Hdf5File& file, const Graph& graph, System& system) {
  LIVND_IO_ASSIGN_OR_RETURN(system.populations, ReadPopulations(file));
  const Population& last = system.populations.back();
  system.position_um.resize(size_t{last.first_gid} + last.num_cells);
  for (const Population& population : system.populations) {
    if (population.num_cells > 0) {
      LIVND_IO_RETURN_IF_ERROR(
          ReadPositions(file, population, graph.coordinates_namespace, system));
    }
    LIVND_IO_ASSIGN_OR_RETURN(
        system.synapse_sites.emplace_back(),
        ReadSynapseSites(file, population, graph.synapses_namespace));
  }
  return absl::OkStatus();
}

absl::Status CheckKnown(const Hdf5File& file, const std::string& group,
                        const std::vector<std::string>& names, const System& system) {
  for (const std::string& name : names) {
    if (system.FindPopulation(name) < 0) {
      return file.Invalid(group, absl::StrCat("\"", name, "\" is not a population"));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadProjections(const Hdf5File& file, const Graph& graph, System& system) {
  LIVND_IO_RETURN_IF_ERROR(CheckSamePopulations(file, system));
  if (!file.Contains("Projections")) return absl::OkStatus();
  LIVND_IO_ASSIGN_OR_RETURN(const auto posts, file.ListGroup("Projections"));
  LIVND_IO_RETURN_IF_ERROR(CheckKnown(file, "Projections", posts, system));
  for (const Population& post : system.populations) {
    if (!std::binary_search(posts.begin(), posts.end(), post.name)) continue;
    const std::string group = absl::StrCat("Projections/", post.name);
    LIVND_IO_ASSIGN_OR_RETURN(const auto pres, file.ListGroup(group));
    LIVND_IO_RETURN_IF_ERROR(CheckKnown(file, group, pres, system));
    for (const Population& pre : system.populations) {
      if (!std::binary_search(pres.begin(), pres.end(), pre.name)) continue;
      LIVND_IO_ASSIGN_OR_RETURN(system.projections.emplace_back(),
                                ReadProjection(file, post, pre, graph.connectivity_namespace));
    }
  }
  return absl::OkStatus();
}

// Takes over what graph.json says, after checking that it speaks of the same populations.
absl::Status AdoptGraph(const JsonView& document, Graph graph, System& system) {
  for (const auto& [name, label] : graph.population_labels) {
    const int index = system.FindPopulation(name);
    if (index >= 0 && system.populations[index].label != label) {
      return document.Error(absl::StrCat("population_definitions: ", name, " is ", label,
                                         ", expected ", system.populations[index].label,
                                         " as in cells.h5"));
    }
  }
  const auto order = [&system](const ProjectionConfig& config) {
    return std::make_pair(system.FindPopulation(config.post), system.FindPopulation(config.pre));
  };
  for (const ProjectionConfig& config : graph.projections) {
    const auto [post, pre] = order(config);
    if (post < 0 || pre < 0) {
      return document.Error(absl::StrCat("synapses: \"", post < 0 ? config.post : config.pre,
                                         "\" is not a population of cells.h5"));
    }
  }
  std::stable_sort(graph.projections.begin(), graph.projections.end(),
                   [&](const auto& a, const auto& b) { return order(a) < order(b); });
  system.projection_configs = std::move(graph.projections);
  system.area = graph.area;
  system.layers = std::move(graph.layers);
  return absl::OkStatus();
}

absl::Status ReadElectrodes(System& system) {
  const std::string path = system.directory + "/mea.json";
  if (!Exists(path)) return absl::OkStatus();
  LIVND_IO_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path, kJsonLimits));
  LIVND_IO_ASSIGN_OR_RETURN(system.electrode_array, ParseElectrodeArray(JsonView(json, path)));
  return absl::OkStatus();
}

// Names of the .json files in a folder, without the ending, sorted. Empty without the folder.
absl::StatusOr<std::vector<std::string>> ListDocuments(const std::string& folder) {
  std::vector<std::string> names;
  DIR* directory = opendir(folder.c_str());
  if (directory == nullptr) {
    if (errno == ENOENT) return names;
    return absl::InvalidArgumentError(absl::StrCat(folder, ": ", std::strerror(errno)));
  }
  while (const dirent* entry = readdir(directory)) {
    absl::string_view name = entry->d_name;
    if (!absl::ConsumeSuffix(&name, ".json") || name.empty() || name[0] == '.') continue;
    names.emplace_back(name);
    if (names.size() > kMaxParamsDocuments) break;
  }
  closedir(directory);
  if (names.size() > kMaxParamsDocuments) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, ": more than ", kMaxParamsDocuments, " documents"));
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status ReadParams(System& system) {
  const std::string folder = system.directory + "/params";
  LIVND_IO_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDocuments(folder));
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(folder, "/", name, ".json");
    LIVND_IO_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path, kJsonLimits));
    LIVND_IO_ASSIGN_OR_RETURN(system.params[name], ParseParamsDocument(JsonView(json, path)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<System> ReadSystem(const std::string& directory) {
  System system;
  system.directory = directory;
  system.name = LastComponent(directory);

  const std::string graph_path = directory + "/graph.json";
  LIVND_IO_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(graph_path, kJsonLimits));
  const JsonView document(json, graph_path);
  LIVND_IO_ASSIGN_OR_RETURN(Graph graph, ParseGraph(document));

  const std::string both = directory + "/graph.h5";
  const bool single = Exists(both);
  {
    const Hdf5Session session;
    {
      LIVND_IO_ASSIGN_OR_RETURN(
          const Hdf5File cells, Hdf5File::Open(session, single ? both : directory + "/cells.h5"));
      LIVND_IO_RETURN_IF_ERROR(ReadCells(cells, graph, system));
    }
    LIVND_IO_ASSIGN_OR_RETURN(
        const Hdf5File connections,
        Hdf5File::Open(session, single ? both : directory + "/connections.h5"));
    LIVND_IO_RETURN_IF_ERROR(ReadProjections(connections, graph, system));
  }
  LIVND_IO_RETURN_IF_ERROR(AdoptGraph(document, std::move(graph), system));
  LIVND_IO_RETURN_IF_ERROR(ReadElectrodes(system));
  LIVND_IO_RETURN_IF_ERROR(ReadParams(system));
  return system;
}

}  // namespace livnd::io
