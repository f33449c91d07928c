#include "lab/tune/stimulus_json.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "lab/generate/config_fields.h"

namespace livnd::lab {
namespace {

using io::JsonView;
using Censored = RecruitmentBracket::Censored;

constexpr const char* kShapes[] = {"biphasic", "monophasic"};
constexpr const char* kCensored[] = {"above", "below"};
constexpr size_t kMostAmplitudes = 256;
constexpr double kMostMs = 1e6;

absl::StatusOr<std::vector<double>> ParseLadder(const JsonView& view) {
  const std::string accepted =
      absl::StrCat("2 to ", kMostAmplitudes, " amplitudes in uA, each above 0 (up to ",
                   Exact(io::PulsePlan::kMaxAmplitudeUa), ") and above the one before it");
  absl::StatusOr<std::vector<double>> ladder = view.Numbers();
  if (!ladder.ok() || ladder->size() < 2 || ladder->size() > kMostAmplitudes) {
    return view.Refused(accepted);
  }
  double last = 0.0;
  for (const double amplitude_ua : *ladder) {
    if (!(amplitude_ua > last) || amplitude_ua < io::PulsePlan::kMinAmplitudeUa ||
        amplitude_ua > io::PulsePlan::kMaxAmplitudeUa) {
      return view.Refused(accepted);
    }
    last = amplitude_ua;
  }
  return ladder;
}

absl::Status ReadFlag(const JsonView& view, absl::string_view name, bool& value) {
  LIVND_ASSIGN_OR_RETURN(const auto member, view.Find(name));
  if (!member.has_value()) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(value, member->Bool());
  return absl::OkStatus();
}

absl::Status ParsePulse(const JsonView& view, StimulusConfig& config) {
  io::ElectrodePulses& pulse = config.pulse;
  LIVND_ASSIGN_OR_RETURN(const auto shape, view.Find("shape"));
  if (shape.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const size_t index, Choice(*shape, kShapes));
    pulse.shape = index == 0 ? io::PulseShape::kBiphasic : io::PulseShape::kMonophasic;
  }
  LIVND_RETURN_IF_ERROR(ReadFlag(view, "cathodic_first", pulse.cathodic_first));
  const std::string accepted =
      absl::StrCat("us, above 0 and up to ", Exact(io::PulsePlan::kMaxPhaseUs));
  constexpr double kLeastUs = 1e-3;
  LIVND_RETURN_IF_ERROR(
      ReadNumber(view, "width_us", kLeastUs, io::PulsePlan::kMaxPhaseUs, accepted, pulse.width_us));
  LIVND_RETURN_IF_ERROR(ReadNumber(view, "gap_us", 0.0, io::PulsePlan::kMaxPhaseUs,
                                   absl::StrCat("us, 0 .. ", Exact(io::PulsePlan::kMaxPhaseUs)),
                                   pulse.gap_us));
  LIVND_ASSIGN_OR_RETURN(const auto recovery, view.Find("recovery_width_us"));
  if (recovery.has_value()) {
    LIVND_ASSIGN_OR_RETURN(pulse.recovery_width_us,
                           NumberWithin(*recovery, kLeastUs, io::PulsePlan::kMaxPhaseUs, accepted));
  }
  // What does not go together.
  const absl::Status valid = PlanOf(config, 0, config.amplitudes_ua.back()).Validate();
  std::optional<FieldError> error = FieldErrorOf(valid);
  if (!error.has_value()) return valid;
  absl::string_view field = error->field;
  absl::ConsumePrefix(&field, "pulses[0].");
  const std::string name(field);
  error->field = name;
  return view.Within(WithFieldError(*error, valid));
}

// livn counts trials in whole ms, and needs time before the pulse and after it.
absl::Status ParseTimes(const JsonView& view, StimulusConfig& config) {
  const std::string times = absl::StrCat("ms, 0.001 .. ", Exact(kMostMs));
  LIVND_RETURN_IF_ERROR(ReadNumber(view, "trial_ms", 1.0, kMostMs,
                                   absl::StrCat("whole ms, 1 .. ", Exact(kMostMs)),
                                   config.trial_ms));
  LIVND_RETURN_IF_ERROR(ReadNumber(view, "onset_ms", 0.001, kMostMs, times, config.onset_ms));
  LIVND_RETURN_IF_ERROR(ReadNumber(view, "pre_ms", 0.001, kMostMs, times, config.pre_ms));
  LIVND_RETURN_IF_ERROR(ReadNumber(view, "post_ms", 0.001, kMostMs, times, config.post_ms));
  LIVND_RETURN_IF_ERROR(ReadNumber(view, "recovery_ms", 0.0, kMostMs,
                                   absl::StrCat("ms, 0 .. ", Exact(kMostMs)), config.recovery_ms));
  const auto refused = [&](absl::string_view name, double value, std::string accepted) {
    return view.Within(MakeFieldError(name, Exact(value), accepted));
  };
  if (config.trial_ms != std::floor(config.trial_ms)) {
    return refused("trial_ms", config.trial_ms, "whole ms");
  }
  if (config.onset_ms < config.pre_ms) {
    return refused("onset_ms", config.onset_ms,
                   absl::StrCat("pre_ms, ", Exact(config.pre_ms), ", or more"));
  }
  const double after_ms = std::max(config.post_ms, PulseMs(config.pulse));
  if (config.onset_ms + after_ms > config.trial_ms) {
    return refused("trial_ms", config.trial_ms,
                   absl::StrCat("what holds the pulse and post_ms after onset_ms, ",
                                Exact(config.onset_ms + after_ms), " or more"));
  }
  const double least_ms = config.pre_ms + config.post_ms + config.recovery_ms;
  if (config.trial_ms < least_ms) {
    return refused(
        "trial_ms", config.trial_ms,
        absl::StrCat("pre_ms, post_ms and recovery_ms together, ", Exact(least_ms), ", or more"));
  }
  return absl::OkStatus();
}

absl::Status ParseEnds(const JsonView& view, RecruitmentBracket& measured) {
  LIVND_ASSIGN_OR_RETURN(const auto censored, view.Find("censored"));
  LIVND_ASSIGN_OR_RETURN(const auto below, view.Find("below_ua"));
  LIVND_ASSIGN_OR_RETURN(const auto above, view.Find("above_ua"));
  LIVND_ASSIGN_OR_RETURN(const auto highest, view.Find("highest_ua"));
  const auto read = [&](absl::string_view name, double& value) {
    return ReadNumber(view, name, io::PulsePlan::kMinAmplitudeUa, io::PulsePlan::kMaxAmplitudeUa,
                      absl::StrCat("uA, above 0 and up to ", Exact(io::PulsePlan::kMaxAmplitudeUa)),
                      value);
  };
  LIVND_RETURN_IF_ERROR(read("below_ua", measured.below_ua));
  LIVND_RETURN_IF_ERROR(read("above_ua", measured.above_ua));
  LIVND_RETURN_IF_ERROR(read("highest_ua", measured.highest_ua));
  if (censored.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const size_t index, Choice(*censored, kCensored));
    measured.censored = index == 0 ? Censored::kAbove : Censored::kBelow;
    if (below.has_value()) return below->Refused("absent beside censored");
    if (index == 0 && above.has_value()) return above->Refused("absent beside censored: above");
    if (index == 1 && highest.has_value()) {
      return highest->Refused("absent unless censored: above");
    }
    return absl::OkStatus();
  }
  if (highest.has_value()) return highest->Refused("absent unless censored: above");
  if (below.has_value() != above.has_value()) {
    return view.Refused("a map with below_ua and above_ua, or one of them and censored");
  }
  if (below.has_value()) {
    if (measured.below_ua < measured.above_ua) return absl::OkStatus();
    return above->Refused(absl::StrCat("more than below_ua, ", Exact(measured.below_ua)));
  }
  if (measured.probabilities.empty()) {
    return view.Refused("a map with below_ua and above_ua, censored, or probabilities");
  }
  measured = BracketOf(measured.amplitudes_ua, measured.probabilities, measured.recruited);
  return absl::OkStatus();
}

