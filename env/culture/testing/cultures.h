// Live cultures, and what they run, as several tests need them.
#ifndef LIVND_ENV_CULTURE_TESTING_CULTURES_H_
#define LIVND_ENV_CULTURE_TESTING_CULTURES_H_

#include <memory>

#include "env/culture/culture_model.h"
#include "env/culture/culture_types.h"
#include "env/culture/live_culture.h"
#include "sim/executor.h"

namespace livnd::env {

// Of systems/EI-mini, read once in a process.
std::shared_ptr<const CultureModel> EiMini();

// A clear with seeds 100, 101 ...
CultureClear Seeded(int num_copies);

// Cleared with Seeded; fires a lot, learns, and records voltages at three sites and all learned
// weights. `executor` outlives it.
std::unique_ptr<LiveCulture> BusyCulture(sim::Executor& executor, int num_copies);

CultureRun For(double duration_ms);

// 0.5 nA into the soma of cell 0 from 2 to 6 ms of the run.
CultureStimulus Current();

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_TESTING_CULTURES_H_
