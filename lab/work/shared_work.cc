#include "lab/work/shared_work.h"

#include <algorithm>

namespace livnd::lab {

void SharedWork::Serve(Ready ready, HowMany how_many, Do work) {
  while (IsGoingOn()) {
    const absl::StatusOr<bool> is_ready = ready();
    if (!is_ready.ok()) {
      Exclusively([&] { Note(is_ready.status()); });
      return;
    }
    std::vector<int64_t> pieces;
    if (*is_ready) Exclusively([&] { pieces = Take(how_many); });
    if (pieces.empty()) {
      // What the others have may still come back.
      if (threads_.pause) threads_.pause();
      continue;
    }
    const absl::Status status = work(pieces);
    Exclusively([&] {
      --num_under_way_;
      if (absl::IsUnavailable(status)) {
        missing_.insert(missing_.begin(), pieces.begin(), pieces.end());
      } else {
        Note(status);
      }
    });
  }
}

absl::Status SharedWork::status() const {
  if (!status_.ok() || missing_.empty()) return status_;
  return lost_;
}

bool SharedWork::IsGoingOn() const {
  bool going_on = false;
  Exclusively([&] { going_on = status_.ok() && (!missing_.empty() || num_under_way_ > 0); });
  return going_on;
}

void SharedWork::Note(const absl::Status& status) {
  absl::Status& kept = absl::IsUnavailable(status) ? lost_ : status_;
  if (kept.ok()) kept = status;
}

std::vector<int64_t> SharedWork::Take(HowMany how_many) {
  if (!status_.ok() || missing_.empty()) return {};
  const auto num = static_cast<std::ptrdiff_t>(
      std::min(std::max<size_t>(1, how_many(missing_)), missing_.size()));
  std::vector<int64_t> pieces(missing_.begin(), missing_.begin() + num);
  missing_.erase(missing_.begin(), missing_.begin() + num);
  ++num_under_way_;
  return pieces;
}

}  // namespace livnd::lab
