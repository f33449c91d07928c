#include "env/task/vector_environment.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "env/gang_size.h"
#include "env/seed.h"
#include "env/task/task_model.h"
#include "sim/gang/gang.h"

namespace livnd::env {
namespace {

// What one copy carries beside its culture.
struct Copy {
  bool was_reset = false;
  bool ended = false;
  uint64_t seed = 0;  // of the copy's stream
  uint64_t num_episodes_of_seed = 0;
  uint64_t episode_seed = 0;
  int64_t episode = 0;
  int64_t step = 0;  // within the episode
  double target_hz = 0.0;
  std::deque<StepCounts> recent;  // oldest first
};

struct GangSlice {
  int first_copy;
  std::unique_ptr<sim::Gang> gang;
  std::vector<sim::Spike> spikes;
  std::vector<StepCounts> counts;
};

class TargetRateEnvironment final : public VectorEnvironment {
 public:
  TargetRateEnvironment(std::shared_ptr<const EnvironmentModel> model, int num_envs,
                        AutoresetMode autoreset, uint64_t unseeded_seed, sim::Executor& executor)
      : model_(std::move(model)),
        autoreset_(autoreset),
        unseeded_seed_(unseeded_seed),
        executor_(executor),
        copies_(static_cast<size_t>(num_envs)) {
    const int size = CopiesOfGang(num_envs, model_->settled_state().size(), executor.concurrency());
    for (int first = 0; first < num_envs; first += size) {
      const int n = std::min(size, num_envs - first);
      GangSlice& slice = gangs_.emplace_back();
      slice.first_copy = first;
      slice.gang = std::make_unique<sim::Gang>(model_->culture(), n);
      slice.gang->SetStimulusMap(sim::StimulusMode::kField, model_->stimulation());
      slice.counts.assign(static_cast<size_t>(n), model_->NoCounts());
    }
    share_.emplace(executor, static_cast<int>(gangs_.size()));
    const size_t n = copies_.size();
    outcome_.observations.resize(n * static_cast<size_t>(spec().observation.num_elements()));
    outcome_.rewards.resize(n);
    outcome_.terminated.resize(n);
    outcome_.truncated.resize(n);
    outcome_.infos.assign(kNumTargetRateInfos, std::vector<double>(n));
    outcome_.seeds.resize(n);
    outcome_.episodes.resize(n);
    outcome_.ticks.resize(n);
  }

  const EnvironmentSpec& spec() const override { return model_->spec(); }
  int num_envs() const override { return static_cast<int>(copies_.size()); }
  const Outcome& outcome() const override { return outcome_; }
  bool was_reset() const override {
    return std::all_of(copies_.begin(), copies_.end(), [](const Copy& c) { return c.was_reset; });
  }
  int first_ended() const override {
    if (autoreset_ != AutoresetMode::kDisabled) return -1;
    for (int c = 0; c < num_envs(); ++c) {
      if (copies_[static_cast<size_t>(c)].ended) return c;
    }
    return -1;
  }

  absl::Status Reset(const ResetRequest& request) override {
    if (absl::Status s = CheckReset(request); !s.ok()) return s;
    const auto option = request.options.find("target_rate_hz");
    for (int c = 0; c < num_envs(); ++c) {
      const auto i = static_cast<size_t>(c);
      if (!request.mask.empty() && request.mask[i] == 0) continue;
      Copy& copy = copies_[i];
      if (!request.seeds.empty() && request.seeds[i].has_value()) {
        copy.seed = *request.seeds[i];
        copy.num_episodes_of_seed = 0;
      } else if (!copy.was_reset) {
        copy.seed = EpisodeSeed(unseeded_seed_, static_cast<uint64_t>(c) + 1);
        copy.num_episodes_of_seed = 0;
      }
      StartEpisode(c);
      if (option != request.options.end()) copy.target_hz = option->second;
      outcome_.rewards[i] = 0.0;
      outcome_.terminated[i] = outcome_.truncated[i] = 0;
      Report(c, 0.0, 0.0, false);
    }
    return absl::OkStatus();
  }

