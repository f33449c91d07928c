// BurstSuppression: keep a culture that bursts free of bursts while it is to be quiet, with little
// charge.
//
// The culture's excitation is raised until all of it fires together every second or so. Every step
// the agent sets the amplitude of one biphasic pulse on each electrode. Stretches in which bursts
// cost alternate with others in which they do not; the agent sees which it is, and how long still.
#ifndef LIVND_ENV_TASK_BURST_SUPPRESSION_H_
#define LIVND_ENV_TASK_BURST_SUPPRESSION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/spec.h"
#include "env/task/task.h"
#include "env/task/task_model.h"
#include "io/decoding/network/network_bursts.h"
#include "io/decoding/unit_map.h"
#include "io/encoding/biphasic_pulse.h"
#include "io/system/system.h"

namespace livnd::env {

struct BurstSuppressionConfig {
  double step_ms = 50.0;
  double settle_ms = 2000.0;
  uint64_t settle_seed = 1;
  io::BiphasicPulseConfig pulse;  // at the start of each step
  int num_history_steps = 4;
  int episode_steps = 80;
  // A step bursts in which so many spikes a cell fire, or more.
  double burst_spikes_per_cell = 1.0;
  // The drug: NMDA of excitatory cells is at this part, and their AMPA is raised step by step until
  // this part of the steps bursts.
  double nmda_factor = 0.5;
  double ampa_step = 1.25;
  double bursting_steps = 0.08;
  double titration_ms = 10000.0;
  int max_titration_steps = 28;
  // Stretches of steps, each of a random length.
  int min_stretch_steps = 12;
  int max_stretch_steps = 20;
  // Price of one full pulse on one electrode, beside a step that bursts.
  double pulse_price = 0.03;

  // MakeFieldError for what TaskModel and io::BiphasicPulse do not check.
  absl::Status Validate() const;
};

// Order of EnvironmentSpec.infos.
enum BurstSuppressionInfo {
  kIsBurst,
  kIsGuarded,
  kSpikesPerCell,
  kBurstChargeNc,
  kBurstFailure,
  kNumBurstSuppressionInfos
};

class BurstSuppression final : public Task {
 public:
  static constexpr char kName[] = "BurstSuppression";

  // Its environment on a system. Errors: TaskModel::CheckSuits', among them that the default params
  // set no weights of AMPA and NMDA between excitatory cells.
  static absl::StatusOr<EnvironmentSpec> Offer(const io::System& system);
  // Errors: of the configuration, and TaskModel::Create's. Where no step of the titration gives
  // bursts enough, the one that gives most is taken.
  static absl::StatusOr<std::shared_ptr<const BurstSuppression>> Create(
      const io::System& system, const BurstSuppressionConfig& config = {});

  const BurstSuppressionConfig& config() const { return config_; }
  // What the titration came to: the factor on AMPA.
  double ampa_factor() const { return ampa_factor_; }

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

 private:
  // A copy's state: these; spikes per cell in the last steps, newest first; spikes that each
  // electrode heard in the last step, per cell in its reach; and what the decoding keeps and gives.
  enum { kGuarded, kStepsLeft, kSeedLow, kSeedHigh, kStretch, kHistory };

  BurstSuppression(const BurstSuppressionConfig& config, EnvironmentSpec spec,
                   std::shared_ptr<const TaskModel> model, const io::BiphasicPulse& pulse,
                   std::unique_ptr<const io::NetworkBursts> bursts, double ampa_factor);
  size_t num_electrodes() const { return static_cast<size_t>(model_->num_electrodes()); }
  size_t heard_at() const { return kHistory + static_cast<size_t>(config_.num_history_steps); }
  size_t bursts_at() const { return heard_at() + num_electrodes(); }
  // Length of an episode's n-th stretch, steps.
  double StretchSteps(uint64_t episode_seed, uint64_t n) const;
  void Hear(absl::Span<const sim::Spike> spikes, absl::Span<double> state) const;
  bool IsBurst(const Activity& activity, absl::Span<double> state) const;
  void Show(absl::Span<const double> state, const Seen& seen) const;

  const BurstSuppressionConfig config_;
  const EnvironmentSpec spec_;
  const std::shared_ptr<const TaskModel> model_;
  const io::BiphasicPulse pulse_;
  const std::unique_ptr<const io::NetworkBursts> bursts_;
  const double ampa_factor_;
  const io::UnitMap electrodes_, cells_;
  std::vector<double> cells_heard_;      // [electrodes]
  std::vector<double> settled_history_;  // spikes per cell, newest first
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_BURST_SUPPRESSION_H_
