// Pieces of work that several workers share out between them, some of whom may be lost.
#ifndef LIVND_LAB_WORK_SHARED_WORK_H_
#define LIVND_LAB_WORK_SHARED_WORK_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace livnd::lab {

// Threads, as whoever has them lends them.
struct WorkThreads {
  // Calls its argument while no other call of it does; required where there are several workers.
  std::function<void(absl::FunctionRef<void()>)> one_at_a_time;
  // Passes some milliseconds; likewise required.
  std::function<void()> pause;
};

// Each piece is done once: what a worker had that is lost is given to the next one. Thread-safe; `threads` must
// outlive it.
class SharedWork {
 public:
  SharedWork(const std::vector<int64_t>& pieces, const WorkThreads& threads)
      : missing_(pieces.begin(), pieces.end()), threads_(threads) {}

  // True: take some. False: not at the moment, so ask again. An error: never again; Unavailable where others may do
  // without it.
  using Ready = absl::FunctionRef<absl::StatusOr<bool>()>;
  // How many of those that are missing to take, from the first on; one at least. Called one at a time.
  using HowMany = absl::FunctionRef<size_t(const std::deque<int64_t>& missing)>;
  // Does them. Unavailable: nothing came of it, and others may do it.
  using Do = absl::FunctionRef<absl::Status(const std::vector<int64_t>& pieces)>;

  // One worker takes pieces until all are done, or something is wrong.
  void Serve(Ready ready, HowMany how_many, Do work);

  void Exclusively(absl::FunctionRef<void()> fn) const {
    threads_.one_at_a_time ? threads_.one_at_a_time(fn) : fn();
  }

  // Once all workers have ended: the first error; Unavailable where something is left because all are lost.
  absl::Status status() const;

 private:
  bool IsGoingOn() const;
  // What a worker has ended with.
  void Note(const absl::Status& status);
  std::vector<int64_t> Take(HowMany how_many);

  std::deque<int64_t> missing_;
  const WorkThreads& threads_;
  int num_under_way_ = 0;  // takings
  absl::Status status_, lost_;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_WORK_SHARED_WORK_H_
