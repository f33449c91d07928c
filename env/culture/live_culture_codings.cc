// The part of LiveCulture that encodes and decodes.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/culture/live_culture.h"

namespace livnd::env {

absl::StatusOr<RunDecodings> LiveCulture::MakeDecodings(int64_t num_ticks) {
  if (selection_.decodings.empty()) return RunDecodings();
  if (num_ticks == 0) {
    return MakeFieldError("duration_ms", "0", "more than 0: decodings have the run for a window");
  }
  if (ears_ == nullptr) {
    LIVND_ASSIGN_OR_RETURN(DecodingEars ears,
                           DecodingEars::Create(model_->system(), setup(), culture()));
    ears_ = std::make_shared<const DecodingEars>(std::move(ears));
  }
  return RunDecodings::Create("recording.decodings", selection_.decodings, ears_, setup(),
                              culture(), num_ticks);
}

int64_t LiveCulture::CodingBytes(double duration_ms, bool with_features) {
  if (!CheckDuration(duration_ms).ok()) return 0;
  int64_t bytes = 0;
  const auto decodings = MakeDecodings(NumTicks(duration_ms));
  if (decodings.ok()) bytes += decodings->NumBytes(num_copies_);
  if (with_features && encoding_ != nullptr) bytes += num_copies_ * encoding_->step_bytes();
  return bytes;
}

int64_t LiveCulture::FeatureBytes(double duration_ms) const {
  if (encoding_ == nullptr || !CheckDuration(duration_ms).ok()) return 0;
  const int64_t num_steps = 1 + NumTicks(duration_ms) / encoding_->step_ticks();
  return num_copies_ * num_steps * encoding_->step_bytes();
}

absl::Status LiveCulture::TakeFeatures(const CultureRun& run, int64_t num_ticks,
                                       const Devices& devices, StimulusPlan& plan,
                                       std::optional<RunFeatures>* features) const {
  if (!run.features.has_value()) return absl::OkStatus();
  if (encoding_ == nullptr) {
    return MakeFieldError("features", "present", "absent: the culture has no encoding");
  }
  const CultureFeatures& given = *run.features;
  const auto num_inputs = static_cast<int64_t>(encoding_->encoding().inputs().size());
  if (given.num_steps < 1 ||
      static_cast<int64_t>(given.values.size()) != num_copies_ * given.num_steps * num_inputs) {
    return MakeFieldError("features", absl::StrCat(given.values.size(), " numbers"),
                          absl::StrCat(num_copies_, " x ", given.num_steps, " x ", num_inputs));
  }
  if (num_ticks != given.num_steps * encoding_->step_ticks()) {
    return MakeFieldError(
        "duration_ms", Exact(run.duration_ms),
        absl::StrCat(given.num_steps, " steps of ", Exact(encoding_->selection().step_ms),
                     " ms: as many as there are features"));
  }
  if (run.pulse_plan.has_value() && !run.pulse_plan->pulses.empty()) {
    return MakeFieldError("features", "beside pulses of a plan", "one of the two");
  }
  LIVND_RETURN_IF_ERROR(plan.Announce("features", sim::StimulusMode::kField, culture(), devices,
                                      {tick_, summed_ms_}));
  LIVND_ASSIGN_OR_RETURN(
      *features, RunFeatures::Create(encoding_, given, encoding_states_, *devices.electrodes,
                                     prepared_.limits, culture(), tick_));
  return absl::OkStatus();
}

void LiveCulture::InstallFeatures(const Copies::Group& group, GroupRun& of_group, int64_t from,
                                  int64_t to) {
  const auto [first, num] = run_->features->Beginning(from, to);
  for (int64_t step = first; step < first + num; ++step) {
    for (int copy = group.first(); copy < group.first() + group.size(); ++copy) {
      const auto c = static_cast<size_t>(copy);
      if (!std::isnan(failed_at_ms_[c])) continue;
      auto waveform = run_->features->Waveform(copy, step, absl::MakeSpan(encoding_states_[c]));
      if (run_->given.has_value()) {
        of_group.given.push_back({sim::StimulusMode::kField, copy, nullptr, waveform});
      }
      // BeginRun has seen them.
      copies_->Install(copy, sim::StimulusMode::kField, std::move(waveform)).IgnoreError();
    }
  }
}

void LiveCulture::Decode(const Copies::Group& group, GroupRun& of_group) {
  RunDecodings& decodings = run_->decodings;
  const auto is_good = [&](int k) {
    return std::isnan(failed_at_ms_[static_cast<size_t>(group.first() + k)]);
  };
  const std::vector<RunDecodings::HeardSeries> series = decodings.series();
  for (int k = 0; k < group.size(); ++k) {
    for (size_t i = 0; i < series.size(); ++i) {
      SeriesRecorder& heard = of_group.heard[static_cast<size_t>(k)][i];
      if (!is_good(k)) {
        heard.Drop();
        continue;
      }
      heard.Keep();
      decodings.AddSamples(group.first() + k, series[i].decoding, heard.samples());
      heard.Forget();
    }
  }
  if (!decodings.hears_spikes()) return;
  const auto first = static_cast<size_t>(of_group.num_kept);
  for (size_t i = first; i < of_group.spikes.size(); ++i) {
    const sim::Spike& spike = of_group.spikes[i];
    if (!is_good(spike.copy)) continue;
    decodings.AddSpikes(group.first() + spike.copy, absl::MakeConstSpan(&spike, 1));
  }
  if (!selection_.spikes) of_group.spikes.resize(first);
}

}  // namespace livnd::env
