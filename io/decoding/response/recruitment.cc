#include "io/decoding/response/recruitment.h"

#include <algorithm>

#include "io/decoding/response/stimulus_response.h"

namespace livnd::io {

void RecruitmentConfig::Describe(CodingFields& fields) {
  series.Describe(fields);
  fields.Number("recruited", &recruited, 0.0, 1.0);
  fields.Word("answer", &answer, {"excess", "any"});
  fields.Whole("min_spikes", &min_spikes, 1, 1'000'000'000);
  fields.Number("undefined", &undefined, -1e12, 1e12);
}

Recruitment::Recruitment(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window), config_(config), curve_(config.series, window, layout()) {
  Refuse(config.series.CheckWithin(window));
  const auto num = static_cast<int64_t>(curve_.amplitudes().size());
  AddOutput("amplitude", "of the stimuli", {num}, "ascending");
  AddOutput("curve", "1", {num}, "part of the units that answer");
  AddOutput("threshold", "of the stimuli", {}, "first amplitude that recruits");
  AddOutput("below", "of the stimuli", {}, "the amplitude before it");
  AddOutput("block", "of the stimuli", {}, "first amplitude above it that does not");
  AddOutput("is_reached", "1", {}, "1: an amplitude recruits");
  AddOutput("has_below", "1", {}, "1: a smaller one does not");
}

bool Recruitment::Answers(double before, double after) const {
  const StimulusSeries& series = config_.series;
  if (config_.answer == Config::kExcess) {
    return HasAnswered(before, after, series.pre_ms, series.post_ms);
  }
  return HasAnyAnswer(before, after, config_.min_spikes, series);
}

void Recruitment::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  curve_.AddSpike(spike, state);
}

absl::Status Recruitment::Read(absl::Span<double> state, absl::Span<double> values) const {
  const size_t num = curve_.amplitudes().size();
  std::copy(curve_.amplitudes().begin(), curve_.amplitudes().end(), values.begin());
  const auto curve = values.subspan(num, num);
  curve_.Read(
      state, [&](double before, double after) { return Answers(before, after); }, curve);
  const RecruitmentThreshold found = FindThreshold(curve_.amplitudes(), curve, config_.recruited);
  auto out = values.begin() + static_cast<std::ptrdiff_t>(2 * num);
  *out++ = found.is_reached ? found.above : config_.undefined;
  *out++ = found.has_below ? found.below : config_.undefined;
  *out++ = found.is_blocked ? found.block : config_.undefined;
  *out++ = found.is_reached ? 1.0 : 0.0;
  *out++ = found.has_below ? 1.0 : 0.0;
  return absl::OkStatus();
}

}  // namespace livnd::io
