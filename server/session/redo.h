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
#include "server/session/environment_store.h"
#include "server/session/hosted_environment.h"
#include "server/session/operation_log.h"

namespace livnd::server {

// Where a journal leads.
struct Redone {
  OperationLog log;
  int64_t generation = 1;
};

// The copies that a journal begins with, to be made. INVALID_FIELD.
absl::StatusOr<WantedCopies> WantedBy(const v1::JournalHead& head);

// From which the names of a session's recordings follow (Recorder::SetKey).
std::string RecordingKey(const v1::JournalHead& head);

// Does what a journal says in copies that were just made as WantedBy says; calls `did` after each
// operation. SNAPSHOT_MISMATCH: they are on something else. DataLoss, which names the first operation
// and field, if an answer is another one than then; the error of an operation that cannot be done now.
absl::StatusOr<Redone> RedoJournal(const v1::JournalHead& head,
                                   absl::Span<const v1::JournalRecord> records,
                                   HostedEnvironment& environment, absl::FunctionRef<void()> did);

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_REDO_H_
