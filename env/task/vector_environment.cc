#include "env/task/vector_environment.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "base/field_error.h"
#include "env/copies.h"
#include "env/passage.h"
#include "env/seed.h"
#include "env/task/task_model.h"

namespace livnd::env {
namespace {

// What one copy carries beside its culture and its task's state.
struct Copy {
  bool was_reset = false;
  bool ended = false;
  uint64_t seed = 0;  // of the copy's stream
  uint64_t num_episodes_of_seed = 0;
  uint64_t episode_seed = 0;
  int64_t episode = 0;
  int64_t step = 0;  // within the episode
  std::shared_ptr<sim::Waveform> currents_ua = std::make_shared<sim::Waveform>();
  // Of the last step.
  bool was_simulated = false;
  int64_t start_tick = 0;    // of the culture
  int group = 0, place = 0;  // where it ran
};

// What a group of copies needs in a step; kept for its memory.
struct GroupScratch {
  std::vector<sim::Spike> spikes, sorted;  // by time; by copy, then time
  std::vector<size_t> end_of_copy;         // into sorted
  std::vector<uint8_t> rests;              // [copy of the group] 1: its episode has ended
  std::vector<std::vector<SeriesRecorder>> recorders;  // [copy of the group][series]
  std::vector<sim::Probe*> probes;                     // of copies that do not rest
};

// Sorts spikes by copy, those of one copy by time as they are.
void SortByCopy(GroupScratch& scratch, int num_copies) {
  std::vector<size_t>& end = scratch.end_of_copy;
  end.assign(static_cast<size_t>(num_copies), 0);
  for (const sim::Spike& spike : scratch.spikes) ++end[static_cast<size_t>(spike.copy)];
  size_t sum = 0;
  for (size_t& of_copy : end) {
    sum += of_copy;
    of_copy = sum - of_copy;  // where the copy's spikes begin
  }
  scratch.sorted.resize(scratch.spikes.size());
  for (const sim::Spike& spike : scratch.spikes) {
    scratch.sorted[end[static_cast<size_t>(spike.copy)]++] = spike;
  }
}

// The first element of a copy's tensor that its bounds do not hold, or -1.
template <typename T>
int64_t FirstOutOfBounds(absl::Span<const T> elements, const TensorSpec& spec) {
  for (size_t e = 0; e < elements.size(); ++e) {
    const auto x = static_cast<double>(elements[e]);
    if (!(x >= spec.low[e] && x <= spec.high[e])) return static_cast<int64_t>(e);  // NaN too
  }
  return -1;
}

template <typename T>
absl::Status CheckBounds(const TensorBatch& actions, int tensor, const TensorSpec& spec, int copy) {
  const absl::Span<const T> elements = actions.of<T>(tensor, copy);
  const int64_t e = FirstOutOfBounds(elements, spec);
  if (e < 0) return absl::OkStatus();
  const auto i = static_cast<size_t>(e);
  const std::string element =
      i < spec.element_names.size() ? spec.element_names[i] : absl::StrCat("element ", i);
  return MakeFieldError(absl::StrCat("actions[", tensor, "].data"),
                        absl::StrCat(Exact(elements[i]), " (copy ", copy, ", ", element, ")"),
                        absl::StrCat(Exact(spec.low[i]), " .. ", Exact(spec.high[i])));
}

// What an autoreset asks for.
const std::map<std::string, double>& NoOptions() {
  static const std::map<std::string, double> none;
  return none;
}

// The spec with the limit that comes first; 0 is none.
EnvironmentSpec Limited(EnvironmentSpec spec, int64_t max_episode_steps) {
  if (max_episode_steps > 0 &&
      (spec.max_episode_steps == 0 || max_episode_steps < spec.max_episode_steps)) {
    spec.max_episode_steps = max_episode_steps;
  }
  return spec;
}

class TaskEnvironment final : public VectorEnvironment {
 public:
  TaskEnvironment(std::shared_ptr<const Task> task, int num_envs, AutoresetMode autoreset,
                  uint64_t unseeded_seed, sim::Executor& executor, int64_t max_episode_steps)
      : task_(std::move(task)),
        spec_(Limited(task_->spec(), max_episode_steps)),
        autoreset_(autoreset),
        step_ticks_(std::llround(spec().step_duration_ms * 1e6 /
                                 static_cast<double>(std::max<int64_t>(1, spec().tick_ns)))),
        copies_(static_cast<size_t>(num_envs)),
        states_(static_cast<size_t>(num_envs) * task_->state_size()),
        outcome_(task_->spec(), num_envs) {
    for (size_t i = 0; i < copies_.size(); ++i) copies_[i].seed = EpisodeSeed(unseeded_seed, i + 1);
    if (autoreset_ == AutoresetMode::kSameStep) {
      outcome_.final_observations = TensorBatch(spec().observations, num_envs);
      outcome_.final_infos = TensorBatch(spec().infos, num_envs);
    }
    const TaskModel* model = task_->model();
    if (model == nullptr) return;
    cultures_.emplace(model->culture(), num_envs, executor);
    cultures_->SetStimulusMap(model->stimulus_mode(), model->stimulation());
    scratch_.resize(static_cast<size_t>(cultures_->num_groups()));
  }

