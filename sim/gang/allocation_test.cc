// A gang that has run for a while allocates nothing: not by step, by event, or by reset.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "gtest/gtest.h"
#include "sim/executor.h"
#include "sim/gang/gang.h"
#include "sim/testing/busy_culture.h"

namespace {

std::atomic<int64_t> num_allocations{0};

void* Allocate(size_t size, size_t alignment) {
  ++num_allocations;
  void* p = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (p == nullptr) std::abort();
  return p;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size, 16); }
void* operator new(size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { std::free(p); }

namespace livnd::sim {
namespace {

// Pieces one after the other, as a pool does whose other threads are busy.
class OneThread final : public Executor {
 public:
  int concurrency() const override { return 4; }
  void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) override {
    for (int i = 0; i < num_pieces; ++i) fn(i);
  }
};

TEST(GangAllocationTest, NothingOnceWarm) {
  const std::shared_ptr<const Culture> culture = MustCreate(BusyBlocks(20));
  OneThread one_thread;
  for (Executor* executor : std::initializer_list<Executor*>{nullptr, &one_thread}) {
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
        const int64_t before = num_allocations;
        gang.LoadCopy(copy, start);
        gang.SetSeed(copy, 5 + copy);
        allocations += num_allocations - before;
        InstallBusyStimuli(gang, copy);  // brings waveforms
      }
      for (int i = 0; i < 10; ++i) {
        voltage.samples.clear();
        weights.samples.clear();
        const int64_t before = num_allocations;
        gang.Advance(40, &spikes, probes, executor);
        gang.SaveCopy(0, absl::MakeSpan(saved));
        gang.LoadCopy(1, saved);
        gang.IsFinite(0);
        allocations += num_allocations - before;
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
