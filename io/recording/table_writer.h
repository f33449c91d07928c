// One table of a recording while it is written: its chunks, its tree and its header.
#ifndef LIVND_IO_RECORDING_TABLE_WRITER_H_
#define LIVND_IO_RECORDING_TABLE_WRITER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/recording/hdf5/chunk_tree.h"
#include "io/recording/hdf5/file_space.h"
#include "io/recording/hdf5/metadata.h"
#include "io/recording/hdf5/output_file.h"
#include "io/recording/stream.h"
#include "io/recording/table_reader.h"

namespace livnd::io {

// Thread-compatible. File and space must outlive it. Errors are the file's; the table is then of no
// more use.
class TableWriter {
 public:
  TableWriter(const StreamSpec& spec, bool compressed, hdf5::OutputFile& file,
              hdf5::FileSpace& space);

  // Goes on with a table of such a spec that is in the file already. Its full chunks stay where they
  // are.
  absl::Status GoOnFrom(TableReader& table);

  // Whole rows. Tells the rows of every chunk that has become full and is written.
  absl::Status Append(absl::string_view rows,
                      absl::FunctionRef<absl::Status(absl::string_view)> full);
  void SetAttribute(const std::string& name, int64_t value);

  // Writes what changed since the last Write and returns where the table's header is. `last`: nothing
  // will be appended any more.
  absl::StatusOr<uint64_t> Write(bool last);

  int64_t num_rows() const { return dataset_.num_rows; }

 private:
  absl::StatusOr<hdf5::Extent> WriteChunk(absl::string_view rows);

  hdf5::OutputFile& file_;
  hdf5::FileSpace& space_;
  const int64_t row_bytes_;
  hdf5::Dataset dataset_;
  hdf5::ChunkTree tree_;
  std::string rows_;   // of the last chunk, which is not full
  hdf5::Extent tail_;  // where these were written last
  bool rows_changed_ = false;
  bool header_changed_ = true;
  hdf5::Extent header_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_RECORDING_TABLE_WRITER_H_
