#include "io/recording/recording_reader.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/recording/hdf5/metadata.h"

namespace livnd::io {
namespace {

// How often a file that is being written is looked at again.
constexpr int kMaxTries = 20;

absl::Status TooFast() {
  return absl::UnavailableError("the recording is written faster than it can be read");
}

absl::Status InPath(const std::string& path, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

}  // namespace

bool RowFilter::is_all() const {
  return !copy.has_value() && begin_episode == INT64_MIN && end_episode == INT64_MAX &&
         begin_tick == INT64_MIN && end_tick == INT64_MAX;
}

bool RowFilter::Wants(const RowKey& key) const {
  return (!copy.has_value() || key.copy == *copy) && key.episode >= begin_episode &&
         key.episode < end_episode && key.tick >= begin_tick && key.tick < end_tick;
}

bool RowFilter::MayBeIn(const ChunkSpan& span) const {
  return span.max_episode >= begin_episode && span.min_episode < end_episode &&
         span.max_tick >= begin_tick && span.min_tick < end_tick;
}

RecordingReader::RecordingReader(std::string path, std::unique_ptr<hdf5::InputFile> file)
    : path_(std::move(path)), file_(std::move(file)) {}

absl::StatusOr<std::unique_ptr<RecordingReader>> RecordingReader::Open(const std::string& path) {
  LIVND_ASSIGN_OR_RETURN(std::unique_ptr<hdf5::InputFile> file, hdf5::InputFile::Open(path));
  std::unique_ptr<RecordingReader> reader(new RecordingReader(path, std::move(file)));
  LIVND_RETURN_IF_ERROR(reader->Refresh());
  return reader;
}

absl::StatusOr<bool> RecordingReader::IsCurrent() const {
  // A root group that was replaced may be where an earlier one was, but counts flushes.
  LIVND_ASSIGN_OR_RETURN(const std::string superblock, ReadSuperblock(*file_));
  if (superblock != state_.superblock) return false;
  LIVND_ASSIGN_OR_RETURN(const hdf5::Superblock decoded, hdf5::DecodeSuperblock(superblock));
  LIVND_ASSIGN_OR_RETURN(const std::string root,
                         file_->Read(decoded.root_address, state_.root.size()));
  return root == state_.root;
}

absl::Status RecordingReader::Refresh() {
  // What a flush replaces, the one after it may overwrite: what was read is good if none came.
  for (int tries = 0; tries < kMaxTries; ++tries) {
    State state;
    const absl::Status status = LoadContents(*file_, &state);
    LIVND_ASSIGN_OR_RETURN(const std::string superblock, ReadSuperblock(*file_));
    if (!status.ok()) {
      if (superblock == state.superblock) return InPath(path_, status);
      continue;
    }
    state.spans.resize(state.specs.size());
    state_ = std::move(state);
    const absl::StatusOr<bool> is_current = IsCurrent();
    if (!is_current.ok()) return InPath(path_, is_current.status());
    if (*is_current) return absl::OkStatus();
  }
  return TooFast();
}

absl::Status RecordingReader::WhileUnchanged(absl::FunctionRef<absl::Status()> read) {
  for (int tries = 0; tries < kMaxTries; ++tries) {
    const absl::Status status = read();
    const absl::StatusOr<bool> is_current = IsCurrent();
    if (is_current.ok() && *is_current) return status;
    LIVND_RETURN_IF_ERROR(Refresh());
  }
  return TooFast();
}

int RecordingReader::Find(absl::string_view name) const {
  for (size_t i = 0; i < state_.specs.size(); ++i) {
    if (state_.specs[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

absl::Status RecordingReader::LoadSpans(int stream) {
  if (state_.spans[stream].has_value()) return absl::OkStatus();
  TableReader& index = state_.indices[state_.index_of[stream]];
  std::vector<ChunkSpan> spans;
  for (int64_t chunk = 0; chunk < index.num_chunks(); ++chunk) {
    LIVND_ASSIGN_OR_RETURN(const std::string rows, index.ReadChunk(chunk));
    for (size_t at = 0; at < rows.size(); at += kSpanBytes) {
      spans.push_back(ChunkSpan::At(rows.data() + at));
    }
  }
  state_.spans[stream] = std::move(spans);
  return absl::OkStatus();
}

absl::StatusOr<const std::string*> RecordingReader::ReadChunk(int stream, int64_t chunk) {
  if (kept_stream_ == stream && kept_chunk_ == chunk) return &kept_rows_;
  TableReader& table = state_.tables[stream];
  kept_stream_ = -1;
  LIVND_ASSIGN_OR_RETURN(kept_rows_, table.ReadChunk(chunk));
  if (chunk < table.num_full_chunks()) {
    kept_stream_ = stream;
    kept_chunk_ = chunk;
  }
  return &kept_rows_;
}

absl::Status RecordingReader::ReadOnce(int stream, const RowFilter& filter, int64_t first_row,
                                       const Limits& limits, Piece* piece) {
  const TableReader& table = state_.tables[stream];
  const int64_t num_rows = table.dataset().num_rows, row_bytes = table.row_bytes();
  const int64_t chunk_rows = table.dataset().chunk_rows;
  const bool takes_all = filter.is_all();
  if (!takes_all) LIVND_RETURN_IF_ERROR(LoadSpans(stream));
  *piece = Piece();
  piece->next_row = first_row;
  int64_t num_chunks = 0;
  while (piece->next_row < num_rows) {
    const int64_t chunk = piece->next_row / chunk_rows;
    const int64_t end_row = std::min(num_rows, (chunk + 1) * chunk_rows);
    const bool is_indexed = !takes_all && chunk < table.num_full_chunks();
    if (is_indexed && !filter.MayBeIn((*state_.spans[stream])[chunk])) {
      piece->next_row = end_row;
      continue;
    }
    if (num_chunks++ == limits.max_chunks) return absl::OkStatus();
    LIVND_ASSIGN_OR_RETURN(const std::string* const rows, ReadChunk(stream, chunk));
    if (takes_all) {
      const int64_t num_taken =
          std::min(end_row - piece->next_row,
                   (limits.max_bytes - static_cast<int64_t>(piece->rows.size())) / row_bytes);
      piece->rows.append(*rows, (piece->next_row % chunk_rows) * row_bytes, num_taken * row_bytes);
      piece->next_row += num_taken;
      if (piece->next_row < end_row) return absl::OkStatus();
    }
    for (; piece->next_row < end_row; ++piece->next_row) {
      const char* const row = rows->data() + (piece->next_row % chunk_rows) * row_bytes;
      if (!filter.Wants(KeyOf(row))) continue;
      if (static_cast<int64_t>(piece->rows.size()) + row_bytes > limits.max_bytes) {
        return absl::OkStatus();
      }
      piece->rows.append(row, row_bytes);
    }
  }
  piece->done = true;
  return absl::OkStatus();
}

absl::StatusOr<RecordingReader::Piece> RecordingReader::Read(int stream, const RowFilter& filter,
                                                             int64_t first_row,
                                                             const Limits& limits) {
  const StreamSpec& spec = state_.specs[stream];
  if (!filter.is_all() && !spec.is_keyed()) {
    return MakeFieldError("filter", "set", absl::StrCat("none: ", spec.name, " has no keys"));
  }
  if (limits.max_bytes < spec.row_bytes()) {
    return MakeFieldError("max_bytes", absl::StrCat(limits.max_bytes),
                          absl::StrCat("at least a row of ", spec.row_bytes(), " bytes"));
  }
  if (first_row > num_rows(stream)) LIVND_RETURN_IF_ERROR(Refresh());
  if (first_row < 0 || first_row > num_rows(stream)) {
    return MakeFieldError("first_row", absl::StrCat(first_row),
                          absl::StrCat("0 .. ", num_rows(stream)));
  }
  Piece piece;
  LIVND_RETURN_IF_ERROR(InPath(
      path_, WhileUnchanged([&] { return ReadOnce(stream, filter, first_row, limits, &piece); })));
  return piece;
}

}  // namespace livnd::io
