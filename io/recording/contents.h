// What a recording says of itself, as far as it was flushed.
#ifndef LIVND_IO_RECORDING_CONTENTS_H_
#define LIVND_IO_RECORDING_CONTENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/recording/hdf5/input_file.h"
#include "io/recording/hdf5/metadata.h"
#include "io/recording/stream.h"
#include "io/recording/table_reader.h"

namespace livnd::io {

struct Contents {
  std::string superblock, root;  // bytes
  uint64_t end = 0;              // of what is used
  hdf5::Extent root_place;
  Attributes attributes;
  bool closed = false;
  int64_t num_flushes = 0;
  std::vector<StreamSpec> specs;
  std::vector<TableReader> tables;   // [stream]
  std::vector<TableReader> indices;  // of keyed streams
  std::vector<int> index_of;         // [stream] of `indices`, or -1
};

// All of the superblock, or what is there.
absl::StatusOr<std::string> ReadSuperblock(const hdf5::InputFile& file);

// The file must outlive the contents. DataLoss: it is no recording, or damaged; the superblock is there
// all the same, as it was read. FailedPrecondition: a recording of a later version.
absl::Status LoadContents(const hdf5::InputFile& file, Contents* contents);

}  // namespace livnd::io

#endif  // LIVND_IO_RECORDING_CONTENTS_H_
