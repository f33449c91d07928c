// PatternEvocation: make a culture fire a wanted pattern in space and time.
//
// An episode has a pattern of spikes on the electrodes, a step at a time. Every step the agent sets
// the amplitude of one biphasic pulse on each electrode, and is paid by how near the spikes that
// follow are to those wanted in this step. It sees the ones wanted in the next step.
#ifndef LIVND_ENV_TASK_PATTERN_EVOCATION_H_
#define LIVND_ENV_TASK_PATTERN_EVOCATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/spec.h"
#include "env/task/task.h"
#include "env/task/task_model.h"
#include "io/decoding/distance/van_rossum.h"
#include "io/decoding/unit_map.h"
#include "io/encoding/biphasic_pulse.h"
#include "io/system/system.h"

namespace livnd::env {

struct PatternEvocationConfig {
  double step_ms = 25.0;
  double settle_ms = 2000.0;
  uint64_t settle_seed = 1;
  io::BiphasicPulseConfig pulse;  // at the start of each step
  int episode_steps = 40;         // of a pattern, too
  int num_patterns = 12;
  double tau_ms = 10.0;  // of the distance of spike trains
  // Price of full amplitude on every electrode, beside a distance of one spike a cell.
  double charge_price = 0.1;

  // MakeFieldError for what TaskModel and io::BiphasicPulse do not check.
  absl::Status Validate() const;
};

// Order of EnvironmentSpec.infos.
enum PatternEvocationInfo {
  kDistance,
  kPattern,
  kWantedSpikes,
  kHeardSpikes,
  kPatternChargeNc,
  kPatternFailure,
  kNumPatternEvocationInfos
};

class PatternEvocation final : public Task {
 public:
  static constexpr char kName[] = "PatternEvocation";

  // Its environment on a system. Errors: TaskModel::CheckSuits'.
  static absl::StatusOr<EnvironmentSpec> Offer(const io::System& system);
  // Errors: of the configuration, and TaskModel::Create's.
  static absl::StatusOr<std::shared_ptr<const PatternEvocation>> Create(
      const io::System& system, const PatternEvocationConfig& config = {});

  const PatternEvocationConfig& config() const { return config_; }
  // The amplitudes that gave a step of a pattern when it was recorded, [electrodes]; agents are not
  // told.
  absl::Span<const float> HiddenAmplitudes(int pattern, int step) const;
  // The pattern of an episode: decided by the episode's seed.
  static int EpisodePattern(const PatternEvocationConfig& config, uint64_t episode_seed);

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
  // A copy's state: these; the spikes that each electrode heard in the last step; what the distance
  // of a step keeps while it is made.
  enum { kPatternOf, kStepOf, kHeard };

  // One step of a pattern.
  struct Wanted {
    std::vector<double> early, late;  // [electrodes] spikes in each half of the step
    double num_spikes = 0.0;
    std::unique_ptr<const io::VanRossum> distance;
  };

  PatternEvocation(const PatternEvocationConfig& config, EnvironmentSpec spec,
                   std::shared_ptr<const TaskModel> model, const io::BiphasicPulse& pulse);
  // Stimulates the settled culture, num_patterns copies at once, and keeps what it fires.
  absl::Status RecordPatterns();
  absl::Status RecordStep(absl::Span<const std::vector<sim::Spike>> spikes, int step);
  size_t num_electrodes() const { return static_cast<size_t>(model_->num_electrodes()); }
  const Wanted& WantedIn(double pattern, double step) const;
  // Mean over the electrodes that hear cells, for each cell that they hear.
  double Distance(const Wanted& wanted, absl::Span<const sim::Spike> spikes, int64_t first_tick,
                  absl::Span<double> state) const;
  void Show(absl::Span<const double> state, const Seen& seen) const;

  const PatternEvocationConfig config_;
  const EnvironmentSpec spec_;
  const std::shared_ptr<const TaskModel> model_;
  const io::BiphasicPulse pulse_;
  const io::UnitMap units_;  // electrodes
  const int64_t step_ticks_;
  std::vector<double> cells_heard_;  // [electrodes]
  std::vector<float> hidden_;        // [pattern][step][electrode]
  std::vector<Wanted> wanted_;       // [pattern][step]
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_PATTERN_EVOCATION_H_
