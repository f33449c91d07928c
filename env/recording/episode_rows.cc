#include "env/recording/episode_rows.h"

#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "env/recording/stimulus_rows.h"
#include "env/task/task_model.h"
#include "io/recording/streams.h"

namespace livnd::env {
namespace {

io::ElementType TypeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return io::ElementType::kFloat32;
    case DType::kFloat64:
      return io::ElementType::kFloat64;
    case DType::kInt64:
      return io::ElementType::kInt64;
  }
  return io::ElementType::kFloat64;
}

io::StreamSpec StreamOf(absl::string_view kind, const TensorSpec& tensor) {
  io::Attributes attributes = {{"shape", absl::StrJoin(tensor.shape, "x")},
                               {"description", tensor.description}};
  if (!tensor.element_names.empty()) attributes["element_names"] = tensor.element_names;
  return io::SeriesStream(absl::StrCat(kind, ".", tensor.name), TypeOf(tensor.dtype),
                          tensor.num_elements(), tensor.unit == "1" ? "" : tensor.unit,
                          std::move(attributes));
}

}  // namespace

io::Attributes RecordingAttributes(const EnvironmentSpec& spec, int num_copies) {
  return {{"environment", spec.id},
          {"task", spec.task},
          {"system", spec.system},
          {"physics_version", spec.physics_version},
          {"tick_ns", spec.tick_ns},
          {"step_duration_ms", spec.step_duration_ms},
          {"num_copies", int64_t{num_copies}}};
}

EpisodeRows::EpisodeRows(const VectorEnvironment& environment, const EpisodeSelection& selection)
    : step_ticks_(environment.spec().tick_ns == 0
                      ? 0
                      : std::llround(environment.spec().step_duration_ms * 1e6 /
                                     static_cast<double>(environment.spec().tick_ns))),
      tick_ms_(static_cast<double>(environment.spec().tick_ns) * 1e-6),
      now_(static_cast<size_t>(environment.num_envs())) {
  const auto add = [this](bool selected, io::StreamSpec stream) {
    if (!selected) return -1;
    streams_.push_back(std::move(stream));
    return static_cast<int>(streams_.size()) - 1;
  };
  starts_ = add(selection.episode_starts, io::EpisodeStartsStream());
  rewards_ = add(selection.rewards, io::RewardsStream());
  SeriesSources sources;
  if (const TaskModel* model = environment.task().model(); model != nullptr) {
    spikes_ = add(selection.spikes, io::SpikesStream());
    events_ = add(selection.channel_events, io::ChannelEventsStream());
    stimuli_ = add(selection.stimuli, io::StimuliStream("electrode", "uA"));
    electrode_ids_ = model->electrode_ids();
    sources = {electrode_ids_, model->culture()->plastic_connections()};
    if (events_ >= 0) channel_events_ = ChannelEvents(electrode_ids_, model->gids_in_reach());
  }
  const EnvironmentSpec& spec = environment.spec();
  for (const TensorSpec& tensor : spec.actions) {
    const int place = add(selection.actions, StreamOf("actions", tensor));
    if (actions_ < 0) actions_ = place;
  }
  for (const TensorSpec& tensor : spec.observations) {
    const int place = add(selection.observations, StreamOf("observations", tensor));
    if (observations_ < 0) observations_ = place;
  }
  series_ = SeriesRows(environment.series(), environment.num_series_rows(), sources, &streams_);
  if (const TaskModel* model = environment.task().model(); model != nullptr) {
    devices_ = DeviceRows(&model->electrode_array(), nullptr, &streams_);
  }
  for (size_t copy = 0; copy < now_.size(); ++copy) now_[copy].copy = static_cast<int32_t>(copy);
}

void EpisodeRows::StartFrom(const Outcome& outcome) {
  for (size_t copy = 0; copy < now_.size(); ++copy) {
    now_[copy].episode = outcome.episodes[copy];
    now_[copy].tick = outcome.ticks[copy];
  }
}

void EpisodeRows::AddTensors(const TensorBatch& batch, const io::RowKey& key, int first,
                             absl::Span<std::string> rows) const {
  if (first < 0) return;
  for (int i = 0; i < batch.num_tensors(); ++i) {
    const absl::Span<const uint8_t> all = batch.data(i);
    const size_t num_bytes = all.size() / now_.size();
    std::string& out = rows[static_cast<size_t>(first + i)];
    io::AppendKey(key, &out);
    out.append(reinterpret_cast<const char*>(all.data()) + key.copy * num_bytes, num_bytes);
  }
}

