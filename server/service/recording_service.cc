#include "server/service/recording_service.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "server/service/answer.h"
#include "server/service/recording_stream.h"
#include "server/session/session.h"
#include "server/wire/errors.h"
#include "server/wire/memory_needs.h"
#include "server/wire/message_bytes.h"

namespace livnd::server {

grpc::ServerUnaryReactor* RecordingService::StartRecording(Context* context, const Bytes* in,
                                                           Bytes* out) {
  return AnswerOnStrand<v1::StartRecordingRequest>(
      registry_, {context, in, out, reception_},
      [](Session& session, v1::StartRecordingRequest& request) {
        return session.StartRecording(request);
      });
}

grpc::ServerUnaryReactor* RecordingService::StopRecording(Context* context, const Bytes* in,
                                                          Bytes* out) {
  return AnswerOnStrand<v1::StopRecordingRequest>(
      registry_, {context, in, out, reception_},
      [](Session& session, v1::StopRecordingRequest& request) {
        return session.StopRecording(request);
      });
}

grpc::ServerUnaryReactor* RecordingService::ListRecordings(Context* context, const Bytes* in,
                                                           Bytes* out) {
  using Request = v1::ListRecordingsRequest;
  return AnswerLater<Request>(
      {context, in, out, reception_},
      [this](const std::string& tenant, std::unique_ptr<Request> request, AnswerCallback answer) {
        readers_.Submit([this, tenant, request = std::move(request),
                         answer = std::move(answer)]() mutable {
          v1::ListRecordingsResponse response;
          const absl::string_view tag = Session::TagOf(request->session());
          if (folder_ != nullptr) {
            for (v1::Recording& recording : folder_->List(tenant)) {
              if (!tag.empty() && recording.session_tag() != tag) continue;
              *response.add_recordings() = std::move(recording);
            }
          }
          const auto bytes = static_cast<int64_t>(response.ByteSizeLong());
          if (bytes > max_message_bytes_) {
            std::move(answer)(AnswerTooLarge(bytes, max_message_bytes_, "those of one session"));
            return;
          }
          const auto room =
              ReserveMemory(reception_.memory, MemoryUse::kAnswers, bytes, "the answer");
          if (room.ok()) {
            std::move(answer)(SerializeMessage(response));
          } else {
            std::move(answer)(room.status());
          }
        });
      });
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* RecordingService::ReadRecording(Context* context,
                                                                            const Bytes* in) {
  return RecordingStream::Open({context, in, nullptr, reception_}, folder_, readers_,
                               max_message_bytes_);
}

grpc::ServerUnaryReactor* RecordingService::DeleteRecording(Context* context, const Bytes* in,
                                                            Bytes* out) {
  using Request = v1::DeleteRecordingRequest;
  return AnswerLater<Request>(
      {context, in, out, reception_},
      [this](const std::string& tenant, std::unique_ptr<Request> request, AnswerCallback answer) {
        readers_.Submit(
            [this, tenant, request = std::move(request), answer = std::move(answer)]() mutable {
              const absl::Status deleted = folder_ == nullptr
                                               ? UnknownRecording(request->recording())
                                               : folder_->Delete(tenant, request->recording());
              if (deleted.ok() || (request->allow_missing() && absl::IsNotFound(deleted))) {
                std::move(answer)(SerializeMessage(v1::DeleteRecordingResponse()));
              } else {
                std::move(answer)(deleted);
              }
            });
      });
}

}  // namespace livnd::server
