// A case of the physics oracle: cells, wiring, stimuli and the trace that livn 2.0.0 gave.
#ifndef LIVND_LAB_PARITY_ORACLE_CASE_H_
#define LIVND_LAB_PARITY_ORACLE_CASE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "env/culture/culture_types.h"
#include "io/culture/culture_setup.h"
#include "io/json/json_view.h"
#include "io/system/system.h"
#include "sim/synapse/plasticity.h"

namespace livnd::lab {

struct OracleStimulus {
  struct Pulse {
    int64_t column = 0;
    int64_t start_row = 0;
    int64_t stop_row = 0;  // exclusive
    double value = 0.0;
  };
  std::string mode;  // extracellular, current, current_density, irradiance, electrode_uA
  double dt_ms = 1.0;
  int64_t num_rows = 0;
  std::vector<env::Site> columns;  // empty for electrode_uA: columns are electrodes
  std::vector<Pulse> pulses;       // each adds its value
  std::string units;               // of irradiance: mW/mm2 (also if empty) or photon_flux
  double wavelength_nm = 473.0;
};

struct OracleMark {
  std::optional<double> dv_mv;  // absent: reported, not judged
  // equal, within_one_tick, to_first_divergence
  std::string spikes = "equal";
};

struct OracleRun {
  double duration_ms = 0.0;
  bool clear = false;
  bool reseed = true;
  std::optional<uint32_t> reseed_noise;
  std::optional<bool> plasticity_on;
  // Numbers of the rules that change with it.
  std::optional<sim::PlasticityConfig> plasticity_rules;
  std::optional<double> normalize_weights;  // the sum for each cell
  std::optional<OracleStimulus> stimulus;
  OracleMark mark;
};

struct OracleCase {
  std::string name;
  io::System system;       // its cells' places, and its electrodes
  io::CultureSetup setup;  // what is built of them, before any parameter
  double dt_ms = 0.025;
  env::CultureChange start;  // all that is set before the first run, dt_ms too
  uint64_t seed = 123;
  bool learns = false;    // at any time: learned weights are recorded
  int sample_steps = 1;   // steps between stored voltage samples
  int current_steps = 0;  // between samples of membrane currents; 0: none
  std::vector<OracleRun> runs;
};

// InvalidArgument names the file and the place in it.
absl::StatusOr<OracleCase> ParseOracleCase(const io::JsonView& document);

}  // namespace livnd::lab

#endif  // LIVND_LAB_PARITY_ORACLE_CASE_H_