  const EnvironmentSpec& spec() const override { return spec_; }
  int num_envs() const override { return static_cast<int>(copies_.size()); }
  const Outcome& outcome() const override { return outcome_; }
  const Task& task() const override { return *task_; }
  StepActivity activity(int c) const override {
    const Copy& copy = copies_[static_cast<size_t>(c)];
    if (!copy.was_simulated) return {};
    const GroupScratch& scratch = scratch_[static_cast<size_t>(copy.group)];
    const auto k = static_cast<size_t>(copy.place);
    const size_t first = k == 0 ? 0 : scratch.end_of_copy[k - 1];
    return {copy.start_tick,
            absl::MakeSpan(scratch.sorted).subspan(first, scratch.end_of_copy[k] - first),
            copy.currents_ua.get(),
            scratch.recorders.empty() ? absl::Span<const SeriesRecorder>() : scratch.recorders[k]};
  }
  const std::vector<SeriesSelection>& series() const override { return series_; }
  std::vector<int64_t> num_series_rows() const override {
    std::vector<int64_t> out;
    if (series_.empty()) return out;
    for (const SeriesRecorder& recorder : scratch_[0].recorders[0]) {
      out.push_back(recorder.num_rows());
    }
    return out;
  }

  absl::Status RecordSeries(std::vector<SeriesSelection> series) override {
    if (!series.empty() && !cultures_.has_value()) {
      return MakeFieldError("series", absl::StrCat(series.size(), " series"),
                            "none: the task has no culture");
    }
    std::shared_ptr<const ElectrodeHearing> hearing;
    if (!series.empty()) {
      if (absl::Status s = CheckSeries("series", series, cultures_->culture(), true); !s.ok()) {
        return s;
      }
      if (std::any_of(series.begin(), series.end(), [](const SeriesSelection& s) {
            return s.quantity == RecordedQuantity::kElectrodePotentialUv;
          })) {
        hearing = std::make_shared<const ElectrodeHearing>(task_->model()->Hearing());
      }
    }
    series_ = std::move(series);
    for (GroupScratch& scratch : scratch_) {
      scratch.recorders.clear();
      scratch.probes.clear();
    }
    if (series_.empty()) return absl::OkStatus();
    cultures_->ParallelFor([&](Copies::Group& group) {
      GroupScratch& scratch = scratch_[static_cast<size_t>(group.index())];
      scratch.recorders.resize(static_cast<size_t>(group.size()));
      for (int k = 0; k < group.size(); ++k) {
        for (const SeriesSelection& s : series_) {
          scratch.recorders[static_cast<size_t>(k)].emplace_back(s, k, cultures_->culture(),
                                                                 hearing);
        }
      }
    });
    return absl::OkStatus();
  }
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
    std::fill(outcome_.began.begin(), outcome_.began.end(), uint8_t{0});
    for (int c = 0; c < num_envs(); ++c) {
      const auto i = static_cast<size_t>(c);
      if (!request.mask.empty() && request.mask[i] == 0) continue;
      Copy& copy = copies_[i];
      if (!request.seeds.empty() && request.seeds[i].has_value()) {
        copy.seed = *request.seeds[i];
        copy.num_episodes_of_seed = 0;
      }
      BeginEpisode(c, request.options);
      copy.was_simulated = false;
    }
    return absl::OkStatus();
  }

