#include "io/stimulus/pulse.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace livnd::io {

PulseCurrents BalancedCurrents(const PulsePhases& phases, double first_ua) {
  if (phases.recovery_ticks == 0) return {first_ua, 0.0};
  const int64_t common = std::gcd(phases.first_ticks, phases.recovery_ticks);
  const int64_t p = phases.first_ticks / common, q = phases.recovery_ticks / common;
  if (p == 1 && q == 1) return {first_ua, -first_ua};
  // first = q unit, recovery = -p unit; both are exact if the unit leaves room for p and q.
  int bits = 0;
  while ((std::max(p, q) >> bits) != 0) ++bits;
  int exponent = 0;
  const double fraction = std::frexp(first_ua / static_cast<double>(q), &exponent);
  const double unit =
      std::ldexp(std::nearbyint(std::ldexp(fraction, 53 - bits)), exponent - 53 + bits);
  return {static_cast<double>(q) * unit, -static_cast<double>(p) * unit};
}

int64_t WholeTicks(double length_us, double tick_us) {
  const double ticks = length_us / tick_us;
  const double whole = std::round(ticks);
  // False for what is not a number, too.
  if (!(whole >= 0.0 && whole <= 1e15 && std::fabs(ticks - whole) <= 1e-6)) return -1;
  return static_cast<int64_t>(whole);
}

double* BeginWaveform(int64_t tick, int64_t sample_ticks, double dt_ms, int num_channels,
                      int num_samples, sim::Waveform* waveform) {
  waveform->timing = sim::SampleTiming::kExactTicks;
  waveform->sample_dt_ms = static_cast<double>(sample_ticks) * dt_ms;
  waveform->first_tick = tick;
  waveform->num_channels = num_channels;
  waveform->channels.clear();
  waveform->samples.resize(static_cast<size_t>(num_samples) * static_cast<size_t>(num_channels));
  return waveform->samples.data();
}

}  // namespace livnd::io
