#include "io/decoding/network/autocorrelation_time.h"

#include <algorithm>

#include "base/field_error.h"

namespace livnd::io {
namespace {

// Products of counts for one answer: about a second.
constexpr int64_t kMaxProducts = int64_t{1} << 30;

}  // namespace

AutocorrelationTime::AutocorrelationTime(DecodingKey key, const Config& config,
                                         const DecodingWindow& window)
    : Decoding(key, window), config_(config), bins_(BinsOf("bin_ms", config.bin_ms, 2)) {
  max_lag_ =
      std::min(bins_.num - 1, static_cast<int64_t>(WholeBelow(config.max_lag_ms / config.bin_ms)));
  if (max_lag_ > kMaxProducts / bins_.num) {
    Refuse(MakeFieldError("max_lag_ms", Exact(config.max_lag_ms),
                          absl::StrCat("less with ", bins_.num, " bins")));
  }
  layout().AddAny(bins_.num);
  AddOutput("tau_ms", "ms", {}, "integral of the autocorrelation of all units' counts");
}

void AutocorrelationTime::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  state[bins_.IndexOf(spike.tick)] += 1.0;
}

absl::Status AutocorrelationTime::Read(absl::Span<double> state, absl::Span<double> values) const {
  values[0] = config_.bin_ms;
  const auto n = static_cast<int64_t>(state.size());
  const double mean = Mean(state);
  double squares = 0.0;
  for (double& count : state) {
    count -= mean;
    squares += count * count;
  }
  if (n <= 8 || squares == 0.0) return absl::OkStatus();
  double sum = 0.0;
  for (int64_t lag = 1; lag <= max_lag_; ++lag) {
    double products = 0.0;
    for (int64_t i = 0; i + lag < n; ++i) {
      products += state[static_cast<size_t>(i)] * state[static_cast<size_t>(i + lag)];
    }
    if (products <= 0.0) break;
    sum += products / squares;
  }
  values[0] = std::clamp(config_.bin_ms * (1.0 + 2.0 * sum), config_.bin_ms, config_.max_lag_ms);
  return absl::OkStatus();
}

}  // namespace livnd::io
