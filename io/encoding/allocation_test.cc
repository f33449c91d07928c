// Steps take no memory once the waveform has its own: tasks encode while a culture runs.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "io/encoding/catalog.h"
#include "io/encoding/testing/encode.h"
#include "sim/stimulus/stimulus.h"
#include "sim/testing/allocations.h"

namespace livnd::io {
namespace {

class AllocationTest : public testing::TestWithParam<EncodingEntry> {};

TEST_P(AllocationTest, NoneOnceWarm) {
  ASSERT_GT(sim::NumAllocations(), 0) << "nothing is counted";
  const auto encoding = MakeEncodingOfText(GetParam().name, StepOf(8, 200.0));
  ASSERT_TRUE(encoding.ok()) << encoding.status();
  std::vector<double> state((*encoding)->state_size());
  std::vector<float> low, high;
  for (const EncodingInput& input : (*encoding)->inputs()) {
    low.push_back(static_cast<float>(input.low));
    high.push_back(static_cast<float>(input.high));
  }
  sim::Waveform currents;
  (*encoding)->Begin(absl::MakeSpan(state));
  (*encoding)->Encode(low, 0, absl::MakeSpan(state), &currents);
  const int64_t before = sim::NumAllocations();
  for (int64_t step = 1; step < 10; ++step) {
    (*encoding)->Encode(step % 2 == 0 ? low : high, step * 8000, absl::MakeSpan(state), &currents);
  }
  EXPECT_EQ(sim::NumAllocations() - before, 0);
}

INSTANTIATE_TEST_SUITE_P(All, AllocationTest,
                         testing::ValuesIn(Encodings().begin(), Encodings().end()),
                         [](const testing::TestParamInfo<EncodingEntry>& entry) {
                           return std::string(entry.param.name);
                         });

}  // namespace
}  // namespace livnd::io
