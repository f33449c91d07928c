#include "io/decoding/unit/isi_statistics.h"

#include <cmath>

namespace livnd::io {

IsiStatistics::IsiStatistics(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window), min_spikes_(static_cast<double>(config.min_spikes)) {
  layout().AddAny(num_units() * kRowSize);
  AddOutput("is_used", "1", {num_units()}, "1: the unit has had enough spikes");
  AddOutput("mean_isi_ms", "ms", {num_units()}, "mean interval");
  AddOutput("cv", "1", {num_units()}, "deviation of the intervals by their mean");
  AddOutput("lv", "1", {num_units()}, "local variation of the intervals");
  AddOutput("mean_cv", "1", {}, "over the units that are used");
  AddOutput("mean_lv", "1", {}, "over the units that are used");
  AddOutput("num_used", "1", {}, "units that are used");
}

void IsiStatistics::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  const auto row = state.subspan(static_cast<size_t>(spike.unit) * kRowSize, kRowSize);
  const auto now = static_cast<double>(spike.tick + 1);
  if (row[kLast] != 0.0) {
    const double interval = now - row[kLast];
    if (row[kNum] > 0.0 && interval + row[kPrevious] > 0.0) {
      const double part = (interval - row[kPrevious]) / (interval + row[kPrevious]);
      row[kLocal] += 3.0 * part * part;
    }
    row[kNum] += 1.0;
    const double delta = interval - row[kMean];
    row[kMean] += delta / row[kNum];
    row[kSquares] += delta * (interval - row[kMean]);
    row[kPrevious] = interval;
  }
  row[kLast] = now;
}

absl::Status IsiStatistics::Read(absl::Span<double> state, absl::Span<double> values) const {
  const auto num = static_cast<size_t>(num_units());
  double sum_cv = 0.0, sum_lv = 0.0, num_used = 0.0;
  for (size_t u = 0; u < num; ++u) {
    const auto row = state.subspan(u * kRowSize, kRowSize);
    const bool is_used = row[kNum] + 1.0 >= min_spikes_ && row[kMean] > 0.0;
    const double cv = is_used ? std::sqrt(row[kSquares] / row[kNum]) / row[kMean] : 0.0;
    const double lv = is_used && row[kNum] > 1.0 ? row[kLocal] / (row[kNum] - 1.0) : 0.0;
    values[u] = is_used ? 1.0 : 0.0;
    values[num + u] = is_used ? row[kMean] * window().tick_ms : 0.0;
    values[2 * num + u] = cv;
    values[3 * num + u] = lv;
    sum_cv += cv;
    sum_lv += lv;
    num_used += values[u];
  }
  values[4 * num] = num_used > 0.0 ? sum_cv / num_used : 0.0;
  values[4 * num + 1] = num_used > 0.0 ? sum_lv / num_used : 0.0;
  values[4 * num + 2] = num_used;
  return absl::OkStatus();
}

}  // namespace livnd::io
