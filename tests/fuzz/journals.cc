// Bytes as a journal. Those that begin as a journal does are the file. Of others, each two bytes are the
// length of a record that follows, as many as there are: they are written as a server writes them, must
// be read as they were written, and are done again.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "server/journal/journal_file.h"
#include "server/session/hosted_task.h"
#include "server/session/redo.h"
#include "server/testing/fake_environment.h"
#include "server/wire/snapshot.h"
#include "tests/fuzz/harm.h"
#include "tests/fuzz/scratch_folder.h"

namespace livnd::server {
namespace {

using fuzz::Require;
using fuzz::RequireCallersError;

const SnapshotIdentity kIdentity = {"physics", "Environment-v0", "spec", ""};
// More copies would be slower, and nothing else.
constexpr int kMostCopies = 4;

const fuzz::ScratchFolder& Folder() {
  static const fuzz::ScratchFolder folder;
  return folder;
}

void ReadAsFile(absl::string_view bytes) {
  Folder().Write("raw", bytes);
  const auto journal = ReadJournal(Folder().file("raw"));
  RequireCallersError(journal.status());
  const auto head = ReadJournal(Folder().file("raw"), ReadWhat::kHead);
  if (!journal.ok()) return;
  Require(head.ok(), "a journal that can be read has a head that can");
  Require(journal->num_bytes <= static_cast<int64_t>(bytes.size()), "no byte is read that is not");
}

void Redo(v1::JournalHead head, const std::vector<v1::JournalRecord>& records) {
  EncodeIdentity(kIdentity, head.mutable_start());
  const auto wanted = WantedBy(head);
  RequireCallersError(wanted.status());
  if (!wanted.ok() || wanted->num_envs < 1 || wanted->num_envs > kMostCopies) return;
  static FakeControl control;
  HostedTask task(std::make_unique<FakeEnvironment>(wanted->num_envs, wanted->autoreset, control,
                                                    FakeSpec(), wanted->max_episode_steps),
                  kIdentity);
  RequireCallersError(RedoJournal(head, records, task, [] {}).status());
}

void WriteAndRedo(absl::string_view bytes) {
  v1::JournalHead head;
  std::vector<v1::JournalRecord> records;
  for (bool first = true; bytes.size() >= 2; first = false) {
    const size_t length = std::min<size_t>(
        static_cast<uint8_t>(bytes[0]) | static_cast<uint8_t>(bytes[1]) << 8, bytes.size() - 2);
    const absl::string_view body = bytes.substr(2, length);
    bytes.remove_prefix(2 + length);
    v1::JournalRecord record;
    const bool parsed = record.ParseFromArray(body.data(), static_cast<int>(body.size()));
    if (first && (!parsed || !record.has_head())) return;
    if (first) {
      head = record.head();
    } else if (parsed && record.record_case() != v1::JournalRecord::RECORD_NOT_SET) {
      records.push_back(std::move(record));
    }
  }
  const std::string path = Folder().file("written");
  {
    JournalFile file(path, Durability::kProcess);
    Require(file.Replace(head).ok(), "a journal can be begun");
    for (const v1::JournalRecord& record : records) {
      Require(file.Reserve(static_cast<int64_t>(record.ByteSizeLong())).ok() &&
                  file.Append(record).ok(),
              "a record can be written");
    }
  }
  const auto journal = ReadJournal(path);
  Require(journal.ok(), "what was written can be read");
  Require(journal->head.SerializeAsString() == head.SerializeAsString() && !journal->torn &&
              journal->records.size() == records.size(),
          "what was written is read");
  for (size_t i = 0; i < records.size(); ++i) {
    Require(journal->records[i].SerializeAsString() == records[i].SerializeAsString(),
            "each record is read as it was written");
  }
  Redo(std::move(head), records);
}

}  // namespace
}  // namespace livnd::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (absl::StartsWith(bytes, "LIVND")) {
    livnd::server::ReadAsFile(bytes);
  } else {
    livnd::server::WriteAndRedo(bytes);
  }
  return 0;
}
