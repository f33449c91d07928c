#include "io/decoding/decoding.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {

int64_t DecodingOutput::size() const {
  int64_t size = 1;
  for (const int64_t extent : shape) size *= extent;
  return size;
}

void Decoding::Begin(absl::Span<double> state) const { std::fill(state.begin(), state.end(), 0.0); }

void Decoding::AddSpike(const UnitSpike& /*spike*/, absl::Span<double> /*state*/) const {}

void Decoding::AddSample(absl::Span<const double> /*samples*/, absl::Span<double> /*state*/) const {
}

absl::Status Decoding::Finish(absl::Span<double> state, absl::Span<double> values) const {
  LIVND_RETURN_IF_ERROR(Read(state, values));
  if (std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); })) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError("a decoded value is not finite: neither were the samples");
}

void Decoding::AddOutput(absl::string_view name, absl::string_view unit, std::vector<int64_t> shape,
                         absl::string_view description) {
  DecodingOutput& output = outputs_.emplace_back();
  output.name = std::string(name);
  output.unit = std::string(unit);
  output.shape = std::move(shape);
  output.description = std::string(description);
  num_values_ += static_cast<size_t>(output.size());
}

Bins Decoding::BinsOf(absl::string_view field, double bin_ms, int64_t min_num) {
  const Bins bins = Bins::Of(window_, bin_ms, min_num);
  if (bins.num > Bins::kMaxNum) {
    const double least = window_.duration_ms() / static_cast<double>(Bins::kMaxNum);
    Refuse(MakeFieldError(
        field, Exact(bin_ms),
        absl::StrCat(Exact(least), " at least: a window has up to ", Bins::kMaxNum, " bins")));
  }
  return bins;
}

absl::Status Decoding::CheckSizes() const {
  LIVND_RETURN_IF_ERROR(fault_);
  if (layout_.size() > kMaxStateSize) {
    return MakeFieldError(
        "", absl::StrCat("a state of ", layout_.size(), " numbers"),
        absl::StrCat("up to ", kMaxStateSize, ": fewer units or bins, or a shorter window"));
  }
  if (num_values_ > static_cast<size_t>(kMaxValues)) {
    return MakeFieldError(
        "", absl::StrCat("an answer of ", num_values_, " numbers"),
        absl::StrCat("up to ", kMaxValues, ": fewer units or bins, or a shorter window"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> DecodeWindow(const Decoding& decoding,
                                                 absl::Span<const UnitSpike> spikes,
                                                 absl::Span<const double> samples) {
  const DecodingWindow& window = decoding.window();
  if (!decoding.hears_spikes() && !spikes.empty()) {
    return MakeFieldError("spikes", absl::StrCat(spikes.size()), "none: it hears samples alone");
  }
  LIVND_RETURN_IF_ERROR(CheckSpikes(window, spikes));
  const auto num_units = static_cast<size_t>(window.num_units);
  const size_t num_numbers =
      decoding.hears_samples() ? static_cast<size_t>(window.num_samples()) * num_units : 0;
  if (samples.size() != num_numbers) {
    return MakeFieldError("samples", absl::StrCat(samples.size(), " numbers"),
                          absl::StrCat(num_numbers, ": samples by units"));
  }
  for (size_t i = 0; i < samples.size(); ++i) {
    if (!(std::fabs(samples[i]) <= 1e12)) {
      return MakeFieldError(absl::StrCat("samples[", i, "]"), Exact(samples[i]), "-1e+12 .. 1e+12");
    }
  }
  std::vector<double> state(decoding.state_size());
  std::vector<double> values(decoding.num_values());
  decoding.Begin(absl::MakeSpan(state));
  for (const UnitSpike& spike : spikes) decoding.AddSpike(spike, absl::MakeSpan(state));
  for (size_t i = 0; i < num_numbers; i += num_units) {
    decoding.AddSample(samples.subspan(i, num_units), absl::MakeSpan(state));
  }
  LIVND_RETURN_IF_ERROR(decoding.Finish(absl::MakeSpan(state), absl::MakeSpan(values)));
  return values;
}

}  // namespace livnd::io
