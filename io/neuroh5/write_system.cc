#include "io/neuroh5/write_system.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/device/electrode_array_json.h"
#include "io/device/light_array_json.h"
#include "io/json/json_file.h"
#include "io/neuroh5/hdf5_writer.h"
#include "io/neuroh5/new_file.h"
#include "io/neuroh5/read_system.h"
#include "io/system/graph_json.h"
#include "io/system/system_documents.h"

namespace livnd::io {
namespace {

// --- what a system must be ------------------------------------------------------------------------

absl::Status Expect(bool holds, const std::string& field, const std::string& value,
                    const std::string& accepted) {
  return holds ? absl::OkStatus() : MakeFieldError(field, value, accepted);
}

absl::Status CheckPopulations(const System& system) {
  std::set<std::string> names;
  std::set<uint16_t> labels;
  uint64_t next_gid = 0;
  for (size_t i = 0; i < system.populations.size(); ++i) {
    const Population& p = system.populations[i];
    const std::string field = absl::StrCat("populations[", i, "]");
    LIVND_RETURN_IF_ERROR(Expect(names.insert(p.name).second, field + ".name", p.name,
                                 "a name that no other population has"));
    LIVND_RETURN_IF_ERROR(Expect(labels.insert(p.label).second, field + ".label",
                                 absl::StrCat(p.label), "a label that no other population has"));
    LIVND_RETURN_IF_ERROR(Expect(p.first_gid == next_gid, field + ".first_gid",
                                 absl::StrCat(p.first_gid), absl::StrCat(next_gid)));
    next_gid += p.num_cells;
  }
  LIVND_RETURN_IF_ERROR(Expect(next_gid == system.position_um.size() && next_gid > 0, "position_um",
                               absl::StrCat(system.position_um.size(), " places"),
                               absl::StrCat(next_gid, ", one a cell, and at least 1")));
  return Expect(system.synapse_sites.size() == system.populations.size(), "synapse_sites",
                absl::StrCat("of ", system.synapse_sites.size(), " populations"),
                absl::StrCat("of ", system.populations.size()));
}

absl::Status CheckSites(const System& system, size_t population) {
  const SynapseSites& sites = system.synapse_sites[population];
  const std::string field = absl::StrCat("synapse_sites[", population, "]");
  const size_t num_offsets = size_t{system.populations[population].num_cells} + 1;
  LIVND_RETURN_IF_ERROR(Expect(sites.offsets.size() == num_offsets && sites.offsets[0] == 0 &&
                                   std::is_sorted(sites.offsets.begin(), sites.offsets.end()),
                               field + ".offsets", absl::StrCat(sites.offsets.size(), " numbers"),
                               absl::StrCat(num_offsets, " that begin at 0 and never fall")));
  const uint64_t num_sites = sites.offsets.back();
  for (const size_t found :
       {sites.syn_id.size(), sites.syn_type.size(), sites.swc_type.size(), sites.section.size(),
        sites.layer.size(), sites.location.size(), sites.path_distance_um.size()}) {
    LIVND_RETURN_IF_ERROR(Expect(found == num_sites, field, absl::StrCat(found, " values"),
                                 absl::StrCat(num_sites, " of each attribute")));
  }
  return absl::OkStatus();
}

absl::Status CheckProjection(const System& system, size_t i) {
  const Projection& projection = system.projections[i];
  const std::string field = absl::StrCat("projections[", i, "]");
  const int pre = system.FindPopulation(projection.pre);
  const int post = system.FindPopulation(projection.post);
  LIVND_RETURN_IF_ERROR(Expect(pre >= 0, field + ".pre", projection.pre, "a population"));
  LIVND_RETURN_IF_ERROR(Expect(post >= 0, field + ".post", projection.post, "a population"));
  const size_t num_edges = projection.source_gid.size();
  for (const size_t found :
       {projection.target_gid.size(), projection.distance_um.size(), projection.syn_id.size()}) {
    LIVND_RETURN_IF_ERROR(Expect(found == num_edges, field, absl::StrCat(found, " values"),
                                 absl::StrCat(num_edges, ", one an edge")));
  }
  const auto are_of = [&](const std::vector<uint32_t>& gids, int population,
                          const char* name) -> absl::Status {
    const Population& p = system.populations[static_cast<size_t>(population)];
    for (size_t e = 0; e < gids.size(); ++e) {
      LIVND_RETURN_IF_ERROR(Expect(gids[e] >= p.first_gid && gids[e] - p.first_gid < p.num_cells,
                                   absl::StrCat(field, ".", name, "[", e, "]"),
                                   absl::StrCat(gids[e]), absl::StrCat("a cell of ", p.name)));
    }
    return absl::OkStatus();
  };
  LIVND_RETURN_IF_ERROR(are_of(projection.source_gid, pre, "source_gid"));
  return are_of(projection.target_gid, post, "target_gid");
}

absl::Status CheckSystem(const System& system) {
  LIVND_RETURN_IF_ERROR(CheckPopulations(system));
  for (size_t i = 0; i < system.populations.size(); ++i) {
    LIVND_RETURN_IF_ERROR(CheckSites(system, i));
  }
  for (size_t i = 0; i < system.projections.size(); ++i) {
    LIVND_RETURN_IF_ERROR(CheckProjection(system, i));
  }
  return absl::OkStatus();
}

// --- HDF5 -----------------------------------------------------------------------------------------

// An attribute of all cells of a population, whose values begin at the pointers.
template <typename T>
absl::Status WriteAttribute(Hdf5Writer& file, const std::string& inner, uint32_t num_cells,
                            const std::vector<uint64_t>& pointers, const std::vector<T>& values) {
  std::vector<uint32_t> cells(num_cells);
  std::iota(cells.begin(), cells.end(), 0u);
  LIVND_RETURN_IF_ERROR(file.Write(inner + "/Cell Index", cells));
  LIVND_RETURN_IF_ERROR(file.Write(inner + "/Attribute Pointer", pointers));
  return file.Write(inner + "/Attribute Value", values);
}

absl::Status WritePositions(Hdf5Writer& file, const System& system, const Population& population,
                            const std::string& group) {
  constexpr const char* kAxes[] = {"X Coordinate", "Y Coordinate", "Z Coordinate"};
  std::vector<uint64_t> pointers(size_t{population.num_cells} + 1);
  std::iota(pointers.begin(), pointers.end(), uint64_t{0});
  for (size_t axis = 0; axis < 3; ++axis) {
    std::vector<double> exact(population.num_cells);
    for (size_t cell = 0; cell < exact.size(); ++cell) {
      exact[cell] = system.position_um[population.first_gid + cell][axis];
    }
    const std::vector<float> rounded(exact.begin(), exact.end());
    const std::string inner = absl::StrCat(group, "/", kAxes[axis]);
    LIVND_RETURN_IF_ERROR(std::equal(exact.begin(), exact.end(), rounded.begin())
                              ? WriteAttribute(file, inner, population.num_cells, pointers, rounded)
                              : WriteAttribute(file, inner, population.num_cells, pointers, exact));
  }
  return absl::OkStatus();
}

absl::Status WriteSites(Hdf5Writer& file, const SynapseSites& sites, uint32_t num_cells,
                        const std::string& group) {
  const auto write = [&](const char* name, const auto& values) {
    return WriteAttribute(file, absl::StrCat(group, "/", name), num_cells, sites.offsets, values);
  };
  LIVND_RETURN_IF_ERROR(write("syn_ids", sites.syn_id));
  LIVND_RETURN_IF_ERROR(write("syn_types", sites.syn_type));
  LIVND_RETURN_IF_ERROR(write("swc_types", sites.swc_type));
  LIVND_RETURN_IF_ERROR(write("syn_secs", sites.section));
  LIVND_RETURN_IF_ERROR(write("syn_layers", sites.layer));
  LIVND_RETURN_IF_ERROR(write("syn_locs", sites.location));
  return write("syn_cdists", sites.path_distance_um);
}

absl::Status CheckStop(const SystemExtras& extras) {
  return extras.stop && extras.stop() ? absl::CancelledError("interrupted") : absl::OkStatus();
}

absl::Status WriteCells(Hdf5Writer& file, const System& system, const Graph& graph,
                        const SystemExtras& extras) {
  LIVND_RETURN_IF_ERROR(file.WriteTypes(system.populations, {}));
  for (size_t i = 0; i < system.populations.size(); ++i) {
    const Population& population = system.populations[i];
    if (population.num_cells == 0) continue;
    const std::string group = absl::StrCat("Populations/", population.name, "/");
    LIVND_RETURN_IF_ERROR(CheckStop(extras));
    LIVND_RETURN_IF_ERROR(
        WritePositions(file, system, population, group + graph.coordinates_namespace));
    const auto interior = extras.interior.find(population.name);
    if (interior != extras.interior.end()) {
      std::vector<uint64_t> pointers(size_t{population.num_cells} + 1);
      std::iota(pointers.begin(), pointers.end(), uint64_t{0});
      LIVND_RETURN_IF_ERROR(WriteAttribute(file, group + "Region/interior", population.num_cells,
                                           pointers, interior->second));
    }
    const SynapseSites& sites = system.synapse_sites[i];
    if (sites.offsets.back() == 0) continue;
    LIVND_RETURN_IF_ERROR(
        WriteSites(file, sites, population.num_cells, group + graph.synapses_namespace));
  }
  return file.Close();
}

template <typename T>
std::vector<T> InOrder(const std::vector<T>& values, const std::vector<size_t>& order) {
  std::vector<T> out;
  out.reserve(order.size());
  for (const size_t i : order) out.push_back(values[i]);
  return out;
}

absl::Status WriteProjection(Hdf5Writer& file, const Projection& projection, const Population& pre,
                             const Population& post, const std::string& connectivity_namespace) {
  const std::vector<uint32_t>& targets = projection.target_gid;
  std::vector<size_t> order(targets.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return targets[a] < targets[b]; });
  // One block, from the first target to the last; a cell between them without edges has an empty
  // range.
  std::vector<uint32_t> block_index;
  std::vector<uint64_t> block_pointers = {0}, pointers;
  if (!order.empty()) {
    const uint32_t first = targets[order.front()], last = targets[order.back()];
    block_index.push_back(first - post.first_gid);
    pointers.assign(size_t{last - first} + 2, 0);
    for (const uint32_t target : targets) ++pointers[size_t{target - first} + 1];
    std::partial_sum(pointers.begin(), pointers.end(), pointers.begin());
    block_pointers.push_back(pointers.size());
  }
  std::vector<uint32_t> sources = InOrder(projection.source_gid, order);
  for (uint32_t& source : sources) source -= pre.first_gid;

