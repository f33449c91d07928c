// A live culture between two calls, whole.
#ifndef LIVND_ENV_CULTURE_SAVED_CULTURE_H_
#define LIVND_ENV_CULTURE_SAVED_CULTURE_H_

#include <cstdint>
#include <map>
#include <vector>

#include "absl/types/span.h"
#include "env/culture/culture_types.h"
#include "env/culture/stimulus_plan.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

// Whoever restores it goes on with the same bits. A value.
struct SavedCulture {
  // The change that makes a new culture of the same model what this one was set to be.
  CultureChange settings;

  bool was_cleared = false;
  int64_t tick = 0;
  double summed_ms = 0.0;  // StimulusOnset
  int64_t num_clears = 0;
  uint32_t noise_stream = 0;
  std::map<sim::StimulusMode, SavedStimuli> stimuli;
  struct Copy {
    uint64_t seed = 0;          // also of one that was never cleared: the one that it will have
    double failed_at_ms = 0.0;  // NaN: it has not
    std::vector<double>
        state;  // sim/culture/culture.h, with membrane currents where these are known
    std::vector<double> encoding_state;  // of settings.encoding
  };
  std::vector<Copy> copies;
};

// With copies[0], copies[1] ... of the saved ones alone.
SavedCulture TakeCopies(SavedCulture saved, absl::Span<const int> copies);

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_SAVED_CULTURE_H_
