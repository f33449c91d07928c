#include "io/recording/table_reader.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/recording/hdf5/chunk_codec.h"
#include "io/recording/layout.h"
#include "io/recording/stream.h"

namespace livnd::io {
namespace {

// Chunks are stored on multiples of this.
constexpr int64_t kLeastStoredBytes = 64;
constexpr int kMaxLevel = 8;

absl::Status Damaged() { return absl::DataLossError("the tree of chunks is damaged"); }

}  // namespace

absl::StatusOr<TableReader> TableReader::Open(const hdf5::InputFile& file, uint64_t header_address,
                                              uint64_t end) {
  TableReader table(file, end);
  LIVND_ASSIGN_OR_RETURN(const std::string prefix,
                         file.Read(header_address, hdf5::kHeaderPrefixBytes));
  LIVND_ASSIGN_OR_RETURN(const uint64_t header_bytes, hdf5::HeaderBytes(prefix));
  LIVND_ASSIGN_OR_RETURN(const std::string header, file.Read(header_address, header_bytes));
  table.header_place_ = {header_address, header_bytes};
  LIVND_ASSIGN_OR_RETURN(table.dataset_, hdf5::DecodeDataset(header));
  for (const Column& column : table.dataset_.columns) {
    table.row_bytes_ += column.length * ElementBytes(column.type);
  }
  if (table.dataset_.chunk_rows != ChunkRows(table.row_bytes_) ||
      table.num_chunks() > static_cast<int64_t>(end) / kLeastStoredBytes) {
    return absl::DataLossError("the header of a data set is damaged, or not of a recording");
  }
  return table;
}

int64_t TableReader::num_chunks() const {
  return dataset_.num_rows / dataset_.chunk_rows +
         (dataset_.num_rows % dataset_.chunk_rows != 0 ? 1 : 0);
}

absl::Status TableReader::ReadNode(uint64_t address, int level) {
  LIVND_ASSIGN_OR_RETURN(const std::string bytes, file_->Read(address, hdf5::kNodeBytes));
  LIVND_ASSIGN_OR_RETURN(const hdf5::Node node, hdf5::DecodeNode(bytes));
  if (node.level != level && (level >= 0 || node.level > kMaxLevel)) return Damaged();
  for (const hdf5::Node::Entry& entry : node.entries) {
    const auto num_before = static_cast<int64_t>(chunks_.size());
    if (num_before == num_chunks() ||
        entry.first_row != static_cast<uint64_t>(num_before * dataset_.chunk_rows) ||
        entry.address > end_ || entry.stored_bytes > end_ - entry.address) {
      return Damaged();
    }
    if (node.level > 0) {
      LIVND_RETURN_IF_ERROR(ReadNode(entry.address, node.level - 1));
    } else {
      chunks_.push_back({entry.address, entry.stored_bytes});
    }
  }
  return absl::OkStatus();
}

absl::Status TableReader::CheckPlaces() const {
  std::vector<std::pair<uint64_t, uint64_t>> places;
  for (const hdf5::Extent& chunk : chunks_) places.emplace_back(chunk.address, chunk.num_bytes);
  std::sort(places.begin(), places.end());
  for (size_t i = 1; i < places.size(); ++i) {
    if (places[i].first < places[i - 1].first + places[i - 1].second) return Damaged();
  }
  return absl::OkStatus();
}

absl::Status TableReader::ReadTree() {
  if (!chunks_.empty() || num_chunks() == 0) return absl::OkStatus();
  absl::Status status = ReadNode(dataset_.tree_address, -1);
  if (status.ok() && static_cast<int64_t>(chunks_.size()) != num_chunks()) status = Damaged();
  if (status.ok()) status = CheckPlaces();
  if (!status.ok()) chunks_.clear();
  return status;
}

absl::StatusOr<std::vector<hdf5::Extent>> TableReader::Places() {
  LIVND_RETURN_IF_ERROR(ReadTree());
  return chunks_;
}

absl::StatusOr<std::string> TableReader::ReadChunk(int64_t chunk) {
  LIVND_RETURN_IF_ERROR(ReadTree());
  const hdf5::Extent& place = chunks_[chunk];
  LIVND_ASSIGN_OR_RETURN(const std::string stored, file_->Read(place.address, place.num_bytes));
  LIVND_ASSIGN_OR_RETURN(std::string rows, hdf5::LoadChunk(stored, dataset_.chunk_rows * row_bytes_,
                                                           row_bytes_, dataset_.compressed));
  const int64_t num_rows =
      std::min(dataset_.chunk_rows, dataset_.num_rows - chunk * dataset_.chunk_rows);
  rows.resize(num_rows * row_bytes_);
  return rows;
}

}  // namespace livnd::io
