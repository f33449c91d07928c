// Changes to the files of a system, which is then read: an error, or a system that is whole. Each eight
// bytes are a change. Those of an input that begins with 0 replace numbers in data sets, and the reader
// looks at them in this process; those of others replace bytes of the files, which HDF5 may crash on, and
// so a process of its own reads them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "io/neuroh5/read_system.h"
#include "io/testing/hdf5_editor.h"
#include "tests/fuzz/harm.h"
#include "tests/fuzz/scratch_folder.h"

namespace livnd::io {
namespace {

constexpr char kSystem[] = "systems/EI-mini";
constexpr const char* kFiles[] = {"cells.h5", "connections.h5"};
constexpr size_t kChangeBytes = 8;
constexpr size_t kMostChanges = 8;

std::string Load(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

// A copy of the system, and what is in it.
struct Copy {
  Copy() {
    for (const auto& entry : std::filesystem::directory_iterator(kSystem)) {
      if (!entry.is_regular_file()) continue;
      folder.Write(entry.path().filename().string(), Load(entry.path().string()));
    }
    for (size_t f = 0; f < 2; ++f) {
      sound[f] = Load(folder.file(kFiles[f]));
      const Hdf5Editor editor(folder.file(kFiles[f]));
      for (const std::string& link : editor.Links()) {
        if (absl::EndsWith(link, "Value") || absl::EndsWith(link, "Pointer") ||
            absl::EndsWith(link, "Index") || absl::EndsWith(link, "Ptr")) {
          data_sets[f].push_back(link);
        }
      }
      fuzz::Require(!data_sets[f].empty(), "there are data sets to change");
    }
  }

  fuzz::ScratchFolder folder;
  std::string sound[2];
  std::vector<std::string> data_sets[2];
};

// One change: of which file, of which data set or at which byte, and to what.
struct Change {
  uint8_t file;
  uint8_t what;
  uint16_t where;
  int32_t value;
};
static_assert(sizeof(Change) == kChangeBytes);

std::vector<Change> ChangesOf(absl::string_view bytes) {
  std::vector<Change> changes(std::min(bytes.size() / kChangeBytes, kMostChanges));
  if (!changes.empty()) {
    std::memcpy(changes.data(), bytes.data(), changes.size() * kChangeBytes);
  }
  return changes;
}

void ChangeNumbers(const Copy& copy, const std::vector<Change>& changes) {
  for (size_t f = 0; f < 2; ++f) {
    copy.folder.Write(kFiles[f], copy.sound[f]);
    Hdf5Editor editor(copy.folder.file(kFiles[f]));
    for (const Change& change : changes) {
      if (change.file % 2 != f) continue;
      const std::string& name = copy.data_sets[f][change.what % copy.data_sets[f].size()];
      if (absl::EndsWith(name, "Value") && change.file >= 128) {
        std::vector<double> values = editor.Reals(name);
        if (values.empty()) continue;
        float value;  // any bits, NaN among them
        std::memcpy(&value, &change.value, sizeof(value));
        values[change.where % values.size()] = value;
        editor.Replace(name, values);
      } else {
        std::vector<int64_t> values = editor.Integers(name);
        if (change.file / 2 % 4 == 1) values.resize(change.where % 4096);
        if (values.empty()) continue;
        values[change.where % values.size()] = change.value;
        editor.Replace(name, values);
      }
    }
  }
}

void ChangeBytes(const Copy& copy, const std::vector<Change>& changes) {
  for (size_t f = 0; f < 2; ++f) {
    std::string bytes = copy.sound[f];
    for (const Change& change : changes) {
      if (change.file % 2 != f) continue;
      const size_t at = (static_cast<size_t>(change.what) << 16 | change.where) % bytes.size();
      std::memcpy(&bytes[at], &change.value,
                  std::min<size_t>(1 + change.file / 2 % 4, bytes.size() - at));
      if (change.file >= 240) bytes.resize(at);
      if (bytes.empty()) bytes.push_back('\0');
    }
    copy.folder.Write(kFiles[f], bytes);
  }
}

void Read(const uint8_t* data, size_t size) {
  static const Copy copy;
  if (size < 1) return;
  const std::vector<Change> changes =
      ChangesOf(absl::string_view(reinterpret_cast<const char*>(data), size).substr(1));
  const bool numbers = data[0] == 0;
  if (numbers) ChangeNumbers(copy, changes);
  if (!numbers) ChangeBytes(copy, changes);
  const auto system = ReadSystem(copy.folder.path(), {.in_process = numbers});
  fuzz::RequireCallersError(system.status());
  if (changes.empty()) fuzz::Require(system.ok(), "a system that was not changed can be read");
}

}  // namespace
}  // namespace livnd::io

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  livnd::io::Read(data, size);
  return 0;
}