absl::StatusOr<RecruitmentBracket> ParseMeasured(const JsonView& view,
                                                 const StimulusConfig& config) {
  if (!view.is_object()) return view.Refused("a map of what was measured");
  LIVND_RETURN_IF_ERROR(CheckNames(
      view, {"below_ua", "above_ua", "censored", "highest_ua", "amplitudes_ua", "probabilities"}));
  RecruitmentBracket measured;
  measured.recruited = config.recruited;
  measured.amplitudes_ua = config.amplitudes_ua;
  LIVND_ASSIGN_OR_RETURN(const auto amplitudes, view.Find("amplitudes_ua"));
  if (amplitudes.has_value()) {
    LIVND_ASSIGN_OR_RETURN(measured.amplitudes_ua, ParseLadder(*amplitudes));
  }
  measured.highest_ua = measured.amplitudes_ua.back();
  measured.above_ua = measured.amplitudes_ua.front();
  LIVND_ASSIGN_OR_RETURN(const auto probabilities, view.Find("probabilities"));
  if (probabilities.has_value()) {
    const size_t num = measured.amplitudes_ua.size();
    absl::StatusOr<std::vector<double>> parts = probabilities->Numbers();
    const auto is_part = [](double p) { return p >= 0.0 && p <= 1.0; };
    if (!parts.ok() || parts->size() != num ||
        !std::all_of(parts->begin(), parts->end(), is_part)) {
      return probabilities->Refused(
          absl::StrCat(num, " numbers, 0 .. 1, one for each of the amplitudes"));
    }
    measured.probabilities = *std::move(parts);
  }
  LIVND_RETURN_IF_ERROR(ParseEnds(view, measured));
  return measured;
}

}  // namespace

