// What a decoding listens to, and for how long.
#ifndef LIVND_IO_DECODING_WINDOW_H_
#define LIVND_IO_DECODING_WINDOW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace livnd::io {

// One spike of a unit: of a cell, or of what an electrode hears.
struct UnitSpike {
  int32_t unit;  // 0 .. num_units - 1
  int64_t tick;  // from the start of the window: 0 .. num_ticks - 1
};

// Units first .. first + count - 1: a population of cells, or a part of an array.
struct UnitGroup {
  std::string name;
  int64_t first = 0;
  int64_t count = 0;
};

// Windows are half open: a spike at their end belongs to the next one.
struct DecodingWindow {
  int64_t num_units = 0;
  double tick_ms = 0.025;
  int64_t num_ticks = 0;
  // Potentials are sampled at ticks 0, sample_ticks, 2 sample_ticks ... of the window.
  int64_t sample_ticks = 4;
  // In order, each unit in one at most. None: all units are one group, "all".
  std::vector<UnitGroup> groups;

  double duration_ms() const { return static_cast<double>(num_ticks) * tick_ms; }
  double duration_s() const { return duration_ms() * 1e-3; }
  int64_t num_samples() const { return (num_ticks + sample_ticks - 1) / sample_ticks; }
  // The first tick at that time or after it, whatever rounding makes of the quotient.
  int64_t FirstTickAt(double time_ms) const;
  // The same with the one group of all.
  DecodingWindow OneGroup() const;
  // The group of a unit, or -1.
  int64_t GroupOf(int64_t unit) const;

  // Field errors: "window.num_units" (1 .. 2^20) and so on; windows have up to 2^40 ticks.
  absl::Status Validate() const;
};

// Whether spikes may be given to a decoding of this window: units and ticks within it, in the order
// of time. The field error names "spikes[i].unit" or "spikes[i].tick".
absl::Status CheckSpikes(const DecodingWindow& window, absl::Span<const UnitSpike> spikes);

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_WINDOW_H_
