#include "server/recording/recording_folder.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "io/recording/recording_file.h"
#include "io/recording/recording_reader.h"
#include "server/machine/log.h"
#include "server/recording/recording_summary.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

constexpr absl::string_view kSuffix = ".h5";
constexpr absl::string_view kFresh = ".new";  // of what is not yet in its place
constexpr size_t kNameBytes = 32;

absl::StatusOr<std::vector<std::string>> EntriesOf(const std::string& path) {
  DIR* const dir = opendir(path.c_str());
  if (dir == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
  std::vector<std::string> out;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] != '.') out.emplace_back(entry->d_name);
  }
  closedir(dir);
  std::sort(out.begin(), out.end());
  return out;
}

absl::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot make the folder ", path));
}

// No other tenant's, and no path, whatever the name.
std::string FolderName(const std::string& tenant) {
  std::string out = "tenant-";
  for (const char c : tenant) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') {
      out.push_back(c);
    } else {
      absl::StrAppendFormat(&out, "%%%02x", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// Nullopt of a folder that FolderName has not named.
std::optional<std::string> TenantOfFolder(absl::string_view folder) {
  if (!absl::ConsumePrefix(&folder, "tenant-")) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < folder.size(); ++i) {
    if (folder[i] != '%') {
      out.push_back(folder[i]);
      continue;
    }
    const std::string digits(folder.substr(i + 1, 2));
    int byte = 0;
    if (digits.size() != 2 || !absl::SimpleHexAtoi(digits, &byte)) return std::nullopt;
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  if (FolderName(out) != absl::StrCat("tenant-", folder)) return std::nullopt;
  return out;
}

bool IsName(absl::string_view name) {
  return name.size() == kNameBytes && std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
         });
}

// How large a file is and when it was changed; nullopt where there is none.
struct FileTimes {
  int64_t mtime_ns = 0, num_bytes = 0;
};
std::optional<FileTimes> TimesOf(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return FileTimes{info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec, info.st_size};
}

int64_t SumOf(const std::vector<int64_t>& numbers) {
  int64_t sum = 0;
  for (const int64_t number : numbers) sum += number;
  return sum;
}

void AddTo(const GrowingRecording& recording, RecordingFolder::Totals& totals) {
  const io::RecordingWriter::Counts counts = recording.counts(), first = recording.first_counts();
  totals.num_rows += SumOf(counts.appended) - SumOf(first.appended);
  totals.num_dropped += SumOf(counts.dropped) - SumOf(first.dropped);
  totals.num_waits += counts.num_waits - first.num_waits;
  totals.waited_s += static_cast<double>(counts.waited_us - first.waited_us) * 1e-6;
}

}  // namespace

RecordingFolder::RecordingFolder(std::string path, Options options)
    : path_(std::move(path)), options_(options) {}

RecordingFolder::~RecordingFolder() {
  // The disk may have room by now.
  for (const auto& [key, unmarked] : unmarked_) Mark(key, unmarked.cut_short).IgnoreError();
}

absl::StatusOr<std::unique_ptr<RecordingFolder>> RecordingFolder::Open(std::string path,
                                                                       Options options) {
  LIVND_RETURN_IF_ERROR(MakeFolder(path));
  std::unique_ptr<RecordingFolder> out(new RecordingFolder(path, options));
  LIVND_ASSIGN_OR_RETURN(const std::vector<std::string> folders, EntriesOf(path));
  MutexLock lock(out->mu_);
  for (const std::string& folder : folders) {
    const std::string of_tenant = absl::StrCat(path, "/", folder);
    const auto tenant = TenantOfFolder(folder);
    if (!tenant.has_value()) continue;
    const auto files = EntriesOf(of_tenant);
    if (!files.ok()) continue;
    for (absl::string_view file : *files) {
      if (absl::EndsWith(file, kFresh)) unlink(absl::StrCat(of_tenant, "/", file).c_str());
      if (!absl::ConsumeSuffix(&file, kSuffix) || !IsName(file)) continue;
      out->Account({*tenant, std::string(file)});
    }
  }
  return out;
}

std::string RecordingFolder::FolderOf(const std::string& tenant) const {
  return absl::StrCat(path_, "/", FolderName(tenant));
}

std::string RecordingFolder::PathOf(const std::string& tenant, const std::string& name) const {
  return absl::StrCat(FolderOf(tenant), "/", name, kSuffix);
}

int64_t RecordingFolder::BytesOf(const std::string& tenant) const {
  int64_t bytes = 0;
  for (auto it = bytes_.lower_bound({tenant, ""}); it != bytes_.end(); ++it) {
    if (it->first.first != tenant) break;
    bytes += it->second;
  }
  for (auto it = growing_.lower_bound({tenant, ""}); it != growing_.end(); ++it) {
    if (it->first.first != tenant) break;
    bytes += it->second->counts().num_bytes;
  }
  return bytes;
}