  absl::Status Step(absl::Span<const float> actions) override {
    if (absl::Status s = CheckStep(actions); !s.ok()) return s;
    const int num_electrodes = model_->num_electrodes();
    executor_.ParallelFor(static_cast<int>(gangs_.size()), [&](int g) {
      GangSlice& slice = gangs_[static_cast<size_t>(g)];
      const int n = slice.gang->num_copies();
      for (int k = 0; k < n; ++k) {
        const float* action =
            actions.data() + static_cast<size_t>(slice.first_copy + k) * num_electrodes;
        // Cannot fail: the map is set and CheckStep has seen the numbers.
        slice.gang
            ->Install(k, sim::StimulusMode::kField, model_->Pulse(slice.gang->tick(k), action))
            .IgnoreError();
      }
      slice.spikes.clear();
      slice.gang->Advance(model_->step_ticks(), &slice.spikes, {},
                          ExecutorFor(*slice.gang, *share_));
      for (StepCounts& c : slice.counts) c = model_->NoCounts();
      model_->Count(slice.spikes, absl::MakeSpan(slice.counts));
      for (int k = 0; k < n; ++k) {
        FinishStep(slice, k,
                   actions.data() + static_cast<size_t>(slice.first_copy + k) * num_electrodes);
      }
    });
    return absl::OkStatus();
  }

