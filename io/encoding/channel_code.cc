#include "io/encoding/channel_code.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {

void RateCode::Describe(CodingFields& fields) {
  fields.Number("min_hz", &min_hz, 0.0, 1e6);
  fields.Number("max_hz", &max_hz, 0.0, 1e6);
  fields.Require(max_hz >= min_hz, "max_hz", Exact(max_hz), "min_hz or more");
  fields.Number("amplitude", &amplitude, -1.0, 1.0);
}

absl::Status RateCode::Check(const PulseSlots& slots) const {
  const double limit_hz = 1e3 / (3.0 * slots.slot_ms());
  if (max_hz <= limit_hz) return absl::OkStatus();
  return MakeFieldError("max_hz", Exact(max_hz),
                        absl::StrCat(Exact(limit_hz), " at most: three phases a pulse"));
}

void RateCode::Put(double value, int64_t electrode, const PulseSlots& slots, double* phase,
                   sim::Waveform* waveform) const {
  const double a_slot = (min_hz + (max_hz - min_hz) * value) * slots.slot_ms() * 1e-3;
  int64_t free = 0;
  for (int64_t slot = 0; slot < slots.num_slots(); ++slot) {
    // `free` and the bound hold by themselves but for a phase that comes from outside.
    if (*phase >= 1.0 && slot >= free && slot <= slots.last_onset()) {
      slots.Put(electrode, slot, amplitude, waveform);
      free = slot + 2;
      *phase = std::min(*phase - 1.0, 1.0);
    }
    *phase += a_slot;
  }
  *phase += a_slot * slots.rest();
}

void LatencyCode::Describe(CodingFields& fields) {
  fields.Number("min_ms", &min_ms, 0.0, 1e9);
  fields.Number("max_ms", &max_ms, -1.0, 1e9);
  fields.Require(max_ms == -1.0 || max_ms >= min_ms, "max_ms", Exact(max_ms),
                 "-1, or min_ms or more");
  fields.Number("silent_below", &silent_below, 0.0, 1.0);
  fields.Number("amplitude", &amplitude, -1.0, 1.0);
}

absl::Status LatencyCode::Check(const PulseSlots& slots) const {
  const double last_ms = static_cast<double>(slots.last_onset()) * slots.slot_ms();
  const double slack = 1e-9 * (1.0 + last_ms);
  if (min_ms > last_ms + slack) {
    return MakeFieldError("min_ms", Exact(min_ms),
                          absl::StrCat(Exact(last_ms), " at most: a pulse ends within the step"));
  }
  if (max_ms > last_ms + slack) {
    return MakeFieldError("max_ms", Exact(max_ms),
                          absl::StrCat(Exact(last_ms), " at most: a pulse ends within the step"));
  }
  return absl::OkStatus();
}

void LatencyCode::Put(double value, int64_t electrode, const PulseSlots& slots,
                      sim::Waveform* waveform) const {
  if (value <= silent_below) return;
  const double last_ms =
      max_ms == -1.0 ? static_cast<double>(slots.last_onset()) * slots.slot_ms() : max_ms;
  slots.Put(electrode, slots.OnsetAt(min_ms + (1.0 - value) * (last_ms - min_ms)), amplitude,
            waveform);
}

}  // namespace livnd::io
