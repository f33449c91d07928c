// Stimuli as the simulation sees them: waveforms on channels, and where each channel reaches.
#ifndef LIVND_SIM_STIMULUS_STIMULUS_H_
#define LIVND_SIM_STIMULUS_STIMULUS_H_

#include <cstdint>
#include <vector>

namespace livnd::sim {

// The rules of livn 2.0.0's native backend, one a mode. t_k = k dt.
enum class StimulusMode {
  // Extracellular potential of each section, mV. The sample int(t_k / sample_dt) is looked up at the
  // end of step k and acts in step k + 1, as equivalent currents through the cell's junctions; a
  // junction with a section that no channel reaches is left undriven.
  kField = 0,
  // Current into a section's middle, nA: linear interpolation between samples at t_k + dt/2; the
  // samples before the first and after the last are 0.
  kCurrent = 1,
  // Inward current density at a section's middle, mA/cm2: sample int(t_k / sample_dt) in the same
  // step. Of a dendrite with three segments only the middle one gets it.
  kCurrentDensity = 2,
  // Light on the opsin of a soma, photons/s/mm2: sample int(t_k / sample_dt) drives the opsin's
  // update of the same step. Sections without an opsin ignore it.
  kLight = 3,
};
inline constexpr int kNumStimulusModes = 4;

// "extracellular", "current", "current_density", "irradiance": livn's names.
const char* StimulusModeName(StimulusMode mode);

// How channels reach sections. A row is one section of one cell: cells by gid, sections in the
// order soma, dend, ais0 .. ais4 (Culture::num_section_rows of them).
struct StimulusMap {
  int num_channels = 0;
  // Dense: [num_channels][num_section_rows], the row's value for a unit on the channel. Or empty:
  std::vector<double> gains;
  // One row a channel; -1 for a channel that reaches nothing.
  std::vector<int64_t> row_of_channel;
};

// Samples on one absolute time axis that starts at tick 0 of the copy; 0 outside.
struct Waveform {
  double sample_dt_ms = 1.0;
  int64_t first_sample = 0;
  int num_channels = 0;
  std::vector<double> samples;  // [num_samples][num_channels]

  int64_t num_samples() const {
    return num_channels == 0 ? 0 : static_cast<int64_t>(samples.size()) / num_channels;
  }
};

// The waveforms of one mode on one copy. Where two overlap the later one holds.
class StimulusTimeline {
 public:
  // Takes a waveform of the timeline's sample interval, and forgets those that ended before sample
  // `now`: a timeline that is fed for hours does not grow.
  void Install(Waveform waveform, int64_t now);
  // Forgets all waveforms and the sample interval.
  void Clear();
  bool empty() const { return waveforms_.empty(); }
  int num_waveforms() const { return static_cast<int>(waveforms_.size()); }
  // Of the first waveform since Clear; all of one timeline share it. 0: there was none yet.
  double sample_dt_ms() const { return sample_dt_ms_; }

  // The channels at a sample, or null where nothing is installed.
  const double* At(int64_t sample) const {
    for (auto w = waveforms_.rbegin(); w != waveforms_.rend(); ++w) {
      const int64_t i = sample - w->first_sample;
      if (i >= 0 && i < w->num_samples()) return w->samples.data() + i * w->num_channels;
    }
    return nullptr;
  }
  // Forgets waveforms that end before a sample.
  void ForgetBefore(int64_t sample);

 private:
  std::vector<Waveform> waveforms_;
  double sample_dt_ms_ = 0.0;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_STIMULUS_STIMULUS_H_