 private:
  absl::Status CheckReset(const ResetRequest& request) const {
    const size_t n = copies_.size();
    if (!request.seeds.empty() && request.seeds.size() != n) {
      return absl::InvalidArgumentError(
          absl::StrCat("seeds has ", request.seeds.size(), " entries; takes ", n));
    }
    if (!request.mask.empty() && request.mask.size() != n) {
      return absl::InvalidArgumentError(
          absl::StrCat("mask has ", request.mask.size(), " entries; takes ", n));
    }
    if (!request.mask.empty() &&
        std::all_of(request.mask.begin(), request.mask.end(), [](uint8_t m) { return m == 0; })) {
      return absl::InvalidArgumentError("mask selects no copy; takes at least one");
    }
    for (const auto& entry : request.options) {
      const std::string& name = entry.first;
      const double value = entry.second;
      const auto& known = spec().reset_options;
      const auto option = std::find_if(known.begin(), known.end(),
                                       [&](const OptionSpec& o) { return o.name == name; });
      if (option == known.end()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "unknown option '", name,
            "'; accepted: ", absl::StrJoin(known, ", ", [](std::string* out, const OptionSpec& o) {
              out->append(o.name);
            })));
      }
      if (!(value >= option->min && value <= option->max)) {
        return absl::InvalidArgumentError(absl::StrCat("option ", name, " = ", value, "; takes ",
                                                       option->min, " to ", option->max));
      }
    }
    for (size_t i = 0; i < n; ++i) {
      if (!request.mask.empty() && request.mask[i] == 0 && !copies_[i].was_reset) {
        return absl::FailedPreconditionError(
            absl::StrCat("copy ", i, " was never reset and the mask leaves it out"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckStep(absl::Span<const float> actions) const {
    const auto size = static_cast<size_t>(model_->num_electrodes());
    if (actions.size() != copies_.size() * size) {
      return absl::InvalidArgumentError(absl::StrCat(
          "actions has ", actions.size(), " numbers; takes ", copies_.size(), " x ", size));
    }
    if (!was_reset()) return absl::FailedPreconditionError("a copy was never reset");
    if (const int c = first_ended(); c >= 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("the episode of copy ", c, " has ended; reset it first"));
    }
    const TensorSpec& a = spec().action;
    for (size_t i = 0; i < actions.size(); ++i) {
      const double x = actions[i];
      const size_t e = i % size;
      if (x >= a.low[e] && x <= a.high[e]) continue;
      // With NEXT_STEP the action of an ended copy is not looked at.
      if (autoreset_ == AutoresetMode::kNextStep && copies_[i / size].ended) continue;
      return absl::InvalidArgumentError(absl::StrCat("action of copy ", i / size, ", ",
                                                     a.element_names[e], " = ", x, "; takes ",
                                                     a.low[e], " to ", a.high[e]));
    }
    return absl::OkStatus();
  }

  GangSlice& SliceOf(int c) {
    auto slice = std::upper_bound(gangs_.begin(), gangs_.end(), c,
                                  [](int copy, const GangSlice& s) { return copy < s.first_copy; });
    return *std::prev(slice);
  }

  // A copy of the settled culture with the next seed of the copy's stream.
  void StartEpisode(int c) {
    Copy& copy = copies_[static_cast<size_t>(c)];
    copy.episode_seed = EpisodeSeed(copy.seed, copy.num_episodes_of_seed++);
    ++copy.episode;
    copy.was_reset = true;
    copy.ended = false;
    copy.step = 0;
    copy.target_hz = EpisodeTargetHz(model_->config(), copy.episode_seed);
    copy.recent.assign(model_->settled_counts().begin(), model_->settled_counts().end());
    GangSlice& slice = SliceOf(c);
    slice.gang->LoadCopy(c - slice.first_copy, model_->settled_state());
    slice.gang->SetSeed(c - slice.first_copy, copy.episode_seed);
  }

  double RateHz(const Copy& copy) const {
    const int window = model_->config().num_rate_steps;
    double spikes = 0.0;
    for (auto it = copy.recent.end() - window; it != copy.recent.end(); ++it) {
      spikes += it->all_cells;
    }
    return spikes / static_cast<double>(model_->num_cells()) /
           (window * model_->config().step_ms * 1e-3);
  }

  void FinishStep(GangSlice& slice, int k, const float* action) {
    const int c = slice.first_copy + k;
    const auto i = static_cast<size_t>(c);
    Copy& copy = copies_[i];
    outcome_.terminated[i] = outcome_.truncated[i] = 0;
    if (copy.ended) {  // NEXT_STEP: this call resets, whatever the action was
      StartEpisode(c);
      outcome_.rewards[i] = 0.0;
      Report(c, 0.0, 0.0, false);
      return;
    }
    ++copy.step;
    copy.recent.pop_front();
    copy.recent.push_back(slice.counts[static_cast<size_t>(k)]);
    const bool failed = !slice.gang->IsFinite(k);
    const double rate_hz = RateHz(copy);
    outcome_.rewards[i] = TargetRateReward(model_->config(), rate_hz, copy.target_hz, action,
                                           model_->num_electrodes());
    copy.ended = failed || copy.step >= model_->config().episode_steps;
    outcome_.truncated[i] = copy.ended ? 1 : 0;
    Report(c, copy.recent.back().all_cells,
           StepChargeNc(model_->config(), action, model_->num_electrodes()), failed);
  }

  void Report(int c, double num_spikes, double charge_nc, bool failed) {
    const auto i = static_cast<size_t>(c);
    const Copy& copy = copies_[i];
    const double rate_hz = RateHz(copy);
    float* out =
        outcome_.observations.data() + i * static_cast<size_t>(spec().observation.num_elements());
    for (auto it = copy.recent.end() - model_->config().num_history_steps; it != copy.recent.end();
         ++it) {
      out = std::copy(it->per_electrode.begin(), it->per_electrode.end(), out);
    }
    *out++ = static_cast<float>(rate_hz);
    *out++ = static_cast<float>(copy.target_hz);
    outcome_.infos[kRateHz][i] = rate_hz;
    outcome_.infos[kTargetRateHz][i] = copy.target_hz;
    outcome_.infos[kNumSpikes][i] = num_spikes;
    outcome_.infos[kChargeNc][i] = charge_nc;
    outcome_.infos[kNumericalFailure][i] = failed ? 1.0 : 0.0;
    outcome_.seeds[i] = copy.episode_seed;
    outcome_.episodes[i] = copy.episode;
    outcome_.ticks[i] = copy.step * model_->step_ticks();
  }

  const std::shared_ptr<const EnvironmentModel> model_;
  const AutoresetMode autoreset_;
  const uint64_t unseeded_seed_;
  sim::Executor& executor_;
  std::optional<sim::ExecutorShare> share_;  // of each gang
  std::vector<Copy> copies_;
  std::vector<GangSlice> gangs_;
  Outcome outcome_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VectorEnvironment>> VectorEnvironment::Create(
    std::shared_ptr<const EnvironmentModel> model, int num_envs, AutoresetMode autoreset,
    uint64_t unseeded_seed, sim::Executor& executor) {
  if (num_envs < 1) {
    return absl::InvalidArgumentError(absl::StrCat("num_envs = ", num_envs, "; takes 1 or more"));
  }
  return std::make_unique<TargetRateEnvironment>(std::move(model), num_envs, autoreset,
                                                 unseeded_seed, executor);
}

}  // namespace livnd::env
