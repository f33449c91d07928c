// Operations that were done once, done again from a journal.
#ifndef LIVND_SERVER_SESSION_REDO_H_
#define LIVND_SERVER_SESSION_REDO_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"
#include "livnd/v1/journal.pb.h"
#include "server/session/hosted_environment.h"
#include "server/session/operation_log.h"

namespace livnd::server {

// Where a journal leads.
struct Redone {
  OperationLog log;
  int64_t generation = 1;
};

// Does what a journal's records say in copies that are as its head says. `done` is called after each
// operation with its index and may end it with an error. DataLoss, which names the first operation and
// field, if an answer is another one than then; the error of an operation that cannot be done now.
absl::StatusOr<Redone> RedoJournal(const v1::JournalHead& head,
                                   absl::Span<const v1::JournalRecord> records,
                                   HostedEnvironment& environment,
                                   absl::FunctionRef<absl::Status(int64_t op_index)> done);

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_REDO_H_
