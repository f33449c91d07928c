#include "server/journal/session_journal.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/journal/answer_digests.h"
#include "server/machine/steady_time.h"

namespace livnd::server {
namespace {

// Beside a request, of a record: the digests of an answer with some hundred fields.
constexpr int64_t kDigestBytes = 1 << 10;
// Doing again what follows the head takes no longer than this, or than so many times what writing it
// did: whichever is more.
constexpr absl::Duration kMaxComputed = absl::Seconds(1);
constexpr int kMaxTimesHead = 50;
// What follows the head takes no more bytes than this, or than so many times the head's.
constexpr int64_t kMaxBytes = 1 << 20;
constexpr int kMaxTimesHeadBytes = 4;
constexpr size_t kLargeRequest = 1 << 20;
// Protobuf serializes no more than 2 GiB.
constexpr size_t kMaxHeadBytes = size_t{3} << 29;

}  // namespace

SessionJournal::SessionJournal(std::string path, Durability durability, v1::JournalHead head,
                               SyncThread* sync, std::atomic<bool>* writable)
    : file_(std::move(path), durability),
      head_(std::move(head)),
      sync_(sync),
      writable_(writable) {}

absl::Status SessionJournal::Told(absl::Status written) {
  if (*writable_ != written.ok()) *writable_ = written.ok();
  return written;
}

absl::Status SessionJournal::Prepare(int64_t request_bytes) {
  return Told(file_.Reserve(request_bytes + kDigestBytes));
}

absl::Status SessionJournal::Append(const v1::JournalRecord& record) {
  const absl::Status appended = Told(file_.Append(record));
  broken_ = broken_ || !appended.ok();
  return appended;
}

absl::Status SessionJournal::Record(v1::JournalMethod method, absl::string_view request,
                                    const grpc::ByteBuffer& answer, absl::Duration computed,
                                    int64_t oldest_op_index) {
  computed_ += computed;
  v1::JournalOperation& operation = *record_.mutable_operation();
  operation.set_method(method);
  operation.set_request(request.data(), request.size());
  operation.set_oldest_op_index(oldest_op_index);
  operation.clear_digests();
  for (const FieldDigest& field : DigestFields(answer)) {
    operation.add_digests(field.digest);
  }
  const absl::Status appended = Append(record_);
  // A large request is not kept for the capacity of its buffers.
  if (request.size() > kLargeRequest) record_ = v1::JournalRecord();
  return appended;
}

absl::Status SessionJournal::RecordAttachment(int64_t generation) {
  v1::JournalRecord record;
  record.mutable_attachment()->set_generation(generation);
  LIVND_RETURN_IF_ERROR(Told(file_.Reserve(static_cast<int64_t>(record.ByteSizeLong()))));
  return Append(record);
}

bool SessionJournal::ShouldBeginAnew() const {
  return computed_ > std::max(kMaxComputed, kMaxTimesHead * head_time_) ||
         file_.num_bytes() - head_bytes_ > std::max(kMaxBytes, kMaxTimesHeadBytes * head_bytes_);
}

absl::Status SessionJournal::BeginAnew(v1::JournalHead state) {
  const absl::Time start = SteadyNow();
  computed_ = absl::ZeroDuration();  // where it fails, not to try again at every operation
  v1::JournalHead head = head_;
  head.clear_earlier_answers();
  head.MergeFrom(state);
  head.set_parked(state.parked());
  if (const size_t bytes = head.ByteSizeLong(); bytes > kMaxHeadBytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the state of the copies is ", bytes, " bytes, and one journal takes ", kMaxHeadBytes));
  }
  LIVND_RETURN_IF_ERROR(Told(file_.Replace(head)));
  broken_ = sync_failed_ = false;
  head_bytes_ = file_.num_bytes();
  head_time_ = SteadyNow() - start;
  return absl::OkStatus();
}

void SessionJournal::WhenKept(SyncThread::Done done) {
  if (sync_ == nullptr) {
    std::move(done)(absl::OkStatus());
    return;
  }
  sync_->Sync(file_.handle(), [this, done = std::move(done)](absl::Status synced) mutable {
    // What the system could not write it may have let go.
    if (!synced.ok()) sync_failed_ = true;
    synced = Told(std::move(synced));
    std::move(done)(std::move(synced));
  });
}

absl::Status SessionJournal::Remove() { return file_.Remove(); }

}  // namespace livnd::server
