#include "env/task/cart_pole.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "env/seed.h"
#include "env/task/spec_parts.h"
#include "sim/culture/culture.h"

namespace livnd::env {
namespace {

constexpr double kGravityMS2 = 9.8;
constexpr double kCartKg = 1.0;
constexpr double kPoleKg = 0.1;
constexpr double kHalfPoleM = 0.5;
constexpr double kHalf = 0.5;    // of the array
constexpr double kStart = 0.05;  // each of the four numbers begins within +- this

// What four numbers are shown as parts of: what ends an episode, and that in a second.
constexpr std::array<double, 4> kScale = {CartPole::kMaxPositionM, CartPole::kMaxPositionM,
                                          CartPole::kMaxAngleRad, CartPole::kMaxAngleRad};
// Bounds of what is shown, and of the state. Within its limits of place and angle, and with the largest
// force, a cart stays below 10 m/s and a pole below 5 rad/s, so that only states from outside reach
// those of the velocities.
constexpr std::array<double, 4> kShown = {2.0, 10.0, 2.0, 50.0};
constexpr std::array<const char*, 4> kParts = {"cart_position", "cart_velocity", "pole_angle",
                                               "pole_velocity"};
constexpr std::array<const char*, 4> kNames = {"cart_position_m", "cart_velocity_m_s",
                                               "pole_angle_rad", "pole_velocity_rad_s"};
constexpr std::array<const char*, 4> kUnits = {"m", "m/s", "rad", "rad/s"};
constexpr std::array<const char*, 4> kWhat = {
    "Where the cart is, from the middle.", "How fast the cart goes, to the right.",
    "Angle of the pole, to the right.", "How fast the pole turns, to the right."};
// An episode may begin with these at most.
constexpr std::array<double, 4> kOptions = {2.4, 2.0, 0.2, 2.0};
constexpr size_t kForcePart = 4;  // element of the observation; spikes follow

// Sine and cosine by their series, to the last place for angles below 1/2: a library's may differ from
// processor to processor.
double Sine(double x) {
  const double y = -x * x;
  double sum = 1.0;
  for (int n = 12; n >= 2; n -= 2) sum = 1.0 + sum * y / (n * (n + 1));
  return x * sum;
}
double Cosine(double x) {
  const double y = -x * x;
  double sum = 1.0;
  for (int n = 13; n >= 1; n -= 2) sum = 1.0 + sum * y / (n * (n + 1));
  return sum;
}

std::array<double, 4> Numbers(const CartPoleState& cart) {
  return {cart.position_m, cart.velocity_m_s, cart.angle_rad, cart.velocity_rad_s};
}

CartPoleState CartOf(absl::Span<const double> state) {
  return {state[0], state[1], state[2], state[3]};
}

EnvironmentSpec SpecOf(const CartPoleConfig& config, const io::System& system) {
  EnvironmentSpec spec = SpecOnSystem(
      CartPole::kName, system,
      "Keep a pole upright on a cart that a culture pushes, by one biphasic pulse per electrode "
      "and "
      "step: to the right the more, the more active the high end of the array is than the low one.",
      config.step_ms, config.episode_steps);
  spec.actions = {CathodicPulseSpec(system, config.pulse.max_amplitude_ua)};

  TensorSpec& observation = spec.observations.emplace_back(
      ObservationSpec("Position and angle as parts of those that end the episode (2.4 m, 12 "
                      "degrees), velocities as "
                      "such parts a second; the last force as a part of the largest; spikes heard "
                      "by each electrode "
                      "in the last step, for each cell in its reach."));
  for (size_t i = 0; i < kParts.size(); ++i) {
    AddElement(kParts[i], -kShown[i], kShown[i], &observation);
  }
  AddElement("force", -1.0, 1.0, &observation);
  AddSpikesPerCell(system, config.step_ms, &observation);

  const double most = MaxSpikesPerCell(config.step_ms);
  const auto electrodes = static_cast<double>(system.electrode_array->electrodes.size());
  spec.infos.resize(kNumCartPoleInfos);
  for (size_t i = 0; i < kNames.size(); ++i) {
    spec.infos[i] =
        InfoSpec(kNames[i], kUnits[i], kWhat[i], -kShown[i] * kScale[i], kShown[i] * kScale[i]);
    spec.reset_options.push_back({kNames[i],
                                  absl::StrCat(kUnits[i],
                                               ", at the start of the new episode, "
                                               "instead of a random number."),
                                  -kOptions[i], kOptions[i]});
  }
  spec.infos[kForceN] = InfoSpec("force_n", "N", "What pushed the cart, to the right.",
                                 -config.max_force_n, config.max_force_n);
  spec.infos[kLeftActivity] = InfoSpec(
      "left_activity", "1", "Spikes per cell heard at the low end, in this step.", 0.0, most);
  spec.infos[kRightActivity] = InfoSpec(
      "right_activity", "1", "Spikes per cell heard at the high end, in this step.", 0.0, most);
  spec.infos[kCartPoleNumSpikes] = InfoSpec("num_spikes", "1", "Spikes of all cells in this step.",
                                            0.0, most * static_cast<double>(system.num_cells()));
  spec.infos[kCartPoleChargeNc] =
      InfoSpec("charge_nc", "nC", "Charge delivered in this step, both phases.", 0.0,
               config.pulse.ChargeNc(electrodes));
  spec.infos[kCartPoleFailure] = NumericalFailureSpec();
  spec.settings = {{"step_ms", config.step_ms},
                   {"phase_us", config.pulse.phase_us},
                   {"max_amplitude_ua", config.pulse.max_amplitude_ua},
                   {"full_force_difference", config.full_force_difference},
                   {"max_force_n", config.max_force_n},
                   {"episode_steps", config.episode_steps},
                   {"settle_ms", config.settle_ms}};
  return spec;
}

}  // namespace

absl::Status CartPoleConfig::Validate() const {
  for (const absl::Status& s :
       {CheckRange("full_force_difference", full_force_difference, 1e-3, 1e3),
        CheckRange("max_force_n", max_force_n, 0.0, 10.0),
        CheckRange("episode_steps", episode_steps, 1, 1e9)}) {
    if (!s.ok()) return s;
  }
  // The pulse is over long before the step is.
  return CheckRange("pulse.phase_us", pulse.phase_us, 0.0, step_ms * 1000.0 / 4.0);
}

absl::StatusOr<EnvironmentSpec> CartPole::Offer(const io::System& system) {
  LIVND_RETURN_IF_ERROR(TaskModel::CheckSuits(system));
  LIVND_RETURN_IF_ERROR(MotorRegions::CheckSuits(system, kHalf));
  return SpecOf(CartPoleConfig(), system);
}

absl::StatusOr<std::shared_ptr<const CartPole>> CartPole::Create(const io::System& system,
                                                                 const CartPoleConfig& config) {
  if (absl::Status s = config.Validate(); !s.ok()) return s;
  auto model = TaskModel::Create(system, TaskModelConfig::Of(config, 1));
  if (!model.ok()) return model.status();
  const auto pulse = io::BiphasicPulse::Create(config.pulse, (*model)->num_electrodes(),
                                               (*model)->culture()->dt_ms());
  if (!pulse.ok()) return pulse.status();
  auto halves = MotorRegions::Create(system, kHalf);
  if (!halves.ok()) return halves.status();
  return std::shared_ptr<const CartPole>(
      new CartPole(config, SpecOf(config, system), *std::move(model), *pulse, *std::move(halves)));
}

CartPole::CartPole(const CartPoleConfig& config, EnvironmentSpec spec,
                   std::shared_ptr<const TaskModel> model, const io::BiphasicPulse& pulse,
                   MotorRegions halves)
    : config_(config),
      spec_(std::move(spec)),
      model_(std::move(model)),
      pulse_(pulse),
      halves_(std::move(halves)) {}

absl::Status CartPole::CheckState(absl::Span<const double> state) const {
  for (size_t i = 0; i < state.size(); ++i) {
    const double most = kShown[i] * kScale[i];
    if (absl::Status s = CheckRange(absl::StrCat("task[", i, "]"), state[i], -most, most);
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

void CartPole::NewEpisode(const EpisodeStart& start, absl::Span<double> state,
                          const Seen& seen) const {
  for (size_t i = 0; i < kNames.size(); ++i) {
    const auto option = start.options.find(spec_.reset_options[i].name);
    const double u = UniformOf(EpisodeSeed(start.seed, i + 1), SeedPurpose::kStart);
    state[i] = option != start.options.end() ? option->second : kStart * (2.0 * u - 1.0);
  }
  const std::vector<sim::Spike>& spikes = model_->settled_spikes()[0];
  halves_.Hear(spikes, MaxSpikesPerCell(config_.step_ms),
               seen.observation<float>(0).subspan(kForcePart + 1));
  Show(CartOf(state), 0.0, static_cast<double>(spikes.size()), 0.0, false, seen);
}

void CartPole::Encode(const Action& action, absl::Span<double> /*state*/, int64_t tick,
                      sim::Waveform* currents_ua) const {
  pulse_.Encode(action.get<float>(0), tick, currents_ua);
}

StepEnd CartPole::Finish(const Action& action, const Activity& activity, absl::Span<double> state,
                         const Seen& seen) const {
  const absl::Span<float> heard = seen.observation<float>(0).subspan(kForcePart + 1);
  halves_.Hear(activity.spikes, MaxSpikesPerCell(config_.step_ms), heard);
  const double difference = halves_.HighActivity(heard) - halves_.LowActivity(heard);
  const double force_n =
      config_.max_force_n * std::clamp(difference / config_.full_force_difference, -1.0, 1.0);
  const std::array<double, 4> numbers =
      Numbers(Moved(CartOf(state), force_n, config_.step_ms * 1e-3));
  for (size_t i = 0; i < numbers.size(); ++i) {
    state[i] = std::clamp(numbers[i], -kShown[i] * kScale[i], kShown[i] * kScale[i]);
  }
  const CartPoleState cart = CartOf(state);
  Show(cart, force_n, static_cast<double>(activity.spikes.size()),
       pulse_.ChargeNc(action.get<float>(0)), !activity.finite, seen);
  StepEnd end;
  end.reward = 1.0;
  end.terminated =
      std::fabs(cart.position_m) > kMaxPositionM || std::fabs(cart.angle_rad) > kMaxAngleRad;
  return end;
}

void CartPole::Show(const CartPoleState& cart, double force_n, double num_spikes, double charge_nc,
                    bool failed, const Seen& seen) const {
  const absl::Span<float> observation = seen.observation<float>(0);
  const std::array<double, 4> numbers = Numbers(cart);
  for (size_t i = 0; i < numbers.size(); ++i) {
    observation[i] = static_cast<float>(numbers[i] / kScale[i]);
    seen.info<double>(static_cast<int>(i))[0] = numbers[i];
  }
  observation[kForcePart] =
      config_.max_force_n > 0.0 ? static_cast<float>(force_n / config_.max_force_n) : 0.0f;
  const absl::Span<const float> heard = observation.subspan(kForcePart + 1);
  seen.info<double>(kForceN)[0] = force_n;
  seen.info<double>(kLeftActivity)[0] = halves_.LowActivity(heard);
  seen.info<double>(kRightActivity)[0] = halves_.HighActivity(heard);
  seen.info<double>(kCartPoleNumSpikes)[0] = num_spikes;
  seen.info<double>(kCartPoleChargeNc)[0] = charge_nc;
  seen.info<double>(kCartPoleFailure)[0] = failed ? 1.0 : 0.0;
}

CartPoleState CartPole::Moved(const CartPoleState& cart, double force_n, double step_s) {
  constexpr double kMassKg = kCartKg + kPoleKg;
  constexpr double kPoleKgM = kPoleKg * kHalfPoleM;
  const double sine = Sine(cart.angle_rad), cosine = Cosine(cart.angle_rad);
  const double push =
      (force_n + kPoleKgM * cart.velocity_rad_s * cart.velocity_rad_s * sine) / kMassKg;
  const double turn = (kGravityMS2 * sine - cosine * push) /
                      (kHalfPoleM * (4.0 / 3.0 - kPoleKg * cosine * cosine / kMassKg));
  const double speed_up = push - kPoleKgM * turn * cosine / kMassKg;
  return {cart.position_m + step_s * cart.velocity_m_s, cart.velocity_m_s + step_s * speed_up,
          cart.angle_rad + step_s * cart.velocity_rad_s, cart.velocity_rad_s + step_s * turn};
}

}  // namespace livnd::env
