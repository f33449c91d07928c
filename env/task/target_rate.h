// TargetRate: hold a culture's firing at a rate that changes by episode, with little charge.
//
// Every step the agent sets the amplitude of one biphasic pulse on each electrode. It sees the
// spikes that each electrode heard in the last steps, the culture's recent rate and the target.
#ifndef LIVND_ENV_TASK_TARGET_RATE_H_
#define LIVND_ENV_TASK_TARGET_RATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/spec.h"
#include "env/task/task.h"
#include "env/task/task_model.h"
#include "io/decoding/unit_map.h"
#include "io/encoding/biphasic_pulse.h"
#include "io/system/system.h"

namespace livnd::env {

struct TargetRateConfig {
  double step_ms = 50.0;
  double settle_ms = 2000.0;
  uint64_t settle_seed = 1;
  io::BiphasicPulseConfig pulse;  // at the start of each step
  int num_history_steps = 4;
  int num_rate_steps = 10;  // the rate is the mean over these
  int episode_steps = 60;
  // Above what the shipped cultures fire by themselves, below what full pulses on every electrode
  // reach (target_rate_test.cc measures both).
  double min_target_hz = 5.0;
  double max_target_hz = 12.0;
  // Price of full amplitude on every electrode, beside a relative error of 1.
  double charge_price = 0.2;

  // MakeFieldError for what TaskModel and io::BiphasicPulse do not check.
  absl::Status Validate() const;
};

// Order of EnvironmentSpec.infos.
enum TargetRateInfo {
  kRateHz,
  kTargetRateHz,
  kNumSpikes,
  kChargeNc,
  kNumericalFailure,
  kNumTargetRateInfos
};

class TargetRate final : public Task {
 public:
  static constexpr char kName[] = "TargetRate";

  // Its environment on a system. Errors: TaskModel::CheckSuits'.
  static absl::StatusOr<EnvironmentSpec> Offer(const io::System& system);
  // Errors: of the configuration, and TaskModel::Create's.
  static absl::StatusOr<std::shared_ptr<const TargetRate>> Create(
      const io::System& system, const TargetRateConfig& config = {});

  const TargetRateConfig& config() const { return config_; }

  const EnvironmentSpec& spec() const override { return spec_; }
  const TaskModel* model() const override { return model_.get(); }
  size_t state_size() const override;
  absl::Status CheckState(absl::Span<const double> state) const override;
  void NewEpisode(const EpisodeStart& start, absl::Span<double> state,
                  const Seen& seen) const override;
  void Encode(const Action& action, absl::Span<double> state, int64_t tick,
              sim::Waveform* currents_ua) const override;
  StepEnd Finish(const Action& action, const Activity& activity, absl::Span<double> state,
                 const Seen& seen) const override;

  // -|rate - target| / target - charge_price * mean |amplitude|.
  static double Reward(const TargetRateConfig& config, double rate_hz, double target_hz,
                       absl::Span<const float> amplitudes);
  // The target of an episode: uniform between the bounds, decided by the episode's seed.
  static double EpisodeTargetHz(const TargetRateConfig& config, uint64_t episode_seed);

 private:
  // A copy's state: these, and then a ring of counts, [kept steps][all cells, then electrodes].
  enum { kTarget, kOldest, kRing };

  TargetRate(const TargetRateConfig& config, EnvironmentSpec spec,
             std::shared_ptr<const TaskModel> model, const io::BiphasicPulse& pulse,
             io::UnitMap units);
  size_t row_size() const { return 1 + static_cast<size_t>(model_->num_electrodes()); }
  // Adds the spikes that each electrode hears to a row.
  void Count(absl::Span<const sim::Spike> spikes, absl::Span<double> row) const;
  // The counts of a step that ended `ago` steps ago, 0 being the last one.
  absl::Span<const double> Counts(absl::Span<const double> state, int ago) const;
  double RateHz(absl::Span<const double> state) const;
  void Show(absl::Span<const double> state, double num_spikes, double charge_nc, bool failed,
            const Seen& seen) const;

  const TargetRateConfig config_;
  const EnvironmentSpec spec_;
  const std::shared_ptr<const TaskModel> model_;
  const io::BiphasicPulse pulse_;
  const io::UnitMap units_;           // electrodes
  const int num_kept_;                // steps in the ring
  std::vector<double> settled_ring_;  // at the start of every episode, oldest first
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_TARGET_RATE_H_
