#include "io/stimulus/pulse_plan.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

absl::Status CheckRange(absl::string_view field, double value, double low, double high,
                        absl::string_view unit) {
  if (value >= low && value <= high) return absl::OkStatus();  // false for what is not a number
  return MakeFieldError(field, Exact(value),
                        absl::StrCat(Exact(low), " .. ", Exact(high), " (", unit, ")"));
}

absl::Status CheckAmplitude(absl::string_view field, double amplitude_ua) {
  if (amplitude_ua == 0.0) return absl::OkStatus();
  return CheckRange(field, amplitude_ua, PulsePlan::kMinAmplitudeUa, PulsePlan::kMaxAmplitudeUa,
                    "uA, or 0; the sign is cathodic_first's");
}

absl::Status CheckCount(absl::string_view field, int64_t count) {
  if (count >= 1 && count <= PulsePlan::kMaxPulses) return absl::OkStatus();
  return MakeFieldError(field, Exact(count), absl::StrCat("1 .. ", PulsePlan::kMaxPulses));
}

// Of what the rest of an entry leaves without any use: who gave it wants something else.
absl::Status Unused(absl::string_view field, double value, absl::string_view where) {
  return MakeFieldError(field, Exact(value), absl::StrCat("none where ", where));
}

// A rate that is needed if there are several, and at which they come to an end.
absl::Status CheckRate(absl::string_view field, double rate_hz, int64_t count) {
  const double min_hz =
      std::max(PulsePlan::kMinRateHz, static_cast<double>(count) * 1e6 / PulsePlan::kMaxTimeUs);
  return CheckRange(field, rate_hz, min_hz, PulsePlan::kMaxRateHz, "Hz");
}

absl::Status CheckTrain(const PulseTrain& train) {
  LIVND_RETURN_IF_ERROR(CheckRange("start_us", train.start_us, 0.0, PulsePlan::kMaxTimeUs, "us"));
  LIVND_RETURN_IF_ERROR(CheckCount("num_pulses", train.num_pulses));
  if (train.num_pulses > 1) {
    LIVND_RETURN_IF_ERROR(CheckRate("rate_hz", train.rate_hz, train.num_pulses));
  } else if (train.rate_hz != 0.0) {
    return Unused("rate_hz", train.rate_hz, "num_pulses is 1");
  }
  if (train.last_rate_hz.has_value()) {
    // A sweep has two intervals at least.
    if (train.num_pulses < 3) {
      return Unused("last_rate_hz", *train.last_rate_hz, "num_pulses is less than 3");
    }
    LIVND_RETURN_IF_ERROR(CheckRate("last_rate_hz", *train.last_rate_hz, train.num_pulses));
  }
  LIVND_RETURN_IF_ERROR(CheckCount("num_bursts", train.num_bursts));
  if (train.num_bursts > 1) {
    return CheckRate("burst_rate_hz", train.burst_rate_hz, train.num_bursts);
  }
  if (train.burst_rate_hz == 0.0) return absl::OkStatus();
  return Unused("burst_rate_hz", train.burst_rate_hz, "num_bursts is 1");
}

// What the pulses of a train come to in a straight line.
absl::Status CheckLast(absl::string_view field, const std::optional<double>& last,
                       const PulseTrain& train) {
  if (!last.has_value() || train.num_pulses > 1) return absl::OkStatus();
  return Unused(field, *last, "num_pulses is 1");
}

absl::Status CheckChannels(absl::string_view field, const std::vector<int32_t>& ids) {
  if (ids.empty() || ids.size() > PulsePlan::kMaxChannels) {
    return MakeFieldError(field, absl::StrCat(ids.size(), " ids"),
                          absl::StrCat("1 to ", PulsePlan::kMaxChannels));
  }
  absl::flat_hash_set<int32_t> seen;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (seen.insert(ids[i]).second) continue;
    return MakeFieldError(absl::StrCat(field, "[", i, "]"),
                          absl::StrCat(ids[i], " for the second time"), "each id once");
  }
  return absl::OkStatus();
}

