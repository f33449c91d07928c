#include "env/task/target_rate.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "env/seed.h"
#include "sim/culture/culture.h"

namespace livnd::env {
namespace {

constexpr double kMaxRateHz = 500.0;  // the refractory period of 2 ms

TensorSpec Info(absl::string_view name, absl::string_view unit, absl::string_view description,
                double low, double high) {
  TensorSpec s;
  s.name = std::string(name);
  s.dtype = DType::kFloat64;
  s.unit = std::string(unit);
  s.description = std::string(description);
  s.low = {low};
  s.high = {high};
  return s;
}

}  // namespace

absl::Status TargetRateConfig::Validate() const {
  const auto check = [](absl::string_view name, double value, double low, double high) {
    if (value >= low && value <= high) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("TargetRate ", name, " = ", value, "; takes ", low, " to ", high));
  };
  for (const absl::Status& s :
       {check("step_ms", step_ms, 1.0, 10000.0), check("phase_us", phase_us, 25.0, 5000.0),
        check("max_amplitude_ua", max_amplitude_ua, 0.0, 1000.0),
        check("num_history_steps", num_history_steps, 1, 1000),
        check("num_rate_steps", num_rate_steps, 1, 1000),
        check("episode_steps", episode_steps, 1, 1e9), check("settle_ms", settle_ms, 0.0, 1e6),
        check("min_target_hz", min_target_hz, 0.01, kMaxRateHz),
        check("max_target_hz", max_target_hz, min_target_hz, kMaxRateHz),
        check("charge_price", charge_price, 0.0, 1e6)}) {
    if (!s.ok()) return s;
  }
  return check("phase_us", phase_us, 25.0, step_ms * 1000.0 / 4.0);
}

EnvironmentSpec TargetRateSpec(const TargetRateConfig& config, const io::System& system) {
  const auto& electrodes = system.electrode_array->electrodes;
  EnvironmentSpec spec;
  spec.task = "TargetRate";
  spec.system = system.name;
  spec.id = absl::StrCat(spec.task, "-", spec.system, "-v0");
  spec.description =
      "Hold the culture's mean firing rate at a target that changes by episode, by one biphasic "
      "pulse "
      "per electrode and step, and spend little charge.";
  spec.step_duration_ms = config.step_ms;
  spec.tick_ns = 25000;
  spec.max_episode_steps = config.episode_steps;
  spec.physics_version = sim::kPhysicsVersion;

  TensorSpec& action = spec.action;
  action.name = "pulse_amplitude";
  action.dtype = DType::kFloat32;
  action.shape = {static_cast<int64_t>(electrodes.size())};
  action.unit = "1";
  action.description = absl::StrCat("Amplitude of the pulse on each electrode as a fraction of ",
                                    config.max_amplitude_ua, " uA; positive is cathodic first.");
  action.low.assign(electrodes.size(), -1.0);
  action.high.assign(electrodes.size(), 1.0);
  for (const io::Electrode& e : electrodes) {
    action.element_names.push_back(absl::StrCat("amplitude_e", e.id));
  }

  TensorSpec& observation = spec.observation;
  observation.name = "observation";
  observation.dtype = DType::kFloat32;
  observation.unit = "mixed";
  observation.description =
      absl::StrCat("Spikes heard by each electrode in the last ", config.num_history_steps,
                   " steps, oldest first; the culture's mean rate per cell over the last ",
                   config.num_rate_steps, " steps, Hz; the target, Hz.");
  const double max_count = std::ceil(config.step_ms / 2.0 + 1.0) * system.num_cells();
  for (int h = config.num_history_steps - 1; h >= 0; --h) {
    for (const io::Electrode& e : electrodes) {
      observation.element_names.push_back(absl::StrCat("spikes_e", e.id, "_t-", h));
      observation.low.push_back(0.0);
      observation.high.push_back(max_count);
    }
  }
  observation.element_names.push_back("rate_hz");
  observation.low.push_back(0.0);
  observation.high.push_back(kMaxRateHz + 20.0);
  observation.element_names.push_back("target_rate_hz");
  observation.low.push_back(config.min_target_hz);
  observation.high.push_back(config.max_target_hz);
  observation.shape = {static_cast<int64_t>(observation.low.size())};

  const double max_charge = StepChargeNc(config, nullptr, static_cast<int>(electrodes.size()));
  spec.infos.resize(kNumTargetRateInfos);
  spec.infos[kRateHz] =
      Info("rate_hz", "Hz", "Mean rate per cell over the rate window.", 0.0, kMaxRateHz + 20.0);
  spec.infos[kTargetRateHz] = Info("target_rate_hz", "Hz", "The episode's target.",
                                   config.min_target_hz, config.max_target_hz);
  spec.infos[kNumSpikes] =
      Info("num_spikes", "1", "Spikes of all cells in this step.", 0.0, max_count);
  spec.infos[kChargeNc] =
      Info("charge_nc", "nC", "Charge delivered in this step, both phases.", 0.0, max_charge);
  spec.infos[kNumericalFailure] =
      Info("numerical_failure", "1",
           "1 if the simulation of this copy left the range of numbers; the episode is truncated.",
           0.0, 1.0);

  spec.reset_options.push_back({"target_rate_hz",
                                "Target of the new episode, instead of a random one.",
                                config.min_target_hz, config.max_target_hz});
  spec.settings = {{"step_ms", config.step_ms},
                   {"phase_us", config.phase_us},
                   {"max_amplitude_ua", config.max_amplitude_ua},
                   {"num_history_steps", config.num_history_steps},
                   {"num_rate_steps", config.num_rate_steps},
                   {"episode_steps", config.episode_steps},
                   {"settle_ms", config.settle_ms},
                   {"min_target_hz", config.min_target_hz},
                   {"max_target_hz", config.max_target_hz},
                   {"charge_price", config.charge_price}};
  return spec;
}

double StepChargeNc(const TargetRateConfig& config, const float* action, int num_electrodes) {
  double sum = 0.0;
  for (int e = 0; e < num_electrodes; ++e) {
    sum += action == nullptr ? 1.0 : std::fabs(static_cast<double>(action[e]));
  }
  // uA * us = pC.
  return sum * config.max_amplitude_ua * 2.0 * config.phase_us * 1e-3;
}

double TargetRateReward(const TargetRateConfig& config, double rate_hz, double target_hz,
                        const float* action, int num_electrodes) {
  double mean = 0.0;
  for (int e = 0; e < num_electrodes; ++e) mean += std::fabs(static_cast<double>(action[e]));
  mean /= num_electrodes;
  return -std::fabs(rate_hz - target_hz) / target_hz - config.charge_price * mean;
}

double EpisodeTargetHz(const TargetRateConfig& config, uint64_t episode_seed) {
  const double u = UniformOf(episode_seed, SeedPurpose::kTarget);
  return config.min_target_hz + u * (config.max_target_hz - config.min_target_hz);
}

}  // namespace livnd::env
