// Exactly-once operations by number.
#ifndef LIVND_SERVER_SESSION_OPERATION_LOG_H_
#define LIVND_SERVER_SESSION_OPERATION_LOG_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "grpcpp/support/byte_buffer.h"

namespace livnd::server {

// Decides for every operation of a session whether it is the next one, a repeat of the last one, or
// out of order, and keeps the last one's payload and answer so that a repeat is answered without
// running again. Operations that failed are not recorded: they changed nothing and used up no
// number.
//
// Thread-compatible; a session uses it on its strand, which is why a repeat that arrives while the
// original runs finds the finished answer.
class OperationLog {
 public:
  enum class Verdict { kRun, kRepeat };

  // The number that the next operation must carry; the first is 1.
  int64_t next() const { return last_ + 1; }

  // kRun for next(). kRepeat for the last operation with the very same payload.
  // INVALID_ARGUMENT / PAYLOAD_MISMATCH: the last number with another payload.
  // FAILED_PRECONDITION / WRONG_OP_INDEX: any other number; `expected` holds next().
  absl::StatusOr<Verdict> Admit(int64_t op_index, absl::string_view payload) const;

  // Records next() as done.
  void Commit(absl::string_view payload, grpc::ByteBuffer answer);

  // The last operation's answer, by reference to shared bytes. Only after a Commit.
  const grpc::ByteBuffer& answer() const { return answer_; }
  // What it was asked as; of what is long, a digest.
  const std::string& payload() const { return payload_; }

  // As it stood, in another process perhaps, when next() was this.
  void Restore(int64_t next, std::string payload, grpc::ByteBuffer answer);

  // Memory that it takes.
  int64_t num_bytes() const { return static_cast<int64_t>(payload_.capacity() + answer_.Length()); }

 private:
  int64_t last_ = 0;
  std::string payload_;
  grpc::ByteBuffer answer_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_OPERATION_LOG_H_
