// Copies on their way through a span of time.
#ifndef LIVND_ENV_PASSAGE_H_
#define LIVND_ENV_PASSAGE_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "env/copies.h"

namespace livnd::env {

// How far one piece of an operation on copies has come.
struct Progress {
  int64_t ticks = 0;  // by which the piece took on those copies that it took on
  bool over = false;  // nothing is left of the operation
};

// Takes all groups of some copies through the same span of time in pieces, so that whoever has others
// to serve can do so in between. As many groups as the executor has threads go together, from one end
// of the span to the other before the next ones begin: what they work on stays in the caches. How
// the span is cut changes no bit.
//
// Thread-compatible. The copies must outlive it, and nobody else may touch them until it is over.
class Passage {
 public:
  Passage(Copies& copies, int64_t num_ticks) : copies_(&copies), num_ticks_(num_ticks) {}

  // Calls work(group, from, to) for the groups whose turn it is, side by side, with 0 <= from <= to
  // <= num_ticks and to - from <= max_ticks; max_ticks >= 1. The calls for a group follow one another
  // from 0 to num_ticks; where that is 0 there is one.
  Progress Continue(int64_t max_ticks,
                    absl::FunctionRef<void(Copies::Group&, int64_t, int64_t)> work);

 private:
  Copies* copies_;
  int64_t num_ticks_;
  int first_group_ = 0;  // of those whose turn it is
  int64_t at_ = 0;       // where they are
};

}  // namespace livnd::env

#endif  // LIVND_ENV_PASSAGE_H_
