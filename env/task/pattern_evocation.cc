#include "env/task/pattern_evocation.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/seed.h"
#include "env/task/spec_parts.h"
#include "io/decoding/window.h"
#include "sim/culture/culture.h"
#include "sim/gang/gang.h"

namespace livnd::env {
namespace {

// How a pattern is made: in each step one electrode, or none.
constexpr double kSilentSteps = 0.4;
constexpr double kLeastAmplitude = 0.4;
constexpr uint64_t kPatternsSeed = 0x5061747465726e73;

// Uniform in [0, 1), the n-th draw for a step of a pattern.
double Draw(int pattern, int step, uint64_t n) {
  const uint64_t key =
      Mix(kPatternsSeed + static_cast<uint64_t>(pattern)) + static_cast<uint64_t>(step);
  return UniformOf(Mix(key) + n, SeedPurpose::kPattern);
}

EnvironmentSpec SpecOf(const PatternEvocationConfig& config, const io::System& system) {
  const auto& electrodes = system.electrode_array->electrodes;
  EnvironmentSpec spec = SpecOnSystem(
      PatternEvocation::kName, system,
      "Make the culture fire a pattern of spikes in space and time that changes by episode, by one "
      "biphasic pulse per electrode and step, and spend little charge.",
      config.step_ms, config.episode_steps);
  spec.actions = {CathodicPulseSpec(system, config.pulse.max_amplitude_ua)};

  TensorSpec& observation = spec.observations.emplace_back(
      ObservationSpec("Spikes wanted at each electrode in the first half of the next step, and in "
                      "its second half; spikes heard by each in the last step."));
  const double most = MaxSpikesPerCell(config.step_ms) * system.num_cells();
  for (const char* part : {"wanted_early_e", "wanted_late_e", "spikes_e"}) {
    for (const io::Electrode& e : electrodes) {
      AddElement(absl::StrCat(part, e.id), 0.0, most, &observation);
    }
  }

  const double most_heard = most * static_cast<double>(electrodes.size());
  spec.infos.resize(kNumPatternEvocationInfos);
  spec.infos[kDistance] =
      InfoSpec("distance", "1",
               "Van Rossum's distance of the spikes heard in this step from those wanted, for each "
               "cell that an electrode hears, mean over the electrodes.",
               0.0, 2.0 * MaxSpikesPerCell(config.step_ms));
  spec.infos[kPattern] =
      InfoSpec("pattern", "1", "Number of the episode's pattern.", 0.0, config.num_patterns - 1.0);
  spec.infos[kWantedSpikes] = InfoSpec(
      "wanted_spikes", "1", "Spikes wanted in this step, over all electrodes.", 0.0, most_heard);
  spec.infos[kHeardSpikes] = InfoSpec(
      "heard_spikes", "1", "Spikes heard in this step, over all electrodes.", 0.0, most_heard);
  spec.infos[kPatternChargeNc] =
      InfoSpec("charge_nc", "nC", "Charge delivered in this step, both phases.", 0.0,
               config.pulse.ChargeNc(static_cast<double>(electrodes.size())));
  spec.infos[kPatternFailure] = NumericalFailureSpec();

  spec.reset_options.push_back({"pattern",
                                "Number of the new episode's pattern, instead of a random one; "
                                "rounded down.",
                                0.0, config.num_patterns - 1.0});
  spec.settings = {{"step_ms", config.step_ms},
                   {"phase_us", config.pulse.phase_us},
                   {"max_amplitude_ua", config.pulse.max_amplitude_ua},
                   {"episode_steps", config.episode_steps},
                   {"num_patterns", config.num_patterns},
                   {"tau_ms", config.tau_ms},
                   {"settle_ms", config.settle_ms},
                   {"charge_price", config.charge_price}};
  return spec;
}

}  // namespace

absl::Status PatternEvocationConfig::Validate() const {
  for (const absl::Status& s :
       {CheckRange("episode_steps", episode_steps, 1, 1000),
        CheckRange("num_patterns", num_patterns, 1, 100), CheckRange("tau_ms", tau_ms, 0.1, 1e4),
        CheckRange("charge_price", charge_price, 0.0, 1e6),
        CheckRange("pulse.max_amplitude_ua", pulse.max_amplitude_ua, 1e-3, 1e3)}) {
    if (!s.ok()) return s;
  }
  // The pulse is over long before the step is.
  return CheckRange("pulse.phase_us", pulse.phase_us, 0.0, step_ms * 1000.0 / 4.0);
}

absl::StatusOr<EnvironmentSpec> PatternEvocation::Offer(const io::System& system) {
  LIVND_RETURN_IF_ERROR(TaskModel::CheckSuits(system));
  return SpecOf(PatternEvocationConfig(), system);
}

absl::StatusOr<std::shared_ptr<const PatternEvocation>> PatternEvocation::Create(
    const io::System& system, const PatternEvocationConfig& config) {
  LIVND_RETURN_IF_ERROR(config.Validate());
  LIVND_ASSIGN_OR_RETURN(std::shared_ptr<const TaskModel> model,
                         TaskModel::Create(system, TaskModelConfig::Of(config)));
  LIVND_ASSIGN_OR_RETURN(
      const io::BiphasicPulse pulse,
      io::BiphasicPulse::Create(config.pulse, model->num_electrodes(), model->culture()->dt_ms()));
  std::shared_ptr<PatternEvocation> task(
      new PatternEvocation(config, SpecOf(config, system), std::move(model), pulse));
  LIVND_RETURN_IF_ERROR(task->RecordPatterns());
  return std::shared_ptr<const PatternEvocation>(std::move(task));
}

PatternEvocation::PatternEvocation(const PatternEvocationConfig& config, EnvironmentSpec spec,
                                   std::shared_ptr<const TaskModel> model,
                                   const io::BiphasicPulse& pulse)
    : config_(config),
      spec_(std::move(spec)),
      model_(std::move(model)),
      pulse_(pulse),
      units_(io::UnitMap::OfElectrodes(model_->gids_in_reach())),
      step_ticks_(std::llround(config.step_ms / model_->culture()->dt_ms())) {
  for (const std::vector<uint32_t>& gids : model_->gids_in_reach()) {
    cells_heard_.push_back(static_cast<double>(gids.size()));
  }
  hidden_.resize(static_cast<size_t>(config_.num_patterns * config_.episode_steps) *
                 num_electrodes());
  for (int p = 0; p < config_.num_patterns; ++p) {
    for (int s = 0; s < config_.episode_steps; ++s) {
      if (Draw(p, s, 0) < kSilentSteps) continue;
      const auto electrode =
          static_cast<size_t>(Draw(p, s, 1) * static_cast<double>(num_electrodes()));
      hidden_[static_cast<size_t>(p * config_.episode_steps + s) * num_electrodes() + electrode] =
          static_cast<float>(kLeastAmplitude + (1.0 - kLeastAmplitude) * Draw(p, s, 2));
    }
  }
}

absl::Span<const float> PatternEvocation::HiddenAmplitudes(int pattern, int step) const {
  return absl::MakeSpan(hidden_).subspan(
      static_cast<size_t>(pattern * config_.episode_steps + step) * num_electrodes(),
      num_electrodes());
}

absl::Status PatternEvocation::RecordPatterns() {
  sim::Gang gang(model_->culture(), config_.num_patterns);
  gang.SetStimulusMap(model_->stimulus_mode(), model_->stimulation());
  for (int p = 0; p < config_.num_patterns; ++p) {
    gang.LoadCopy(p, model_->settled_state());
    gang.SetSeed(p, Mix(kPatternsSeed ^ static_cast<uint64_t>(p)));
  }
  wanted_.resize(static_cast<size_t>(config_.num_patterns * config_.episode_steps));
  for (int s = 0; s < config_.episode_steps; ++s) {
    for (int p = 0; p < config_.num_patterns; ++p) {
      sim::Waveform currents_ua;
      pulse_.Encode(HiddenAmplitudes(p, s), gang.tick(p), &currents_ua);
      LIVND_RETURN_IF_ERROR(gang.Install(p, model_->stimulus_mode(), std::move(currents_ua)));
    }
    const int64_t first_tick = gang.tick(0);
    std::vector<sim::Spike> spikes;
    gang.Advance(step_ticks_, &spikes);
    std::vector<std::vector<sim::Spike>> of_pattern(static_cast<size_t>(config_.num_patterns));
    for (sim::Spike spike : spikes) {
      spike.tick -= first_tick;
      of_pattern[static_cast<size_t>(spike.copy)].push_back(spike);
    }
    LIVND_RETURN_IF_ERROR(RecordStep(of_pattern, s));
  }
  return absl::OkStatus();
}

absl::Status PatternEvocation::RecordStep(absl::Span<const std::vector<sim::Spike>> spikes,
                                          int step) {
  io::DecodingWindow window;
  window.num_units = model_->num_electrodes();
  window.tick_ms = model_->culture()->dt_ms();
  window.num_ticks = step_ticks_;
  for (int p = 0; p < config_.num_patterns; ++p) {
    Wanted& wanted = wanted_[static_cast<size_t>(p * config_.episode_steps + step)];
    wanted.early.assign(num_electrodes(), 0.0);
    wanted.late.assign(num_electrodes(), 0.0);
    io::VanRossumConfig distance;
    distance.tau_ms = config_.tau_ms;
    distance.reference_ms.resize(num_electrodes());
    units_.ForEach(spikes[static_cast<size_t>(p)], 0, [&](const io::UnitSpike& spike) {
      const auto e = static_cast<size_t>(spike.unit);
      (2 * spike.tick < step_ticks_ ? wanted.early : wanted.late)[e] += 1.0;
      wanted.num_spikes += 1.0;
      distance.reference_ms[e].push_back(static_cast<double>(spike.tick) * window.tick_ms);
    });
    LIVND_ASSIGN_OR_RETURN(wanted.distance, io::MakeDecoding<io::VanRossum>(distance, window));
  }
  return absl::OkStatus();
}

const PatternEvocation::Wanted& PatternEvocation::WantedIn(double pattern, double step) const {
  return wanted_[static_cast<size_t>(pattern) * static_cast<size_t>(config_.episode_steps) +
                 static_cast<size_t>(step)];
}

size_t PatternEvocation::state_size() const {
  return kHeard + 2 * num_electrodes() + wanted_.front().distance->state_size();
}

absl::Status PatternEvocation::CheckState(absl::Span<const double> state) const {
  const auto check = [&](size_t i, int num) {
    const double x = state[i];
    if (x >= 0.0 && x < num && x == std::floor(x)) return absl::OkStatus();
    return MakeFieldError(absl::StrCat("task[", i, "]"), Exact(x),
                          absl::StrCat("a whole number from 0 to ", num - 1));
  };
  LIVND_RETURN_IF_ERROR(check(kPatternOf, config_.num_patterns));
  return check(kStepOf, config_.episode_steps);
}

void PatternEvocation::NewEpisode(const EpisodeStart& start, absl::Span<double> state,
                                  const Seen& seen) const {
  const auto option = start.options.find("pattern");
  std::fill(state.begin(), state.end(), 0.0);
  state[kPatternOf] = option != start.options.end() ? std::floor(option->second)
                                                    : EpisodePattern(config_, start.seed);
  Show(state, seen);
  for (int i = 0; i < kNumPatternEvocationInfos; ++i) seen.info<double>(i)[0] = 0.0;
  seen.info<double>(kPattern)[0] = state[kPatternOf];
}

void PatternEvocation::Encode(const Action& action, absl::Span<double> /*state*/, int64_t tick,
                              sim::Waveform* currents_ua) const {
  pulse_.Encode(action.get<float>(0), tick, currents_ua);
}

double PatternEvocation::Distance(const Wanted& wanted, absl::Span<const sim::Spike> spikes,
                                  int64_t first_tick, absl::Span<double> state) const {
  const absl::Span<double> heard = state.subspan(kHeard, num_electrodes());
  const absl::Span<double> distances = state.subspan(kHeard + num_electrodes(), num_electrodes());
  const absl::Span<double> kept = state.subspan(kHeard + 2 * num_electrodes());
  std::fill(heard.begin(), heard.end(), 0.0);
  wanted.distance->Begin(kept);
  units_.ForEach(spikes, first_tick, [&](const io::UnitSpike& spike) {
    heard[static_cast<size_t>(spike.unit)] += 1.0;
    wanted.distance->AddSpike(spike, kept);
  });
  // Cannot fail: it keeps no spikes.
  wanted.distance->Finish(kept, distances).IgnoreError();
  double sum = 0.0, electrodes = 0.0;
  for (size_t e = 0; e < num_electrodes(); ++e) {
    if (cells_heard_[e] == 0.0) continue;
    sum += distances[e] / cells_heard_[e];
    electrodes += 1.0;
  }
  return electrodes == 0.0 ? 0.0 : sum / electrodes;
}

StepEnd PatternEvocation::Finish(const Action& action, const Activity& activity,
                                 absl::Span<double> state, const Seen& seen) const {
  const Wanted& wanted = WantedIn(state[kPatternOf], state[kStepOf]);
  const double distance = Distance(wanted, activity.spikes, activity.first_tick, state);
  double heard = 0.0;
  for (const double count : state.subspan(kHeard, num_electrodes())) heard += count;
  const absl::Span<const float> amplitudes = action.get<float>(0);
  const double charge_nc = pulse_.ChargeNc(amplitudes);
  seen.info<double>(kDistance)[0] = distance;
  seen.info<double>(kPattern)[0] = state[kPatternOf];
  seen.info<double>(kWantedSpikes)[0] = wanted.num_spikes;
  seen.info<double>(kHeardSpikes)[0] = heard;
  seen.info<double>(kPatternChargeNc)[0] = charge_nc;
  seen.info<double>(kPatternFailure)[0] = activity.finite ? 0.0 : 1.0;
  // The last step of an episode shows the first one of its pattern, which nobody plays.
  state[kStepOf] = state[kStepOf] + 1.0 < config_.episode_steps ? state[kStepOf] + 1.0 : 0.0;
  Show(state, seen);
  StepEnd end;
  end.reward = -distance - config_.charge_price * charge_nc /
                               config_.pulse.ChargeNc(static_cast<double>(num_electrodes()));
  return end;
}

void PatternEvocation::Show(absl::Span<const double> state, const Seen& seen) const {
  const Wanted& next = WantedIn(state[kPatternOf], state[kStepOf]);
  auto out = seen.observation<float>(0).begin();
  for (const double count : next.early) *out++ = static_cast<float>(count);
  for (const double count : next.late) *out++ = static_cast<float>(count);
  for (const double count : state.subspan(kHeard, num_electrodes())) {
    *out++ = static_cast<float>(count);
  }
}

int PatternEvocation::EpisodePattern(const PatternEvocationConfig& config, uint64_t episode_seed) {
  return static_cast<int>(UniformOf(episode_seed, SeedPurpose::kPattern) * config.num_patterns);
}

}  // namespace livnd::env
