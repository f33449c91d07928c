// The gRPC service livnd.v1.RecordingService.
#ifndef LIVND_SERVER_SERVICE_RECORDING_SERVICE_H_
#define LIVND_SERVER_SERVICE_RECORDING_SERVICE_H_

#include <cstdint>

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "livnd/v1/recording_service.grpc.pb.h"
#include "livnd/v1/recording_service.pb.h"
#include "server/machine/worker_pool.h"
#include "server/recording/recording_folder.h"
#include "server/service/reception.h"
#include "server/session/session_registry.h"

namespace livnd::server {

namespace internal {
using RawRecordingService = v1::RecordingService::WithRawCallbackMethod_StartRecording<
    v1::RecordingService::WithRawCallbackMethod_StopRecording<
        v1::RecordingService::WithRawCallbackMethod_ListRecordings<
            v1::RecordingService::WithRawCallbackMethod_ReadRecording<
                v1::RecordingService::WithRawCallbackMethod_DeleteRecording<
                    v1::RecordingService::Service>>>>>;
}  // namespace internal

// What reads files does so on threads of its own. Thread-safe. The registry, the reception, the folder
// and the readers must outlive the service.
class RecordingService final : public internal::RawRecordingService {
 public:
  // `folder` is null where no recordings are kept; max_message_bytes caps one answer.
  RecordingService(SessionRegistry& registry, RecordingFolder* folder, WorkerPool& readers,
                   int64_t max_message_bytes, const Reception& reception)
      : registry_(registry),
        folder_(folder),
        readers_(readers),
        max_message_bytes_(max_message_bytes),
        reception_(reception) {}

 private:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* StartRecording(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* StopRecording(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* ListRecordings(Context* context, const Bytes* in, Bytes* out) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* ReadRecording(Context* context,
                                                            const Bytes* in) override;
  Reactor* DeleteRecording(Context* context, const Bytes* in, Bytes* out) override;

  SessionRegistry& registry_;
  RecordingFolder* const folder_;
  WorkerPool& readers_;
  const int64_t max_message_bytes_;
  const Reception& reception_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_RECORDING_SERVICE_H_
