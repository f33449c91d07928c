#include "io/decoding/potential/waveforms.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "io/decoding/bins.h"

namespace livnd::io {
namespace {

constexpr double kBaselineMs = 2.0;
// Numbers that are told of a population and of a cutout, beside their samples.
constexpr int64_t kValuesOfGroup = 6, kValuesOfCutout = 2;

}  // namespace

void WaveformsConfig::Describe(CodingFields& fields) {
  fields.Number("pre_ms", &pre_ms, 0.0, 1e6);
  fields.Number("post_ms", &post_ms, 1e-3, 1e6);
  fields.Whole("max_spikes", &max_spikes, 1, 1'000'000);
  fields.Whole("max_cutouts", &max_cutouts, 0, 1'000'000);
  fields.Word("half_width", &half_width, {"peak", "outermost"});
  fields.Number("undefined", &undefined, -1e12, 1e12);
}

Waveforms::Waveforms(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window),
      config_(config),
      sample_ms_(static_cast<double>(window.sample_ticks) * window.tick_ms),
      num_before_(std::llround(std::min(config.pre_ms / sample_ms_, 1e12))),
      num_after_(std::llround(std::min(config.post_ms / sample_ms_, 1e12))) {
  const int64_t num = num_before_ + num_after_;
  if (num_after_ < 1) {
    Refuse(MakeFieldError("post_ms", Exact(config.post_ms),
                          absl::StrCat("a sample at least, of ", Exact(sample_ms_), " ms")));
  }
  num_baseline_ =
      std::clamp<int64_t>(static_cast<int64_t>(std::min(kBaselineMs / sample_ms_ + 1e-9, 1e12)), 1,
                          std::max<int64_t>(1, num));
  Refuse(CheckLength());
  const auto num_spikes = static_cast<double>(config.max_spikes);
  const auto samples = static_cast<double>(window.num_samples());
  num_samples_ = layout().AddWhole(1, 0.0, samples);
  scratch_ = layout().AddAny(static_cast<size_t>(num_baseline_));
  num_spikes_ = layout().AddWhole(static_cast<size_t>(num_units()), 0.0, num_spikes);
  ticks_ = layout().AddWhole(static_cast<size_t>(num_units() * config.max_spikes), 0.0,
                             static_cast<double>(window.num_ticks - 1));
  // No more than 2^40 each, so that their product is told and not lost.
  traces_ = layout().AddAny(static_cast<size_t>(static_cast<double>(num_units()) * samples > 1e12
                                                    ? int64_t{1} << 40
                                                    : num_units() * window.num_samples()));
  AddOutput("num_spikes", "1", {num_groups()}, "cutouts that the mean is of");
  AddOutput("mean_mv", "mV", {num_groups(), num}, "mean cutout");
  AddOutput("baseline_mv", "mV", {num_groups()}, "median of the first 2 ms of the mean");
  AddOutput("peak_mv", "mV", {num_groups()}, "highest voltage of the mean");
  AddOutput("amplitude_mv", "mV", {num_groups()}, "peak less baseline");
  AddOutput("half_width_ms", "ms", {num_groups()}, "time above the middle of peak and baseline");
  AddOutput("ahp_mv", "mV", {num_groups()}, "lowest voltage after the peak less baseline");
  AddOutput("cutout_mv", "mV", {config.max_cutouts, num}, "the first cutouts, by cell");
  AddOutput("cutout_unit", "1", {config.max_cutouts}, "whose; -1: there was none");
  AddOutput("cutout_ms", "ms", {config.max_cutouts}, "when its highest sample was");
}

absl::Status Waveforms::CheckLength() const {
  // The state has all samples of the window and the times of spikes, those of each unit.
  const int64_t room = (static_cast<int64_t>(kMaxStateSize) - 1 - num_baseline_) / num_units() - 1;
  if (config_.max_spikes >= room) {
    return MakeFieldError("max_spikes", Exact(config_.max_spikes),
                          absl::StrCat("less with ", num_units(), " units"));
  }
  const int64_t most_samples = room - config_.max_spikes;
  if (window().num_samples() > most_samples) {
    return MakeFieldError(
        "window.num_ticks", Exact(window().num_ticks),
        absl::StrCat(most_samples * window().sample_ticks, " at most with ", num_units(),
                     " units, samples every ", Exact(sample_ms_), " ms and this max_spikes"));
  }
  const int64_t num_cutouts = std::max<int64_t>(1, num_groups() + config_.max_cutouts);
  const int64_t most = (kMaxValues - kValuesOfGroup * num_groups()) / num_cutouts - kValuesOfCutout;
  if (num_before_ + num_after_ <= most) return absl::OkStatus();
  const bool by_pre = config_.pre_ms > config_.post_ms;
  return MakeFieldError(
      by_pre ? "pre_ms" : "post_ms", Exact(by_pre ? config_.pre_ms : config_.post_ms),
      absl::StrCat("pre_ms and post_ms of ", Exact(static_cast<double>(most) * sample_ms_),
                   " ms at most with max_cutouts = ", config_.max_cutouts));
}

void Waveforms::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  const auto unit = static_cast<size_t>(spike.unit);
  double& num = state[num_spikes_ + unit];
  if (num >= static_cast<double>(config_.max_spikes)) return;
  state[ticks_ + unit * static_cast<size_t>(config_.max_spikes) + static_cast<size_t>(num)] =
      static_cast<double>(spike.tick);
  num += 1.0;
}

void Waveforms::AddSample(absl::Span<const double> voltages_mv, absl::Span<double> state) const {
  const auto length = static_cast<size_t>(window().num_samples());
  const auto sample = static_cast<size_t>(state[num_samples_]);
  if (sample >= length) return;
  for (size_t u = 0; u < voltages_mv.size(); ++u) {
    state[traces_ + u * length + sample] = voltages_mv[u];
  }
  state[num_samples_] += 1.0;
}

