#include "io/decoding/response/peristimulus_histogram.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "io/decoding/response/onset.h"

namespace livnd::io {

void PeristimulusHistogramConfig::Describe(CodingFields& fields) {
  fields.Numbers("onsets_ms", &onsets_ms, 65536, 0.0, 1e12);
  fields.Number("pre_ms", &pre_ms, 0.0, 1e12);
  fields.Number("post_ms", &post_ms, 1e-3, 1e12);
  fields.Number("bin_ms", &bin_ms, 1e-3, 1e9);
}

PeristimulusHistogram::PeristimulusHistogram(DecodingKey key, const Config& config,
                                             const DecodingWindow& window)
    : Decoding(key, window), config_(config) {
  const double num = WholeAbove((config.pre_ms + config.post_ms) / config.bin_ms);
  if (num > static_cast<double>(Bins::kMaxNum)) {
    Refuse(MakeFieldError("bin_ms", Exact(config.bin_ms),
                          absl::StrCat("more: there may be ", Bins::kMaxNum, " bins")));
  }
  num_bins_ = static_cast<int64_t>(std::clamp(num, 1.0, 1e15));
  for (size_t i = 0; i < config.onsets_ms.size(); ++i) {
    Refuse(CheckOnset(absl::StrCat("onsets_ms[", i, "]"), config.onsets_ms[i], config.pre_ms,
                      config.post_ms, window));
  }
  std::sort(config_.onsets_ms.begin(), config_.onsets_ms.end());
  layout().AddAny(static_cast<size_t>(num_groups() * num_bins_));
  AddOutput("counts", "1", {num_groups(), num_bins_}, "spikes in each bin by onset");
}

void PeristimulusHistogram::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  const int64_t group = window().GroupOf(spike.unit);
  if (group < 0) return;
  const double time_ms = static_cast<double>(spike.tick) * window().tick_ms;
  const std::vector<double>& onsets = config_.onsets_ms;
  // Of onsets out of reach only those at the very edge are looked at.
  const double slack = 1e-9 * (1.0 + time_ms);
  for (auto onset =
           std::lower_bound(onsets.begin(), onsets.end(), time_ms - config_.post_ms - slack);
       onset != onsets.end() && *onset <= time_ms + config_.pre_ms + slack; ++onset) {
    const int64_t begin = window().FirstTickAt(*onset - config_.pre_ms);
    const int64_t end = window().FirstTickAt(*onset + config_.post_ms);
    if (spike.tick < begin || spike.tick >= end) continue;
    const double bin = WholeBelow((time_ms - *onset + config_.pre_ms) / config_.bin_ms);
    const auto b = static_cast<int64_t>(std::clamp(bin, 0.0, static_cast<double>(num_bins_ - 1)));
    state[static_cast<size_t>(group * num_bins_ + b)] += 1.0;
  }
}

absl::Status PeristimulusHistogram::Read(absl::Span<double> state,
                                         absl::Span<double> values) const {
  const double num_onsets = static_cast<double>(std::max<size_t>(config_.onsets_ms.size(), 1));
  for (size_t i = 0; i < values.size(); ++i) values[i] = state[i] / num_onsets;
  return absl::OkStatus();
}

}  // namespace livnd::io
