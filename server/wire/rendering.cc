#include "server/wire/rendering.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "server/wire/tensor.h"
#include "sim/gang/probe.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::server {
namespace {

// Rows of the answer, columns apart.
struct Pulses {
  std::vector<int64_t> electrodes, ticks;
  std::vector<double> ua;
};

// What each channel plays without a sample of 0 in it.
void AddPulses(const sim::Waveform& currents_ua, int64_t start_tick, double tick_ms,
               Pulses* pulses) {
  const int64_t sample_ticks = sim::TicksOfSample(currents_ua.sample_dt_ms, tick_ms);
  const int64_t num_samples = currents_ua.num_samples();
  const auto at = [&](int64_t sample, int channel) {
    return currents_ua.samples[static_cast<size_t>(sample * currents_ua.num_channels + channel)];
  };
  for (int channel = 0; channel < currents_ua.num_channels; ++channel) {
    for (int64_t i = 0; i < num_samples; ++i) {
      if (at(i, channel) == 0.0) continue;
      const int64_t first = i;
      double strongest = 0.0;
      for (; i < num_samples && at(i, channel) != 0.0; ++i) {
        if (std::abs(at(i, channel)) > std::abs(strongest)) strongest = at(i, channel);
      }
      pulses->electrodes.push_back(currents_ua.channels.empty()
                                       ? channel
                                       : currents_ua.channels[static_cast<size_t>(channel)]);
      pulses->ticks.push_back(currents_ua.first_tick + first * sample_ticks - start_tick);
      pulses->ua.push_back(strongest);
    }
  }
}

}  // namespace

int64_t RenderingBytes(absl::Span<const env::StepActivity> copies) {
  constexpr int64_t kSpikeBytes = 16, kPulseBytes = 24, kCopyBytes = 17;
  constexpr int64_t kTimes = 4;  // the columns as they grow, the message, its bytes
  int64_t bytes = 256;
  for (const env::StepActivity& copy : copies) {
    bytes += kCopyBytes + kSpikeBytes * static_cast<int64_t>(copy.spikes.size());
    if (copy.currents_ua == nullptr) continue;
    bytes += kPulseBytes * static_cast<int64_t>(copy.currents_ua->samples.size());
  }
  return kTimes * bytes;
}

void EncodeRendering(absl::Span<const env::StepActivity> copies, double tick_ms,
                     v1::RenderResponse* response) {
  std::vector<uint8_t> simulated;
  std::vector<int64_t> spike_offsets = {0}, pulse_offsets = {0};
  std::vector<int64_t> spike_gids, spike_ticks;
  Pulses pulses;
  for (const env::StepActivity& copy : copies) {
    simulated.push_back(copy.currents_ua == nullptr ? 0 : 1);
    for (const sim::Spike& spike : copy.spikes) {
      spike_gids.push_back(spike.gid);
      spike_ticks.push_back(spike.tick - copy.start_tick);
    }
    if (copy.currents_ua != nullptr) {
      AddPulses(*copy.currents_ua, copy.start_tick, tick_ms, &pulses);
    }
    spike_offsets.push_back(static_cast<int64_t>(spike_gids.size()));
    pulse_offsets.push_back(static_cast<int64_t>(pulses.ticks.size()));
  }
  EncodeVector(simulated, response->mutable_simulated());
  EncodeVector(spike_offsets, response->mutable_spike_offsets());
  EncodeVector(spike_gids, response->mutable_spike_gids());
  EncodeVector(spike_ticks, response->mutable_spike_ticks());
  EncodeVector(pulse_offsets, response->mutable_pulse_offsets());
  EncodeVector(pulses.electrodes, response->mutable_pulse_electrodes());
  EncodeVector(pulses.ticks, response->mutable_pulse_ticks());
  EncodeVector(pulses.ua, response->mutable_pulse_ua());
}

}  // namespace livnd::server
