#include "env/task/testing/short_target_rate.h"

#include <cmath>

#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"

namespace livnd::env {

std::shared_ptr<const TargetRate> ShortTargetRate() {
  static const auto* task = [] {
    auto system = io::ReadSystem("systems/EI-mini");
    EXPECT_TRUE(system.ok()) << system.status();
    TargetRateConfig config;
    config.settle_ms = 300.0;
    config.episode_steps = 4;
    auto made = TargetRate::Create(*system, config);
    EXPECT_TRUE(made.ok()) << made.status();
    return new std::shared_ptr<const TargetRate>(*made);
  }();
  return *task;
}

ResetRequest Seeds(std::vector<std::optional<uint64_t>> seeds) {
  ResetRequest r;
  r.seeds = std::move(seeds);
  return r;
}

TensorBatch Actions(const std::vector<uint64_t>& seeds, int step) {
  TensorBatch out(ShortTargetRate()->spec().actions, static_cast<int>(seeds.size()));
  for (size_t c = 0; c < seeds.size(); ++c) {
    int e = 0;
    for (float& amplitude : out.of<float>(0, static_cast<int>(c))) {
      amplitude = static_cast<float>(
          0.3 * std::sin(static_cast<double>(seeds[c]) + 1.7 * step + 0.9 * e++));
    }
  }
  return out;
}

void EndingTask::Encode(const Action& action, absl::Span<double> state, int64_t tick,
                        sim::Waveform* currents_ua) const {
  ++num_encoded_;
  ShortTargetRate()->Encode(action, state, tick, currents_ua);
  if (action.get<float>(0)[0] != kRuin) return;
  for (double& current_ua : currents_ua->samples) current_ua *= 1e100;
}

StepEnd EndingTask::Finish(const Action& action, const Activity& activity, absl::Span<double> state,
                           const Seen& seen) const {
  ++num_finished_;
  StepEnd end = ShortTargetRate()->Finish(action, activity, state, seen);
  end.terminated = action.get<float>(0)[0] == kTerminate;
  return end;
}

}  // namespace livnd::env
