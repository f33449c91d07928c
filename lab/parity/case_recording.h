// What a run of an oracle case gave, in the terms of livn's traces.
#ifndef LIVND_LAB_PARITY_CASE_RECORDING_H_
#define LIVND_LAB_PARITY_CASE_RECORDING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "env/culture/culture_types.h"

namespace livnd::lab {

struct CaseSpike {
  double time_ms = 0.0;  // from the run's start
  int64_t gid = 0;
};

// The columns of a trace's states; NaN in a section that lacks one, and in the four that the engine
// does not keep.
inline constexpr const char* kCaseStates[] = {
    "v",   "h_Nas", "n_Kdr", "m_CaN", "h_CaN", "m_CaL", "a_Ka_v1in", "b_Ka_v1in", "cai", "nai",
    "nao", "ki",    "ko",    "ena",   "ek",    "",      "",          "",          ""};

struct CaseRun {
  int64_t num_samples = 0;
  std::vector<double> voltage_mv;  // [site][sample]
  std::vector<CaseSpike> spikes;   // by time, then gid
  std::vector<double> states;      // [site][kCaseStates], at the run's end
  int64_t num_current_samples = 0;
  std::vector<double> current_ua;       // [current site][sample]
  std::vector<double> electrode_uv;     // [electrode][current sample]
  std::vector<double> learned_weights;  // as CaseRecording::learned_keys
};

struct CaseRecording {
  std::vector<env::Site> sites;  // every section of every built cell, by gid
  // Where livn records membrane currents: the first two sections of each cell. Empty if the case
  // asks for none.
  std::vector<env::Site> current_sites;
  // "GID/SYN_ID/PROCESS" of each connection that learns, as livn names it.
  std::vector<std::string> learned_keys;
  std::vector<CaseRun> runs;
};

// Writes node_gid, node_section, r0_v, r0_spike_t, r0_spike_gid, r0_state, r0_current_uA,
// r0_current_gid, r0_electrode_uV, r0_wplastic_key, r0_wplastic, r1_v ... of a trace
// (tests/data/oracle/README.md). Unavailable names the file.
absl::Status WriteRecording(const CaseRecording& recording, const std::string& path);

}  // namespace livnd::lab

#endif  // LIVND_LAB_PARITY_CASE_RECORDING_H_
