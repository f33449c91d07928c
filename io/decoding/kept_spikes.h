// The spikes of a window, for decodings whose definition needs all of them.
#ifndef LIVND_IO_DECODING_KEPT_SPIKES_H_
#define LIVND_IO_DECODING_KEPT_SPIKES_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "io/coding/state_layout.h"
#include "io/decoding/window.h"

namespace livnd::io {

// A part of a decoding's state that holds max_spikes spikes; those after them are counted alone.
class KeptSpikes {
 public:
  static constexpr int64_t kDefaultMax = 16384;
  static constexpr int64_t kLargestMax = int64_t{1} << 22;

  KeptSpikes(StateLayout& layout, const DecodingWindow& window, int64_t max_spikes);

  void Add(const UnitSpike& spike, absl::Span<double> state) const;
  size_t size(absl::Span<const double> state) const { return static_cast<size_t>(state[num_]); }
  int64_t unit(absl::Span<const double> state, size_t i) const {
    return static_cast<int64_t>(state[units_ + i]);
  }
  double tick(absl::Span<const double> state, size_t i) const { return state[ticks_ + i]; }
  // ResourceExhausted if there were more.
  absl::Status Check(absl::Span<const double> state) const;
  // The ticks of one unit, in order, into a scratch of max_spikes numbers; how many.
  size_t TicksOf(int64_t unit, absl::Span<const double> state, absl::Span<double> ticks) const;

 private:
  size_t max_;
  size_t num_, num_lost_, units_, ticks_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_KEPT_SPIKES_H_
