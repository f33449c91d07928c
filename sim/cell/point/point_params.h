// Parameters of the point neurons: Izhikevich, and GLIF 1 to 5 with the leaky integrate-and-fire
// neuron among them.
//
// Sources: livn 2.0.0 models/izhikevich.py and models/glif.py. Names are livn's. Units: mV, pA, nS,
// ms; currents drive the Izhikevich membrane through 1 GOhm.
#ifndef LIVND_SIM_CELL_POINT_POINT_PARAMS_H_
#define LIVND_SIM_CELL_POINT_POINT_PARAMS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace livnd::sim {

struct GlifParams {
  double tau_m = 5.192;              // membrane time constant, ms
  double e_l = -78.737;              // E_L, rest, mV
  double g_l = 3.214;                // g_L, leak, nS
  double v_threshold_base = -40.0;   // the threshold's constant part, mV
  double theta_decay_rate = 0.3406;  // of the spike's part of the threshold, 1/ms
  double theta_jump = 3.722;         // mV a spike
  double asc_amp_1 = 10.0;           // after-spike currents, pA a spike
  double asc_amp_2 = -25.121;
  double asc_decay_rate_1 = 0.23614;  // 1/ms
  double asc_decay_rate_2 = 0.0068869;
  double f_v = 0.7595;       // reset: V - E_L is multiplied by f_v ...
  double delta_v = 0.28477;  // ... and lowered by delta_v, mV
  double t_ref = 6.992;      // spike cut, ms
  double a_v = 0.0010;       // the voltage's part of the threshold: gain, 1/ms
  double b_v = 0.0100;       //   decay, 1/ms
  double asc_r = 1.0;        // after-spike currents are multiplied by this at a spike
};

struct IzhikevichParams {
  double a = 0.02;        // 1/ms
  double b = 0.2;         // 1
  double c = -65.0;       // mV after a spike
  double d = 8.0;         // added to u at a spike, mV
  double v_init = -65.0;  // mV
  // livn 2.0.0 starts u at 0: its u = b v is evaluated before b is assigned. NaN: b v_init.
  double u_init;
  IzhikevichParams();
};

inline constexpr int kMinGlifLevel = 1, kMaxGlifLevel = 5;
// The level that livn gives its leaky integrate-and-fire neuron.
inline constexpr int kLifLevel = 2;

// livn's GLIF.leaky_integrate_and_fire(): rest -70, threshold -55, reset -75 mV, 10 ms, 100 MOhm.
GlifParams LifParams();
// Sets to 0 what the level does without.
void ApplyGlifLevel(int level, GlifParams& params);

std::vector<std::string> GlifParamNames();
std::vector<std::string> IzhikevichParamNames();

// Their values by these names.
std::map<std::string, double> GlifParamValues(const GlifParams& params);
std::map<std::string, double> IzhikevichParamValues(const IzhikevichParams& params);

// InvalidArgument: an unknown name (lists the accepted), or a value out of its range (names it).
absl::Status SetGlifParam(GlifParams& params, absl::string_view name, double value);
absl::Status SetIzhikevichParam(IzhikevichParams& params, absl::string_view name, double value);
// Whether they fit together and with the step: no time constant is below dt_ms, and what a jump
// loses during the spike cut can be put into it beforehand (rate * t_ref at most 50, as in livn).
absl::Status CheckGlifParams(const GlifParams& params, double dt_ms);

// livn's Izhikevich populations differ from cell to cell by a number r in [0, 1): "EXC" are regular
// spiking to chattering cells, all others fast spiking to low-threshold cells.
IzhikevichParams IzhikevichCell(bool excitatory, double r);

// The numbers r that livn draws for its cells in order of their populations: those of NumPy's
// RandomState(seed).uniform(). For doubles from a seed of 32 bits, std::mt19937 is that generator.
std::vector<double> IzhikevichDraws(uint32_t seed, int64_t count);

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_POINT_POINT_PARAMS_H_