  const std::string group = absl::StrCat("Projections/", post.name, "/", pre.name, "/");
  const std::string edges = group + "Edges/";
  LIVND_RETURN_IF_ERROR(file.Write(edges + "Destination Block Index", block_index));
  LIVND_RETURN_IF_ERROR(file.Write(edges + "Destination Block Pointer", block_pointers));
  LIVND_RETURN_IF_ERROR(file.Write(edges + "Destination Pointer", pointers));
  LIVND_RETURN_IF_ERROR(file.Write(edges + "Source Index", sources));
  LIVND_RETURN_IF_ERROR(file.Write(group + connectivity_namespace + "/distance",
                                   InOrder(projection.distance_um, order)));
  return file.Write(group + "Synapses/syn_id", InOrder(projection.syn_id, order));
}

absl::Status WriteConnections(Hdf5Writer& file, const System& system, const Graph& graph,
                              const SystemExtras& extras) {
  std::vector<std::pair<int, int>> pairs;
  for (const Projection& p : system.projections) {
    pairs.emplace_back(system.FindPopulation(p.pre), system.FindPopulation(p.post));
  }
  LIVND_RETURN_IF_ERROR(file.WriteTypes(system.populations, pairs));
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto& [pre, post] = pairs[i];
    LIVND_RETURN_IF_ERROR(CheckStop(extras));
    LIVND_RETURN_IF_ERROR(WriteProjection(
        file, system.projections[i], system.populations[static_cast<size_t>(pre)],
        system.populations[static_cast<size_t>(post)], graph.connectivity_namespace));
  }
  return file.Close();
}

