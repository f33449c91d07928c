// The part of a system that is in its HDF5 files.

#ifndef LIVND_IO_NEUROH5_HDF5_CONTENT_H_
#define LIVND_IO_NEUROH5_HDF5_CONTENT_H_

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/system/system.h"

namespace livnd::io {

// The members of System of the same names.
struct Hdf5Content {
  std::vector<Population> populations;
  std::vector<std::array<double, 3>> position_um;
  std::vector<SynapseSites> synapse_sites;
  std::vector<Projection> projections;

  // Index of a population, or -1.
  int Find(absl::string_view name) const;
};

// Where to find what.
struct Hdf5Source {
  std::string cells_path;
  std::string connections_path;  // may be the same file
  std::string coordinates_namespace;
  std::string synapses_namespace;
  std::string connectivity_namespace;
  // Projections (post, pre) that must be there if both populations have cells, and the file that
  // says so.
  std::vector<std::pair<std::string, std::string>> declared;
  std::string graph_path;
};

// Reads and checks all of it in this process. `note` is told each path before HDF5 sees it.
// Errors as for ReadSystem.
absl::StatusOr<Hdf5Content> ReadHdf5Content(const Hdf5Source& source,
                                            const std::function<void(absl::string_view)>& note);

// Bytes to pass content from one process to another of the same program. Decode returns DataLoss
// for bytes that Encode did not make: the sender may have been damaged by what it read. All
// indices are checked again, so using the result is safe whatever was sent.
std::string EncodeHdf5Content(const Hdf5Content& content);
absl::StatusOr<Hdf5Content> DecodeHdf5Content(absl::string_view bytes);

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_HDF5_CONTENT_H_
