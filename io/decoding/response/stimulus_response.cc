#include "io/decoding/response/stimulus_response.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "io/decoding/response/onset.h"

namespace livnd::io {

void StimulusResponseConfig::Describe(CodingFields& fields) {
  fields.Number("onset_ms", &onset_ms, 0.0, 1e12);
  fields.Number("pre_ms", &pre_ms, 1e-3, 1e12);
  fields.Number("post_ms", &post_ms, 1e-3, 1e12);
  fields.Number("bin_ms", &bin_ms, 1e-3, 1e9);
  fields.Number("tail_ms", &tail_ms, 1e-3, 1e12);
  fields.Number("threshold_k", &threshold_k, 0.0, 1e9);
  fields.Number("undefined", &undefined, -1e12, 1e12);
}

StimulusResponse::StimulusResponse(DecodingKey key, const Config& config,
                                   const DecodingWindow& window)
    : Decoding(key, window),
      config_(config),
      onset_(window.FirstTickAt(config.onset_ms)),
      pre_begin_(window.FirstTickAt(config.onset_ms - config.pre_ms)),
      post_end_(window.FirstTickAt(config.onset_ms + config.post_ms)) {
  Refuse(CheckOnset("onset_ms", config.onset_ms, config.pre_ms, config.post_ms, window));
  const auto bins_in = [&](double span_ms) {
    const double num = std::max(1.0, WholeBelow(span_ms / config.bin_ms));
    if (num > static_cast<double>(Bins::kMaxNum)) {
      Refuse(MakeFieldError("bin_ms", Exact(config.bin_ms),
                            absl::StrCat("more: there may be ", Bins::kMaxNum, " bins")));
    }
    return static_cast<int64_t>(std::min(num, 1e15));
  };
  num_pre_bins_ = bins_in(config.pre_ms);
  num_post_bins_ = bins_in(config.post_ms);
  num_tail_bins_ = bins_in(config.tail_ms);
  pre_ = layout().AddAny(num_units());
  post_ = layout().AddAny(num_units());
  pre_bins_ = layout().AddAny(static_cast<size_t>(num_pre_bins_));
  tail_bins_ = layout().AddAny(static_cast<size_t>(std::max(num_post_bins_, num_tail_bins_)));
  AddOutput("evoked_rate_hz", "Hz", {}, "rate by unit after less that before");
  AddOutput("gain", "1", {}, "rate after by rate before");
  AddOutput("peak_hz", "Hz", {}, "rate by unit in the fullest bin after");
  AddOutput("latency_ms", "ms", {}, "the middle of that bin");
  AddOutput("duration_ms", "ms", {}, "until three bins in a row are quiet");
  AddOutput("probability", "1", {}, "part of the units that answer");
  AddOutput("has_answered", "1", {num_units()}, "1: the unit answers");
}

void StimulusResponse::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  const auto unit = static_cast<size_t>(spike.unit);
  if (spike.tick >= pre_begin_ && spike.tick < onset_) state[pre_ + unit] += 1.0;
  if (spike.tick >= onset_ && spike.tick < post_end_) state[post_ + unit] += 1.0;

  const double bin = WholeBelow(
      (static_cast<double>(spike.tick) * window().tick_ms - config_.onset_ms) / config_.bin_ms);
  if (bin < 0.0 && bin >= -static_cast<double>(num_pre_bins_)) {
    state[pre_bins_ + static_cast<size_t>(static_cast<int64_t>(bin) + num_pre_bins_)] += 1.0;
  }
  if (bin >= 0.0 && bin < static_cast<double>(std::max(num_post_bins_, num_tail_bins_))) {
    state[tail_bins_ + static_cast<size_t>(bin)] += 1.0;
  }
}

double StimulusResponse::Duration(absl::Span<const double> tail, double threshold) const {
  const auto first =
      std::find_if(tail.begin(), tail.end(), [&](double count) { return count > threshold; });
  int num_quiet = 0;
  for (auto bin = first; bin != tail.end(); ++bin) {
    num_quiet = *bin <= threshold ? num_quiet + 1 : 0;
    if (num_quiet == 3) return static_cast<double>(bin - 2 - first) * config_.bin_ms;
  }
  return config_.undefined;
}

absl::Status StimulusResponse::Read(absl::Span<double> state, absl::Span<double> values) const {
  const auto num = static_cast<size_t>(num_units());
  double sum_pre = 0.0, sum_post = 0.0, num_answers = 0.0;
  for (size_t u = 0; u < num; ++u) {
    const double pre = state[pre_ + u], post = state[post_ + u];
    values[6 + u] = HasAnswered(pre, post, config_.pre_ms, config_.post_ms) ? 1.0 : 0.0;
    num_answers += values[6 + u];
    sum_pre += pre;
    sum_post += post;
  }
  const auto units = static_cast<double>(num);
  const double baseline_hz = sum_pre / (config_.pre_ms * 1e-3) / units;
  const double response_hz = sum_post / (config_.post_ms * 1e-3) / units;
  const auto pre_bins = state.subspan(pre_bins_, static_cast<size_t>(num_pre_bins_));
  const double median = Median(pre_bins);
  const double deviation = MedianDeviation(pre_bins, median);
  const double threshold =
      median + config_.threshold_k * 1.4826 * std::max(deviation, 1.0 / 1.4826);
  const auto post_bins = state.subspan(tail_bins_, static_cast<size_t>(num_post_bins_));
  const auto peak = std::max_element(post_bins.begin(), post_bins.end());

  values[0] = response_hz - baseline_hz;
  values[1] = baseline_hz > 0.0 ? response_hz / baseline_hz : config_.undefined;
  values[2] = *peak * 1e3 / config_.bin_ms / units;
  values[3] = *peak > threshold
                  ? (static_cast<double>(peak - post_bins.begin()) + 0.5) * config_.bin_ms
                  : config_.undefined;
  values[4] = Duration(state.subspan(tail_bins_, static_cast<size_t>(num_tail_bins_)), threshold);
  values[5] = num_answers / units;
  return absl::OkStatus();
}

}  // namespace livnd::io
