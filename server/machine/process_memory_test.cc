#include "server/machine/process_memory.h"

#include <cstring>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::server {
namespace {

constexpr int64_t kMb = int64_t{1} << 20;

// One block that is mapped by itself, or many that are parts of an arena.
class ProcessMemoryTest : public ::testing::TestWithParam<int64_t> {};

TEST_P(ProcessMemoryTest, CountsWhatIsAllocatedUntilItIsFreed) {
  const int64_t block_bytes = GetParam();
  const auto num_blocks = static_cast<size_t>(64 * kMb / block_bytes);
  std::vector<std::unique_ptr<char[]>> blocks(num_blocks);
  const ProcessMemory before = ReadProcessMemory();
  for (auto& block : blocks) {
    block = std::make_unique<char[]>(static_cast<size_t>(block_bytes));
    std::memset(block.get(), 1, static_cast<size_t>(block_bytes));
  }
  const ProcessMemory with = ReadProcessMemory();
  EXPECT_GE(with.allocated_bytes - before.allocated_bytes, 64 * kMb);
  EXPECT_LT(with.allocated_bytes - before.allocated_bytes, 70 * kMb);
  EXPECT_GE(with.resident_bytes - before.resident_bytes, 60 * kMb);
  EXPECT_GT(with.resident_bytes, with.allocated_bytes / 2);
  for (auto& block : blocks) block.reset();
  const ProcessMemory after = ReadProcessMemory();
  EXPECT_LT(after.allocated_bytes - before.allocated_bytes, kMb / 4);
}

INSTANTIATE_TEST_SUITE_P(BlockBytes, ProcessMemoryTest, ::testing::Values(1000, 64 * kMb));

}  // namespace
}  // namespace livnd::server
