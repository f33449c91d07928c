#include "io/neuroh5/hdf5_content.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/neuroh5/cell_attribute.h"
#include "io/neuroh5/hdf5_file.h"
#include "io/neuroh5/projection.h"
#include "io/system/limits.h"

namespace livnd::io {
namespace {

constexpr char kPopulationTable[] = "H5Types/Populations";

bool IsPopulationName(const std::string& name) {
  return !name.empty() && name.size() <= 64 && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return c > ' ' && c < 127 && c != '/'; });
}

absl::StatusOr<std::vector<Population>> ReadPopulations(const Hdf5File& file) {
  LIVND_ASSIGN_OR_RETURN(std::vector<PopulationRow> rows,
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
absl::Status CheckSamePopulations(const Hdf5File& file, const Hdf5Content& content) {
  if (!file.Contains(kPopulationTable)) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(const std::vector<Population> found, ReadPopulations(file));
  const bool same =
      std::equal(found.begin(), found.end(), content.populations.begin(), content.populations.end(),
                 [](const Population& a, const Population& b) {
                   return std::tie(a.name, a.label, a.first_gid, a.num_cells) ==
                          std::tie(b.name, b.label, b.first_gid, b.num_cells);
                 });
  if (same) return absl::OkStatus();
  return file.Invalid(kPopulationTable, "differs from the table in cells.h5");
}

absl::Status ReadPositions(const Hdf5File& file, const Population& population,
                           const std::string& name_space, Hdf5Content& content) {
  constexpr const char* kAxes[] = {"X Coordinate", "Y Coordinate", "Z Coordinate"};
  for (int axis = 0; axis < 3; ++axis) {
    const std::string inner =
        absl::StrCat("Populations/", population.name, "/", name_space, "/", kAxes[axis]);
    LIVND_ASSIGN_OR_RETURN(const RealAttribute attribute,
                           ReadRealAttribute(file, inner, population.num_cells));
    for (uint32_t cell = 0; cell < population.num_cells; ++cell) {
      if (attribute.ranges.count[cell] != 1) {
        return file.Invalid(inner,
                            absl::StrCat("cell ", cell, " has ", attribute.ranges.count[cell],
                                         " values, expected 1"));
      }
      content.position_um[population.first_gid + cell][axis] =
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
      return file.Invalid(inner, absl::StrCat("cell ", cell, " has ", count, " values, expected ",
                                              expected, " as in syn_ids"));
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
      return file.Invalid(inner,
                          absl::StrCat("value ", i, " is ", values[i], ", expected 0 to ", max));
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
  LIVND_ASSIGN_OR_RETURN(const IntegerAttribute ids,
                         ReadIntegerAttribute(file, id_path, num_cells, 0, UINT32_MAX));
  for (uint32_t cell = 0; cell < num_cells; ++cell) {
    sites.offsets[cell + 1] = sites.offsets[cell] + ids.ranges.count[cell];
  }
  LIVND_RETURN_IF_ERROR(AppendByCell(file, id_path, ids, sites, sites.syn_id));
  LIVND_RETURN_IF_ERROR(CheckSynapseIds(file, id_path, sites));

  const auto read_integers = [&](const char* name, int64_t min, int64_t max,
                                 auto& out) -> absl::Status {
    const std::string inner = absl::StrCat(group, "/", name);
    LIVND_ASSIGN_OR_RETURN(const IntegerAttribute attribute,
                           ReadIntegerAttribute(file, inner, num_cells, min, max));
    return AppendByCell(file, inner, attribute, sites, out);
  };
  LIVND_RETURN_IF_ERROR(read_integers("syn_types", 0, 1, sites.syn_type));
  LIVND_RETURN_IF_ERROR(read_integers("swc_types", 0, UINT8_MAX, sites.swc_type));
  LIVND_RETURN_IF_ERROR(read_integers("syn_secs", INT32_MIN, INT32_MAX, sites.section));
  LIVND_RETURN_IF_ERROR(read_integers("syn_layers", INT32_MIN, INT32_MAX, sites.layer));

  const auto read_reals = [&](const char* name, float max,
                              std::vector<float>& out) -> absl::Status {
    const std::string inner = absl::StrCat(group, "/", name);
    LIVND_ASSIGN_OR_RETURN(const RealAttribute attribute,
                           ReadRealAttribute(file, inner, num_cells));
    LIVND_RETURN_IF_ERROR(AppendByCell(file, inner, attribute, sites, out));
    return CheckReals(file, inner, out, max);
  };
  LIVND_RETURN_IF_ERROR(read_reals("syn_locs", 1.0f, sites.location));
  LIVND_RETURN_IF_ERROR(read_reals("syn_cdists", 1e9f, sites.path_distance_um));
  return sites;
}

absl::Status ReadCells(const Hdf5File& file, const Hdf5Source& source, Hdf5Content& content) {
  LIVND_ASSIGN_OR_RETURN(content.populations, ReadPopulations(file));
  const Population& last = content.populations.back();
  content.position_um.resize(size_t{last.first_gid} + last.num_cells);
  for (const Population& population : content.populations) {
    if (population.num_cells > 0) {
      LIVND_RETURN_IF_ERROR(ReadPositions(file, population, source.coordinates_namespace, content));
    }
    LIVND_ASSIGN_OR_RETURN(content.synapse_sites.emplace_back(),
                           ReadSynapseSites(file, population, source.synapses_namespace));
  }
  return absl::OkStatus();
}

absl::Status CheckKnown(const Hdf5File& file, const std::string& group,
                        const std::vector<std::string>& names, const Hdf5Content& content) {
  for (const std::string& name : names) {
    if (content.Find(name) < 0) {
      return file.Invalid(group, absl::StrCat("\"", name, "\" is not a population"));
    }
  }
  return absl::OkStatus();
}

// Without this a damaged name would pass for a culture with fewer connections.
absl::Status CheckDeclared(const Hdf5File& file, const Hdf5Source& source,
                           const Hdf5Content& content) {
  const auto has_cells = [&content](const std::string& name) {
    const int index = content.Find(name);
    return index >= 0 && content.populations[index].num_cells > 0;
  };
  for (const auto& [post, pre] : source.declared) {
    if (!has_cells(post) || !has_cells(pre)) continue;
    const std::string inner = absl::StrCat("Projections/", post, "/", pre);
    if (file.Contains(inner)) continue;
    return absl::NotFoundError(absl::StrCat(file.path(), ": /", inner, ": missing, but ",
                                            source.graph_path, " declares connections from ", pre,
                                            " to ", post));
  }
  return absl::OkStatus();
}

absl::Status ReadProjections(const Hdf5File& file, const Hdf5Source& source, Hdf5Content& content) {
  LIVND_RETURN_IF_ERROR(CheckSamePopulations(file, content));
  LIVND_RETURN_IF_ERROR(CheckDeclared(file, source, content));
  if (!file.Contains("Projections")) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(const auto posts, file.ListGroup("Projections"));
  LIVND_RETURN_IF_ERROR(CheckKnown(file, "Projections", posts, content));
  for (const Population& post : content.populations) {
    if (!std::binary_search(posts.begin(), posts.end(), post.name)) continue;
    const std::string group = absl::StrCat("Projections/", post.name);
    LIVND_ASSIGN_OR_RETURN(const auto pres, file.ListGroup(group));
    LIVND_RETURN_IF_ERROR(CheckKnown(file, group, pres, content));
    for (const Population& pre : content.populations) {
      if (!std::binary_search(pres.begin(), pres.end(), pre.name)) continue;
      LIVND_ASSIGN_OR_RETURN(content.projections.emplace_back(),
                             ReadProjection(file, post, pre, source.connectivity_namespace));
    }
  }
  return absl::OkStatus();
}

}  // namespace

int Hdf5Content::Find(absl::string_view name) const {
  for (size_t i = 0; i < populations.size(); ++i) {
    if (populations[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

absl::StatusOr<Hdf5Content> ReadHdf5Content(const Hdf5Source& source,
                                            const std::function<void(absl::string_view)>& note) {
  const Hdf5Session session(note);
  Hdf5Content content;
  {
    LIVND_ASSIGN_OR_RETURN(const Hdf5File file, Hdf5File::Open(session, source.cells_path));
    LIVND_RETURN_IF_ERROR(ReadCells(file, source, content));
  }
  LIVND_ASSIGN_OR_RETURN(const Hdf5File file, Hdf5File::Open(session, source.connections_path));
  LIVND_RETURN_IF_ERROR(ReadProjections(file, source, content));
  return content;
}

}  // namespace livnd::io
