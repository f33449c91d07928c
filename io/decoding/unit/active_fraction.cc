#include "io/decoding/unit/active_fraction.h"

namespace livnd::io {

ActiveFraction::ActiveFraction(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window), min_spikes_(static_cast<double>(config.min_spikes)) {
  layout().AddAny(num_units());
  AddOutput("is_active", "1", {num_units()}, "1: the unit has had enough spikes");
  AddOutput("group_fraction", "1", {num_groups()}, "active units of each group");
  AddOutput("active_fraction", "1", {}, "active units of all");
  AddOutput("num_active", "1", {}, "active units");
}

void ActiveFraction::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  state[static_cast<size_t>(spike.unit)] += 1.0;
}

absl::Status ActiveFraction::Read(absl::Span<double> state, absl::Span<double> values) const {
  auto out = values.begin();
  double num_active = 0.0;
  for (const double count : state) {
    *out = count >= min_spikes_ ? 1.0 : 0.0;
    num_active += *out++;
  }
  for (const UnitGroup& group : window().groups) {
    *out++ = Mean(absl::MakeSpan(values).subspan(static_cast<size_t>(group.first),
                                                 static_cast<size_t>(group.count)));
  }
  *out++ = num_active / static_cast<double>(num_units());
  *out++ = num_active;
  return absl::OkStatus();
}

}  // namespace livnd::io
