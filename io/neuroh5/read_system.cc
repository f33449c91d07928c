#include "io/neuroh5/read_system.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/device/electrode_array_json.h"
#include "io/device/light_array_json.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "io/neuroh5/hdf5_content.h"
#include "io/neuroh5/isolate.h"
#include "io/system/graph_json.h"
#include "io/system/limits.h"
#include "io/system/system_documents.h"

namespace livnd::io {
namespace {

constexpr JsonLimits kJsonLimits = {kMaxJsonBytes, kMaxJsonDepth, kMaxJsonMembers};

// Whether there is something to open, even if that will fail.
bool Exists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 || errno != ENOENT;
}

std::string LastComponent(absl::string_view directory) {
  while (directory.size() > 1 && absl::EndsWith(directory, "/")) directory.remove_suffix(1);
  const size_t slash = directory.rfind('/');
  return std::string(slash == absl::string_view::npos ? directory : directory.substr(slash + 1));
}

uint64_t FileBytes(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

absl::StatusOr<Hdf5Content> ReadHdf5(const System& system, const std::string& graph_path,
                                     const Graph& graph, const ReadOptions& options) {
  Hdf5Source source;
  source.cells_path = system.cells_path;
  source.connections_path = system.connections_path;
  source.graph_path = graph_path;
  for (const ProjectionConfig& declared : graph.projections) {
    source.declared.push_back({declared.post, declared.pre});
  }
  source.coordinates_namespace = graph.coordinates_namespace;
  source.synapses_namespace = graph.synapses_namespace;
  source.connectivity_namespace = graph.connectivity_namespace;
  if (options.in_process) return ReadHdf5Content(source, [](absl::string_view) {});

  const uint64_t num_bytes = FileBytes(source.cells_path) + FileBytes(source.connections_path);
  const double limit_s = kMinReadSeconds + static_cast<double>(num_bytes) / kMinReadBytesPerSecond;
  LIVND_ASSIGN_OR_RETURN(
      const std::string bytes,
      RunIsolated(limit_s, [&source](const Note& note) -> absl::StatusOr<std::string> {
        LIVND_ASSIGN_OR_RETURN(const Hdf5Content content, ReadHdf5Content(source, note));
        return EncodeHdf5Content(content);
      }));
  return DecodeHdf5Content(bytes);
}

// Takes over what graph.json says, after checking that it speaks of the same populations.
absl::Status AdoptGraph(const JsonView& document, Graph graph, System& system) {
  for (const auto& [name, label] : graph.population_labels) {
    const int index = system.FindPopulation(name);
    if (index >= 0 && system.populations[index].label != label) {
      return document.Within(
          MakeFieldError(absl::StrCat("population_definitions.", name), absl::StrCat(label),
                         absl::StrCat(system.populations[index].label, ", as in cells.h5")));
    }
  }
  const auto order = [&system](const ProjectionConfig& config) {
    return std::make_pair(system.FindPopulation(config.post), system.FindPopulation(config.pre));
  };
  for (const ProjectionConfig& config : graph.projections) {
    const auto [post, pre] = order(config);
    if (post < 0 || pre < 0) {
      return document.Within(MakeFieldError(
          absl::StrCat("synapses.", config.post, post < 0 ? "" : ".", post < 0 ? "" : config.pre),
          kUnknownName, "populations of cells.h5"));
    }
  }
  std::stable_sort(graph.projections.begin(), graph.projections.end(),
                   [&](const auto& a, const auto& b) { return order(a) < order(b); });
  system.projection_configs = std::move(graph.projections);
  system.graph_uuid = std::move(graph.uuid);
  system.area = graph.area;
  system.layers = std::move(graph.layers);
  return absl::OkStatus();
}

absl::Status ReadElectrodes(System& system) {
  const std::string path = system.directory + "/mea.json";
  if (!Exists(path)) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path, kJsonLimits));
  LIVND_ASSIGN_OR_RETURN(system.electrode_array, ParseElectrodeArray(JsonView(json, path)));
  return absl::OkStatus();
}

absl::Status ReadFibers(System& system) {
  const std::string path = system.directory + "/lightarray.json";
  if (!Exists(path)) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path, kJsonLimits));
  LIVND_ASSIGN_OR_RETURN(system.light_array, ParseLightArray(JsonView(json, path)));
  return absl::OkStatus();
}

// Names of the .json files in a folder, without the ending, sorted. Empty without the folder.
absl::StatusOr<std::vector<std::string>> ListDocuments(const std::string& folder) {
  std::vector<std::string> names;
  DIR* directory = opendir(folder.c_str());
  if (directory == nullptr) {
    if (errno == ENOENT) return names;
    return absl::ErrnoToStatus(errno, folder);
  }
  while (const dirent* entry = readdir(directory)) {
    absl::string_view name = entry->d_name;
    if (!absl::ConsumeSuffix(&name, ".json") || name.empty() || name[0] == '.') continue;
    names.emplace_back(name);
    if (names.size() > kMaxDocuments) break;
  }
  closedir(directory);
  if (names.size() > kMaxDocuments) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, ": more than ", kMaxDocuments, " documents"));
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Parses every document of a folder of the system: FOLDER/NAME.json becomes out[NAME].
template <typename Document>
absl::Status ReadDocuments(const System& system, absl::string_view folder_name,
                           absl::StatusOr<Document> (*parse)(const JsonView&),
                           std::map<std::string, Document>& out) {
  const std::string folder = absl::StrCat(system.directory, "/", folder_name);
  LIVND_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDocuments(folder));
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(folder, "/", name, ".json");
    LIVND_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path, kJsonLimits));
    LIVND_ASSIGN_OR_RETURN(out[name], parse(JsonView(json, path)));
  }
  return absl::OkStatus();
}

absl::Status ReadModel(System& system) {
  const std::string path = system.directory + "/model.json";
  if (!Exists(path)) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path, kJsonLimits));
  LIVND_ASSIGN_OR_RETURN(system.model, ParseModelDocument(JsonView(json, path)));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<System> ReadSystem(const std::string& directory, const ReadOptions& options) {
  System system;
  system.directory = directory;
  system.name = LastComponent(directory);

  const std::string graph_path = directory + "/graph.json";
  LIVND_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(graph_path, kJsonLimits));
  const JsonView document(json, graph_path);
  LIVND_ASSIGN_OR_RETURN(Graph graph, ParseGraph(document));

  const std::string both = directory + "/graph.h5";
  const bool single = Exists(both);
  system.cells_path = single ? both : directory + "/cells.h5";
  system.connections_path = single ? both : directory + "/connections.h5";
  LIVND_ASSIGN_OR_RETURN(Hdf5Content content, ReadHdf5(system, graph_path, graph, options));
  system.populations = std::move(content.populations);
  system.position_um = std::move(content.position_um);
  system.synapse_sites = std::move(content.synapse_sites);
  system.projections = std::move(content.projections);
  LIVND_RETURN_IF_ERROR(AdoptGraph(document, std::move(graph), system));
  LIVND_RETURN_IF_ERROR(ReadElectrodes(system));
  LIVND_RETURN_IF_ERROR(ReadFibers(system));
  LIVND_RETURN_IF_ERROR(ReadModel(system));
  LIVND_RETURN_IF_ERROR(ReadDocuments(system, "params", ParseParamsDocument, system.params));
  LIVND_RETURN_IF_ERROR(
      ReadDocuments(system, "selection", ParseSelectionDocument, system.selections));
  return system;
}

}  // namespace livnd::io
