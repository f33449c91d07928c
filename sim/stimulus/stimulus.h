// Stimuli as the simulation sees them: waveforms on channels, and where each channel reaches.
#ifndef LIVND_SIM_STIMULUS_STIMULUS_H_
#define LIVND_SIM_STIMULUS_STIMULUS_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace livnd::sim {

// What a waveform's samples do to cells: livn 2.0.0's native backend, one rule a mode. Which sample
// belongs to step k is SampleTiming's matter.
enum class StimulusMode {
  // Extracellular potential of each section, mV. The sample of step k is looked up at the end of that
  // step and acts in step k + 1, as equivalent currents through the cell's junctions; a junction with
  // a section that no channel reaches is left undriven.
  kField = 0,
  // Current into a section's middle, nA: in a straight line from sample to sample, taken at the
  // middle of step k; the sample after the last one is 0. Point neurons hold the sample of step k.
  kCurrent = 1,
  // Inward current density at a section's middle, mA/cm2: the sample of step k in the same step. Of a
  // dendrite with three segments only the middle one gets it.
  kCurrentDensity = 2,
  // Light on the opsin of a soma, photons/s/mm2: the sample of step k drives the opsin's update of
  // the same step. Sections without an opsin ignore it.
  kLight = 3,
};
inline constexpr int kNumStimulusModes = 4;

// "extracellular", "current", "current_density", "irradiance": livn's names.
const char* StimulusModeName(StimulusMode mode);

// Which steps a sample belongs to.
enum class SampleTiming {
  // A waveform begins at a tick, and each of its samples belongs to the next sample_dt / dt ticks:
  // equal samples last equally long wherever the waveform begins, and it does the same everywhere.
  // sample_dt must be a multiple of the tick.
  kExactTicks,
  // livn's. All waveforms of a mode lie on one grid of sample_dt that begins at tick 0; step k belongs
  // to sample int(t_k / sample_dt), t_k = k dt in doubles, which is one too low for one step in
  // twenty: samples differ in length by a step, by where they lie. A current's line goes on from one
  // waveform to the next one, and from 0 to the first sample.
  kLivn,
};

// Ticks of a sample under kExactTicks; 0 unless sample_dt_ms is a multiple of dt_ms (to 1e-9 of it).
int64_t TicksOfSample(double sample_dt_ms, double dt_ms);

// Channels that reach rows by the distance between them alone, as point sources in a shallow bath do:
//   contact_gain height_um / sqrt(d^2 + height_um^2)
// for a unit on the channel, d in um. Takes 24 bytes a channel and 24 a row where gains take 8 bytes a
// channel and row, and two square roots a row each time that a channel's value changes.
struct PointSources {
  double contact_gain = 0.0;
  double height_um = 1.0;
  std::vector<std::array<double, 3>> channels_um;  // [num_channels]
  std::vector<std::array<double, 3>> rows_um;      // [num_section_rows]

  double Gain(int channel, int64_t row) const {
    const std::array<double, 3>& a = channels_um[static_cast<size_t>(channel)];
    const std::array<double, 3>& b = rows_um[static_cast<size_t>(row)];
    const double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    const double distance_um = std::sqrt(x * x + y * y + z * z);
    return contact_gain * height_um / std::sqrt(distance_um * distance_um + height_um * height_um);
  }
};

// How channels reach sections. A row is one section of one cell: cells by gid, sections in the
// order soma, dend, ais0 .. ais4 (Culture::num_section_rows of them). In one of three ways:
struct StimulusMap {
  int num_channels = 0;
  // Every channel reaches every row: [num_channels][num_section_rows], the row's value for a unit on the channel;
  std::vector<double> gains;
  // the same, but computed when a channel's value changes: the bits are those of gains with the same numbers;
  std::optional<PointSources> sources;
  // or one row a channel; -1 for a channel that reaches nothing.
  std::vector<int64_t> row_of_channel;

  // The first or the second way.
  bool is_dense() const { return !gains.empty() || sources.has_value(); }
  // The row's value for a unit on the channel, of a dense map of so many rows.
  double Gain(int channel, int64_t row, int64_t num_rows) const {
    return sources.has_value() ? sources->Gain(channel, row)
                               : gains[static_cast<size_t>(channel * num_rows + row)];
  }
};

// Samples on a copy's time axis; 0 outside. A rectangular pulse of two phases is two samples under
// kExactTicks, with the phase as sample_dt_ms.
struct Waveform {
  SampleTiming timing = SampleTiming::kExactTicks;
  double sample_dt_ms = 1.0;
  int64_t first_tick = 0;    // kExactTicks: where samples[0] begins
  int64_t first_sample = 0;  // kLivn: the number of samples[0] on the grid
  int num_channels = 0;
  // Which channels of the map these are, ascending or not, each once; empty: all, in order.
  std::vector<int> channels;
  std::vector<double> samples;  // [num_samples][num_channels]

  int64_t num_samples() const {
    return num_channels == 0 ? 0 : static_cast<int64_t>(samples.size()) / num_channels;
  }
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_STIMULUS_STIMULUS_H_
