// What a gang reports while it advances.
#ifndef LIVND_SIM_GANG_PROBE_H_
#define LIVND_SIM_GANG_PROBE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace livnd::sim {

// An accepted spike: emitted at step tick of the copy, t = tick dt + 1e-10 ms.
struct Spike {
  int32_t copy;
  int64_t gid;
  int64_t tick;
};

// Numbers of one copy at the starts of steps, collected while the gang advances.
struct Probe {
  enum class Quantity {
    kVoltageMv,
    // Total current through the membrane around the section's middle, stimuli left out: that of the
    // half step before the sample. 0 where there is none: before a copy's first step, after it was
    // loaded from a state without currents, and before the first step that was asked for any.
    kMembraneCurrentUa,
    // CellModel::NamedState of `state`.
    kState,
    // Learned weights of all plastic connections; `sites` stays empty.
    kLearnedWeights,
  };
  struct Site {
    int64_t gid;
    int section;
  };
  int copy = 0;
  Quantity quantity = Quantity::kVoltageMv;
  std::string state;
  std::vector<Site> sites;
  int every_steps = 1;
  int64_t steps_seen = 0;  // the probe's phase: kept from one Advance to the next
  // Appended: [sample][site], the first sample at the first step that the probe sees.
  std::vector<double> samples;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_GANG_PROBE_H_
