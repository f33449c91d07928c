#include "io/recording/recording_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

constexpr char kNumDropped[] = "num_dropped", kNumWaits[] = "num_waits", kWaitedUs[] = "waited_us";

}  // namespace

RecordingWriter::RecordingWriter(std::unique_ptr<RecordingFile> file, const Options& options)
    : options_(options), file_(std::move(file)), specs_(file_->streams()) {
  // A recording that goes on counts on.
  const auto number = [](const Attributes& attributes, const char* name) {
    const auto found = attributes.find(name);
    const auto* value = found == attributes.end() ? nullptr : std::get_if<int64_t>(&found->second);
    return value == nullptr ? 0 : *value;
  };
  for (size_t i = 0; i < specs_.size(); ++i) {
    counts_.flushed.push_back(file_->num_rows(static_cast<int>(i)));
    counts_.dropped.push_back(number(specs_[i].attributes, kNumDropped));
  }
  counts_.appended = counts_.flushed;
  counts_.num_waits = number(file_->attributes(), kNumWaits);
  counts_.waited_us = number(file_->attributes(), kWaitedUs);
  counts_.num_bytes = file_->num_bytes();
}

bool RecordingWriter::HasRoom(int64_t num_bytes) const {
  return waiting_bytes_ == 0 || waiting_bytes_ + num_bytes <= options_.max_waiting_bytes;
}

bool RecordingWriter::HasRoomNow() const {
  return waiting_bytes_ < options_.max_waiting_bytes || closing_ || !status_.ok();
}

bool RecordingWriter::has_room() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return HasRoomNow();
}

void RecordingWriter::WaitForRoom() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (HasRoomNow()) return;
  const Clock::time_point begin = Clock::now();
  ++counts_.num_waits;
  done_.wait(lock, [this] { return HasRoomNow(); });
  counts_.waited_us +=
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count();
}

void RecordingWriter::SetAttribute(const std::string& name, int64_t value) {
  const std::lock_guard<std::mutex> lock(mutex_);
  attributes_[name] = value;
}

absl::Status RecordingWriter::Append(int stream, std::string rows) {
  std::vector<std::string> of_streams(specs_.size());
  of_streams[stream] = std::move(rows);
  return Append(absl::MakeSpan(of_streams));
}

absl::Status RecordingWriter::Append(absl::Span<std::string> rows) {
  std::vector<int64_t> num_rows(specs_.size());
  int64_t num_bytes = 0;
  for (size_t i = 0; i < specs_.size(); ++i) {
    const int64_t row_bytes = specs_[i].row_bytes();
    const auto of_stream = static_cast<int64_t>(rows[i].size());
    if (of_stream % row_bytes != 0) {
      return MakeFieldError("rows", absl::StrCat(of_stream, " bytes"),
                            absl::StrCat("a multiple of ", row_bytes, " bytes"));
    }
    num_rows[i] = of_stream / row_bytes;
    num_bytes += of_stream;
  }
  if (num_bytes == 0) return absl::OkStatus();
  const auto add_to = [&num_rows](std::vector<int64_t>& counts) {
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += num_rows[i];
  };
  std::unique_lock<std::mutex> lock(mutex_);
  const bool takes_all = options_.when_full == WhenFull::kTake;
  if (!takes_all && !HasRoom(num_bytes) && !closing_ && status_.ok()) {
    if (options_.when_full == WhenFull::kDrop) {
      add_to(counts_.dropped);
      return absl::OkStatus();
    }
    const Clock::time_point begin = Clock::now();
    ++counts_.num_waits;
    done_.wait(lock, [&] { return HasRoom(num_bytes) || closing_ || !status_.ok(); });
    counts_.waited_us +=
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count();
  }
  if (!status_.ok()) {
    add_to(counts_.dropped);
    return status_;
  }
  if (closing_) {
    if (!ended_) add_to(counts_.dropped);
    return absl::FailedPreconditionError("the recording is being closed");
  }
  add_to(counts_.appended);
  waiting_bytes_ += num_bytes;
  counts_.most_waiting_bytes = std::max(counts_.most_waiting_bytes, waiting_bytes_);
  Batch& batch = waiting_.emplace_back();
  batch.num_bytes = num_bytes;
  for (std::string& of_stream : rows) batch.rows.push_back(std::move(of_stream));
  work_.notify_one();
  return absl::OkStatus();
}

