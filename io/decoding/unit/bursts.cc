#include "io/decoding/unit/bursts.h"

namespace livnd::io {

Bursts::Bursts(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window),
      max_isi_ticks_(WholeBelow(config.max_isi_ms / window.tick_ms)),
      min_spikes_(static_cast<double>(config.min_spikes)) {
  layout().AddAny(num_units() * kRowSize);
  AddOutput("num_bursts", "1", {num_units()}, "bursts of each unit");
  AddOutput("rate_hz", "Hz", {num_units()}, "bursts a second");
  AddOutput("fraction_in_bursts", "1", {num_units()}, "of the unit's spikes");
  AddOutput("mean_duration_ms", "ms", {num_units()}, "from the first spike to the last");
}

void Bursts::EndRun(absl::Span<double> row) const {
  if (row[kRun] < min_spikes_) return;
  row[kNum] += 1.0;
  row[kInBursts] += row[kRun];
  row[kTicks] += row[kLast] - row[kBegin];
}

void Bursts::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  const auto row = state.subspan(static_cast<size_t>(spike.unit) * kRowSize, kRowSize);
  const auto now = static_cast<double>(spike.tick + 1);
  if (row[kLast] == 0.0 || now - row[kLast] > max_isi_ticks_) {
    EndRun(row);
    row[kBegin] = now;
    row[kRun] = 0.0;
  }
  row[kRun] += 1.0;
  row[kAll] += 1.0;
  row[kLast] = now;
}

absl::Status Bursts::Read(absl::Span<double> state, absl::Span<double> values) const {
  const auto num = static_cast<size_t>(num_units());
  for (size_t u = 0; u < num; ++u) {
    const auto row = state.subspan(u * kRowSize, kRowSize);
    EndRun(row);
    values[u] = row[kNum];
    values[num + u] = row[kNum] / window().duration_s();
    values[2 * num + u] = row[kAll] > 0.0 ? row[kInBursts] / row[kAll] : 0.0;
    values[3 * num + u] = row[kNum] > 0.0 ? row[kTicks] / row[kNum] * window().tick_ms : 0.0;
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
