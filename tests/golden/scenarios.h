// Runs whose every bit is kept.
#ifndef LIVND_TESTS_GOLDEN_SCENARIOS_H_
#define LIVND_TESTS_GOLDEN_SCENARIOS_H_

#include "io/json/json_file.h"

namespace livnd::sim {

// Each scenario by name: SHA-256 of the initial state, of the state after the run (little-endian
// doubles) and of the spikes ("tick,gid" lines), their number, and some somas' voltages (mV, in full
// and in hexadecimal) to see how far two versions are apart.
io::Json RunScenarios();

}  // namespace livnd::sim

#endif  // LIVND_TESTS_GOLDEN_SCENARIOS_H_
