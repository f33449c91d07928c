#include "env/culture/reach.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace livnd::env {

Reach::Reach(sim::StimulusMode mode, std::shared_ptr<const sim::StimulusMap> map, int64_t num_rows,
             int64_t max_gains_looked_at)
    : is_light_(mode == sim::StimulusMode::kLight),
      map_(std::move(map)),
      num_rows_(num_rows),
      largest_(static_cast<size_t>(map_->num_channels), -1.0),
      max_gains_looked_at_(max_gains_looked_at) {}

std::string Reach::Shown(double value) const {
  return absl::StrCat(value, is_light_ ? " photons/s/mm2" : " mV");
}

std::string Reach::Accepted() const {
  return is_light_ ? absl::StrCat("light of 0 .. ", Shown(bound()))
                   : absl::StrCat("potentials of ", -bound(), " .. ", Shown(bound()));
}

double Reach::LargestGain(int channel) {
  double& most = largest_[static_cast<size_t>(channel)];
  if (most >= 0.0) return most;
  most = 0.0;
  for (int64_t row = 0; row < num_rows_; ++row) {
    most = std::max(most, map_->Gain(channel, row, num_rows_));
  }
  return most;
}

double Reach::Worst(absl::Span<const Level> levels) {
  double most = 0.0;
  for (const auto& [channel, level] : levels) most += std::fabs(level) * LargestGain(channel);
  if (most <= bound()) return most;
  num_looked_at_ += num_rows_ * static_cast<int64_t>(levels.size());
  if (gave_up()) return most;
  double worst = 0.0;
  for (int64_t row = 0; row < num_rows_; ++row) {
    double sum = 0.0;
    for (const auto& [channel, level] : levels) sum += level * map_->Gain(channel, row, num_rows_);
    worst = std::max(worst, std::fabs(sum));
  }
  return worst;
}

}  // namespace livnd::env
