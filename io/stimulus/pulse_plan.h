// What an experimenter says about stimulation: pulses on electrodes and light on fibres, as plain data.
//
// Times count from the plan's start in us, currents are in uA, powers in mW. A plan knows neither device nor tick;
// PulseSchedule admits it for both or refuses it whole.
#ifndef LIVND_IO_STIMULUS_PULSE_PLAN_H_
#define LIVND_IO_STIMULUS_PULSE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"

namespace livnd::io {

// When the pulses of one entry begin: num_bursts times num_pulses of them.
struct PulseTrain {
  double start_us = 0.0;
  int64_t num_pulses = 1;
  double rate_hz = 0.0;  // of pulses; where there are several
  // The rate goes in a straight line to this, interval by interval; of three pulses at least.
  std::optional<double> last_rate_hz;
  int64_t num_bursts = 1;
  double burst_rate_hz = 0.0;  // of bursts; where there are several
};

enum class PulseShape { kBiphasic, kMonophasic };

// One entry: equal pulses, at the same times on each of its electrodes.
struct ElectrodePulses {
  std::vector<int32_t> electrodes;  // ids, each once
  PulseTrain train;
  PulseShape shape = PulseShape::kBiphasic;
  bool cathodic_first = true;               // the first phase is negative
  double amplitude_ua = 0.0;                // of the first phase, without its sign
  std::optional<double> last_amplitude_ua;  // in a straight line over the pulses of a train
  double width_us = 200.0;                  // of the first phase
  // Of two phases. The second one takes up the charge of the first one: its width is width_us unless either is
  // given; from the one follows the other.
  double gap_us = 0.0;
  std::optional<double> recovery_width_us;
  std::optional<double> recovery_amplitude_ua;  // of the train's first pulse
};

// One entry: equal pulses of light, at the same times from each of its fibres.
struct LightPulses {
  std::vector<int32_t> fibers;  // ids, each once
  PulseTrain train;
  double power_mw = 0.0;
  std::optional<double> last_power_mw;  // in a straight line over the pulses of a train
  double width_us = 1000.0;
};

struct PulsePlan {
  static constexpr size_t kMaxEntries = 10'000;     // of each kind
  static constexpr size_t kMaxChannels = 65'536;    // of an entry
  static constexpr int64_t kMaxPulses = 1'000'000;  // of all entries of a kind
  static constexpr double kMaxTimeUs = 1e12;
  static constexpr double kMaxPhaseUs = 1e6;
  static constexpr double kMaxLightUs = 1e9;
  static constexpr double kMinAmplitudeUa = 1e-9;  // or 0
  static constexpr double kMaxAmplitudeUa = 1e4;
  static constexpr double kMaxPowerMw = 1e4;
  static constexpr double kMinRateHz = 1e-6;
  static constexpr double kMaxRateHz = 1e6;

  std::vector<ElectrodePulses> pulses;
  std::vector<LightPulses> light;

  // A field error ("pulses[3].width_us") unless every number is within the bounds above, fits to its entry's
  // others and is of use there. What depends on device and tick is PulseSchedule's.
  absl::Status Validate() const;
};

}  // namespace livnd::io

#endif  // LIVND_IO_STIMULUS_PULSE_PLAN_H_
