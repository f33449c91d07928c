#include "io/decoding/response/recruitment_curve.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/decoding/response/onset.h"

namespace livnd::io {

RecruitmentThreshold FindThreshold(absl::Span<const double> amplitudes,
                                   absl::Span<const double> parts, double criterion) {
  RecruitmentThreshold found;
  for (size_t i = 0; i < amplitudes.size(); ++i) {
    if (!found.is_reached && parts[i] >= criterion) {
      found.is_reached = true;
      found.above = amplitudes[i];
      found.has_below = i > 0;
      found.below = i > 0 ? amplitudes[i - 1] : 0.0;
    } else if (found.is_reached && !found.is_blocked && parts[i] < criterion) {
      found.is_blocked = true;
      found.block = amplitudes[i];
    }
  }
  return found;
}

void StimulusSeries::Describe(CodingFields& fields) {
  fields.Numbers("onsets_ms", &onsets_ms, 4096, 0.0, 1e12);
  fields.Numbers("amplitudes", &amplitudes, 4096, -1e9, 1e9);
  fields.Require(amplitudes.size() == onsets_ms.size(), "amplitudes",
                 absl::StrCat(amplitudes.size(), " numbers"),
                 absl::StrCat(onsets_ms.size(), ", one for each of onsets_ms"));
  fields.Number("pre_ms", &pre_ms, 1e-3, 1e12);
  fields.Number("post_ms", &post_ms, 1e-3, 1e12);
}

absl::Status StimulusSeries::CheckWithin(const DecodingWindow& window) const {
  for (size_t i = 0; i < onsets_ms.size(); ++i) {
    LIVND_RETURN_IF_ERROR(
        CheckOnset(absl::StrCat("onsets_ms[", i, "]"), onsets_ms[i], pre_ms, post_ms, window));
  }
  return absl::OkStatus();
}

RecruitmentCurve::RecruitmentCurve(const StimulusSeries& series, const DecodingWindow& window,
                                   StateLayout& layout)
    : num_units_(static_cast<size_t>(window.num_units)), amplitudes_(series.amplitudes) {
  std::sort(amplitudes_.begin(), amplitudes_.end());
  amplitudes_.erase(std::unique(amplitudes_.begin(), amplitudes_.end()), amplitudes_.end());
  const size_t num_stimuli = series.onsets_ms.size();
  for (size_t i = 0; i < num_stimuli; ++i) {
    const auto at = std::lower_bound(amplitudes_.begin(), amplitudes_.end(), series.amplitudes[i]);
    const double onset = series.onsets_ms[i];
    stimuli_.push_back({static_cast<size_t>(at - amplitudes_.begin()),
                        window.FirstTickAt(onset - series.pre_ms), window.FirstTickAt(onset),
                        window.FirstTickAt(onset + series.post_ms)});
  }
  counts_ = layout.AddAny(2 * num_stimuli * num_units_);
  scratch_ = layout.AddAny(num_stimuli);
}

void RecruitmentCurve::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  for (size_t i = 0; i < stimuli_.size(); ++i) {
    const Stimulus& stimulus = stimuli_[i];
    if (spike.tick < stimulus.first || spike.tick >= stimulus.end) continue;
    const size_t at = counts_ + 2 * (i * num_units_ + static_cast<size_t>(spike.unit));
    state[spike.tick < stimulus.onset ? at : at + 1] += 1.0;
  }
}

}  // namespace livnd::io
