#include "server/session/recorder.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "io/recording/recording_file.h"
#include "io/system/truth.h"
#include "server/machine/log.h"
#include "server/recording/recording_summary.h"
#include "server/wire/errors.h"
#include "server/wire/memory_needs.h"

namespace livnd::server {
namespace {

constexpr size_t kNameBytes = 32;
// How much a recording may grow until its tenant's are looked at.
constexpr int64_t kCheckedBytes = 1 << 20;
// A row is appended, and handed on, once more.
constexpr int64_t kTimesWaiting = 2;

}  // namespace

Recorder::~Recorder() { EndFile(/*paused=*/place_.comes_back); }

absl::Status Recorder::Start(const v1::StartRecordingRequest& request, io::Attributes attributes,
                             std::vector<io::StreamSpec> streams, int64_t operation_bytes) {
  operation_bytes_ = operation_bytes;
  std::string name =
      io::BytesSha256(absl::StrCat(key_, "\n", request.op_index())).substr(0, kNameBytes);
  std::shared_ptr<GrowingRecording> growing;
  MemoryBudget::Reservation memory;
  if (!redoing_) {
    if (place_.folder == nullptr) {
      return absl::FailedPreconditionError("there is no folder for recordings");
    }
    attributes[std::string(kLabel)] = request.label();
    attributes[std::string(kSessionTag)] = place_.session_tag;
    attributes[std::string(kStartUnixS)] = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
    LIVND_ASSIGN_OR_RETURN(memory, ReserveMemory(*place_.memory, MemoryUse::kSessions,
                                                 NumBytes(streams), "a recording"));
    auto created = place_.folder->Create(place_.tenant, name, attributes, streams);
    if (!created.ok()) {
      return ReasonOf(created.status()).empty() ? StateNotWritten(created.status(), /*done=*/false)
                                                : created.status();
    }
    growing = *std::move(created);
  }
  active_ = true;
  request_ = request;
  name_ = std::move(name);
  why_.clear();
  num_rows_.assign(streams.size(), 0);
  growing_ = std::move(growing);
  memory_ = std::move(memory);
  if (redoing_) {
    OpenFile(streams);
  } else {
    num_there_.assign(streams.size(), 0);
    row_bytes_.clear();
    for (const io::StreamSpec& stream : streams) row_bytes_.push_back(stream.row_bytes());
    rows_.assign(streams.size(), "");
  }
  return absl::OkStatus();
}

void Recorder::GoOn(const v1::JournalRecording& recording,
                    const std::vector<io::StreamSpec>& streams, int64_t operation_bytes) {
  operation_bytes_ = operation_bytes;
  active_ = true;
  request_ = recording.request();
  name_ = recording.recording();
  why_ = recording.why();
  num_rows_.assign(recording.num_rows().begin(), recording.num_rows().end());
  num_rows_.resize(streams.size());
  OpenFile(streams);
}

int64_t Recorder::NumBytes(const std::vector<io::StreamSpec>& streams) const {
  return io::RecordingFile::MemoryBytes(streams) +
         kTimesWaiting * GrowingRecording::kMaxWaitingBytes + operation_bytes_;
}

void Recorder::OpenFile(const std::vector<io::StreamSpec>& streams) {
  row_bytes_.clear();
  for (const io::StreamSpec& stream : streams) row_bytes_.push_back(stream.row_bytes());
  rows_.assign(streams.size(), "");
  num_there_.assign(streams.size(), 0);
  if (place_.folder == nullptr) return;
  if (!why_.empty()) {
    place_.folder->GiveUp(place_.tenant, name_, /*cut_short=*/true);
    return;
  }
  auto growing = place_.folder->GoOn(place_.tenant, name_);
  if (!growing.ok()) {
    CutShort(growing.status().message());
    return;
  }
  growing_ = *std::move(growing);
  memory_ = place_.memory->Reserve(MemoryUse::kSessions, NumBytes(streams));
  const std::vector<io::StreamSpec>& there = growing_->streams();
  const std::vector<int64_t> num_flushed = growing_->counts().flushed;
  bool fits = there.size() == streams.size();
  for (size_t i = 0; fits && i < streams.size(); ++i) {
    num_there_[i] = num_flushed[i] - num_rows_[i];
    fits = there[i].name == streams[i].name && there[i].columns == streams[i].columns &&
           num_there_[i] >= 0;
  }
  if (!fits) CutShort("the file is not as the session left it");
}

void Recorder::CutShort(absl::string_view why) {
  why_ = std::string(why);
  LogLine(Severity::kWarning, "recording ended before its session",
          {{"session", place_.session_tag}, {"recording", name_}, {"error", why_}});
  if (growing_ == nullptr) {
    place_.folder->GiveUp(place_.tenant, name_, /*cut_short=*/true);
    return;
  }
  growing_->CutShort(absl::DataLossError(why_));
  EndFile(false);
}

void Recorder::EndFile(bool paused) {
  if (growing_ == nullptr) return;
  Release(std::numeric_limits<int64_t>::max());
  place_.folder->End(place_.tenant, std::move(growing_), paused);
  growing_ = nullptr;
  memory_.Release();
}

void Recorder::Stop() {
  // What the operations before it have done is written down.
  EndFile(false);
  active_ = false;
  rows_.clear();
}

int64_t Recorder::Keep(absl::Duration computed) {
  const absl::Duration making = std::exchange(making_, absl::ZeroDuration());
  if (!active_) return 0;
  int64_t num_bytes = 0;
  for (size_t i = 0; i < rows_.size(); ++i) {
    num_bytes += static_cast<int64_t>(rows_[i].size());
    const int64_t num = static_cast<int64_t>(rows_[i].size()) / row_bytes_[i];
    num_rows_[i] += num;
    if (num_there_[i] == 0) continue;
    const int64_t num_known = std::min(num, num_there_[i]);
    rows_[i].erase(0, static_cast<size_t>(num_known * row_bytes_[i]));
    num_there_[i] -= num_known;
  }
  if (growing_ == nullptr) {
    for (std::string& rows : rows_) rows.clear();
    return 0;
  }
  growing_->AddTimes(making, computed);
  unchecked_bytes_ += num_bytes;
  if (unchecked_bytes_ >= kCheckedBytes) {
    unchecked_bytes_ = 0;
    place_.folder->CheckGrowth(place_.tenant, *growing_);
  }
  MutexLock lock(mu_);
  held_.emplace_back(++last_number_, std::move(rows_));
  rows_.assign(row_bytes_.size(), "");
  return last_number_;
}

void Recorder::Release(int64_t number) {
  MutexLock lock(mu_);
  while (!held_.empty() && held_.front().first <= number) {
    growing_->Append(absl::MakeSpan(held_.front().second));
    held_.pop_front();
  }
}

bool Recorder::Encode(v1::JournalRecording* recording) {
  if (!active_) return false;
  if (growing_ != nullptr) {
    Release(Keep(absl::ZeroDuration()));
    if (const absl::Status flushed = growing_->Flush(); !flushed.ok() || !growing_->status().ok()) {
      why_ = std::string(growing_->status().message());
    }
  }
  *recording->mutable_request() = request_;
  recording->set_recording(name_);
  *recording->mutable_num_rows() = {num_rows_.begin(), num_rows_.end()};
  recording->set_why(why_);
  return true;
}

void Recorder::EndRedo() {
  redoing_ = false;
  if (std::any_of(num_there_.begin(), num_there_.end(), [](int64_t n) { return n > 0; }) &&
      growing_ != nullptr) {
    CutShort("the file has rows of what the session has not done");
  }
}

}  // namespace livnd::server