absl::Status Check(const ElectrodePulses& entry) {
  LIVND_RETURN_IF_ERROR(CheckChannels("electrodes", entry.electrodes));
  LIVND_RETURN_IF_ERROR(CheckTrain(entry.train));
  LIVND_RETURN_IF_ERROR(CheckAmplitude("amplitude_ua", entry.amplitude_ua));
  LIVND_RETURN_IF_ERROR(CheckLast("last_amplitude_ua", entry.last_amplitude_ua, entry.train));
  if (entry.last_amplitude_ua.has_value()) {
    LIVND_RETURN_IF_ERROR(CheckAmplitude("last_amplitude_ua", *entry.last_amplitude_ua));
  }
  constexpr double kMaxUs = PulsePlan::kMaxPhaseUs;
  LIVND_RETURN_IF_ERROR(CheckRange("width_us", entry.width_us, 0.0, kMaxUs, "us"));
  LIVND_RETURN_IF_ERROR(CheckRange("gap_us", entry.gap_us, 0.0, kMaxUs, "us"));
  if (entry.recovery_width_us.has_value()) {
    LIVND_RETURN_IF_ERROR(
        CheckRange("recovery_width_us", *entry.recovery_width_us, 0.0, kMaxUs, "us"));
  }
  if (entry.recovery_amplitude_ua.has_value()) {
    LIVND_RETURN_IF_ERROR(CheckRange("recovery_amplitude_ua", *entry.recovery_amplitude_ua,
                                     PulsePlan::kMinAmplitudeUa, PulsePlan::kMaxAmplitudeUa, "uA"));
  }
  if (entry.shape == PulseShape::kBiphasic) return absl::OkStatus();
  for (const auto& [field, value] :
       {std::make_pair("gap_us", entry.gap_us),
        std::make_pair("recovery_width_us", entry.recovery_width_us.value_or(0.0)),
        std::make_pair("recovery_amplitude_ua", entry.recovery_amplitude_ua.value_or(0.0))}) {
    if (value == 0.0) continue;
    return MakeFieldError(field, Exact(value), "none for a pulse of one phase");
  }
  return absl::OkStatus();
}

absl::Status Check(const LightPulses& entry) {
  LIVND_RETURN_IF_ERROR(CheckChannels("fibers", entry.fibers));
  LIVND_RETURN_IF_ERROR(CheckTrain(entry.train));
  constexpr double kMaxMw = PulsePlan::kMaxPowerMw;
  LIVND_RETURN_IF_ERROR(CheckRange("power_mw", entry.power_mw, 0.0, kMaxMw, "mW"));
  LIVND_RETURN_IF_ERROR(CheckLast("last_power_mw", entry.last_power_mw, entry.train));
  if (entry.last_power_mw.has_value()) {
    LIVND_RETURN_IF_ERROR(CheckRange("last_power_mw", *entry.last_power_mw, 0.0, kMaxMw, "mW"));
  }
  return CheckRange("width_us", entry.width_us, 0.0, PulsePlan::kMaxLightUs, "us");
}

template <typename Entry>
absl::Status CheckEntries(absl::string_view field, const std::vector<Entry>& entries) {
  if (entries.size() > PulsePlan::kMaxEntries) {
    return MakeFieldError(field, absl::StrCat(entries.size(), " entries"),
                          absl::StrCat("at most ", PulsePlan::kMaxEntries));
  }
  int64_t num_pulses = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    const std::string place = absl::StrCat(field, "[", i, "]");
    LIVND_RETURN_IF_ERROR(AtField(place, Check(entries[i])));
    const PulseTrain& train = entries[i].train;
    num_pulses += train.num_pulses * train.num_bursts;
    if (num_pulses > PulsePlan::kMaxPulses) {
      return MakeFieldError(absl::StrCat(place, ".num_pulses"),
                            absl::StrCat(num_pulses, " pulses of the plan so far"),
                            absl::StrCat("at most ", PulsePlan::kMaxPulses, " of ", field));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PulsePlan::Validate() const {
  LIVND_RETURN_IF_ERROR(CheckEntries("pulses", pulses));
  return CheckEntries("light", light);
}

}  // namespace livnd::io
