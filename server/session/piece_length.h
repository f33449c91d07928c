// How long a piece of an operation may be.
#ifndef LIVND_SERVER_SESSION_PIECE_LENGTH_H_
#define LIVND_SERVER_SESSION_PIECE_LENGTH_H_

#include <cstdint>

#include "absl/time/time.h"

namespace livnd::server {

// Chooses the ticks of pieces so that each takes about as long as is wanted, from what the last ones
// took: that depends on the culture, on its activity, and on how many threads help. Decides when others
// are served, and no bit of a result.
//
// Thread-compatible.
class PieceLength {
 public:
  explicit PieceLength(absl::Duration wanted) : wanted_(wanted) {}

  // Of the next piece: at least 1.
  int64_t ticks() const { return ticks_; }

  // From now on pieces take about so long.
  void Want(absl::Duration wanted);

  // A piece of so many ticks took so long.
  void Took(int64_t ticks, absl::Duration duration);

 private:
  absl::Duration wanted_;
  int64_t ticks_ = 8;  // a thousandth of a second for some ten thousand cells
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_PIECE_LENGTH_H_
