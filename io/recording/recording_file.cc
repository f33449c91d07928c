#include "io/recording/recording_file.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/recording/contents.h"
#include "io/recording/hdf5/input_file.h"
#include "io/recording/hdf5/metadata.h"
#include "io/recording/layout.h"
#include "io/recording/table_writer.h"

namespace livnd::io {
namespace {

// Nothing else is in the superblock's page.
constexpr uint64_t kFirstByte = 4096;

// What a table takes in the file beside its chunks that are full: its tail, where that was before, the
// edge of its tree, and its header.
int64_t SpareBytes(const StreamSpec& spec) {
  const int64_t chunk_bytes = ChunkRows(spec.row_bytes()) * spec.row_bytes();
  return 2 * (chunk_bytes + chunk_bytes / 64 + 65536) + 2 * 65536;
}

int64_t SpareBytes(const std::vector<StreamSpec>& streams) {
  int64_t bytes = kFirstByte;
  for (const StreamSpec& stream : streams) bytes += SpareBytes(stream);
  return bytes;
}

}  // namespace

// A stream and, where it is keyed, its index.
class RecordingFile::Stream {
 public:
  Stream(const StreamSpec& spec, bool compressed, hdf5::OutputFile& file, hdf5::FileSpace& space)
      : rows_(spec, compressed, file, space), row_bytes_(spec.row_bytes()) {
    if (spec.is_keyed()) index_.emplace(IndexOf(spec.name), compressed, file, space);
  }

  absl::Status Append(absl::string_view rows) {
    return rows_.Append(rows, [this](absl::string_view chunk) { return AddToIndex(chunk); });
  }

  absl::Status GoOnFrom(TableReader& rows, TableReader* index) {
    LIVND_RETURN_IF_ERROR(rows_.GoOnFrom(rows));
    return index == nullptr ? absl::OkStatus() : index_->GoOnFrom(*index);
  }

  TableWriter& rows() { return rows_; }
  const TableWriter& rows() const { return rows_; }
  TableWriter* index() { return index_.has_value() ? &*index_ : nullptr; }

 private:
  absl::Status AddToIndex(absl::string_view chunk) {
    if (!index_.has_value()) return absl::OkStatus();
    ChunkSpan span;
    for (size_t at = 0; at < chunk.size(); at += row_bytes_) span.Add(KeyOf(chunk.data() + at));
    std::string row;
    span.AppendTo(&row);
    return index_->Append(row, [](absl::string_view) { return absl::OkStatus(); });
  }

  TableWriter rows_;
  std::optional<TableWriter> index_;
  const int64_t row_bytes_;
};

RecordingFile::RecordingFile(std::unique_ptr<hdf5::OutputFile> file, const Options& options,
                             uint64_t begin)
    : file_(std::move(file)), options_(options), space_(begin) {}

RecordingFile::~RecordingFile() = default;

int64_t RecordingFile::MemoryBytes(const std::vector<StreamSpec>& streams) {
  int64_t bytes = 0, largest = 0;
  for (const StreamSpec& stream : streams) {
    const int64_t chunk_bytes = ChunkRows(stream.row_bytes()) * stream.row_bytes();
    largest = std::max(largest, chunk_bytes);
    bytes += chunk_bytes;
    if (stream.is_keyed()) bytes += ChunkRows(kSpanBytes) * kSpanBytes;
  }
  return bytes + 2 * largest;
}

absl::StatusOr<std::unique_ptr<RecordingFile>> RecordingFile::Create(
    const std::string& path, const Attributes& attributes, const std::vector<StreamSpec>& streams,
    const Options& options) {
  LIVND_RETURN_IF_ERROR(CheckStreams(streams));
  LIVND_RETURN_IF_ERROR(CheckAttributes("attributes", attributes));
  const int64_t spare_bytes = SpareBytes(streams);
  if (options.max_bytes < spare_bytes) {
    return MakeFieldError("max_bytes", absl::StrCat(options.max_bytes),
                          absl::StrCat("at least ", spare_bytes, " for such streams"));
  }
  LIVND_ASSIGN_OR_RETURN(std::unique_ptr<hdf5::OutputFile> file,
                         hdf5::OutputFile::Create(absl::StrCat(path, ".new")));
  std::unique_ptr<RecordingFile> recording(new RecordingFile(std::move(file), options, kFirstByte));
  recording->spare_bytes_ = spare_bytes;
  absl::Status status = recording->Begin(attributes, streams);
  if (status.ok()) status = recording->file_->Rename(path);
  if (status.ok() && options.durable) status = recording->file_->SyncFolder();
  if (!status.ok()) {
    recording->file_->Remove();
    return status;
  }
  return recording;
}

absl::StatusOr<std::unique_ptr<RecordingFile>> RecordingFile::Resume(const std::string& path,
                                                                     const Options& options) {
  LIVND_ASSIGN_OR_RETURN(const std::unique_ptr<hdf5::InputFile> input, hdf5::InputFile::Open(path));
  Contents contents;
  absl::Status status = LoadContents(*input, &contents);
  if (!status.ok()) {
    return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
  }
  const int64_t spare_bytes = SpareBytes(contents.specs);
  if (static_cast<int64_t>(contents.end) > options.max_bytes - spare_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(path, ": the recording has ", contents.end,
                                                     " of ", options.max_bytes, " bytes"));
  }
  LIVND_ASSIGN_OR_RETURN(std::unique_ptr<hdf5::OutputFile> file,
                         hdf5::OutputFile::Open(path, contents.end));
  std::unique_ptr<RecordingFile> recording(
      new RecordingFile(std::move(file), options, contents.end));
  recording->spare_bytes_ = spare_bytes;
  status = recording->GoOnFrom(contents);
  if (!status.ok()) {
    return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
  }
  return recording;
}

