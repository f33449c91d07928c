#include "server/recording/growing_recording.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace livnd::server {
namespace {

io::RecordingWriter::Options WriterOptions() {
  io::RecordingWriter::Options options;
  options.max_waiting_bytes = GrowingRecording::kMaxWaitingBytes;
  options.when_full = io::RecordingWriter::WhenFull::kTake;
  return options;
}

}  // namespace

absl::Status WithoutPath(const absl::Status& status, const std::string& path,
                         absl::string_view what) {
  const std::string told =
      absl::StrReplaceAll(status.message(), {{absl::StrCat(path, ".new"), what}, {path, what}});
  return told == status.message() ? status : absl::Status(status.code(), told);
}

GrowingRecording::GrowingRecording(std::string name, std::string path,
                                   std::unique_ptr<io::RecordingFile> file)
    : name_(std::move(name)),
      path_(std::move(path)),
      attributes_(file->attributes()),
      writer_(std::move(file), WriterOptions()),
      first_counts_(writer_.counts()),
      thread_([this] { writer_.Run(); }) {
  writer_.SetAttribute(std::string(kPaused), 0);
}

GrowingRecording::~GrowingRecording() { Close(/*paused=*/true).IgnoreError(); }

absl::Status GrowingRecording::status() const {
  if (const absl::Status status = writer_.status(); !status.ok()) return WithoutPath(status, path_);
  MutexLock lock(mu_);
  return cut_;
}

void GrowingRecording::CutShort(absl::Status why) {
  {
    MutexLock lock(mu_);
    if (!cut_.ok()) return;
    cut_ = std::move(why);
  }
  writer_.SetAttribute(std::string(io::kCutShort), 1);
  writer_.BeginClose();
}

absl::Status GrowingRecording::Close(bool paused) {
  if (!thread_.joinable()) return status();
  if (status().ok()) writer_.SetAttribute(std::string(kPaused), paused ? 1 : 0);
  const absl::Status closed = writer_.Close();
  thread_.join();
  return WithoutPath(closed, path_);
}

}  // namespace livnd::server
