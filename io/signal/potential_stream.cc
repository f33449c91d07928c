#include "io/signal/potential_stream.h"

namespace livnd::io {

void PotentialStream::Push(absl::Span<const double> currents_ua,
                           absl::FunctionRef<void(int64_t, absl::Span<const double>)> take) {
  const size_t num_sites = gains_->num_points();
  for (size_t first = 0; first + num_sites <= currents_ua.size() && num_sites > 0;
       first += num_sites) {
    gains_->Potentials(currents_ua.data() + first, potentials_uv_.data());
    if (noise_.has_value()) noise_->Add(tick_, absl::MakeSpan(potentials_uv_));
    take(tick_, potentials_uv_);
    tick_ += sample_ticks_;
  }
}

}  // namespace livnd::io
