// Windows take no memory: tasks decode while a culture runs.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "io/decoding/catalog.h"
#include "io/decoding/testing/decode.h"
#include "sim/testing/allocations.h"

namespace livnd::io {
namespace {

class AllocationTest : public testing::TestWithParam<DecodingEntry> {};

TEST_P(AllocationTest, NoneInAWindow) {
  ASSERT_GT(sim::NumAllocations(), 0) << "nothing is counted";
  const DecodingWindow window = WindowOf(5, 5000.0);
  const auto decoding = MakeOfText(GetParam().name, window);
  ASSERT_TRUE(decoding.ok()) << decoding.status();
  std::vector<double> state((*decoding)->state_size()), values((*decoding)->num_values());
  const int64_t before = sim::NumAllocations();
  for (int repeat = 0; repeat < 2; ++repeat) {
    (*decoding)->Begin(absl::MakeSpan(state));
    for (int64_t i = 0; i < 200; ++i) {
      (*decoding)->AddSpike({static_cast<int32_t>(i * i % 5), i * i * 4}, absl::MakeSpan(state));
    }
    ASSERT_TRUE((*decoding)->Finish(absl::MakeSpan(state), absl::MakeSpan(values)).ok());
  }
  EXPECT_EQ(sim::NumAllocations() - before, 0);
}

std::vector<DecodingEntry> OfSpikes() {
  std::vector<DecodingEntry> entries;
  for (const DecodingEntry& entry : Decodings()) {
    const auto decoding = MakeOfText(entry.name, WindowOf(5, 5000.0));
    if (decoding.ok() && (*decoding)->heard() == Heard::kSpikes) entries.push_back(entry);
  }
  return entries;
}

INSTANTIATE_TEST_SUITE_P(All, AllocationTest, testing::ValuesIn(OfSpikes()),
                         [](const testing::TestParamInfo<DecodingEntry>& entry) {
                           return std::string(entry.param.name);
                         });

}  // namespace
}  // namespace livnd::io