void RecordingFolder::Account(const Key& key) {
  if (const auto times = TimesOf(PathOf(key.first, key.second)); times.has_value()) {
    bytes_[key] = times->num_bytes;
  } else {
    bytes_.erase(key);
    known_.erase(key);
    unmarked_.erase(key);
  }
}

absl::StatusOr<std::shared_ptr<GrowingRecording>> RecordingFolder::Create(
    const std::string& tenant, const std::string& name, const io::Attributes& attributes,
    const std::vector<io::StreamSpec>& streams) {
  const std::string path = PathOf(tenant, name);
  int64_t max_bytes = options_.max_recording_bytes;
  {
    MutexLock lock(mu_);
    unlink(path.c_str());
    bytes_.erase({tenant, name});
    int num = 0;
    for (const auto& [key, bytes] : bytes_) num += key.first == tenant ? 1 : 0;
    for (const auto& [key, recording] : growing_) num += key.first == tenant ? 1 : 0;
    if (num >= options_.max_recordings) {
      return QuotaExceeded(
          "max_recordings", absl::StrCat(num + 1),
          absl::StrCat("at most ", options_.max_recordings, "; DeleteRecording makes room"));
    }
    const int64_t left = options_.max_tenant_bytes - BytesOf(tenant);
    if (left <= 0) {
      return QuotaExceeded("max_tenant_recording_bytes",
                           absl::StrCat(options_.max_tenant_bytes - left, " bytes"),
                           absl::StrCat("at most ", options_.max_tenant_bytes,
                                        " bytes; DeleteRecording makes room"));
    }
    max_bytes = std::min(max_bytes, left);
  }
  if (const absl::Status made = MakeFolder(FolderOf(tenant)); !made.ok()) {
    LogLine(Severity::kError, "no folder for recordings", {{"error", made.message()}});
    return WithoutPath(made, FolderOf(tenant), "of recordings");
  }
  io::RecordingFile::Options options;
  options.durable = options_.durable;
  options.max_bytes = max_bytes;
  auto file = io::RecordingFile::Create(path, attributes, streams, options);
  if (absl::IsInvalidArgument(file.status())) {
    return QuotaExceeded("max_recording_bytes", absl::StrCat(max_bytes, " bytes"),
                         file.status().message());
  }
  if (!file.ok()) return WithoutPath(file.status(), path);
  return Grow({tenant, name}, *std::move(file));
}

absl::StatusOr<std::shared_ptr<GrowingRecording>> RecordingFolder::GoOn(const std::string& tenant,
                                                                        const std::string& name) {
  io::RecordingFile::Options options;
  options.durable = options_.durable;
  options.max_bytes = options_.max_recording_bytes;
  const std::string path = PathOf(tenant, name);
  auto file = io::RecordingFile::Resume(path, options);
  if (!file.ok()) return WithoutPath(file.status(), path);
  return Grow({tenant, name}, *std::move(file));
}

absl::StatusOr<std::shared_ptr<GrowingRecording>> RecordingFolder::Grow(
    const Key& key, std::unique_ptr<io::RecordingFile> file) {
  auto growing = std::make_shared<GrowingRecording>(key.second, PathOf(key.first, key.second),
                                                    std::move(file));
  MutexLock lock(mu_);
  growing_[key] = growing;
  bytes_.erase(key);
  known_.erase(key);
  unmarked_.erase(key);
  return growing;
}

void RecordingFolder::CheckGrowth(const std::string& tenant, GrowingRecording& recording) {
  MutexLock lock(mu_);
  const int64_t bytes = BytesOf(tenant);
  if (bytes <= options_.max_tenant_bytes) return;
  recording.CutShort(QuotaExceeded(
      "max_tenant_recording_bytes", absl::StrCat(bytes, " bytes"),
      absl::StrCat("at most ", options_.max_tenant_bytes, " bytes; DeleteRecording makes room")));
}

void RecordingFolder::End(const std::string& tenant, std::shared_ptr<GrowingRecording> recording,
                          bool paused) {
  recording->Close(paused).IgnoreError();
  const Key key(tenant, recording->name());
  const absl::Status why = recording->status();
  {
    MutexLock lock(mu_);
    AddTo(*recording, ended_);
    growing_.erase(key);
    Account(key);
  }
  // A file that is full could be closed and says so; what a disk refused is said here.
  if (!why.ok() && !IsMarked(key)) GiveUp(tenant, key.second, /*cut_short=*/true);
}

bool RecordingFolder::IsMarked(const Key& key) const {
  const std::string path = PathOf(key.first, key.second);
  return DescribeFile(key.second, path, 0).state() == v1::RECORDING_STATE_CUT_SHORT;
}

