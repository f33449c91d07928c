// Exactly-once operations by number.
#ifndef LIVND_SERVER_SESSION_OPERATION_LOG_H_
#define LIVND_SERVER_SESSION_OPERATION_LOG_H_

#include <cstdint>
#include <deque>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "grpcpp/support/byte_buffer.h"

namespace livnd::server {

// Decides for every operation of a session whether it is the next one, a repeat of one that was done, or
// out of order, and keeps the payloads and answers of the last ones so that a repeat is answered without
// running again: of as many as may have been on their way when their line broke, which is one where
// their caller waits for each. Operations that failed are not recorded: they changed nothing and used up
// no number.
//
// Thread-compatible; a session uses it on its strand, which is why a repeat that arrives while the
// original runs finds the finished answer.
class OperationLog {
 public:
  enum class Verdict { kRun, kRepeat };

  // An operation that was done.
  struct Done {
    std::string payload;  // what it was asked as; of what is long, a digest
    grpc::ByteBuffer answer;
  };

  // So many are kept at most.
  static constexpr int kMaxKept = 32;

  // The number that the next operation must carry; the first is 1.
  int64_t next() const { return last_ + 1; }

  // kRun for next(). kRepeat for an operation that is kept, with the very same payload.
  // INVALID_ARGUMENT / PAYLOAD_MISMATCH: its number with another payload.
  // FAILED_PRECONDITION / WRONG_OP_INDEX: any other number; `expected` holds next().
  absl::StatusOr<Verdict> Admit(int64_t op_index, absl::string_view payload) const;

  // Records next() as done. Operations before `oldest` are let go of; 0: all before this one.
  void Commit(absl::string_view payload, grpc::ByteBuffer answer, int64_t oldest = 0);

  // The answer of an operation for which Admit said kRepeat, by reference to shared bytes; or of the
  // last one.
  const grpc::ByteBuffer& answer(int64_t op_index) const {
    return done_[static_cast<size_t>(op_index - first())].answer;
  }
  const grpc::ByteBuffer& answer() const { return done_.back().answer; }
  // What is kept, the last one last. Empty only before the first Commit.
  const std::deque<Done>& done() const { return done_; }

  // As it stood, in another process perhaps, when next() was this and done() what is given.
  void Restore(int64_t next, std::deque<Done> done);

  // Memory that it takes.
  int64_t num_bytes() const { return num_bytes_; }

 private:
  // The number of the first that is kept.
  int64_t first() const { return next() - static_cast<int64_t>(done_.size()); }
  void Push(Done done);
  Done Pop();

  int64_t last_ = 0;
  std::deque<Done> done_;
  int64_t num_bytes_ = 0;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_OPERATION_LOG_H_
