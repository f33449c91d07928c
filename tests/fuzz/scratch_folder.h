// A folder for the files that a target's input becomes.
#ifndef LIVND_TESTS_FUZZ_SCRATCH_FOLDER_H_
#define LIVND_TESTS_FUZZ_SCRATCH_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/fuzz/harm.h"

namespace livnd::fuzz {

// Of this process, until it ends in peace.
class ScratchFolder {
 public:
  ScratchFolder() : path_(std::filesystem::temp_directory_path() / "livnd-fuzz-XXXXXX") {
    Require(mkdtemp(path_.data()) != nullptr, "there is a folder for temporary files");
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(absl::string_view name) const { return path_ + "/" + std::string(name); }
  void Write(absl::string_view name, absl::string_view bytes) const {
    std::ofstream(file(name), std::ios::binary | std::ios::trunc) << bytes;
  }

 private:
  std::string path_;
};

}  // namespace livnd::fuzz

#endif  // LIVND_TESTS_FUZZ_SCRATCH_FOLDER_H_
