#include "io/decoding/response/recruitment.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "io/decoding/response/onset.h"
#include "io/decoding/response/stimulus_response.h"

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

void RecruitmentConfig::Describe(CodingFields& fields) {
  fields.Numbers("onsets_ms", &onsets_ms, 4096, 0.0, 1e12);
  fields.Numbers("amplitudes", &amplitudes, 4096, -1e9, 1e9);
  fields.Require(amplitudes.size() == onsets_ms.size(), "amplitudes",
                 absl::StrCat(amplitudes.size(), " numbers"),
                 absl::StrCat(onsets_ms.size(), ", one for each of onsets_ms"));
  fields.Number("pre_ms", &pre_ms, 1e-3, 1e12);
  fields.Number("post_ms", &post_ms, 1e-3, 1e12);
  fields.Number("recruited", &recruited, 0.0, 1.0);
  fields.Word("answer", &answer, {"excess", "any"});
  fields.Whole("min_spikes", &min_spikes, 1, 1'000'000'000);
  fields.Number("undefined", &undefined, -1e12, 1e12);
}

Recruitment::Recruitment(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window), config_(config), amplitudes_(config.amplitudes) {
  std::sort(amplitudes_.begin(), amplitudes_.end());
  amplitudes_.erase(std::unique(amplitudes_.begin(), amplitudes_.end()), amplitudes_.end());
  for (size_t i = 0; i < config.onsets_ms.size(); ++i) {
    Refuse(CheckOnset(absl::StrCat("onsets_ms[", i, "]"), config.onsets_ms[i], config.pre_ms,
                      config.post_ms, window));
  }
  counts_ = layout().AddAny(2 * config.onsets_ms.size() * static_cast<size_t>(num_units()));
  scratch_ = layout().AddAny(config.onsets_ms.size());
  const auto num = static_cast<int64_t>(amplitudes_.size());
  AddOutput("amplitude", "of the stimuli", {num}, "ascending");
  AddOutput("curve", "1", {num}, "part of the units that answer");
  AddOutput("threshold", "of the stimuli", {}, "first amplitude that recruits");
  AddOutput("below", "of the stimuli", {}, "the amplitude before it");
  AddOutput("block", "of the stimuli", {}, "first amplitude above it that does not");
  AddOutput("is_reached", "1", {}, "1: an amplitude recruits");
  AddOutput("has_below", "1", {}, "1: a smaller one does not");
}

bool Recruitment::Answers(double pre, double post) const {
  if (config_.answer == Config::kExcess) {
    return HasAnswered(pre, post, config_.pre_ms, config_.post_ms);
  }
  return post >= static_cast<double>(config_.min_spikes) &&
         post > pre * (config_.post_ms / config_.pre_ms);
}

void Recruitment::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  for (size_t i = 0; i < config_.onsets_ms.size(); ++i) {
    const double onset = config_.onsets_ms[i];
    const size_t at =
        counts_ + 2 * (i * static_cast<size_t>(num_units()) + static_cast<size_t>(spike.unit));
    const int64_t middle = window().FirstTickAt(onset);
    if (spike.tick < middle) {
      if (spike.tick >= window().FirstTickAt(onset - config_.pre_ms)) state[at] += 1.0;
    } else if (spike.tick < window().FirstTickAt(onset + config_.post_ms)) {
      state[at + 1] += 1.0;
    }
  }
}

absl::Status Recruitment::Read(absl::Span<double> state, absl::Span<double> values) const {
  const auto num_cells = static_cast<size_t>(num_units());
  const size_t num = amplitudes_.size();
  const auto curve = values.subspan(num, num);
  for (size_t a = 0; a < num; ++a) {
    values[a] = amplitudes_[a];
    size_t num_stimuli = 0;
    for (size_t i = 0; i < config_.onsets_ms.size(); ++i) {
      if (config_.amplitudes[i] != amplitudes_[a]) continue;
      double num_answers = 0.0;
      for (size_t u = 0; u < num_cells; ++u) {
        const size_t at = counts_ + 2 * (i * num_cells + u);
        if (Answers(state[at], state[at + 1])) num_answers += 1.0;
      }
      state[scratch_ + num_stimuli++] = num_answers / static_cast<double>(num_cells);
    }
    curve[a] = Median(state.subspan(scratch_, num_stimuli));
  }
  const RecruitmentThreshold found =
      FindThreshold(values.subspan(0, num), curve, config_.recruited);
  auto out = values.begin() + static_cast<std::ptrdiff_t>(2 * num);
  *out++ = found.is_reached ? found.above : config_.undefined;
  *out++ = found.has_below ? found.below : config_.undefined;
  *out++ = found.is_blocked ? found.block : config_.undefined;
  *out++ = found.is_reached ? 1.0 : 0.0;
  *out++ = found.has_below ? 1.0 : 0.0;
  return absl::OkStatus();
}

}  // namespace livnd::io
