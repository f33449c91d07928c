#include "io/decoding/network/network_bursts.h"

#include <algorithm>

namespace livnd::io {

NetworkBursts::NetworkBursts(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window), config_(config), bins_(BinsOf("bin_ms", config.bin_ms)) {
  has_fired_ = layout().AddAny(num_units());
  counts_ = layout().AddAny(bins_.num);
  AddOutput("num_bursts", "1", {}, "bursts");
  AddOutput("rate_hz", "Hz", {}, "bursts a second");
  AddOutput("threshold", "1", {}, "spikes in a bin that make it burst; 0 if nothing has fired");
  AddOutput("in_burst", "1", {bins_.num}, "1: the bin bursts");
}

void NetworkBursts::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  state[has_fired_ + static_cast<size_t>(spike.unit)] = 1.0;
  state[counts_ + bins_.IndexOf(spike.tick)] += 1.0;
}

absl::Status NetworkBursts::Read(absl::Span<double> state, absl::Span<double> values) const {
  double num_fired = 0.0;
  for (int64_t u = 0; u < num_units(); ++u) num_fired += state[has_fired_ + static_cast<size_t>(u)];
  std::fill(values.begin(), values.end(), 0.0);
  if (num_fired == 0.0) return absl::OkStatus();

  const auto counts = state.subspan(counts_, static_cast<size_t>(bins_.num));
  const auto in_burst = values.subspan(3);
  // The order of the counts is lost with the median.
  std::copy(counts.begin(), counts.end(), in_burst.begin());
  const double median = Median(counts);
  const double deviation = MedianDeviation(counts, median);
  const double robust = median + config_.mad_k * 1.4826 * (deviation == 0.0 ? 1.0 : deviation);
  const double floor = std::max(config_.min_floor, config_.min_floor_fraction * num_fired);
  const double threshold = std::max(robust, floor);

  double num_runs = 0.0, before = 0.0;
  for (double& bin : in_burst) {
    bin = bin >= threshold ? 1.0 : 0.0;
    if (bin > before) num_runs += 1.0;
    before = bin;
  }
  values[0] = config_.count == Config::kEdges ? 2.0 * num_runs : num_runs;
  values[1] = values[0] / window().duration_s();
  values[2] = threshold;
  return absl::OkStatus();
}

}  // namespace livnd::io