  absl::Status BeginStep(const TensorBatch& actions) override {
    if (absl::Status s = CheckStep(actions); !s.ok()) return s;
    std::fill(outcome_.began.begin(), outcome_.began.end(), uint8_t{0});
    actions_ = &actions;
    if (cultures_.has_value()) passage_.emplace(*cultures_, step_ticks_);
    return absl::OkStatus();
  }

  Progress ContinueStep(int64_t max_ticks) override {
    if (!cultures_.has_value()) {
      for (int c = 0; c < num_envs(); ++c) Finish(*actions_, c, Activity());
      return {step_ticks_, true};
    }
    return passage_->Continue(max_ticks, [&](Copies::Group& group, int64_t from, int64_t to) {
      GroupScratch& scratch = scratch_[static_cast<size_t>(group.index())];
      if (from == 0) BeginGroup(*actions_, group, scratch);
      group.Advance(to - from, &scratch.spikes, scratch.probes, scratch.rests);
      KeepSamples(scratch);
      if (to == step_ticks_) FinishGroup(*actions_, group, scratch);
    });
  }

  EnvironmentCopy Save(int c) const override {
    const auto i = static_cast<size_t>(c);
    const Copy& copy = copies_[i];
    EnvironmentCopy out;
    out.was_reset = copy.was_reset;
    out.ended = copy.ended;
    out.seed = copy.seed;
    out.num_episodes_of_seed = copy.num_episodes_of_seed;
    if (!copy.was_reset) return out;
    out.episode_seed = copy.episode_seed;
    out.episode = copy.episode;
    out.step = copy.step;
    // The next episode begins from the settled state.
    if (cultures_.has_value() && !copy.ended) out.culture = cultures_->SaveWhole(c);
    const absl::Span<const double> state = StateOf(c);
    out.task.assign(state.begin(), state.end());
    out.observations = outcome_.observations.SaveCopy(c);
    out.infos = outcome_.infos.SaveCopy(c);
    out.reward = outcome_.rewards[i];
    out.terminated = outcome_.terminated[i] != 0;
    out.truncated = outcome_.truncated[i] != 0;
    out.began = outcome_.began[i] != 0;
    return out;
  }

  absl::Status Restore(absl::Span<const EnvironmentCopy* const> copies) override {
    if (copies.size() != copies_.size()) {
      return MakeFieldError("copies", absl::StrCat(copies.size(), " entries"),
                            absl::StrCat(copies_.size()));
    }
    for (size_t i = 0; i < copies.size(); ++i) {
      if (copies[i] == nullptr) continue;
      if (absl::Status s = CheckCopy(*copies[i]); !s.ok()) return AtField(CopyField(i), s);
    }
    // What a culture refuses shows when it is loaded.
    std::map<int, CopyState> before;
    for (int c = 0; c < num_envs() && cultures_.has_value(); ++c) {
      const EnvironmentCopy* const from = copies[static_cast<size_t>(c)];
      if (from == nullptr || !from->was_reset || from->ended) continue;
      before.emplace(c, cultures_->SaveWhole(c));
      const absl::Status s = cultures_->LoadWhole(c, from->culture);
      if (s.ok()) continue;
      // These were there before.
      for (const auto& [copy, state] : before) cultures_->LoadWhole(copy, state).IgnoreError();
      return AtField(absl::StrCat(CopyField(static_cast<size_t>(c)), ".culture"), s);
    }
    for (int c = 0; c < num_envs(); ++c) {
      if (copies[static_cast<size_t>(c)] != nullptr) Become(c, *copies[static_cast<size_t>(c)]);
    }
    return absl::OkStatus();
  }

 private:
  static std::string CopyField(size_t copy) { return absl::StrCat("copies[", copy, "]"); }

