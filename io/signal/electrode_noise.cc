#include "io/signal/electrode_noise.h"

#include "base/field_error.h"
#include "sim/noise/counter_normal.h"

namespace livnd::io {
namespace {

constexpr uint32_t kPurpose = 0x656c6563;  // "elec"

}  // namespace

absl::StatusOr<ElectrodeNoise> ElectrodeNoise::Create(double rms_uv, uint64_t seed) {
  if (!(rms_uv >= 0.0 && rms_uv <= 1e6)) {
    return MakeFieldError("noise_rms_uv", Exact(rms_uv), "0 .. 1e6 (uV)");
  }
  return ElectrodeNoise(rms_uv, seed);
}

double ElectrodeNoise::At(int channel, int64_t tick) const {
  return rms_uv_ * sim::CounterNormal(seed_, kPurpose, static_cast<uint32_t>(channel),
                                      static_cast<uint64_t>(tick));
}

void ElectrodeNoise::Add(int64_t tick, absl::Span<double> potentials_uv) const {
  if (rms_uv_ == 0.0) return;
  for (size_t c = 0; c < potentials_uv.size(); ++c) {
    potentials_uv[c] += At(static_cast<int>(c), tick);
  }
}

}  // namespace livnd::io
