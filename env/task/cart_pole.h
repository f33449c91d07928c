// CartPole through a culture: an agent stimulates a culture, whose activity pushes a cart on which a
// pole is to stay upright.
//
// The cart and its clock are those of Barto, Sutton and Anderson, IEEE Trans. Syst. Man Cybern. 13
// (1983), with the numbers, the start and the ends of Gymnasium's CartPole-v1; the force, which is
// all or nothing there, is what the culture's two halves make of it here.
#ifndef LIVND_ENV_TASK_CART_POLE_H_
#define LIVND_ENV_TASK_CART_POLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "env/spec.h"
#include "env/task/motor_regions.h"
#include "env/task/task.h"
#include "env/task/task_model.h"
#include "io/encoding/biphasic_pulse.h"
#include "io/system/system.h"

namespace livnd::env {

struct CartPoleConfig {
  double step_ms = 20.0;  // of the culture and of the cart
  double settle_ms = 2000.0;
  uint64_t settle_seed = 1;
  // At the start of each step. Stronger pulses on many electrodes reach the other half, too.
  io::BiphasicPulseConfig pulse = {200.0, 4.0};
  // The force is max_force_n times the difference of the halves' spikes per cell over this, and
  // max_force_n at most.
  double full_force_difference = 0.25;
  double max_force_n = 10.0;
  int episode_steps = 500;

  // MakeFieldError for what TaskModel and io::BiphasicPulse do not check.
  absl::Status Validate() const;
};

// The cart and its pole. Units: m, m/s, rad, rad/s; positive is to the right.
struct CartPoleState {
  double position_m = 0.0;
  double velocity_m_s = 0.0;
  double angle_rad = 0.0;
  double velocity_rad_s = 0.0;
};

// Order of EnvironmentSpec.infos.
enum CartPoleInfo {
  kCartPositionM,
  kCartVelocityMS,
  kPoleAngleRad,
  kPoleVelocityRadS,
  kForceN,
  kLeftActivity,
  kRightActivity,
  kCartPoleNumSpikes,
  kCartPoleChargeNc,
  kCartPoleFailure,
  kNumCartPoleInfos
};

class CartPole final : public Task {
 public:
  static constexpr char kName[] = "CartPole";
  static constexpr double kMaxPositionM = 2.4;
  static constexpr double kMaxAngleRad = 0.20943951023931953;  // 12 degrees

  // Its environment on a system. Errors: TaskModel::CheckSuits' and MotorRegions::CheckSuits'.
  static absl::StatusOr<EnvironmentSpec> Offer(const io::System& system);
  // Errors: of the configuration, TaskModel::Create's and MotorRegions::Create's.
  static absl::StatusOr<std::shared_ptr<const CartPole>> Create(const io::System& system,
                                                                const CartPoleConfig& config = {});

  const CartPoleConfig& config() const { return config_; }

  const EnvironmentSpec& spec() const override { return spec_; }
  const TaskModel* model() const override { return model_.get(); }
  // The four numbers of CartPoleState in their order.
  size_t state_size() const override { return 4; }
  absl::Status CheckState(absl::Span<const double> state) const override;
  void NewEpisode(const EpisodeStart& start, absl::Span<double> state,
                  const Seen& seen) const override;
  void Encode(const Action& action, absl::Span<double> state, int64_t tick,
              sim::Waveform* currents_ua) const override;
  StepEnd Finish(const Action& action, const Activity& activity, absl::Span<double> state,
                 const Seen& seen) const override;

  // The cart after step_s of a force, by one step of Euler's rule:
  //   b = (F + m l w^2 sin a) / (M + m)
  //   w' = (g sin a - b cos a) / (l (4/3 - m cos^2 a / (M + m))),   v' = b - m l w' cos a / (M + m)
  // g 9.8 m/s^2, cart M 1 kg, pole m 0.1 kg and 2 l = 1 m long.
  static CartPoleState Moved(const CartPoleState& cart, double force_n, double step_s);

 private:
  CartPole(const CartPoleConfig& config, EnvironmentSpec spec,
           std::shared_ptr<const TaskModel> model, const io::BiphasicPulse& pulse,
           MotorRegions halves);
  // Writes all that is seen, but for the spikes of the observation, which MotorRegions::Hear wrote.
  void Show(const CartPoleState& cart, double force_n, double num_spikes, double charge_nc,
            bool failed, const Seen& seen) const;

  const CartPoleConfig config_;
  const EnvironmentSpec spec_;
  const std::shared_ptr<const TaskModel> model_;
  const io::BiphasicPulse pulse_;
  const MotorRegions halves_;  // low: pushes to the left
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_CART_POLE_H_
