// Changes to the bytes of a recording, which is then read: the rows that were written, or an error. The
// first byte of an input says how: bit 0, headers get right checksums again, and then rows may be others;
// bit 1, the last change cuts the file. Each eight bytes are a change.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "io/recording/hdf5/bytes.h"
#include "io/recording/hdf5/checksum.h"
#include "io/recording/hdf5/metadata.h"
#include "io/recording/recording_file.h"
#include "io/recording/recording_reader.h"
#include "io/recording/testing/sample_recording.h"
#include "tests/fuzz/harm.h"
#include "tests/fuzz/scratch_folder.h"

namespace livnd::io {
namespace {

// Of each stream.
constexpr int64_t kNumRows[] = {500, 10, 3, 0, 5};
constexpr size_t kChangeBytes = 8;
constexpr size_t kMostChanges = 8;

// A recording, and where its headers are.
struct Sample {
  Sample() {
    const std::string path = folder.file("sound.h5");
    auto file = RecordingFile::Create(path, SampleAttributes(), SampleStreams(), {});
    fuzz::Require(file.ok(), "a recording can be made");
    for (int stream = 0; stream < 5; ++stream) {
      const std::string rows = SampleRows(stream, 0, kNumRows[stream]);
      fuzz::Require((*file)->Append(stream, rows).ok(), "rows can be appended");
    }
    fuzz::Require((*file)->Close().ok(), "the recording can be closed");
    std::ifstream in(path, std::ios::binary);
    bytes = std::string(std::istreambuf_iterator<char>(in), {});
    for (size_t at = bytes.find("OHDR"); at != std::string::npos; at = bytes.find("OHDR", at + 1)) {
      headers.push_back(at);
    }
  }

  fuzz::ScratchFolder folder;
  std::string bytes;
  std::vector<size_t> headers;
};

// Puts the right checksum at the end of so many bytes.
void Seal(size_t at, size_t num_bytes, std::string* bytes) {
  if (at > bytes->size() || num_bytes > bytes->size() - at || num_bytes < 4) return;
  std::string sum;
  hdf5::Put(hdf5::Lookup3(absl::string_view(*bytes).substr(at, num_bytes - 4)), 4, &sum);
  bytes->replace(at + num_bytes - 4, 4, sum);
}

struct Change {
  uint32_t where;  // above the lowest 24 bits: how many bytes
  int32_t value;
};
static_assert(sizeof(Change) == kChangeBytes);

std::string Changed(const Sample& sample, uint8_t how, const std::vector<Change>& changes) {
  std::string bytes = sample.bytes;
  for (const Change& change : changes) {
    const size_t at = (change.where & 0xffffff) % bytes.size();
    const size_t length = 1 + (change.where >> 24) % 4;
    std::memcpy(&bytes[at], &change.value, std::min(length, bytes.size() - at));
  }
  if (how & 1) {
    for (const size_t at : sample.headers) {
      const auto num_bytes = hdf5::HeaderBytes(absl::string_view(bytes).substr(at, 10));
      if (num_bytes.ok()) Seal(at, *num_bytes, &bytes);
    }
    Seal(0, hdf5::kSuperblockBytes, &bytes);
  }
  if ((how & 2) && !changes.empty()) bytes.resize(changes.back().where % bytes.size());
  return bytes;
}

// How many streams have the rows that were written.
int NumRight(RecordingReader& reader, bool may_differ) {
  int num_right = 0;
  const auto num_streams = static_cast<int>(reader.streams().size());
  for (int stream = 0; stream < num_streams; ++stream) {
    RowFilter filter;
    filter.begin_episode = 0;
    for (const RowFilter& each : {RowFilter(), filter}) {
      if (!each.is_all() && !reader.streams()[stream].is_keyed()) continue;
      const auto piece = reader.Read(stream, each, 0, {int64_t{1} << 28, 20});
      fuzz::RequireCallersError(piece.status());
      if (!piece.ok()) continue;
      const bool right = stream < 5 && piece->rows == SampleRows(stream, 0, kNumRows[stream]);
      fuzz::Require(right || may_differ, "what is read is what was written");
      num_right += right;
    }
  }
  return num_right;
}

void Read(const uint8_t* data, size_t size) {
  static const Sample sample;
  if (size < 1) return;
  std::vector<Change> changes(std::min((size - 1) / kChangeBytes, kMostChanges));
  if (!changes.empty()) std::memcpy(changes.data(), data + 1, changes.size() * kChangeBytes);
  sample.folder.Write("changed.h5", Changed(sample, data[0], changes));
  const auto reader = RecordingReader::Open(sample.folder.file("changed.h5"));
  fuzz::RequireCallersError(reader.status());
  const int num_right = reader.ok() ? NumRight(**reader, data[0] & 1) : 0;
  if (changes.empty()) {
    fuzz::Require(num_right == 9, "a recording that was not changed can be read");
  }
}

}  // namespace
}  // namespace livnd::io

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  livnd::io::Read(data, size);
  return 0;
}
