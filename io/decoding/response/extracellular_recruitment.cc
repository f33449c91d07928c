#include "io/decoding/response/extracellular_recruitment.h"

#include <algorithm>

namespace livnd::io {

void ExtracellularRecruitmentConfig::Describe(CodingFields& fields) {
  series.Describe(fields);
  fields.Number("recruited", &recruited, 0.0, 1.0);
  fields.Whole("min_spikes", &min_spikes, 1, 1'000'000'000);
  fields.Number("ceiling_mv", &ceiling_mv, -1e9, 1e9);
  fields.Number("undefined", &undefined, -1e12, 1e12);
}

ExtracellularRecruitment::ExtracellularRecruitment(DecodingKey key, const Config& config,
                                                   const DecodingWindow& window)
    : Decoding(key, window), config_(config), curve_(config.series, window, layout()) {
  Refuse(config.series.CheckWithin(window));
  const auto num = static_cast<int64_t>(curve_.amplitudes().size());
  num_ = layout().AddWhole(1, 0.0, static_cast<double>(window.num_samples()));
  peaks_ = layout().AddAny(2 * curve_.amplitudes().size());
  AddOutput("amplitude", "of the stimuli", {num}, "ascending");
  AddOutput("curve", "1", {num}, "part of the units that answer");
  AddOutput("peak_mv", "mV", {num}, "highest voltage after a stimulus");
  AddOutput("threshold", "of the stimuli", {}, "first amplitude that recruits");
  AddOutput("block", "of the stimuli", {}, "first amplitude above it that does not");
  AddOutput("ceiling", "of the stimuli", {}, "first amplitude whose peak is above ceiling_mv");
  AddOutput("band", "1", {}, "block or ceiling, whichever is less, by the threshold");
}

void ExtracellularRecruitment::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  curve_.AddSpike(spike, state);
}

void ExtracellularRecruitment::AddSample(absl::Span<const double> voltages_mv,
                                         absl::Span<double> state) const {
  const int64_t tick = static_cast<int64_t>(state[num_]) * window().sample_ticks;
  state[num_] += 1.0;
  const double highest = *std::max_element(voltages_mv.begin(), voltages_mv.end());
  for (const RecruitmentCurve::Stimulus& stimulus : curve_.stimuli()) {
    if (tick < stimulus.onset || tick >= stimulus.end) continue;
    double& has = state[peaks_ + 2 * stimulus.rung];
    double& peak = state[peaks_ + 2 * stimulus.rung + 1];
    peak = has == 0.0 ? highest : std::max(peak, highest);
    has = 1.0;
  }
}

absl::Status ExtracellularRecruitment::Read(absl::Span<double> state,
                                            absl::Span<double> values) const {
  const std::vector<double>& amplitudes = curve_.amplitudes();
  const size_t num = amplitudes.size();
  std::copy(amplitudes.begin(), amplitudes.end(), values.begin());
  const auto curve = values.subspan(num, num), peaks = values.subspan(2 * num, num);
  curve_.Read(
      state,
      [&](double before, double after) {
        return HasAnyAnswer(before, after, config_.min_spikes, config_.series);
      },
      curve);
  bool has_ceiling = false;
  double ceiling = 0.0;
  for (size_t a = 0; a < num; ++a) {
    const bool has_peak = state[peaks_ + 2 * a] != 0.0;
    peaks[a] = has_peak ? state[peaks_ + 2 * a + 1] : config_.undefined;
    if (has_ceiling || !has_peak || !(peaks[a] > config_.ceiling_mv)) continue;
    has_ceiling = true;
    ceiling = amplitudes[a];
  }
  const RecruitmentThreshold found = FindThreshold(amplitudes, curve, config_.recruited);
  double band = config_.undefined;
  if (found.is_reached && found.above != 0.0 && (found.is_blocked || has_ceiling)) {
    const double upper = !has_ceiling       ? found.block
                         : found.is_blocked ? std::min(found.block, ceiling)
                                            : ceiling;
    band = upper / found.above;
  }
  auto out = values.begin() + static_cast<std::ptrdiff_t>(3 * num);
  *out++ = found.is_reached ? found.above : config_.undefined;
  *out++ = found.is_blocked ? found.block : config_.undefined;
  *out++ = has_ceiling ? ceiling : config_.undefined;
  *out++ = band;
  return absl::OkStatus();
}

}  // namespace livnd::io
