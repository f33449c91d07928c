#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "clients/cpp/client.h"

namespace livnd::client {
namespace {

Error FileError(const std::string& path) {
  return {grpc::StatusCode::UNKNOWN,
          path + ": " + std::strerror(errno),
          "FILE",
          {{"field", "path"}, {"value", path}, {"accepted", "a file that can be made"}}};
}

}  // namespace

Result<std::vector<v1::Recording>> Client::ListRecordings(const std::string& session) {
  v1::ListRecordingsRequest request;
  request.set_session(session);
  v1::ListRecordingsResponse response;
  const Result<void> called =
      connection_->Call(&v1::RecordingService::Stub::ListRecordings, request, &response);
  if (!called.ok()) return called.error();
  return std::vector<v1::Recording>(response.recordings().begin(), response.recordings().end());
}

Result<void> Client::ReadRecording(
    const v1::ReadRecordingRequest& request,
    const std::function<Result<void>(const v1::ReadRecordingResponse&)>& each) {
  return connection_->ReadRecording(request, each);
}

Result<RecordedRows> Client::ReadRows(const v1::ReadRecordingRequest& request) {
  RecordedRows rows;
  const Result<void> read =
      ReadRecording(request, [&](const v1::ReadRecordingResponse& piece) -> Result<void> {
        if (piece.has_header()) rows.header = piece.header();
        rows.rows += piece.data();
        rows.next_row = piece.next();
        return {};
      });
  if (!read.ok()) return read.error();
  return rows;
}

Result<void> Client::DownloadRecording(const std::string& recording, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wbx");
  if (file == nullptr) return FileError(path);
  v1::ReadRecordingRequest request;
  request.set_recording(recording);
  Result<void> read =
      ReadRecording(request, [&](const v1::ReadRecordingResponse& piece) -> Result<void> {
        const std::string& data = piece.data();
        if (std::fwrite(data.data(), 1, data.size(), file) == data.size()) return {};
        return FileError(path);
      });
  if (std::fclose(file) != 0 && read.ok()) read = FileError(path);
  if (!read.ok()) std::remove(path.c_str());
  return read;
}

Result<void> Client::DeleteRecording(const std::string& recording, bool allow_missing) {
  v1::DeleteRecordingRequest request;
  request.set_recording(recording);
  request.set_allow_missing(allow_missing);
  v1::DeleteRecordingResponse response;
  return connection_->Call(&v1::RecordingService::Stub::DeleteRecording, request, &response);
}

}  // namespace livnd::client
