// One table of a recording, read chunk by chunk.
#ifndef LIVND_IO_RECORDING_TABLE_READER_H_
#define LIVND_IO_RECORDING_TABLE_READER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/recording/hdf5/input_file.h"
#include "io/recording/hdf5/metadata.h"

namespace livnd::io {

// Thread-compatible. The file must outlive it. All that the file says is checked before it is used;
// DataLoss: it is damaged.
class TableReader {
 public:
  // `end`: of the file that is used, by its superblock.
  static absl::StatusOr<TableReader> Open(const hdf5::InputFile& file, uint64_t header_address,
                                          uint64_t end);

  const hdf5::Dataset& dataset() const { return dataset_; }
  int64_t row_bytes() const { return row_bytes_; }
  int64_t num_chunks() const;
  int64_t num_full_chunks() const { return dataset_.num_rows / dataset_.chunk_rows; }
  const hdf5::Extent& header_place() const { return header_place_; }
  // Where the chunks are.
  absl::StatusOr<std::vector<hdf5::Extent>> Places();
  // The rows of a chunk, of the last one those that are there. Reads the whole tree the first time.
  absl::StatusOr<std::string> ReadChunk(int64_t chunk);

 private:
  TableReader(const hdf5::InputFile& file, uint64_t end) : file_(&file), end_(end) {}
  absl::Status ReadTree();
  // A node and all below it; level -1: the tree's own.
  absl::Status ReadNode(uint64_t address, int level);
  absl::Status CheckPlaces() const;

  const hdf5::InputFile* file_;
  uint64_t end_;
  hdf5::Extent header_place_;
  hdf5::Dataset dataset_;
  int64_t row_bytes_ = 0;
  std::vector<hdf5::Extent> chunks_;  // once the tree was read
};

}  // namespace livnd::io

#endif  // LIVND_IO_RECORDING_TABLE_READER_H_