absl::StatusOr<StimulusConfig> ParseStimulus(const JsonView& view) {
  if (!view.is_object()) return view.Refused("a map with amplitudes_ua");
  LIVND_RETURN_IF_ERROR(
      CheckNames(view, {"amplitudes_ua", "repeats", "shape", "cathodic_first", "width_us", "gap_us",
                        "recovery_width_us", "electrode", "trial_ms", "onset_ms", "pre_ms",
                        "post_ms", "recovery_ms", "recruited", "gate", "measured"}));
  StimulusConfig config;
  LIVND_ASSIGN_OR_RETURN(const JsonView amplitudes, view.Member("amplitudes_ua"));
  LIVND_ASSIGN_OR_RETURN(config.amplitudes_ua, ParseLadder(amplitudes));
  LIVND_ASSIGN_OR_RETURN(const auto repeats, view.Find("repeats"));
  if (repeats.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const int64_t number, repeats->Integer(1, 256));
    config.repeats = static_cast<int>(number);
  }
  LIVND_ASSIGN_OR_RETURN(const auto electrode, view.Find("electrode"));
  if (electrode.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const int64_t id,
                           electrode->Integer(std::numeric_limits<int32_t>::min(),
                                              std::numeric_limits<int32_t>::max()));
    config.electrode = static_cast<int32_t>(id);
  }
  LIVND_RETURN_IF_ERROR(ParsePulse(view, config));
  LIVND_RETURN_IF_ERROR(ParseTimes(view, config));
  LIVND_RETURN_IF_ERROR(ReadNumber(view, "recruited", 0.001, 1.0, "0.001 .. 1", config.recruited));
  LIVND_RETURN_IF_ERROR(ReadFlag(view, "gate", config.gate));
  LIVND_ASSIGN_OR_RETURN(const auto measured, view.Find("measured"));
  if (measured.has_value()) {
    LIVND_ASSIGN_OR_RETURN(config.measured, ParseMeasured(*measured, config));
  }
  return config;
}

}  // namespace livnd::lab
