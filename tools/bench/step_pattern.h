// What every side of the `serve` benchmark does alike, so that their steps are the same steps.
// step_client.py has the same in Python.
#ifndef LIVND_TOOLS_BENCH_STEP_PATTERN_H_
#define LIVND_TOOLS_BENCH_STEP_PATTERN_H_

#include <cstdint>
#include <vector>

namespace livnd::bench {

// Copy c of every session starts from seed c.
inline uint64_t SeedOf(int copy) { return static_cast<uint64_t>(copy); }

// Actions of all copies in a step: -0.25, -0.125, 0, 0.125 or 0.25, exact in float32.
inline std::vector<float> ActionsOf(int64_t step, int num_envs, int num_elements) {
  std::vector<float> actions;
  for (int64_t copy = 0; copy < num_envs; ++copy) {
    for (int64_t element = 0; element < num_elements; ++element) {
      actions.push_back(static_cast<float>((7 * step + 3 * copy + element) % 5 - 2) / 8.0f);
    }
  }
  return actions;
}

}  // namespace livnd::bench

#endif  // LIVND_TOOLS_BENCH_STEP_PATTERN_H_
