// What the levels of a device's channels make at cells, and how much of it there may be.
#ifndef LIVND_ENV_CULTURE_REACH_H_
#define LIVND_ENV_CULTURE_REACH_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

// The potential that electrodes make may be -1000 .. 1000 mV, the light of fibres up to 1e24 photons/s/mm2.
// Remembers what it has found out about a channel. Not thread-safe.
class Reach {
 public:
  using Level = std::pair<int, double>;  // channel; uA or mW

  // Of the field or of light, by a dense map. Looks at so many gains of single cells in all, at most.
  Reach(sim::StimulusMode mode, std::shared_ptr<const sim::StimulusMap> map, int64_t num_rows,
        int64_t max_gains_looked_at = std::numeric_limits<int64_t>::max());

  double bound() const { return is_light_ ? 1e24 : 1000.0; }
  // "12 mV", and what is accepted in its place.
  std::string Shown(double value) const;
  std::string Accepted() const;

  // What levels of 1 on a channel make at most.
  double LargestGain(int channel);
  // The largest of what the levels make at a cell, without its sign, or any number that is not below it and within the
  // bound.
  double Worst(absl::Span<const Level> levels);
  // The gains that it may look at were not enough; what Worst has told since is nothing to go by.
  bool gave_up() const { return num_looked_at_ > max_gains_looked_at_; }

 private:
  const bool is_light_;
  const std::shared_ptr<const sim::StimulusMap> map_;
  const int64_t num_rows_;
  std::vector<double> largest_;  // [channel]; < 0: not known yet
  const int64_t max_gains_looked_at_;
  int64_t num_looked_at_ = 0;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_REACH_H_
