#include "server/session/operation_log.h"

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

}  // namespace

absl::StatusOr<OperationLog::Verdict> OperationLog::Admit(int64_t op_index,
                                                          absl::string_view payload) const {
  if (op_index == next()) return Verdict::kRun;
  if (op_index == last_ && last_ > 0) {
    const bool is_digest = !payload.empty() && payload.front() == '\0';
    const bool same = (payload == payload_ && !is_digest) ||
                      (payload.size() > kLongPayload && DigestOf(payload) == payload_);
    if (same) return Verdict::kRepeat;
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

void OperationLog::Restore(int64_t next, std::string payload, grpc::ByteBuffer answer) {
  last_ = next - 1;
  payload_ = std::move(payload);
  answer_ = std::move(answer);
}

void OperationLog::Commit(absl::string_view payload, grpc::ByteBuffer answer) {
  ++last_;
  if (payload.size() > kLongPayload) {
    payload_ = DigestOf(payload);
  } else {
    payload_.assign(payload.data(), payload.size());
  }
  answer_ = std::move(answer);
}

}  // namespace livnd::server
