// A copy of a system's folder that a test may damage.

#ifndef LIVND_IO_TESTING_SYSTEM_COPY_H_
#define LIVND_IO_TESTING_SYSTEM_COPY_H_

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace livnd::io {

class SystemCopy {
 public:
  // Copies the files in the folder `source`, but not its subfolders, to a folder of the test's.
  explicit SystemCopy(const std::string& source) {
    static int counter = 0;
    path_ = testing::TempDir() + "/system_copy_" + std::to_string(counter++);
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
    for (const auto& entry : std::filesystem::directory_iterator(source)) {
      if (!entry.is_regular_file()) continue;
      Write(entry.path().filename().string(), Load(entry.path().string()));
    }
  }
  ~SystemCopy() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  SystemCopy(const SystemCopy&) = delete;
  SystemCopy& operator=(const SystemCopy&) = delete;

  const std::string& path() const { return path_; }
  std::string file(absl::string_view name) const { return path_ + "/" + std::string(name); }

  std::string Read(absl::string_view name) const { return Load(file(name)); }
  void Write(absl::string_view name, absl::string_view bytes) const {
    std::ofstream(file(name), std::ios::binary) << bytes;
  }
  void Remove(absl::string_view name) const { std::filesystem::remove_all(file(name)); }

 private:
  static std::string Load(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  }

  std::string path_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_TESTING_SYSTEM_COPY_H_
