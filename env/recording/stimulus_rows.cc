#include "env/recording/stimulus_rows.h"

#include <cmath>

namespace livnd::env {

void AppendStimulus(const sim::Waveform& waveform,
                    absl::FunctionRef<void(int64_t, std::string*)> append_name,
                    const io::RowKey& key, int64_t start_tick, double dt_ms, std::string* rows,
                    int64_t end_tick) {
  const int64_t num_samples = waveform.num_samples();
  const auto num_channels = static_cast<int64_t>(waveform.num_channels);
  const double sample_ticks = waveform.sample_dt_ms / dt_ms;
  // Where a sample begins.
  const auto tick_of = [&](int64_t sample) {
    return waveform.timing == sim::SampleTiming::kExactTicks
               ? waveform.first_tick + sample * std::llround(sample_ticks)
               : std::llround(static_cast<double>(waveform.first_sample + sample) * sample_ticks);
  };
  const auto at = [&](int64_t sample, int64_t channel) {
    return waveform.samples[static_cast<size_t>(sample * num_channels + channel)];
  };
  for (int64_t sample = 0; sample < num_samples && tick_of(sample) < end_tick; ++sample) {
    for (int64_t channel = 0; channel < num_channels; ++channel) {
      const double value = at(sample, channel);
      if (value == 0.0 || (sample > 0 && at(sample - 1, channel) == value)) continue;
      int64_t end = sample + 1;
      while (end < num_samples && at(end, channel) == value) ++end;
      const int64_t tick = tick_of(sample);
      io::AppendKey({key.copy, key.episode, key.tick + tick - start_tick}, rows);
      append_name(channel, rows);
      io::AppendValue(value, rows);
      io::AppendValue(tick_of(end) - tick, rows);
    }
  }
}

}  // namespace livnd::env
