// How the threads of one ParallelFor go through a run's epochs together.
#ifndef LIVND_SIM_GANG_EPOCHS_H_
#define LIVND_SIM_GANG_EPOCHS_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"

namespace livnd::sim {

// Work that comes in epochs, each cut into the same slices: every slice of an epoch is run once, by
// whichever worker claims it; whoever completes an epoch does its serial part and opens the next.
//
// A worker waits only while all slices of the open epoch are claimed, that is for workers that are
// running; and one that has waited for long leaves, since those that run go on to the end. Any number
// of workers therefore gets to the end, one after the other on one thread or on too few cores, too.
//
// Work is thread-safe, Start is not. A slice sees what every slice and serial part of earlier epochs
// has written.
class Epochs {
 public:
  explicit Epochs(int num_slices);

  int num_slices() const { return num_slices_; }

  // Opens an epoch; no worker may be at work. max_pauses: how long a worker waits before it leaves.
  void Start(int64_t max_pauses);

  // One worker, which prefers the slice of its own number. close() does the serial part of the epoch
  // that has just been completed and says whether there is another one.
  void Work(int worker, absl::FunctionRef<void(int)> run, absl::FunctionRef<bool()> close);

 private:
  static constexpr int64_t kOver = -1;

  // On a cache line of its own: each is mostly its own worker's.
  struct alignas(64) Slice {
    std::atomic<int64_t> next_epoch{0};  // the first that nobody has claimed
  };

  const int num_slices_;
  const std::unique_ptr<Slice[]> slices_;
  int64_t max_pauses_ = 0;
  alignas(64) std::atomic<int64_t> open_{kOver};
  alignas(64) std::atomic<int> num_done_{0};  // slices of the open epoch
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_GANG_EPOCHS_H_
