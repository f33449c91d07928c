// Runs the fuzz target that this is linked with over the files of a folder, and over what is left of
// each of them when it is cut.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

std::string corpus;

TEST(CorpusTest, DoesNoHarm) {
  int num_files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    SCOPED_TRACE(entry.path().string());
    std::ifstream stream(entry.path(), std::ios::binary);
    const std::string input(std::istreambuf_iterator<char>(stream), {});
    for (const size_t size : {input.size(), input.size() / 2, size_t{1}, size_t{0}}) {
      // In memory of its own size, so that a sanitizer sees what is beyond it.
      const std::string cut = input.substr(0, size);
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(cut.data()), cut.size());
    }
    ++num_files;
  }
  EXPECT_GT(num_files, 0) << corpus;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) return 2;
  corpus = argv[1];
  return RUN_ALL_TESTS();
}