absl::Status RecordingFile::GoOnFrom(Contents& contents) {
  specs_ = contents.specs;
  attributes_ = contents.attributes;
  root_ = contents.root_place;
  num_flushes_ = contents.num_flushes + 1;
  for (size_t i = 0; i < specs_.size(); ++i) {
    streams_.push_back(std::make_unique<Stream>(specs_[i], contents.tables[i].dataset().compressed,
                                                *file_, space_));
    const int index = contents.index_of[i];
    LIVND_RETURN_IF_ERROR(streams_.back()->GoOnFrom(
        contents.tables[i], index < 0 ? nullptr : &contents.indices[index]));
  }
  return Commit(false);
}

absl::Status RecordingFile::Begin(const Attributes& attributes,
                                  const std::vector<StreamSpec>& streams) {
  attributes_ = attributes;
  attributes_[std::string(kFormat)] = std::string(kFormatName);
  attributes_[std::string(kFormatVersion)] = kCurrentFormatVersion;
  specs_ = streams;
  for (const StreamSpec& spec : specs_) {
    streams_.push_back(std::make_unique<Stream>(spec, options_.compressed, *file_, space_));
  }
  return Commit(false);
}

int64_t RecordingFile::num_rows(int stream) const { return streams_[stream]->rows().num_rows(); }

absl::Status RecordingFile::CheckRows(int stream, absl::string_view rows) const {
  const int64_t row_bytes = specs_[stream].row_bytes();
  if (rows.size() % static_cast<size_t>(row_bytes) == 0) return absl::OkStatus();
  return MakeFieldError("rows", absl::StrCat(rows.size(), " bytes"),
                        absl::StrCat("a multiple of ", row_bytes, " bytes"));
}

absl::Status RecordingFile::CheckRoom(int64_t num_bytes) const {
  const auto end = static_cast<int64_t>(space_.end());
  if (num_bytes <= options_.max_bytes &&
      end + num_bytes + num_bytes / 64 <= options_.max_bytes - spare_bytes_) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("the recording has its ", options_.max_bytes, " bytes"));
}

absl::Status RecordingFile::Append(int stream, absl::string_view rows) {
  LIVND_RETURN_IF_ERROR(status_);
  LIVND_RETURN_IF_ERROR(CheckRows(stream, rows));
  LIVND_RETURN_IF_ERROR(CheckRoom(static_cast<int64_t>(rows.size())));
  return status_ = streams_[stream]->Append(rows);
}

absl::Status RecordingFile::Append(absl::Span<const std::string> rows) {
  LIVND_RETURN_IF_ERROR(status_);
  int64_t num_bytes = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    LIVND_RETURN_IF_ERROR(CheckRows(static_cast<int>(i), rows[i]));
    num_bytes += static_cast<int64_t>(rows[i].size());
  }
  LIVND_RETURN_IF_ERROR(CheckRoom(num_bytes));
  for (size_t i = 0; i < rows.size() && status_.ok(); ++i) status_ = streams_[i]->Append(rows[i]);
  return status_;
}

void RecordingFile::SetAttribute(int stream, const std::string& name, int64_t value) {
  if (stream < 0) {
    attributes_[name] = value;
  } else {
    streams_[stream]->rows().SetAttribute(name, value);
  }
}

absl::Status RecordingFile::Flush() {
  LIVND_RETURN_IF_ERROR(status_);
  return status_ = Commit(false);
}

absl::Status RecordingFile::Close() {
  LIVND_RETURN_IF_ERROR(status_);
  status_ = Commit(true);
  LIVND_RETURN_IF_ERROR(status_);
  status_ = absl::FailedPreconditionError("the recording is closed");
  return absl::OkStatus();
}

absl::Status RecordingFile::Commit(bool last) {
  hdf5::Group group;
  for (size_t i = 0; i < streams_.size(); ++i) {
    LIVND_ASSIGN_OR_RETURN(const uint64_t rows, streams_[i]->rows().Write(last));
    group.links.push_back({specs_[i].name, rows});
    if (TableWriter* index = streams_[i]->index()) {
      LIVND_ASSIGN_OR_RETURN(const uint64_t address, index->Write(last));
      group.links.push_back({IndexName(specs_[i].name), address});
    }
  }
  attributes_[std::string(kClosed)] = int64_t{last ? 1 : 0};
  attributes_[std::string(kNumFlushes)] = num_flushes_;
  group.attributes = attributes_;
  const std::string root = hdf5::EncodeGroup(group);
  const hdf5::Extent place = space_.Allocate(root.size());
  LIVND_RETURN_IF_ERROR(file_->Write(place.address, root));
  space_.Release(root_);
  root_ = place;
  LIVND_RETURN_IF_ERROR(file_->Lengthen(space_.end()));
  if (options_.durable) LIVND_RETURN_IF_ERROR(file_->Sync());
  LIVND_RETURN_IF_ERROR(file_->Write(0, hdf5::EncodeSuperblock({space_.end(), root_.address})));
  if (options_.durable) LIVND_RETURN_IF_ERROR(file_->Sync());
  space_.Commit();
  num_bytes_ = static_cast<int64_t>(space_.end());
  ++num_flushes_;
  return absl::OkStatus();
}

}  // namespace livnd::io
