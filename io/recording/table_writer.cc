#include "io/recording/table_writer.h"

#include <cstddef>

#include "absl/types/optional.h"
#include "base/status_macros.h"
#include "io/recording/hdf5/chunk_codec.h"
#include "io/recording/layout.h"

namespace livnd::io {

TableWriter::TableWriter(const StreamSpec& spec, bool compressed, hdf5::OutputFile& file,
                         hdf5::FileSpace& space)
    : file_(file),
      space_(space),
      row_bytes_(spec.row_bytes()),
      tree_(ChunkRows(row_bytes_), file, space) {
  dataset_.columns = spec.columns;
  dataset_.chunk_rows = ChunkRows(row_bytes_);
  dataset_.compressed = compressed;
  dataset_.attributes = spec.attributes;
}

absl::Status TableWriter::GoOnFrom(TableReader& table) {
  dataset_ = table.dataset();
  header_ = table.header_place();
  LIVND_ASSIGN_OR_RETURN(const std::vector<hdf5::Extent> places, table.Places());
  const auto num_full = static_cast<size_t>(table.num_full_chunks());
  for (size_t i = 0; i < num_full; ++i) LIVND_RETURN_IF_ERROR(tree_.Add(places[i]));
  if (num_full < places.size()) {
    LIVND_ASSIGN_OR_RETURN(rows_, table.ReadChunk(table.num_full_chunks()));
    tail_ = places[num_full];
  }
  rows_changed_ = true;
  return absl::OkStatus();
}

void TableWriter::SetAttribute(const std::string& name, int64_t value) {
  Attribute& attribute = dataset_.attributes[name];
  if (attribute == Attribute(value)) return;
  attribute = value;
  header_changed_ = true;
}

absl::StatusOr<hdf5::Extent> TableWriter::WriteChunk(absl::string_view rows) {
  LIVND_ASSIGN_OR_RETURN(const std::string stored,
                         hdf5::StoreChunk(rows, row_bytes_, dataset_.compressed));
  const hdf5::Extent place = space_.Allocate(stored.size());
  LIVND_RETURN_IF_ERROR(file_.Write(place.address, stored));
  return place;
}

absl::Status TableWriter::Append(absl::string_view rows,
                                 absl::FunctionRef<absl::Status(absl::string_view)> full) {
  if (rows.empty()) return absl::OkStatus();
  const size_t chunk_bytes = static_cast<size_t>(dataset_.chunk_rows * row_bytes_);
  dataset_.num_rows += static_cast<int64_t>(rows.size()) / row_bytes_;
  rows_changed_ = header_changed_ = true;
  while (!rows.empty()) {
    const absl::string_view taken = rows.substr(0, chunk_bytes - rows_.size());
    rows.remove_prefix(taken.size());
    absl::string_view chunk = taken;
    if (taken.size() < chunk_bytes) {
      rows_.append(taken.data(), taken.size());
      if (rows_.size() < chunk_bytes) break;
      chunk = rows_;
    }
    LIVND_ASSIGN_OR_RETURN(const hdf5::Extent place, WriteChunk(chunk));
    LIVND_RETURN_IF_ERROR(tree_.Add(place));
    LIVND_RETURN_IF_ERROR(full(chunk));
    rows_.clear();
    space_.Release(tail_);
    tail_ = {};
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> TableWriter::Write(bool last) {
  if (rows_changed_ || last) {
    if (!rows_.empty() && rows_changed_) {
      const size_t num_bytes = rows_.size();
      rows_.resize(dataset_.chunk_rows * row_bytes_);
      const absl::StatusOr<hdf5::Extent> place = WriteChunk(rows_);
      rows_.resize(num_bytes);
      LIVND_RETURN_IF_ERROR(place.status());
      space_.Release(tail_);
      tail_ = *place;
    }
    const absl::optional<hdf5::Extent> tail =
        rows_.empty() ? absl::nullopt : absl::make_optional(tail_);
    LIVND_ASSIGN_OR_RETURN(dataset_.tree_address, tree_.Write(tail, last));
    rows_changed_ = false;
    header_changed_ = true;
  }
  if (header_changed_) {
    const std::string header = hdf5::EncodeDataset(dataset_);
    const hdf5::Extent place = space_.Allocate(header.size());
    LIVND_RETURN_IF_ERROR(file_.Write(place.address, header));
    space_.Release(header_);
    header_ = place;
    header_changed_ = false;
  }
  return header_.address;
}

}  // namespace livnd::io
