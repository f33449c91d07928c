#include "server/session/operation_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/system/truth.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

// What is longer is known by its digest.
constexpr size_t kLongPayload = 64 << 10;

// No canonical payload begins with a zero: a message's name does.
std::string DigestOf(absl::string_view payload) {
  return std::string("\0", 1) + io::BytesSha256(payload);
}

bool IsPayloadOf(const OperationLog::Done& done, absl::string_view payload) {
  const bool is_digest = !payload.empty() && payload.front() == '\0';
  return (payload == done.payload && !is_digest) ||
         (payload.size() > kLongPayload && DigestOf(payload) == done.payload);
}

int64_t BytesOf(const OperationLog::Done& done) {
  return static_cast<int64_t>(sizeof done + done.payload.capacity() + done.answer.Length());
}

}  // namespace

absl::StatusOr<OperationLog::Verdict> OperationLog::Admit(int64_t op_index,
                                                          absl::string_view payload) const {
  if (op_index == next()) return Verdict::kRun;
  if (op_index >= first() && op_index <= last_) {
    if (IsPayloadOf(done_[static_cast<size_t>(op_index - first())], payload)) {
      return Verdict::kRepeat;
    }
    return MakeError(absl::StatusCode::kInvalidArgument, reason::kPayloadMismatch,
                     absl::StrCat("operation ", op_index,
                                  " was done with another payload; a repeat must be the same call "
                                  "with the same fields, a new operation carries ",
                                  next()),
                     {{"field", "op_index"},
                      {"value", absl::StrCat(op_index)},
                      {"expected", absl::StrCat(next())}});
  }
  return MakeError(
      absl::StatusCode::kFailedPrecondition, reason::kWrongOpIndex,
      absl::StrCat("op_index is ", op_index, "; the session's next operation is ", next()),
      {{"field", "op_index"},
       {"value", absl::StrCat(op_index)},
       {"accepted", absl::StrCat(next())},
       {"expected", absl::StrCat(next())}});
}

void OperationLog::Push(Done done) {
  num_bytes_ += BytesOf(done);
  done_.push_back(std::move(done));
}

OperationLog::Done OperationLog::Pop() {
  Done done = std::move(done_.front());
  done_.pop_front();
  num_bytes_ -= BytesOf(done);
  return done;
}

void OperationLog::Restore(int64_t next, std::deque<Done> done) {
  *this = OperationLog();
  last_ = next - 1;
  const int64_t most = std::clamp<int64_t>(last_, 0, kMaxKept);
  while (static_cast<int64_t>(done.size()) > most) done.pop_front();
  for (Done& each : done) Push(std::move(each));
}

void OperationLog::Commit(absl::string_view payload, grpc::ByteBuffer answer, int64_t oldest) {
  oldest = oldest == 0 ? next() : std::max(oldest, next() - (kMaxKept - 1));
  Done done;  // one that goes leaves its room to the one that comes
  while (!done_.empty() && first() < oldest) done = Pop();
  if (payload.size() > kLongPayload) {
    done.payload = DigestOf(payload);
  } else {
    done.payload.assign(payload.data(), payload.size());
  }
  done.answer = std::move(answer);
  ++last_;
  Push(std::move(done));
}

}  // namespace livnd::server