absl::Status RecordingWriter::Flush() {
  std::unique_lock<std::mutex> lock(mutex_);
  const int64_t wanted = ++num_flushes_wanted_;
  work_.notify_one();
  done_.wait(lock, [&] { return num_flushes_made_ >= wanted || over_; });
  return status_;
}

void RecordingWriter::BeginClose() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closing_ = true;
  work_.notify_one();
  done_.notify_all();
}

absl::Status RecordingWriter::Close() {
  BeginClose();
  std::unique_lock<std::mutex> lock(mutex_);
  ended_ = true;
  done_.wait(lock, [&] { return over_; });
  return status_;
}

RecordingWriter::Counts RecordingWriter::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

absl::Status RecordingWriter::status() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return status_;
}

absl::Status RecordingWriter::WriteOut(const std::deque<Batch>& batches) {
  for (const Batch& batch : batches) {
    LIVND_RETURN_IF_ERROR(file_->Append(batch.rows));
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_bytes_ -= batch.num_bytes;
    done_.notify_all();
  }
  return absl::OkStatus();
}

absl::Status RecordingWriter::FlushFile(bool last) {
  const Counts counts = this->counts();
  std::map<std::string, int64_t> attributes;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    attributes.swap(attributes_);
  }
  for (const auto& [name, value] : attributes) file_->SetAttribute(-1, name, value);
  for (size_t i = 0; i < specs_.size(); ++i) {
    file_->SetAttribute(static_cast<int>(i), kNumDropped, counts.dropped[i]);
  }
  file_->SetAttribute(-1, kNumWaits, counts.num_waits);
  file_->SetAttribute(-1, kWaitedUs, counts.waited_us);
  LIVND_RETURN_IF_ERROR(last ? file_->Close() : file_->Flush());
  const std::lock_guard<std::mutex> lock(mutex_);
  counts_.num_flushes = file_->num_flushes();
  counts_.num_bytes = file_->num_bytes();
  for (size_t i = 0; i < specs_.size(); ++i) {
    counts_.flushed[i] = file_->num_rows(static_cast<int>(i));
  }
  return absl::OkStatus();
}

void RecordingWriter::Run() {
  absl::Status status;
  Clock::time_point next_flush = Clock::now() + options_.flush_interval;
  bool changed = false;  // since the last flush
  bool last = false;
  while (status.ok() && !last) {
    std::deque<Batch> batches;
    int64_t flushes = 0;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const auto has_work = [&] {
        return !waiting_.empty() || num_flushes_wanted_ > num_flushes_made_ || closing_;
      };
      if (changed) {
        work_.wait_until(lock, next_flush, has_work);
      } else {
        work_.wait(lock, has_work);
        next_flush = std::max(next_flush, Clock::now());
      }
      batches.swap(waiting_);
      flushes = num_flushes_wanted_;
      last = closing_;
    }
    status = WriteOut(batches);
    changed = changed || !batches.empty();
    const bool is_due = flushes > num_flushes_made_ || (changed && Clock::now() >= next_flush);
    if (status.ok() && (is_due || last)) {
      status = FlushFile(last);
      changed = false;
      next_flush = Clock::now() + options_.flush_interval;
      const std::lock_guard<std::mutex> lock(mutex_);
      if (status.ok()) num_flushes_made_ = flushes;
      done_.notify_all();
    }
  }
  if (!status.ok()) GiveUp(status);
  const std::lock_guard<std::mutex> lock(mutex_);
  over_ = true;
  done_.notify_all();
}

void RecordingWriter::GiveUp(const absl::Status& status) {
  const auto drop_from = [this](const std::vector<int64_t>& kept) {
    for (size_t i = 0; i < specs_.size(); ++i) {
      counts_.dropped[i] += counts_.appended[i] - kept[i];
      counts_.appended[i] = kept[i];
    }
  };
  std::vector<int64_t> in_file;
  for (size_t i = 0; i < specs_.size(); ++i) {
    in_file.push_back(file_->num_rows(static_cast<int>(i)));
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_ = status;
    waiting_.clear();
    waiting_bytes_ = 0;
    drop_from(in_file);
    done_.notify_all();
  }
  // A file that is full can be closed; one whose disk fails cannot, and stays as its last flush left it.
  file_->SetAttribute(-1, std::string(kCutShort), 1);
  const bool is_closed = FlushFile(true).ok();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!is_closed) drop_from(std::vector<int64_t>(counts_.flushed));
}

}  // namespace livnd::io