  // All but the culture.
  absl::Status CheckCopy(const EnvironmentCopy& copy) const {
    if (!copy.was_reset) return absl::OkStatus();
    if (copy.task.size() != task_->state_size()) {
      return MakeFieldError("task", absl::StrCat(copy.task.size(), " numbers"),
                            absl::StrCat(task_->state_size()));
    }
    if (absl::Status s = task_->CheckState(copy.task); !s.ok()) return s;
    if (!outcome_.observations.Fits(copy.observations)) {
      return MakeFieldError("observations", "other tensors", "those of the environment's spec");
    }
    if (!outcome_.infos.Fits(copy.infos)) {
      return MakeFieldError("infos", "other tensors", "those of the environment's spec");
    }
    if (copy.episode < 1) return MakeFieldError("episode", absl::StrCat(copy.episode), "1 or more");
    const int64_t most = spec().max_episode_steps > 0 ? spec().max_episode_steps
                                                      : std::numeric_limits<int64_t>::max() /
                                                            std::max<int64_t>(1, step_ticks_);
    if (copy.step < 0 || copy.step > most) {
      return MakeFieldError("step", absl::StrCat(copy.step), absl::StrCat("0 .. ", most));
    }
    return absl::OkStatus();
  }

  // Takes over what CheckCopy and the culture have accepted.
  void Become(int c, const EnvironmentCopy& from) {
    const auto i = static_cast<size_t>(c);
    Copy& copy = copies_[i];
    copy.was_simulated = false;
    copy.was_reset = from.was_reset;
    copy.ended = from.was_reset && from.ended;
    copy.seed = from.seed;
    copy.num_episodes_of_seed = from.num_episodes_of_seed;
    if (!from.was_reset) return;
    copy.episode_seed = from.episode_seed;
    copy.episode = from.episode;
    copy.step = from.step;
    std::copy(from.task.begin(), from.task.end(), StateOf(c).begin());
    outcome_.observations.LoadCopy(c, from.observations);
    outcome_.infos.LoadCopy(c, from.infos);
    outcome_.rewards[i] = from.reward;
    outcome_.terminated[i] = from.terminated ? 1 : 0;
    outcome_.truncated[i] = from.truncated ? 1 : 0;
    outcome_.failed[i] = 0;
    outcome_.began[i] = from.began ? 1 : 0;
    outcome_.seeds[i] = copy.episode_seed;
    outcome_.episodes[i] = copy.episode;
    outcome_.ticks[i] = copy.step * step_ticks_;
  }

