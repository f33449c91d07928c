#include "io/encoding/pulse_slots.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/stimulus/pulse.h"

namespace livnd::io {

void DescribePulse(BiphasicPulseConfig& pulse, CodingFields& fields) {
  fields.Number("phase_us", &pulse.phase_us, 1e-3, 1e5);
  fields.Number("max_amplitude_ua", &pulse.max_amplitude_ua, 0.0, 1e3);
}

PulseSlots::PulseSlots(const BiphasicPulseConfig& pulse, const EncodingWindow& window)
    : pulse_(pulse),
      window_(window),
      slot_ms_(pulse.phase_us * 1e-3),
      slot_ticks_(std::max<int64_t>(1, WholeTicks(pulse.phase_us, window.tick_ms * 1e3))),
      num_slots_(window.num_ticks / slot_ticks_) {}

absl::Status PulseSlots::Check() const {
  LIVND_RETURN_IF_ERROR(pulse_.Validate(window_.tick_ms));
  if (num_slots_ < 2) {
    return MakeFieldError("phase_us", Exact(pulse_.phase_us),
                          absl::StrCat(Exact(window_.duration_ms() * 500.0),
                                       " at most: a pulse takes two, within the step"));
  }
  if (num_slots_ > Encoding::kMaxSamples / window_.num_electrodes) {
    return MakeFieldError(
        "window.num_ticks", Exact(window_.num_ticks),
        absl::StrCat(Encoding::kMaxSamples / window_.num_electrodes * slot_ticks_, " at most with ",
                     window_.num_electrodes, " electrodes and this phase_us"));
  }
  return absl::OkStatus();
}

double PulseSlots::rest() const {
  return static_cast<double>(window_.num_ticks % slot_ticks_) / static_cast<double>(slot_ticks_);
}

int64_t PulseSlots::OnsetAt(double time_ms) const {
  const double slot = std::ceil(time_ms / slot_ms_ * (1.0 - 1e-12));
  return static_cast<int64_t>(std::clamp(slot, 0.0, static_cast<double>(last_onset())));
}

void PulseSlots::Clear(int64_t tick, sim::Waveform* waveform) const {
  double* const samples =
      BeginWaveform(tick, slot_ticks_, window_.tick_ms, static_cast<int>(window_.num_electrodes),
                    static_cast<int>(num_slots_), waveform);
  std::fill_n(samples, waveform->samples.size(), 0.0);
}

void PulseSlots::Put(int64_t electrode, int64_t slot, double amplitude,
                     sim::Waveform* waveform) const {
  const PulseCurrents currents =
      BalancedCurrents({slot_ticks_, 0, slot_ticks_}, -pulse_.max_amplitude_ua * amplitude);
  double* const first =
      waveform->samples.data() + static_cast<size_t>(slot * window_.num_electrodes + electrode);
  first[0] = currents.first_ua;
  first[window_.num_electrodes] = currents.recovery_ua;
}

}  // namespace livnd::io
