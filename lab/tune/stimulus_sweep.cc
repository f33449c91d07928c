#include "lab/tune/stimulus_sweep.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/decoding/response/recruitment.h"

namespace livnd::lab {
namespace {

constexpr char kStimulus[] = "stimulus";
constexpr double kProbeMs = 20.0;

// Whole ticks of a time, or a field error.
absl::Status CheckOnTicks(const char* name, double ms, double tick_ms) {
  const double ticks = ms / tick_ms;
  if (std::fabs(ticks - std::round(ticks)) <= 1e-6) return absl::OkStatus();
  return MakeFieldError(absl::StrCat(kStimulus, ".", name), Exact(ms),
                        absl::StrCat("a multiple of the culture's step, ", Exact(tick_ms), " ms"));
}

absl::StatusOr<int32_t> ElectrodeOf(const StimulusConfig& config, const io::System& system,
                                    const io::CultureSetup& setup) {
  const std::vector<io::Electrode>& electrodes = setup.electrode_array->electrodes;
  if (config.electrode.has_value()) {
    const bool is_known = std::any_of(electrodes.begin(), electrodes.end(),
                                      [&](const auto& e) { return e.id == *config.electrode; });
    if (is_known) return *config.electrode;
    return MakeFieldError("stimulus.electrode", absl::StrCat(*config.electrode),
                          absl::StrCat("the id of one of the ", electrodes.size(), " electrodes"));
  }
  const int32_t driving = DrivingElectrode(system, setup);
  if (driving >= 0) return driving;
  return MakeFieldError(
      "stimulus.electrode", "absent",
      absl::StrCat("the id of an electrode: none has cells within the ",
                   Exact(setup.electrode_array->input_radius_um), " um of input_radius"));
}

}  // namespace

int32_t DrivingElectrode(const io::System& system, const io::CultureSetup& setup) {
  const double reach_um = setup.electrode_array->input_radius_um;
  const std::vector<int64_t> gids = setup.BuiltGids();
  int32_t best = -1;
  int64_t most = 0;
  for (const io::Electrode& electrode : setup.electrode_array->electrodes) {
    const auto num = std::count_if(gids.begin(), gids.end(), [&](int64_t gid) {
      const std::array<double, 3>& soma = system.position_um[static_cast<size_t>(gid)];
      double square = 0.0;
      for (size_t k = 0; k < 3; ++k) {
        const double d = electrode.position_um[k] - soma[k];
        square += d * d;
      }
      return std::sqrt(square) <= reach_um;
    });
    if (num > most || (num == most && most > 0 && electrode.id < best)) {
      most = num;
      best = electrode.id;
    }
  }
  return best;
}

absl::StatusOr<StimulusSweep> StimulusSweep::Create(const StimulusConfig& config,
                                                    const io::System& system,
                                                    const io::CultureSetup& setup, double tick_ms) {
  if (!setup.electrode_array.has_value()) {
    return MakeFieldError(kStimulus, "present", "absent: this system has no electrodes");
  }
  LIVND_RETURN_IF_ERROR(CheckOnTicks("trial_ms", config.trial_ms, tick_ms));
  LIVND_RETURN_IF_ERROR(CheckOnTicks("onset_ms", config.onset_ms, tick_ms));
  LIVND_ASSIGN_OR_RETURN(const int32_t electrode, ElectrodeOf(config, system, setup));
  Sweep sweep;
  sweep.trial_ms = config.trial_ms;
  sweep.always = !config.gate;
  io::RecruitmentConfig recruitment;
  recruitment.series.pre_ms = config.pre_ms;
  recruitment.series.post_ms = config.post_ms;
  recruitment.recruited = config.recruited;
  const size_t num_trials = config.amplitudes_ua.size() * static_cast<size_t>(config.repeats);
  for (size_t i = 0; i < num_trials; ++i) {
    const double amplitude_ua = config.amplitudes_ua[i % config.amplitudes_ua.size()];
    sweep.plans.push_back(PlanOf(config, electrode, amplitude_ua));
    recruitment.series.onsets_ms.push_back(static_cast<double>(i) * config.trial_ms +
                                           config.onset_ms);
    recruitment.series.amplitudes.push_back(amplitude_ua);
  }
  io::DecodingWindow window;
  window.num_units = static_cast<int64_t>(setup.electrode_array->electrodes.size());
  window.tick_ms = tick_ms;
  window.num_ticks = std::llround(config.trial_ms / tick_ms) * static_cast<int64_t>(num_trials);
  auto decoding = io::MakeDecoding<io::Recruitment>(recruitment, window);
  if (!decoding.ok()) {
    return MakeFieldError(
        "stimulus.repeats", absl::StrCat(config.repeats),
        absl::StrCat("fewer, or fewer amplitudes: ", FieldErrorOf(decoding.status())->accepted));
  }
  return StimulusSweep(config, std::move(sweep), *std::move(decoding));
}

Sweep StimulusSweep::Probe() const {
  Sweep probe;
  probe.always = true;
  probe.trial_ms = kProbeMs;
  probe.plans = {sweep_.plans[config_.amplitudes_ua.size() - 1]};
  probe.plans[0].pulses[0].train.start_us = 0.0;
  // As long as its pulse, at least.
  probe.trial_ms = std::max(kProbeMs, std::ceil(PulseMs(config_.pulse)));
  return probe;
}

absl::Status StimulusSweep::FaultOf(const absl::Status& status) {
  std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value()) return status;
  absl::string_view field = error->field;
  absl::ConsumePrefix(&field, "pulse_plan");
  absl::ConsumePrefix(&field, ".");
  if (!absl::ConsumePrefix(&field, "pulses[0]") && !field.empty()) return status;
  absl::ConsumePrefix(&field, ".");
  std::string name(field);
  if (absl::StartsWith(name, "electrodes")) name = "electrode";
  if (name == "start_us") name = "onset_ms";
  if (absl::StrContains(name, "amplitude_ua")) name = "amplitudes_ua";
  error->field = name.empty() ? kStimulus : absl::StrCat(kStimulus, ".", name);
  return WithFieldError(*error, status);
}

absl::Status StimulusSweep::Measure(absl::Span<const io::UnitSpike> spikes,
                                    Features& features) const {
  LIVND_ASSIGN_OR_RETURN(const std::vector<double> values, io::DecodeWindow(*recruitment_, spikes));
  const size_t n = config_.amplitudes_ua.size();
  const auto curve = absl::MakeConstSpan(values).subspan(n, n);
  const RecruitmentBracket simulated = BracketOf(config_.amplitudes_ua, curve, config_.recruited);
  const auto at = [&](const char* name) -> double& {
    return features[static_cast<size_t>(FindFeature(name))];
  };
  at("stimulus_threshold") = ThresholdUa(simulated);
  if (!config_.measured.has_value()) return absl::OkStatus();
  at("threshold_miss") = ThresholdMiss(*config_.measured, simulated);
  at("recruitment_miss") = RecruitmentMiss(*config_.measured, simulated);
  return absl::OkStatus();
}

}  // namespace livnd::lab