void EpisodeRows::AddSeed(const Outcome& outcome, size_t copy, absl::Span<std::string> rows) const {
  if (starts_ < 0) return;
  io::AppendKey({static_cast<int32_t>(copy), outcome.episodes[copy], 0}, &rows[starts_]);
  io::AppendValue(outcome.seeds[copy], &rows[starts_]);
}

void EpisodeRows::AddRestore(const VectorEnvironment& environment, absl::Span<std::string> rows) {
  const Outcome& outcome = environment.outcome();
  for (size_t c = 0; c < now_.size(); ++c) {
    if (outcome.episodes[c] > 0) AddSeed(outcome, c, rows);
  }
  StartFrom(outcome);
}

void EpisodeRows::AddStart(const Outcome& outcome, int copy, absl::Span<std::string> rows) const {
  const auto c = static_cast<size_t>(copy);
  AddSeed(outcome, c, rows);
  AddTensors(outcome.observations, {copy, outcome.episodes[c], 0}, observations_, rows);
}

void EpisodeRows::AddActivity(const StepActivity& activity, const io::RowKey& key,
                              absl::Span<std::string> rows) const {
  if (stimuli_ >= 0 && activity.currents_ua != nullptr) {
    const auto append_id = [this](int64_t electrode, std::string* row) {
      io::AppendValue(electrode_ids_[static_cast<size_t>(electrode)], row);
    };
    AppendStimulus(*activity.currents_ua, append_id, key, activity.start_tick, tick_ms_,
                   &rows[stimuli_]);
  }
  if (spikes_ < 0 && events_ < 0) return;
  for (const sim::Spike& spike : activity.spikes) {
    const io::RowKey at = {key.copy, key.episode, key.tick + spike.tick - activity.start_tick};
    if (spikes_ >= 0) {
      io::AppendKey(at, &rows[spikes_]);
      io::AppendValue(static_cast<int32_t>(spike.gid), &rows[spikes_]);
    }
    if (events_ >= 0) channel_events_.Append(spike.gid, at, &rows[events_]);
  }
}

void EpisodeRows::AddSeries(const StepActivity& activity, const io::RowKey& key,
                            absl::Span<std::string> rows) const {
  for (size_t i = 0; i < activity.series.size(); ++i) {
    const SeriesRecorder& recorder = activity.series[i];
    const auto num_rows = static_cast<size_t>(recorder.num_rows());
    const int64_t sample_ticks = std::llround(series_.series(i).sample_dt_ms / tick_ms_);
    io::RowKey at = key;
    for (size_t first = 0; first < recorder.samples().size(); first += num_rows) {
      series_.AddSample(i, at, recorder.samples().data() + first, 1, rows);
      at.tick += sample_ticks;
    }
  }
}

void EpisodeRows::AddReset(const VectorEnvironment& environment, absl::Span<std::string> rows) {
  const Outcome& outcome = environment.outcome();
  for (size_t c = 0; c < now_.size(); ++c) {
    if (outcome.began[c]) AddStart(outcome, static_cast<int>(c), rows);
  }
  StartFrom(outcome);
}

void EpisodeRows::AddStep(const TensorBatch& actions, const VectorEnvironment& environment,
                          absl::Span<std::string> rows) {
  const Outcome& outcome = environment.outcome();
  for (size_t c = 0; c < now_.size(); ++c) {
    const bool ended = outcome.terminated[c] || outcome.truncated[c];
    if (outcome.began[c] && !ended) {  // the step that begins the next episode
      AddStart(outcome, static_cast<int>(c), rows);
      continue;
    }
    AddTensors(actions, now_[c], actions_, rows);
    const StepActivity activity = environment.activity(static_cast<int>(c));
    AddActivity(activity, now_[c], rows);
    if (outcome.failed[c] == 0) AddSeries(activity, now_[c], rows);
    io::RowKey end = now_[c];
    end.tick = outcome.began[c] ? end.tick + step_ticks_ : outcome.ticks[c];
    if (rewards_ >= 0) {
      io::AppendKey(end, &rows[rewards_]);
      io::AppendValue(outcome.rewards[c], &rows[rewards_]);
      io::AppendValue(outcome.terminated[c], &rows[rewards_]);
      io::AppendValue(outcome.truncated[c], &rows[rewards_]);
    }
    AddTensors(outcome.began[c] ? outcome.final_observations : outcome.observations, end,
               observations_, rows);
    if (outcome.began[c]) AddStart(outcome, static_cast<int>(c), rows);
  }
  StartFrom(outcome);
}

}  // namespace livnd::env
