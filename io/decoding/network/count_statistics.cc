#include "io/decoding/network/count_statistics.h"

namespace livnd::io {

CountStatistics::CountStatistics(DecodingKey key, const Config& config,
                                 const DecodingWindow& window)
    : Decoding(key, window), bins_(BinsOf("bin_ms", config.bin_ms, 2)) {
  layout().AddAny(bins_.num);
  AddOutput("mean_count", "1", {}, "spikes in a bin");
  AddOutput("std_count", "1", {}, "their deviation");
  AddOutput("cv", "1", {}, "deviation by mean");
  AddOutput("fano_factor", "1", {}, "variance by mean");
}

void CountStatistics::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  state[bins_.IndexOf(spike.tick)] += 1.0;
}

absl::Status CountStatistics::Read(absl::Span<double> state, absl::Span<double> values) const {
  const double mean = Mean(state);
  const double deviation = StandardDeviation(state);
  values[0] = mean;
  values[1] = deviation;
  values[2] = mean == 0.0 ? 0.0 : deviation / mean;
  values[3] = mean == 0.0 ? 0.0 : deviation * deviation / mean;
  return absl::OkStatus();
}

}  // namespace livnd::io
