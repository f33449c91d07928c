#include "io/decoding/density/baks.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {
namespace {

// Some seconds.
constexpr int64_t kMaxKernels = int64_t{1} << 27;

}  // namespace

double BaksRate(absl::Span<const double> spikes_s, double time_s, double alpha, double beta) {
  if (spikes_s.empty()) return 0.0;
  const auto base = [&](double spike_s) {
    const double delta = time_s - spike_s;
    return delta * delta / 2.0 + 1.0 / beta;
  };
  // In units of the least one, whose powers are 1, so that no sum becomes 0.
  double least = base(spikes_s[0]);
  for (const double spike : spikes_s) least = std::min(least, base(spike));
  double above = 0.0, below = 0.0;
  for (const double spike : spikes_s) {
    const double ratio = base(spike) / least;
    const double power = std::pow(ratio, -alpha);
    above += power;
    below += power / std::sqrt(ratio);
  }
  const double h =
      std::exp(std::lgamma(alpha) - std::lgamma(alpha + 0.5)) * above / below * std::sqrt(least);
  double sum = 0.0;
  for (const double spike : spikes_s) {
    const double delta = time_s - spike;
    if (std::fabs(delta) <= 6.0 * h) sum += std::exp(-delta * delta / (2.0 * h * h));
  }
  return sum / (std::sqrt(2.0 * M_PI) * h);
}

int64_t NumTimes(const DecodingWindow& window, double step_ms) {
  const double num = WholeAbove(window.duration_ms() / step_ms);
  return static_cast<int64_t>(std::min(num, 1e15));
}

absl::Status CheckWork(const DecodingWindow& window, double step_ms, int64_t max_spikes) {
  const int64_t num_times = NumTimes(window, step_ms);
  if (num_times + window.num_units <= kMaxKernels / max_spikes) return absl::OkStatus();
  return MakeFieldError(
      "step_ms", Exact(step_ms),
      absl::StrCat("more, or a smaller max_spikes: ", num_times, " times and ", window.num_units,
                   " units may be ", kMaxKernels / max_spikes, " with ", max_spikes, " spikes"));
}

void BaksConfig::Describe(CodingFields& fields) {
  fields.Number("step_ms", &step_ms, 1e-3, 1e9);
  fields.Number("alpha", &alpha, 0.1, 50.0);
  fields.Number("beta_exponent", &beta_exponent, -4.0, 4.0);
  fields.Whole("max_spikes", &max_spikes, 1, KeptSpikes::kLargestMax);
}

Baks::Baks(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window),
      config_(config),
      num_times_(NumTimes(window, config.step_ms)),
      spikes_(layout(), window, config.max_spikes) {
  Refuse(CheckWork(window, config.step_ms, config.max_spikes));
  scratch_ = layout().AddAny(static_cast<size_t>(config.max_spikes));
  AddOutput("rate_hz", "Hz", {num_units(), num_times_}, "of each unit at each time");
}

void Baks::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  spikes_.Add(spike, state);
}

absl::Status Baks::Read(absl::Span<double> state, absl::Span<double> values) const {
  LIVND_RETURN_IF_ERROR(spikes_.Check(state));
  const auto scratch = state.subspan(scratch_, static_cast<size_t>(config_.max_spikes));
  auto out = values.begin();
  for (int64_t u = 0; u < num_units(); ++u) {
    const auto train = scratch.subspan(0, spikes_.TicksOf(u, state, scratch));
    for (double& tick : train) tick *= window().tick_ms * 1e-3;
    const double beta = std::pow(static_cast<double>(train.size()), config_.beta_exponent);
    for (int64_t i = 0; i < num_times_; ++i) {
      const double time_s = static_cast<double>(i) * config_.step_ms * 1e-3;
      *out++ = BaksRate(train, time_s, config_.alpha, beta);
    }
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