absl::Status RecordingFolder::Mark(const Key& key, bool cut_short) const {
  LIVND_ASSIGN_OR_RETURN(const std::unique_ptr<io::RecordingFile> file,
                         io::RecordingFile::Resume(PathOf(key.first, key.second), {}));
  file->SetAttribute(-1, std::string(kPaused), 0);
  if (cut_short) file->SetAttribute(-1, std::string(io::kCutShort), 1);
  return file->Close();
}

void RecordingFolder::GiveUp(const std::string& tenant, const std::string& name, bool cut_short) {
  const Key key(tenant, name);
  {
    MutexLock lock(mu_);
    if (growing_.count(key) > 0) return;
    const auto before = unmarked_.find(key);
    if (before != unmarked_.end()) cut_short = cut_short || before->second.cut_short;
  }
  const absl::Status marked = Mark(key, cut_short);
  if (!marked.ok()) {
    LogLine(Severity::kWarning, "recording not closed",
            {{"recording", name}, {"error", marked.message()}});
  }
  MutexLock lock(mu_);
  unmarked_.erase(key);
  if (!marked.ok()) {
    const absl::Status why = WithoutPath(marked, PathOf(tenant, name));
    unmarked_[key] = {cut_short, std::string(why.message())};
  }
  Account(key);
}

void RecordingFolder::AddUnmarked(const std::string& tenant, v1::Recording* recording) const {
  if (recording->state() == v1::RECORDING_STATE_DAMAGED) return;
  MutexLock lock(mu_);
  const auto found = unmarked_.find({tenant, recording->recording()});
  if (found == unmarked_.end()) return;
  recording->set_state(found->second.cut_short ? v1::RECORDING_STATE_CUT_SHORT
                                               : v1::RECORDING_STATE_COMPLETE);
  if (found->second.cut_short) recording->set_why(found->second.why);
}

std::vector<v1::Recording> RecordingFolder::List(const std::string& tenant) {
  std::vector<v1::Recording> out;
  std::vector<std::string> names;  // of files to look at
  {
    MutexLock lock(mu_);
    for (const auto& [key, growing] : growing_) {
      if (key.first == tenant) out.push_back(EncodeGrowing(*growing));
    }
    for (const auto& [key, bytes] : bytes_) {
      if (key.first == tenant) names.push_back(key.second);
    }
  }
  for (const std::string& name : names) {
    const std::string path = PathOf(tenant, name);
    const auto times = TimesOf(path);
    if (!times.has_value()) continue;  // deleted meanwhile
    {
      MutexLock lock(mu_);
      const auto known = known_.find({tenant, name});
      if (known != known_.end() && known->second.mtime_ns == times->mtime_ns &&
          known->second.num_bytes == times->num_bytes) {
        out.push_back(known->second.recording);
        continue;
      }
    }
    v1::Recording recording = DescribeFile(name, path, times->num_bytes);
    MutexLock lock(mu_);
    if (growing_.count({tenant, name}) > 0) continue;  // begun meanwhile, and told the next time
    known_[{tenant, name}] = {times->mtime_ns, times->num_bytes, recording};
    out.push_back(std::move(recording));
  }
  for (v1::Recording& recording : out) AddUnmarked(tenant, &recording);
  std::sort(out.begin(), out.end(), [](const v1::Recording& a, const v1::Recording& b) {
    return a.start_unix_s() != b.start_unix_s() ? a.start_unix_s() > b.start_unix_s()
                                                : a.recording() < b.recording();
  });
  return out;
}

absl::StatusOr<std::string> RecordingFolder::Find(const std::string& tenant,
                                                  const std::string& name) const {
  if (!IsName(name)) return UnknownRecording(name);
  std::string path = PathOf(tenant, name);
  if (!TimesOf(path).has_value()) return UnknownRecording(name);
  return path;
}

bool RecordingFolder::IsGrowing(const std::string& tenant, const std::string& name) const {
  MutexLock lock(mu_);
  return growing_.count({tenant, name}) > 0;
}

absl::Status RecordingFolder::Delete(const std::string& tenant, const std::string& name) {
  LIVND_ASSIGN_OR_RETURN(const std::string path, Find(tenant, name));
  MutexLock lock(mu_);
  if (growing_.count({tenant, name}) > 0) return RecordingUnderWay(name);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return absl::ErrnoToStatus(errno, "cannot delete the recording");
  }
  bytes_.erase({tenant, name});
  known_.erase({tenant, name});
  unmarked_.erase({tenant, name});
  return absl::OkStatus();
}

RecordingFolder::Totals RecordingFolder::totals() const {
  MutexLock lock(mu_);
  Totals out = ended_;
  out.num_growing = static_cast<int>(growing_.size());
  for (const auto& [key, growing] : growing_) {
    AddTo(*growing, out);
    out.num_bytes += growing->counts().num_bytes;
  }
  for (const auto& [key, bytes] : bytes_) out.num_bytes += bytes;
  return out;
}

}  // namespace livnd::server
