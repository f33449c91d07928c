#include "io/encoding/testing/encode.h"

#include <cmath>
#include <cstddef>

#include "base/status_macros.h"
#include "io/coding/coding_spec.h"
#include "io/encoding/catalog.h"

namespace livnd::io {

EncodingWindow StepOf(int64_t num_electrodes, double duration_ms) {
  EncodingWindow window;
  window.num_electrodes = num_electrodes;
  window.tick_ms = 0.025;
  window.num_ticks = std::llround(duration_ms / window.tick_ms);
  return window;
}

absl::StatusOr<std::unique_ptr<const Encoding>> MakeEncodingOfText(absl::string_view spec,
                                                                   const EncodingWindow& window) {
  LIVND_ASSIGN_OR_RETURN(const CodingSpec parsed, CodingSpec::ParseText("", spec));
  return MakeEncoding(parsed, window);
}

std::vector<Onset> OnsetsOf(const Encoding& encoding, const sim::Waveform& waveform, int64_t tick) {
  const auto num = static_cast<size_t>(waveform.num_channels);
  const int64_t sample_ticks = sim::TicksOfSample(waveform.sample_dt_ms, encoding.window().tick_ms);
  std::vector<Onset> onsets;
  std::vector<bool> is_second(num, false);  // the phase that balances the one before
  std::vector<double> before(num, 0.0);
  for (size_t i = 0; i * num < waveform.samples.size(); ++i) {
    for (size_t e = 0; e < num; ++e) {
      const double current = waveform.samples[i * num + e];
      is_second[e] = !is_second[e] && before[e] != 0.0 && current == -before[e];
      if (current != 0.0 && current != before[e] && !is_second[e]) {
        onsets.push_back({static_cast<int64_t>(e),
                          waveform.first_tick - tick + static_cast<int64_t>(i) * sample_ticks,
                          current});
      }
      before[e] = current;
    }
  }
  return onsets;
}

}  // namespace livnd::io
