// The tree that finds the chunks of a growing table, while it is written.
#ifndef LIVND_IO_RECORDING_HDF5_CHUNK_TREE_H_
#define LIVND_IO_RECORDING_HDF5_CHUNK_TREE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "io/recording/hdf5/file_space.h"
#include "io/recording/hdf5/metadata.h"
#include "io/recording/hdf5/output_file.h"

namespace livnd::io::hdf5 {

// Chunks come in order. Nodes that are full are written once and stay; those on the right edge, one a
// level, are kept here and written anew, to another place, whenever the tree is. So the tree of the
// last commit is whole while the next one is being written, and takes memory for its height alone.
//
// A full node tells the place of its right neighbour before that is written: HDF5 looks there only to
// change a file, and in a file that was closed it is right.
//
// Thread-compatible. File and space must outlive it. Errors are the file's; the tree is then of no
// more use.
class ChunkTree {
 public:
  ChunkTree(int64_t chunk_rows, OutputFile& file, FileSpace& space)
      : chunk_rows_(chunk_rows), file_(file), space_(space) {}

  // The next chunk, whose place stays.
  absl::Status Add(const Extent& chunk);

  // Writes what changed, with one more chunk behind the others where there is one, and returns the
  // tree's address, kNowhere without chunks. `last`: nothing will be added any more.
  absl::StatusOr<uint64_t> Write(const absl::optional<Extent>& tail, bool last);

 private:
  // The node of a level that is not full.
  struct Edge {
    Node node;
    Extent written;                // where it was last
    uint64_t reserved = kNowhere;  // where it will be when it is full
  };

  bool IsFull(size_t level) const;
  // Adds to a level, after sealing what is full there.
  absl::Status AddTo(size_t level, const Node::Entry& entry);
  // Writes a full node to where it stays, and begins the next one of its level, which begins with
  // end_row.
  absl::Status Seal(size_t level, uint64_t end_row);

  const int64_t chunk_rows_;
  OutputFile& file_;
  FileSpace& space_;
  std::vector<Edge> edges_;  // [level]
  uint64_t num_chunks_ = 0;
};

}  // namespace livnd::io::hdf5

#endif  // LIVND_IO_RECORDING_HDF5_CHUNK_TREE_H_
