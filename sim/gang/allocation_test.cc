// A gang that has run for a while allocates nothing: not by step, by event, or by reset.
#include <cstdint>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "sim/gang/gang.h"
#include "sim/testing/allocations.h"
#include "sim/testing/busy_culture.h"
#include "sim/testing/executors.h"

namespace livnd::sim {
namespace {

TEST(GangAllocationTest, NothingOnceWarm) {
  const std::shared_ptr<const Culture> culture = MustCreate(BusyBlocks(20));
  ASSERT_GT(NumAllocations(), 0) << "nothing is counted";
  BusyExecutor busy(4);
  for (Executor* executor : std::initializer_list<Executor*>{nullptr, &busy}) {
    Gang gang(culture, 2);
    PrepareBusyGang(gang);
    std::vector<Spike> spikes;
    spikes.reserve(1 << 20);
    Probe voltage, weights;
    voltage.sites = {{0, 0}, {100, 1}};
    weights.quantity = Probe::Quantity::kLearnedWeights;
    weights.every_steps = 20;
    voltage.samples.reserve(1 << 16);
    weights.samples.reserve(1 << 22);
    Probe* const probes[] = {&voltage, &weights};
    std::vector<double> start = culture->initial_state(), saved = start;
    const auto episode = [&](bool count) {
      int64_t allocations = 0;
      for (int copy = 0; copy < 2; ++copy) {
        const int64_t before = NumAllocations();
        gang.LoadCopy(copy, start);
        gang.SetSeed(copy, 5 + copy);
        allocations += NumAllocations() - before;
        InstallBusyStimuli(gang, copy);  // brings waveforms
      }
      for (int i = 0; i < 10; ++i) {
        voltage.samples.clear();
        weights.samples.clear();
        const int64_t before = NumAllocations();
        gang.Advance(40, &spikes, probes, executor);
        gang.SaveCopy(0, absl::MakeSpan(saved));
        gang.LoadCopy(1, saved);
        gang.IsFinite(0);
        allocations += NumAllocations() - before;
      }
      if (count) {
        EXPECT_EQ(allocations, 0);
      }
    };
    episode(false);
    const size_t so_far = spikes.size();
    EXPECT_GT(so_far, 100u);
    episode(true);
    EXPECT_EQ(spikes.size(), 2 * so_far);
  }
}

}  // namespace
}  // namespace livnd::sim
