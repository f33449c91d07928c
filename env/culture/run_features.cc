#include "env/culture/run_features.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/culture/reach.h"
#include "io/device/preset/currents_check.h"
#include "io/encoding/catalog.h"

namespace livnd::env {

absl::StatusOr<std::shared_ptr<const CultureEncoding>> CultureEncoding::Create(
    const EncodingSelection& selection, size_t num_electrodes, const sim::Culture& culture) {
  if (num_electrodes == 0) {
    return MakeFieldError("encoding", "present", "absent: this culture has no electrodes");
  }
  constexpr double kMaxStepMs = 1e5;
  const double ticks = selection.step_ms / culture.dt_ms();
  // False for NaN, too.
  if (!(selection.step_ms > 0.0 && selection.step_ms <= kMaxStepMs && ticks >= 1.0 - 1e-9 &&
        std::fabs(ticks - std::round(ticks)) <= 1e-6)) {
    return MakeFieldError("encoding.step_ms", Exact(selection.step_ms),
                          absl::StrCat("a multiple of dt_ms = ", Exact(culture.dt_ms()), " up to ",
                                       Exact(kMaxStepMs)));
  }
  io::EncodingWindow window;
  window.num_electrodes = static_cast<int64_t>(num_electrodes);
  window.tick_ms = culture.dt_ms();
  window.num_ticks = std::llround(ticks);
  auto made = io::MakeEncoding(selection.spec, window);
  if (!made.ok()) return AtField("encoding", made.status());
  return std::shared_ptr<const CultureEncoding>(new CultureEncoding(selection, *std::move(made)));
}

CultureEncoding::CultureEncoding(EncodingSelection selection,
                                 std::unique_ptr<const io::Encoding> encoding)
    : selection_(std::move(selection)), encoding_(std::move(encoding)) {
  // The largest numbers, and twice what comes of them.
  std::vector<float> values;
  for (const io::EncodingInput& input : encoding_->inputs()) {
    values.push_back(static_cast<float>(input.high));
  }
  std::vector<double> state(encoding_->state_size());
  encoding_->Begin(absl::MakeSpan(state));
  sim::Waveform waveform;
  encoding_->Encode(values, 0, absl::MakeSpan(state), &waveform);
  step_bytes_ = 2 * static_cast<int64_t>(waveform.samples.size() * sizeof(double));
}

EncodingStates BeginEncoding(const CultureEncoding& encoding, int num_copies) {
  EncodingStates states(static_cast<size_t>(num_copies),
                        std::vector<double>(encoding.encoding().state_size()));
  for (std::vector<double>& state : states) encoding.encoding().Begin(absl::MakeSpan(state));
  return states;
}

absl::StatusOr<RunFeatures> RunFeatures::Create(std::shared_ptr<const CultureEncoding> encoding,
                                                CultureFeatures features,
                                                const EncodingStates& states,
                                                const Electrodes& electrodes,
                                                const io::StimulationLimits& limits,
                                                const sim::Culture& culture, int64_t start_tick) {
  RunFeatures out(std::move(encoding), std::move(features), start_tick);
  Reach reach(sim::StimulusMode::kField, electrodes.map, culture.num_section_rows());
  std::vector<Reach::Level> levels;
  for (int copy = 0; copy < static_cast<int>(states.size()); ++copy) {
    std::vector<double> state = states[static_cast<size_t>(copy)];
    io::CurrentsCheck held(limits, electrodes.array.ids(), culture.dt_ms());
    for (int64_t step = 0; step < out.features_.num_steps; ++step) {
      const std::string place = absl::StrCat("features[", copy, "][", step, "]");
      LIVND_RETURN_IF_ERROR(
          AtField(place, out.encoding_->encoding().CheckValues(out.Values(copy, step))));
      const auto waveform = out.Waveform(copy, step, absl::MakeSpan(state));
      if (limits.any()) LIVND_RETURN_IF_ERROR(AtField(place, held.Check(*waveform, start_tick)));
      const auto width = static_cast<size_t>(waveform->num_channels);
      for (size_t first = 0; first < waveform->samples.size(); first += width) {
        levels.clear();
        for (size_t i = 0; i < width; ++i) {
          const double level = waveform->samples[first + i];
          const int channel =
              waveform->channels.empty() ? static_cast<int>(i) : waveform->channels[i];
          if (level != 0.0) levels.emplace_back(channel, level);
        }
        const double worst = reach.Worst(levels);
        if (worst <= reach.bound()) continue;
        return MakeFieldError(place, absl::StrCat("what makes ", reach.Shown(worst), " at a cell"),
                              reach.Accepted());
      }
    }
  }
  return out;
}

std::pair<int64_t, int64_t> RunFeatures::Beginning(int64_t from, int64_t to) const {
  const int64_t ticks = encoding_->step_ticks();
  const int64_t first = (from + ticks - 1) / ticks;
  const int64_t end = std::min(features_.num_steps, (to + ticks - 1) / ticks);
  return {first, std::max<int64_t>(0, end - first)};
}

absl::Span<const float> RunFeatures::Values(int copy, int64_t step) const {
  const size_t num_inputs = encoding_->encoding().inputs().size();
  const auto row = static_cast<size_t>(copy * features_.num_steps + step);
  return absl::MakeConstSpan(features_.values).subspan(row * num_inputs, num_inputs);
}

std::shared_ptr<const sim::Waveform> RunFeatures::Waveform(int copy, int64_t step,
                                                           absl::Span<double> state) const {
  auto waveform = std::make_shared<sim::Waveform>();
  encoding_->encoding().Encode(Values(copy, step), start_tick_ + step * encoding_->step_ticks(),
                               state, waveform.get());
  return waveform;
}

}  // namespace livnd::env
