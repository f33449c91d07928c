#include "io/decoding/density/spike_density.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {

void SpikeDensityConfig::Describe(CodingFields& fields) {
  fields.Number("step_ms", &step_ms, 1e-3, 1e9);
  fields.Number("bin_ms", &bin_ms, 1e-3, 1e9);
  fields.Numbers("active_threshold_hz", &active_threshold_hz, 4096, 0.0, 1e9);
  fields.Number("alpha", &alpha, 0.1, 50.0);
  fields.Number("beta_exponent", &beta_exponent, -4.0, 4.0);
  fields.Whole("max_spikes", &max_spikes, 1, KeptSpikes::kLargestMax);
}

SpikeDensity::SpikeDensity(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window),
      config_(config),
      num_times_(NumTimes(window, config.step_ms)),
      spikes_(layout(), window, config.max_spikes) {
  if (num_times_ < 2) {
    Refuse(MakeFieldError(
        "step_ms", Exact(config.step_ms),
        absl::StrCat("less than ", Exact(window.duration_ms()), ": two times in a window")));
  }
  Refuse(CheckWork(window, config.step_ms, config.max_spikes));
  const size_t num_thresholds = config.active_threshold_hz.size();
  if (num_thresholds != 1 && num_thresholds != window.groups.size()) {
    Refuse(MakeFieldError("active_threshold_hz", absl::StrCat(num_thresholds, " numbers"),
                          absl::StrCat("one, or ", window.groups.size(), " for the groups")));
  }
  // livn's: bins begin before the last time and one step more.
  const double span_ms = static_cast<double>(num_times_) * config.step_ms;
  const double num_bins = WholeAbove(span_ms / config.bin_ms);
  if (num_bins > static_cast<double>(Bins::kMaxNum)) {
    Refuse(MakeFieldError("bin_ms", Exact(config.bin_ms),
                          absl::StrCat("more: a window has up to ", Bins::kMaxNum, " bins")));
  }
  num_bins_ = static_cast<int64_t>(std::min(num_bins, 1e15));
  scratch_ = layout().AddAny(static_cast<size_t>(config.max_spikes));
  rates_ = layout().AddAny(static_cast<size_t>(num_times_));
  active_ = layout().AddAny(static_cast<size_t>(num_groups() * num_bins_));
  AddOutput("mean_rate_hz", "Hz", {num_groups()}, "of active units");
  AddOutput("fraction_active", "1", {num_groups()}, "units with two spikes or more");
  AddOutput("num_active", "1", {num_groups()}, "units with two spikes or more");
  AddOutput("mean_fraction", "1", {num_groups()}, "part of a group that is active in a bin");
  AddOutput("std_fraction", "1", {num_groups()}, "its deviation over bins");
  AddOutput("rate_cv", "1", {num_groups()}, "deviation by mean");
}

void SpikeDensity::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  const double time_ms = static_cast<double>(spike.tick) * window().tick_ms;
  if (time_ms <= static_cast<double>(num_times_ - 1) * config_.step_ms) spikes_.Add(spike, state);
}

double SpikeDensity::RateAt(absl::Span<const double> rates, double time_ms) const {
  const double at = time_ms / config_.step_ms;
  const double before = std::floor(at);
  if (before >= static_cast<double>(rates.size() - 1)) return rates.back();
  const auto i = static_cast<size_t>(before);
  return rates[i] + (rates[i + 1] - rates[i]) * (at - before);
}

absl::Status SpikeDensity::Read(absl::Span<double> state, absl::Span<double> values) const {
  LIVND_RETURN_IF_ERROR(spikes_.Check(state));
  const auto num = static_cast<size_t>(num_groups());
  const auto scratch = state.subspan(scratch_, static_cast<size_t>(config_.max_spikes));
  const auto rates = state.subspan(rates_, static_cast<size_t>(num_times_));
  const std::vector<double>& thresholds = config_.active_threshold_hz;
  for (size_t g = 0; g < num; ++g) {
    const UnitGroup& group = window().groups[g];
    const double threshold = thresholds[thresholds.size() == 1 ? 0 : g];
    const auto active =
        state.subspan(active_ + g * static_cast<size_t>(num_bins_), static_cast<size_t>(num_bins_));
    double sum = 0.0, num_active = 0.0;
    for (int64_t u = group.first; u < group.first + group.count; ++u) {
      const auto train = scratch.subspan(0, spikes_.TicksOf(u, state, scratch));
      if (train.size() < 2) continue;
      for (double& tick : train) tick *= window().tick_ms * 1e-3;
      const double beta = std::pow(static_cast<double>(train.size()), config_.beta_exponent);
      for (size_t i = 0; i < rates.size(); ++i) {
        const double time_s = static_cast<double>(i) * config_.step_ms * 1e-3;
        rates[i] = BaksRate(train, time_s, config_.alpha, beta);
      }
      const double mean = Mean(rates);
      if (mean > 0.0) num_active += 1.0;
      sum += mean;
      for (size_t b = 0; b < active.size(); ++b) {
        const double middle_ms = (static_cast<double>(b) + 0.5) * config_.bin_ms;
        if (RateAt(rates, middle_ms) >= threshold) active[b] += 1.0;
      }
    }
    const auto count = static_cast<double>(group.count);
    const double mean_fraction = Mean(active) / count;
    const double std_fraction = StandardDeviation(active) / count;
    values[g] = num_active > 0.0 ? sum / num_active : 0.0;
    values[num + g] = num_active / count;
    values[2 * num + g] = num_active;
    values[3 * num + g] = mean_fraction;
    values[4 * num + g] = std_fraction;
    values[5 * num + g] = mean_fraction > 0.0 ? std_fraction / mean_fraction : 0.0;
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
