#include "server/service/recording_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "server/wire/errors.h"
#include "server/wire/memory_needs.h"
#include "server/wire/message_bytes.h"
#include "server/wire/recorded_stream.h"

namespace livnd::server {
namespace {

constexpr int64_t kPieceBytes = 1 << 20;
// What a piece looks into, before others have their turn.
constexpr int64_t kMaxChunks = 16;
// A message beside its rows.
constexpr int64_t kOverheadBytes = 64 << 10;
// A piece is read, put into a message, and written out.
constexpr int64_t kTimesPiece = 3;

// What is wrong with a file, to who reads it. Its place is nobody's business.
absl::Status ReadingFailed(const std::string& name, const absl::Status& status) {
  if (FieldErrorOf(status).has_value()) return status;
  const bool may_pass = absl::IsUnavailable(status);
  return MakeError(may_pass ? absl::StatusCode::kUnavailable : absl::StatusCode::kDataLoss,
                   reason::kBadRecording,
                   may_pass ? absl::StrCat("recording ", name,
                                           " is written faster than it can be read; ask again")
                            : absl::StrCat("the file of recording ", name, " is damaged"),
                   {{"field", "recording"}, {"value", name}});
}

}  // namespace

RecordingStream* RecordingStream::Open(const RawCall& call, RecordingFolder* folder,
                                       WorkerPool& readers, int64_t max_message_bytes) {
  auto* stream = new RecordingStream(call.reception, folder, readers, max_message_bytes);
  auto tenant = TenantOf(call);
  if (!tenant.ok()) {
    stream->End(tenant.status());
    return stream;
  }
  stream->tenant_ = *std::move(tenant);
  auto request = ReadRequest<v1::ReadRecordingRequest>(call, stream->memory_);
  if (!request.ok()) {
    stream->End(request.status());
    return stream;
  }
  stream->request_ = *std::move(request);
  readers.Submit([stream] { stream->ReadOn(); });
  return stream;
}

void RecordingStream::End(const absl::Status& status) {
  reception_.metrics.CountCall(Metrics::MethodOf<v1::ReadRecordingRequest>(), status.code(),
                               ReasonTold(status));
  Finish(ToGrpc(status));
}

void RecordingStream::OnWriteDone(bool ok) {
  if (!ok || cancelled_) {
    End(absl::CancelledError("the caller has gone"));
  } else if (done_) {
    End(absl::OkStatus());
  } else {
    readers_.Submit([this] { ReadOn(); });
  }
}

void RecordingStream::ReadOn() {
  if (cancelled_) {
    End(absl::CancelledError("the caller has gone"));
    return;
  }
  response_.Clear();
  if (const absl::Status status = ReadNext(); !status.ok()) {
    End(status);
    return;
  }
  // Nothing was found where this piece has looked.
  if (response_.data().empty() && !response_.has_header() && !done_) {
    readers_.Submit([this] { ReadOn(); });
    return;
  }
  out_ = SerializeMessage(response_);
  response_.clear_data();
  StartWrite(&out_);
}

absl::Status RecordingStream::ReadNext() {
  if (!opened_) LIVND_RETURN_IF_ERROR(OpenFile());
  opened_ = true;
  return stream_ < 0 ? ReadBytes() : ReadRows();
}

absl::Status RecordingStream::OpenFile() {
  const std::string& name = request_->recording();
  if (folder_ == nullptr) return UnknownRecording(name);
  LIVND_ASSIGN_OR_RETURN(path_, folder_->Find(tenant_, name));
  if (!request_->stream().empty()) return OpenRows(path_);
  struct stat info;
  if (stat(path_.c_str(), &info) != 0) return UnknownRecording(name);
  num_bytes_ = info.st_size;
  if (request_->first() < 0 || request_->first() > num_bytes_) {
    return InvalidField("first", absl::StrCat(request_->first()),
                        absl::StrCat("0 .. ", num_bytes_));
  }
  response_.mutable_header()->set_num_rows(num_bytes_);
  LIVND_ASSIGN_OR_RETURN(memory_, ReserveMemory(reception_.memory, MemoryUse::kAnswers,
                                                kTimesPiece * kPieceBytes, "a piece"));
  return absl::OkStatus();
}

absl::Status RecordingStream::OpenRows(const std::string& path) {
  const std::string& name = request_->recording();
  auto reader = io::RecordingReader::Open(path);
  if (!reader.ok()) return ReadingFailed(name, reader.status());
  reader_ = *std::move(reader);
  stream_ = reader_->Find(request_->stream());
  if (stream_ < 0) {
    return InvalidField(
        "stream", request_->stream(),
        absl::StrJoin(reader_->streams(), ", ", [](std::string* out, const io::StreamSpec& stream) {
          out->append(stream.name);
        }));
  }
  const io::StreamSpec& spec = reader_->streams()[static_cast<size_t>(stream_)];
  filter_ = ParseFilter(*request_);
  v1::RecordingHeader& header = *response_.mutable_header();
  EncodeAttributes(reader_->attributes(), header.mutable_attributes());
  EncodeColumns(spec, &header);
  EncodeAttributes(spec.attributes, header.mutable_stream_attributes());
  header.set_num_rows(reader_->num_rows(stream_));
  const int64_t piece = std::max(kPieceBytes, spec.row_bytes());
  if (piece + static_cast<int64_t>(header.ByteSizeLong()) + kOverheadBytes > max_message_bytes_) {
    return AnswerTooLarge(piece, max_message_bytes_, "the bytes of the file");
  }
  LIVND_ASSIGN_OR_RETURN(memory_, ReserveMemory(reception_.memory, MemoryUse::kAnswers,
                                                kTimesPiece * piece, "a piece"));
  return absl::OkStatus();
}

absl::Status RecordingStream::ReadRows() {
  io::RecordingReader::Limits limits;
  limits.max_bytes =
      std::max(kPieceBytes, reader_->streams()[static_cast<size_t>(stream_)].row_bytes());
  limits.max_chunks = kMaxChunks;
  auto piece = reader_->Read(stream_, filter_, request_->first(), limits);
  if (!piece.ok()) {
    const auto field = FieldErrorOf(piece.status());
    if (field.has_value() && field->field == "first_row") {
      return InvalidField("first", field->value, field->accepted);
    }
    return ReadingFailed(request_->recording(), piece.status());
  }
  response_.set_data(std::move(piece->rows));
  response_.set_next(piece->next_row);
  request_->set_first(piece->next_row);
  done_ = piece->done;
  return absl::OkStatus();
}

absl::Status RecordingStream::ReadBytes() {
  const std::string& name = request_->recording();
  if (folder_->IsGrowing(tenant_, name)) return RecordingUnderWay(name);
  const int64_t num = std::min(kPieceBytes, num_bytes_ - request_->first());
  std::string& data = *response_.mutable_data();
  data.resize(static_cast<size_t>(num));
  const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return UnknownRecording(name);
  const ssize_t got = pread(fd, data.data(), data.size(), request_->first());
  close(fd);
  if (got != num) return ReadingFailed(name, absl::DataLossError("it was cut"));
  // What was read is of a file that grew, if it began to meanwhile.
  if (folder_->IsGrowing(tenant_, name)) return RecordingUnderWay(name);
  request_->set_first(request_->first() + num);
  response_.set_next(request_->first());
  done_ = request_->first() == num_bytes_;
  return absl::OkStatus();
}

}  // namespace livnd::server
