#include "sim/gang/epochs.h"

#include <xmmintrin.h>

namespace livnd::sim {

Epochs::Epochs(int num_slices) : num_slices_(num_slices), slices_(new Slice[num_slices]) {}

void Epochs::Start(int64_t max_pauses) {
  max_pauses_ = max_pauses;
  num_done_.store(0, std::memory_order_relaxed);
  for (int i = 0; i < num_slices_; ++i) slices_[i].next_epoch.store(0, std::memory_order_relaxed);
  open_.store(0, std::memory_order_release);
}

void Epochs::Work(int worker, absl::FunctionRef<void(int)> run, absl::FunctionRef<bool()> close) {
  int64_t epoch = open_.load(std::memory_order_acquire);
  while (epoch != kOver) {
    for (int k = 0; k < num_slices_; ++k) {
      const int i = (worker + k) % num_slices_;
      // What earlier epochs wrote was seen with open_; a claim only has to be the only one.
      int64_t unclaimed = epoch;
      std::atomic<int64_t>& next = slices_[i].next_epoch;
      if (next.load(std::memory_order_relaxed) != epoch ||
          !next.compare_exchange_strong(unclaimed, epoch + 1, std::memory_order_relaxed)) {
        continue;
      }
      run(i);
      if (num_done_.fetch_add(1, std::memory_order_acq_rel) + 1 < num_slices_) continue;
      // Everybody else waits, or finds nothing to claim.
      num_done_.store(0, std::memory_order_relaxed);
      open_.store(close() ? epoch + 1 : kOver, std::memory_order_release);
      break;
    }
    int64_t now = open_.load(std::memory_order_acquire);
    for (int64_t pauses = 0; now == epoch; ++pauses) {
      if (pauses == max_pauses_) return;
      _mm_pause();
      now = open_.load(std::memory_order_acquire);
    }
    epoch = now;
  }
}

}  // namespace livnd::sim
