#include "server/session/piece_length.h"

#include <algorithm>

namespace livnd::server {
namespace {

// A short piece says little about a long one.
constexpr int64_t kMaxGrowth = 8;

}  // namespace

void PieceLength::Want(absl::Duration wanted) {
  const double fit = static_cast<double>(ticks_) * absl::FDivDuration(wanted, wanted_);
  ticks_ = std::max<int64_t>(1, static_cast<int64_t>(fit));
  wanted_ = wanted;
}

void PieceLength::Took(int64_t ticks, absl::Duration duration) {
  if (ticks < 1) return;
  const double fit = static_cast<double>(ticks) * absl::FDivDuration(wanted_, duration);
  const auto grown = static_cast<double>(kMaxGrowth * ticks);
  if (duration > wanted_) {
    ticks_ = std::max<int64_t>(1, static_cast<int64_t>(fit));
  } else {
    // The piece may have been short because little was left of the operation.
    ticks_ = std::max(ticks_, static_cast<int64_t>(std::min(fit, grown)));
  }
}

}  // namespace livnd::server