int64_t Waveforms::FindCutout(absl::Span<const double> trace, int64_t tick) const {
  const int64_t every = window().sample_ticks;
  const auto length = static_cast<int64_t>(trace.size());
  const int64_t first = (tick + every - 1) / every - num_before_;
  if (first < 0 || first + num_before_ + num_after_ > length) return -1;
  const auto begin = trace.begin() + first;
  const int64_t highest = std::max_element(begin, begin + num_before_ + num_after_) - begin;
  const int64_t moved = first + highest - num_before_;
  return moved < 0 || moved + num_before_ + num_after_ > length ? -1 : moved;
}

double Waveforms::HalfWidth(absl::Span<const double> mean, int64_t peak, double middle) const {
  const auto size = static_cast<int64_t>(mean.size());
  const auto above = [&](int64_t i) { return mean[static_cast<size_t>(i)] >= middle; };
  if (config_.half_width == Config::kOutermost) {
    int64_t first = 0, last = size - 1;
    while (first < size && !above(first)) ++first;
    while (last > first && !above(last)) --last;
    return last > first ? static_cast<double>(last - first) * sample_ms_ : config_.undefined;
  }
  // The peak is above its foot whatever rounding says.
  int64_t left = peak - 1, right = peak + 1;
  while (left >= 0 && above(left)) --left;
  while (right < size && above(right)) ++right;
  if (left < 0 || right >= size) return config_.undefined;
  // Where the line between a sample below and its neighbour above crosses the middle.
  const auto part = [&](int64_t below, int64_t over) {
    const double low = mean[static_cast<size_t>(below)], high = mean[static_cast<size_t>(over)];
    return (high - middle) / (high - low);
  };
  const double samples =
      static_cast<double>(right - left - 2) + part(left, left + 1) + part(right, right - 1);
  return samples * sample_ms_;
}

Waveforms::Shape Waveforms::ShapeOf(absl::Span<const double> mean,
                                    absl::Span<double> scratch) const {
  std::copy_n(mean.begin(), scratch.size(), scratch.begin());
  Shape shape;
  shape.baseline_mv = Median(scratch);
  const auto highest = std::max_element(mean.begin(), mean.end());
  shape.peak_mv = *highest;
  shape.half_width_ms = HalfWidth(mean, highest - mean.begin(),
                                  shape.baseline_mv + 0.5 * (shape.peak_mv - shape.baseline_mv));
  shape.ahp_mv = *std::min_element(highest, mean.end()) - shape.baseline_mv;
  return shape;
}

absl::Status Waveforms::Read(absl::Span<double> state, absl::Span<double> values) const {
  const auto groups = static_cast<size_t>(num_groups());
  const auto size = static_cast<size_t>(num_before_ + num_after_);
  const auto length = static_cast<size_t>(window().num_samples());
  const auto max_spikes = static_cast<size_t>(config_.max_spikes);
  const auto max_cutouts = static_cast<size_t>(config_.max_cutouts);
  const auto num_spikes = values.subspan(0, groups);
  const auto means = values.subspan(groups, groups * size);
  const auto shapes = values.subspan(groups * (1 + size), 5 * groups);
  const auto cutouts = values.subspan(groups * (6 + size), max_cutouts * size);
  const auto cutout_unit = values.subspan(groups * (6 + size) + max_cutouts * size, max_cutouts);
  const auto cutout_ms = values.last(max_cutouts);
  std::fill(values.begin(), values.end(), 0.0);
  std::fill(cutout_unit.begin(), cutout_unit.end(), -1.0);
  size_t num_cutouts = 0;
  for (int64_t unit = 0; unit < num_units(); ++unit) {
    const int64_t group = window().GroupOf(unit);
    if (group < 0) continue;
    const auto g = static_cast<size_t>(group), u = static_cast<size_t>(unit);
    const absl::Span<const double> trace = state.subspan(traces_ + u * length, length);
    const auto mean = means.subspan(g * size, size);
    for (size_t i = 0; i < static_cast<size_t>(state[num_spikes_ + u]); ++i) {
      const int64_t first =
          FindCutout(trace, static_cast<int64_t>(state[ticks_ + u * max_spikes + i]));
      if (first < 0) continue;
      const auto cutout = trace.subspan(static_cast<size_t>(first), size);
      num_spikes[g] += 1.0;
      for (size_t k = 0; k < size; ++k) mean[k] += cutout[k];
      if (num_cutouts == max_cutouts) continue;
      std::copy(cutout.begin(), cutout.end(),
                cutouts.begin() + static_cast<std::ptrdiff_t>(num_cutouts * size));
      cutout_unit[num_cutouts] = static_cast<double>(unit);
      cutout_ms[num_cutouts++] = static_cast<double>(first + num_before_) * sample_ms_;
    }
  }
  const auto scratch = state.subspan(scratch_, static_cast<size_t>(num_baseline_));
  for (size_t g = 0; g < groups; ++g) {
    const auto mean = means.subspan(g * size, size);
    Shape shape{config_.undefined, config_.undefined, config_.undefined, config_.undefined};
    double amplitude = config_.undefined;
    if (num_spikes[g] > 0.0) {
      for (double& value : mean) value /= num_spikes[g];
      shape = ShapeOf(mean, scratch);
      amplitude = shape.peak_mv - shape.baseline_mv;
    }
    shapes[g] = shape.baseline_mv;
    shapes[groups + g] = shape.peak_mv;
    shapes[2 * groups + g] = amplitude;
    shapes[3 * groups + g] = shape.half_width_ms;
    shapes[4 * groups + g] = shape.ahp_mv;
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
