// RecordingService.ReadRecording: a recording in pieces.
#ifndef LIVND_SERVER_SERVICE_RECORDING_STREAM_H_
#define LIVND_SERVER_SERVICE_RECORDING_STREAM_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "io/recording/recording_reader.h"
#include "livnd/v1/recording_service.pb.h"
#include "server/machine/memory_budget.h"
#include "server/machine/worker_pool.h"
#include "server/recording/recording_folder.h"
#include "server/service/answer.h"
#include "server/service/reception.h"

namespace livnd::server {

// One call. Each piece is read on a thread of the readers and written before the next one is read, so
// that a caller who is slow holds a piece of memory and no thread. Deletes itself.
class RecordingStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // Begins to read, or ends at once. `folder` may be null.
  static RecordingStream* Open(const RawCall& call, RecordingFolder* folder, WorkerPool& readers,
                               int64_t max_message_bytes);

 private:
  RecordingStream(const Reception& reception, RecordingFolder* folder, WorkerPool& readers,
                  int64_t max_message_bytes)
      : reception_(reception),
        folder_(folder),
        readers_(readers),
        max_message_bytes_(max_message_bytes) {}

  void OnWriteDone(bool ok) override;
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

  // On a reader's thread: the next piece, and the end after the last one.
  void ReadOn();
  absl::Status ReadNext();
  absl::Status OpenFile();
  absl::Status OpenRows(const std::string& path);
  absl::Status ReadRows();
  absl::Status ReadBytes();
  void End(const absl::Status& status);

  const Reception& reception_;
  RecordingFolder* const folder_;
  WorkerPool& readers_;
  const int64_t max_message_bytes_;
  std::atomic<bool> cancelled_{false};

  // Touched by one piece after the other.
  std::string tenant_;
  std::unique_ptr<v1::ReadRecordingRequest> request_;
  std::unique_ptr<io::RecordingReader> reader_;
  int stream_ = -1;
  io::RowFilter filter_;
  std::string path_;
  int64_t num_bytes_ = 0;  // of the file, where these are asked for
  bool opened_ = false, done_ = false;
  MemoryBudget::Reservation memory_;
  v1::ReadRecordingResponse response_;
  grpc::ByteBuffer out_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_RECORDING_STREAM_H_
