// The shape of the action potentials of cells.
#ifndef LIVND_IO_DECODING_POTENTIAL_WAVEFORMS_H_
#define LIVND_IO_DECODING_POTENTIAL_WAVEFORMS_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "io/decoding/decoding.h"

namespace livnd::io {

struct WaveformsConfig {
  enum HalfWidth { kPeak, kOutermost };

  double pre_ms = 4.0;
  double post_ms = 10.0;
  int64_t max_spikes = 500;
  int64_t max_cutouts = 64;
  int half_width = kPeak;
  double undefined = -1.0;

  void Describe(CodingFields& fields);
};

// Listens to spikes of cells and to the voltages of their somata, all of which it keeps until the
// window ends. A cutout is pre_ms of voltage before the highest sample near a spike (from pre_ms
// before it to post_ms after it) and post_ms from there on; a spike whose cutout does not fit into
// the window has none, and of a cell's spikes only the first max_spikes are looked at.
//
// Of each group of cells: num_spikes [groups], its cutouts; mean_mv [groups][samples], their mean;
// and of the mean, each [groups]: baseline_mv, the median of its first 2 ms; peak_mv; amplitude_mv,
// peak less baseline; half_width_ms, how long it is above the middle of both; ahp_mv, the lowest
// voltage after the peak less baseline. `undefined` where a group has no cutout; half_width_ms also
// where the mean does not cross the middle on both sides of its peak. And of the first max_cutouts
// cutouts, by cell, then in time: cutout_mv [max_cutouts][samples]; cutout_unit [max_cutouts], -1
// where there was none; cutout_ms, when its highest sample was.
//
// half_width: peak goes from the peak to both sides, between samples by lines; outermost takes the
// first and the last sample of the mean above the middle, as livn does.
//
// Source: livn 2.0.0, decoding.py: Waveforms, spike_waveforms, waveform_shape.
// Traps: livn calls the baseline threshold; its half width spans two spikes where there are two in
// a cutout, and is a sample short of the time above where there is one; it leaves out a cutout that
// ends with the window. It has one row for all cells by default, here there is one a population.
// Mean shapes of narrow spikes want samples of 0.025 ms.
class Waveforms final : public Decoding {
 public:
  static constexpr char kName[] = "waveforms";
  using Config = WaveformsConfig;

  Waveforms(DecodingKey key, const Config& config, const DecodingWindow& window);
  Heard heard() const override { return Heard::kSpikesAndVoltages; }
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;
  void AddSample(absl::Span<const double> voltages_mv, absl::Span<double> state) const override;

 private:
  struct Shape {
    double baseline_mv, peak_mv, half_width_ms, ahp_mv;
  };

  // Whether a window of so many samples and cutouts that long may be had.
  absl::Status CheckLength() const;
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;
  // Where the cutout of a spike begins; -1: it has none.
  int64_t FindCutout(absl::Span<const double> trace, int64_t tick) const;
  Shape ShapeOf(absl::Span<const double> mean, absl::Span<double> scratch) const;
  double HalfWidth(absl::Span<const double> mean, int64_t peak, double middle) const;

  const Config config_;
  const double sample_ms_;
  const int64_t num_before_, num_after_;  // samples of a cutout
  int64_t num_baseline_;
  size_t num_samples_, scratch_;
  size_t num_spikes_, ticks_;  // [units]; [units][max_spikes]
  size_t traces_;              // [units][samples of the window]
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_POTENTIAL_WAVEFORMS_H_