  absl::Status CheckReset(const ResetRequest& request) const {
    const size_t n = copies_.size();
    if (!request.seeds.empty() && request.seeds.size() != n) {
      return MakeFieldError("seeds", absl::StrCat(request.seeds.size(), " entries"),
                            absl::StrCat(n));
    }
    if (!request.mask.empty() && request.mask.size() != n) {
      return MakeFieldError("mask", absl::StrCat(request.mask.size(), " entries"), absl::StrCat(n));
    }
    if (!request.mask.empty() &&
        std::all_of(request.mask.begin(), request.mask.end(), [](uint8_t m) { return m == 0; })) {
      return MakeFieldError("mask", "selects no copy", "at least one copy");
    }
    for (const auto& entry : request.options) {
      if (absl::Status s = CheckOption(entry.first, entry.second); !s.ok()) return s;
    }
    for (size_t i = 0; i < n; ++i) {
      if (!request.mask.empty() && request.mask[i] == 0 && !copies_[i].was_reset) {
        return absl::FailedPreconditionError(
            absl::StrCat("copy ", i, " was never reset and the mask leaves it out"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckOption(const std::string& name, double value) const {
    const std::vector<OptionSpec>& known = spec().reset_options;
    const auto option = std::find_if(known.begin(), known.end(),
                                     [&](const OptionSpec& o) { return o.name == name; });
    if (option == known.end()) {
      return MakeFieldError(
          "options", name,
          known.empty() ? "no options"
                        : absl::StrJoin(known, ", ", [](std::string* out, const OptionSpec& o) {
                            out->append(o.name);
                          }));
    }
    if (value >= option->min && value <= option->max) return absl::OkStatus();  // false for NaN
    return MakeFieldError(absl::StrCat("options[", name, "]"), Exact(value),
                          absl::StrCat(Exact(option->min), " .. ", Exact(option->max)));
  }

  absl::Status CheckStep(const TensorBatch& actions) const {
    if (!was_reset()) return absl::FailedPreconditionError("a copy was never reset");
    if (const int c = first_ended(); c >= 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("the episode of copy ", c, " has ended; reset it first"));
    }
    for (int c = 0; c < num_envs(); ++c) {
      if (copies_[static_cast<size_t>(c)].ended) continue;  // its action is not looked at
      for (int i = 0; i < static_cast<int>(spec().actions.size()); ++i) {
        if (absl::Status s = CheckAction(actions, i, c); !s.ok()) return s;
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckAction(const TensorBatch& actions, int tensor, int copy) const {
    const TensorSpec& action = spec().actions[static_cast<size_t>(tensor)];
    switch (action.dtype) {
      case DType::kFloat32:
        return CheckBounds<float>(actions, tensor, action, copy);
      case DType::kFloat64:
        return CheckBounds<double>(actions, tensor, action, copy);
      case DType::kInt64:
        return CheckBounds<int64_t>(actions, tensor, action, copy);
    }
    return absl::OkStatus();
  }

  absl::Span<double> StateOf(int c) {
    const size_t size = task_->state_size();
    return absl::MakeSpan(states_).subspan(static_cast<size_t>(c) * size, size);
  }

  absl::Span<const double> StateOf(int c) const {
    const size_t size = task_->state_size();
    return absl::MakeSpan(states_).subspan(static_cast<size_t>(c) * size, size);
  }

  Seen SeenBy(int c) { return {outcome_.observations, outcome_.infos, c}; }

  // An episode with the next seed of the copy's stream.
  void BeginEpisode(int c, const std::map<std::string, double>& options) {
    const auto i = static_cast<size_t>(c);
    Copy& copy = copies_[i];
    copy.episode_seed = EpisodeSeed(copy.seed, copy.num_episodes_of_seed++);
    ++copy.episode;
    copy.was_reset = true;
    copy.ended = false;
    copy.step = 0;
    if (cultures_.has_value()) {
      cultures_->Load(c, task_->model()->settled_state());
      cultures_->Seed(c, copy.episode_seed);
    }
    task_->NewEpisode({copy.episode_seed, options}, StateOf(c), SeenBy(c));
    outcome_.rewards[i] = 0.0;
    outcome_.terminated[i] = outcome_.truncated[i] = 0;
    outcome_.failed[i] = 0;
    outcome_.began[i] = 1;
    outcome_.seeds[i] = copy.episode_seed;
    outcome_.episodes[i] = copy.episode;
    outcome_.ticks[i] = 0;
  }

  void BeginGroup(const TensorBatch& actions, Copies::Group& group, GroupScratch& scratch) {
    scratch.rests.assign(static_cast<size_t>(group.size()), 0);
    for (int k = 0; k < group.size(); ++k) {
      const int c = group.first() + k;
      Copy& copy = copies_[static_cast<size_t>(c)];
      copy.was_simulated = !copy.ended;
      if (copy.ended) {
        scratch.rests[static_cast<size_t>(k)] = 1;
        continue;
      }
      copy.start_tick = cultures_->tick(c);
      copy.group = group.index();
      copy.place = k;
      std::shared_ptr<sim::Waveform>& currents_ua = copy.currents_ua;
      // What is not over yet still belongs to the culture.
      if (currents_ua.use_count() > 1) currents_ua = std::make_shared<sim::Waveform>();
      task_->Encode({actions, c}, StateOf(c), copy.start_tick, currents_ua.get());
      // Cannot fail: the map is set, and CheckStep has seen the numbers.
      cultures_->Install(c, task_->model()->stimulus_mode(), currents_ua).IgnoreError();
    }
    scratch.spikes.clear();
    scratch.probes.clear();
    for (size_t k = 0; k < scratch.recorders.size(); ++k) {
      for (SeriesRecorder& recorder : scratch.recorders[k]) {
        recorder.Begin();
        if (scratch.rests[k] == 0) scratch.probes.push_back(recorder.probe());
      }
    }
  }

  static void KeepSamples(GroupScratch& scratch) {
    for (std::vector<SeriesRecorder>& recorders : scratch.recorders) {
      for (SeriesRecorder& recorder : recorders) recorder.Keep();
    }
  }

  void FinishGroup(const TensorBatch& actions, const Copies::Group& group, GroupScratch& scratch) {
    SortByCopy(scratch, group.size());
    size_t first = 0;
    for (int k = 0; k < group.size(); ++k) {
      const size_t end = scratch.end_of_copy[static_cast<size_t>(k)];
      Activity activity;
      activity.spikes = absl::MakeSpan(scratch.sorted).subspan(first, end - first);
      activity.first_tick = cultures_->tick(group.first() + k) - step_ticks_;
      activity.finite = cultures_->IsFinite(group.first() + k);
      Finish(actions, group.first() + k, activity);
      first = end;
    }
  }

  void Finish(const TensorBatch& actions, int c, const Activity& activity) {
    const auto i = static_cast<size_t>(c);
    Copy& copy = copies_[i];
    if (copy.ended) {  // NEXT_STEP: this call resets, whatever the action was
      BeginEpisode(c, NoOptions());
      return;
    }
    ++copy.step;
    const StepEnd end = task_->Finish({actions, c}, activity, StateOf(c), SeenBy(c));
    const bool truncated =
        end.truncated || !activity.finite || copy.step == spec().max_episode_steps;
    copy.ended = end.terminated || truncated;
    outcome_.ticks[i] = copy.step * step_ticks_;
    if (copy.ended && autoreset_ == AutoresetMode::kSameStep) {
      outcome_.final_observations.TakeCopy(c, outcome_.observations);
      outcome_.final_infos.TakeCopy(c, outcome_.infos);
      BeginEpisode(c, NoOptions());
    }
    // Of the step that was simulated, whatever began after it.
    outcome_.rewards[i] = end.reward;
    outcome_.terminated[i] = end.terminated ? 1 : 0;
    outcome_.truncated[i] = truncated ? 1 : 0;
    outcome_.failed[i] = activity.finite ? 0 : 1;
  }

  const std::shared_ptr<const Task> task_;
  const EnvironmentSpec spec_;  // the task's, but for the limit of its episodes
  const AutoresetMode autoreset_;
  const int64_t step_ticks_;
  std::vector<Copy> copies_;
  std::vector<double> states_;      // [copy][Task::state_size()]
  std::optional<Copies> cultures_;  // of a task that has a model
  std::vector<GroupScratch> scratch_;
  std::vector<SeriesSelection> series_;  // that are recorded
  // Of the step that has begun.
  const TensorBatch* actions_ = nullptr;
  std::optional<Passage> passage_;  // with cultures
  Outcome outcome_;
};

}  // namespace

Outcome::Outcome(const EnvironmentSpec& spec, int num_envs)
    : observations(spec.observations, num_envs), infos(spec.infos, num_envs) {
  const auto n = static_cast<size_t>(num_envs);
  rewards.resize(n);
  terminated.resize(n);
  truncated.resize(n);
  failed.resize(n);
  began.resize(n);
  seeds.resize(n);
  episodes.resize(n);
  ticks.resize(n);
}

absl::Status VectorEnvironment::Step(const TensorBatch& actions) {
  if (absl::Status s = BeginStep(actions); !s.ok()) return s;
  while (!ContinueStep(std::numeric_limits<int64_t>::max()).over) {
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<VectorEnvironment>> VectorEnvironment::Create(
    std::shared_ptr<const Task> task, int num_envs, AutoresetMode autoreset, uint64_t unseeded_seed,
    sim::Executor& executor, int64_t max_episode_steps) {
  if (num_envs < 1) return MakeFieldError("num_envs", absl::StrCat(num_envs), "1 or more");
  return std::make_unique<TaskEnvironment>(std::move(task), num_envs, autoreset, unseeded_seed,
                                           executor, max_episode_steps);
}

}  // namespace livnd::env
