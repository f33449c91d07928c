// How long work tells how far it is, and is asked to give up.
#ifndef LIVND_LAB_GENERATE_PROGRESS_H_
#define LIVND_LAB_GENERATE_PROGRESS_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "sim/executor.h"

namespace livnd::lab {

// Threads, and what is told while they work. Results depend on neither.
struct Work {
  sim::Executor* executor = nullptr;  // required
  // "EXC->INH", 12 of 40 pieces; called by the caller's thread, often.
  std::function<void(const std::string& what, int64_t done, int64_t total)> progress;
  // True: give up.
  std::function<bool()> stop;

  // fn(0) .. fn(num_pieces - 1) on the executor. Cancelled if asked to stop, between pieces.
  absl::Status Run(const std::string& what, int num_pieces, absl::FunctionRef<void(int)> fn) const {
    const int at_once = 4 * executor->concurrency();
    for (int done = 0; done < num_pieces;) {
      if (stop && stop()) return absl::CancelledError("interrupted");
      const int count = std::min(at_once, num_pieces - done);
      executor->ParallelFor(count, [&](int i) { fn(done + i); });
      done += count;
      if (progress) progress(what, done, num_pieces);
    }
    return absl::OkStatus();
  }
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_PROGRESS_H_
