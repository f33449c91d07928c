// A folder that a test writes to.
#ifndef LIVND_IO_TESTING_TEMPORARY_FOLDER_H_
#define LIVND_IO_TESTING_TEMPORARY_FOLDER_H_

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace livnd::io {

// Empty at first, and gone with the object. A process has one at a time.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(absl::StrCat(testing::TempDir(), "/folder_", getpid())) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string file(absl::string_view name) const { return absl::StrCat(path_, "/", name); }
  // What is in it, sorted; and with what is in folders below it.
  std::vector<std::string> Entries() const { return Names<std::filesystem::directory_iterator>(); }
  std::vector<std::string> AllEntries() const {
    return Names<std::filesystem::recursive_directory_iterator>();
  }

 private:
  template <typename Iterator>
  std::vector<std::string> Names() const {
    std::vector<std::string> out;
    for (const auto& entry : Iterator(path_)) {
      out.push_back(std::filesystem::relative(entry.path(), path_).string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  const std::string path_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_TESTING_TEMPORARY_FOLDER_H_
