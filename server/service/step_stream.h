// EnvironmentService.StepStream: the steps of many sessions over one stream.
#ifndef LIVND_SERVER_SERVICE_STEP_STREAM_H_
#define LIVND_SERVER_SERVICE_STEP_STREAM_H_

#include <cstdint>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "livnd/v1/environment_service.pb.h"
#include "server/machine/memory_budget.h"
#include "server/machine/mutex.h"
#include "server/service/reception.h"
#include "server/session/session_registry.h"

namespace livnd::server {

class StepStream;

// The streams that are open. Thread-safe; must outlive them.
class StepStreams {
 public:
  StepStreams(SessionRegistry& registry, const Reception& reception)
      : registry_(registry), reception_(reception) {}

  // The reactor of a new stream, which deletes itself.
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Open(
      grpc::CallbackServerContext* context) ABSL_LOCKS_EXCLUDED(mu_);

  // Says goodbye on every stream once its requests are answered, and takes no new ones. After the
  // registry's Drain.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  friend class StepStream;
  void Gone(StepStream* stream) ABSL_LOCKS_EXCLUDED(mu_);

  SessionRegistry& registry_;
  const Reception& reception_;
  Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  absl::flat_hash_set<StepStream*> open_ ABSL_GUARDED_BY(mu_);
};

// One stream. It reads as long as few requests are unanswered, hands each to its session, and writes the
// answers as they come. It ends, and goes, when nothing more is to be read and all is answered.
class StepStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  StepStream(StepStreams& streams, grpc::CallbackServerContext* context);

  // Begins to read; or ends at once.
  void Begin(const absl::Status& refused);
  // Reads no more; the last answer is followed by a goodbye.
  void SayGoodbye() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mu_);
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mu_);
  void OnDone() override;

  // What was read, with the memory that it needs. OUT_OF_MEMORY, MALFORMED_MESSAGE.
  absl::Status Parse(v1::StepStreamRequest* request, MemoryBudget::Reservation* held);
  void Take(v1::StepStreamRequest request, MemoryBudget::Reservation held);
  // Of one request, on any thread.
  void Answer(int64_t tag, absl::StatusOr<grpc::ByteBuffer> answer) ABSL_LOCKS_EXCLUDED(mu_);
  // Does whatever can be done next: read, write, end. The stream may be gone afterwards. Each call is for
  // one ++num_inside_, in the same hold of the lock as what has happened: it keeps the stream until then.
  void GoOn() ABSL_LOCKS_EXCLUDED(mu_);

  StepStreams& streams_;
  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer in_;   // touched by the read under way
  grpc::ByteBuffer out_;  // touched by the write under way

  Mutex mu_;
  struct Waiting {
    grpc::ByteBuffer bytes;
    MemoryBudget::Reservation held;
  };
  std::deque<Waiting> answers_ ABSL_GUARDED_BY(mu_);        // to be written
  MemoryBudget::Reservation leaving_ ABSL_GUARDED_BY(mu_);  // of out_
  int num_inside_ ABSL_GUARDED_BY(mu_) = 0;                 // threads on their way through GoOn
  int num_unanswered_ ABSL_GUARDED_BY(mu_) = 0;             // taken, and not written
  bool reading_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool read_all_ ABSL_GUARDED_BY(mu_) = false;  // nothing more comes, or is taken
  bool broken_ ABSL_GUARDED_BY(mu_) = false;    // nobody reads the answers
  bool goodbye_ ABSL_GUARDED_BY(mu_) = false;   // is to be said
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mu_);
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_STEP_STREAM_H_
