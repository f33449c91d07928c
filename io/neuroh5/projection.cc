#include "io/neuroh5/projection.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/neuroh5/cell_attribute.h"
#include "io/system/limits.h"

namespace livnd::io {
namespace {

constexpr int64_t kAnyPointer = std::numeric_limits<int64_t>::max();

// The destination of every edge, absolute. Block b begins at destination index[b] and owns the
// entries block_pointer[b] .. block_pointer[b + 1] of the destination pointers, one a
// destination; the last block's last entry only closes the one before it.
absl::StatusOr<std::vector<uint32_t>> ReadTargets(const Hdf5File& file, const std::string& edges,
                                                  const Population& post, uint64_t num_edges) {
  const std::string index_path = edges + "/Destination Block Index";
  const std::string block_path = edges + "/Destination Block Pointer";
  const std::string pointer_path = edges + "/Destination Pointer";
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> index,
                         file.ReadIntegers(index_path, 0, int64_t{post.num_cells} - 1));
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> blocks,
                         file.ReadIntegers(block_path, 0, kAnyPointer));
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> pointers,
                         file.ReadIntegers(pointer_path, 0, kAnyPointer));
  if (index.empty() && num_edges == 0) return std::vector<uint32_t>();
  if (index.empty() || blocks.size() != index.size() + 1) {
    return file.Invalid(block_path, absl::StrCat("found ", blocks.size(), " elements for ",
                                                 index.size(), " blocks, expected one more"));
  }
  LIVND_RETURN_IF_ERROR(CheckPointers(file, block_path, blocks, pointers.size()));
  LIVND_RETURN_IF_ERROR(CheckPointers(file, pointer_path, pointers, num_edges));

  std::vector<uint32_t> targets;
  targets.reserve(num_edges);
  for (size_t b = 0; b < index.size(); ++b) {
    int64_t num_destinations = blocks[b + 1] - blocks[b];
    if (b + 1 == index.size()) --num_destinations;
    if (num_destinations < 0) return file.Invalid(block_path, "the last block has no entries");
    if (index[b] + num_destinations > int64_t{post.num_cells}) {
      return file.Invalid(index_path, absl::StrCat("block ", b, " of ", num_destinations,
                                                   " destinations starts at ", index[b], ", but ",
                                                   post.name, " has ", post.num_cells, " cells"));
    }
    for (int64_t d = 0; d < num_destinations; ++d) {
      const int64_t entry = blocks[b] + d;
      const auto target = static_cast<uint32_t>(post.first_gid + index[b] + d);
      targets.insert(targets.end(), pointers[entry + 1] - pointers[entry], target);
    }
  }
  if (targets.size() != num_edges) {
    return file.Invalid(
        block_path, absl::StrCat("blocks hold ", targets.size(), " edges, expected ", num_edges));
  }
  return targets;
}

absl::Status CheckNumEdges(const Hdf5File& file, const std::string& inner, size_t found,
                           size_t expected) {
  if (found == expected) return absl::OkStatus();
  return file.Invalid(
      inner, absl::StrCat("found ", found, " elements, expected ", expected, ", one an edge"));
}

}  // namespace

absl::StatusOr<Projection> ReadProjection(const Hdf5File& file, const Population& post,
                                          const Population& pre,
                                          const std::string& connectivity_namespace) {
  const std::string group = absl::StrCat("Projections/", post.name, "/", pre.name);
  const std::string distance_path = absl::StrCat(group, "/", connectivity_namespace, "/distance");
  const std::string synapse_path = group + "/Synapses/syn_id";
  Projection projection;
  projection.post = post.name;
  projection.pre = pre.name;

  LIVND_ASSIGN_OR_RETURN(
      const std::vector<int64_t> sources,
      file.ReadIntegers(group + "/Edges/Source Index", 0, int64_t{pre.num_cells} - 1));
  projection.source_gid.reserve(sources.size());
  for (const int64_t source : sources) {
    projection.source_gid.push_back(static_cast<uint32_t>(pre.first_gid + source));
  }
  LIVND_ASSIGN_OR_RETURN(projection.target_gid,
                         ReadTargets(file, group + "/Edges", post, sources.size()));

  LIVND_ASSIGN_OR_RETURN(const std::vector<double> distances, file.ReadReals(distance_path));
  LIVND_RETURN_IF_ERROR(CheckNumEdges(file, distance_path, distances.size(), sources.size()));
  projection.distance_um.reserve(distances.size());
  for (size_t i = 0; i < distances.size(); ++i) {
    const auto distance_um = static_cast<float>(distances[i]);
    if (!(distances[i] >= 0 && distances[i] <= kMaxDistanceUm)) {
      return file.Invalid(distance_path,
                          absl::StrCat("element ", i, " is ", distances[i],
                                       ", expected a length of 0 to ", kMaxDistanceUm, " um"));
    }
    projection.distance_um.push_back(distance_um);
  }

  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> synapses,
                         file.ReadIntegers(synapse_path, 0, UINT32_MAX));
  LIVND_RETURN_IF_ERROR(CheckNumEdges(file, synapse_path, synapses.size(), sources.size()));
  projection.syn_id.assign(synapses.begin(), synapses.end());
  return projection;
}

}  // namespace livnd::io