absl::Status WriteHdf5(const System& system, const Graph& graph, const SystemExtras& extras,
                       const std::string& directory) {
  const Hdf5Session session([](absl::string_view) {});
  LIVND_ASSIGN_OR_RETURN(Hdf5Writer cells, Hdf5Writer::Create(session, directory + "/cells.h5"));
  LIVND_RETURN_IF_ERROR(WriteCells(cells, system, graph, extras));
  LIVND_ASSIGN_OR_RETURN(Hdf5Writer connections,
                         Hdf5Writer::Create(session, directory + "/connections.h5"));
  return WriteConnections(connections, system, graph, extras);
}

// --- documents ------------------------------------------------------------------------------------

absl::Status WriteJson(const Json& json, const std::string& path) {
  return WriteNewFile(path, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

// FOLDER/NAME.json for documents[NAME].
template <typename Document>
absl::Status WriteDocuments(const std::map<std::string, Document>& documents,
                            const std::string& folder, Json (*to_json)(const Document&)) {
  if (documents.empty()) return absl::OkStatus();
  if (mkdir(folder.c_str(), 0777) != 0) return absl::ErrnoToStatus(errno, folder);
  for (const auto& [name, document] : documents) {
    const bool is_name = !name.empty() && name[0] != '.' && !absl::StrContains(name, '/');
    LIVND_RETURN_IF_ERROR(Expect(is_name, folder, name, "the name of a file"));
    LIVND_RETURN_IF_ERROR(WriteJson(to_json(document), absl::StrCat(folder, "/", name, ".json")));
  }
  return absl::OkStatus();
}

absl::Status WriteAllDocuments(const System& system, const Graph& graph, const SystemExtras& extras,
                               const std::string& directory) {
  std::vector<std::pair<std::string, uint32_t>> num_cells;
  for (const Population& p : system.populations) num_cells.emplace_back(p.name, p.num_cells);
  Json whole = GraphToJson(graph, num_cells);
  whole.merge_patch(extras.graph);
  LIVND_RETURN_IF_ERROR(WriteJson(whole, directory + "/graph.json"));
  for (const auto& [name, document] : extras.files) {
    LIVND_RETURN_IF_ERROR(WriteJson(document, absl::StrCat(directory, "/", name)));
  }
  if (system.electrode_array.has_value()) {
    LIVND_RETURN_IF_ERROR(
        WriteJson(ElectrodeArrayToJson(*system.electrode_array), directory + "/mea.json"));
  }
  if (system.light_array.has_value()) {
    LIVND_RETURN_IF_ERROR(
        WriteJson(LightArrayToJson(*system.light_array), directory + "/lightarray.json"));
  }
  if (system.model.has_value()) {
    LIVND_RETURN_IF_ERROR(WriteJson(ModelDocumentToJson(*system.model), directory + "/model.json"));
  }
  LIVND_RETURN_IF_ERROR(
      WriteDocuments(system.params, directory + "/params", &ParamsDocumentToJson));
  return WriteDocuments(system.selections, directory + "/selection", &SelectionDocumentToJson);
}

}  // namespace

absl::Status WriteSystem(const System& system, const std::string& directory,
                         const SystemExtras& extras) {
  LIVND_RETURN_IF_ERROR(CheckSystem(system));
  const Graph graph = GraphOf(system);
  return MakeNewFolder(directory, [&](const std::string& made) -> absl::Status {
    LIVND_RETURN_IF_ERROR(WriteAllDocuments(system, graph, extras, made));
    LIVND_RETURN_IF_ERROR(WriteHdf5(system, graph, extras, made));
    // What no reader takes gets no name.
    LIVND_RETURN_IF_ERROR(ReadSystem(made).status());
    LIVND_RETURN_IF_ERROR(SyncFolder(made));
    return CheckStop(extras);
  });
}

}  // namespace livnd::io
