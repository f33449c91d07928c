#include "env/recording/episode_rows.h"

#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "io/recording/streams.h"

namespace livnd::env {
namespace {

// Places of streams.
constexpr int kStarts = 0, kRewards = 1, kFirstTensor = 2;

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

EpisodeRows::EpisodeRows(const EnvironmentSpec& spec, int num_copies)
    : num_actions_(static_cast<int>(spec.actions.size())),
      num_observations_(static_cast<int>(spec.observations.size())),
      step_ticks_(spec.tick_ns == 0 ? 0
                                    : std::llround(spec.step_duration_ms * 1e6 /
                                                   static_cast<double>(spec.tick_ns))),
      streams_({io::EpisodeStartsStream(), io::RewardsStream()}),
      now_(static_cast<size_t>(num_copies)) {
  for (const TensorSpec& tensor : spec.actions) streams_.push_back(StreamOf("actions", tensor));
  for (const TensorSpec& tensor : spec.observations) {
    streams_.push_back(StreamOf("observations", tensor));
  }
  for (int copy = 0; copy < num_copies; ++copy) now_[static_cast<size_t>(copy)].copy = copy;
}

void EpisodeRows::StartFrom(const Outcome& outcome) {
  for (size_t copy = 0; copy < now_.size(); ++copy) {
    now_[copy].episode = outcome.episodes[copy];
    now_[copy].tick = outcome.ticks[copy];
  }
}

void EpisodeRows::AddTensors(const TensorBatch& batch, const io::RowKey& key, int first,
                             int num_tensors, absl::Span<std::string> rows) const {
  for (int i = 0; i < num_tensors; ++i) {
    const absl::Span<const uint8_t> all = batch.data(i);
    const size_t num_bytes = all.size() / now_.size();
    std::string& out = rows[static_cast<size_t>(first + i)];
    io::AppendKey(key, &out);
    out.append(reinterpret_cast<const char*>(all.data()) + key.copy * num_bytes, num_bytes);
  }
}

void EpisodeRows::AddStart(const Outcome& outcome, int copy, absl::Span<std::string> rows) const {
  const auto c = static_cast<size_t>(copy);
  const io::RowKey key = {copy, outcome.episodes[c], 0};
  io::AppendKey(key, &rows[kStarts]);
  io::AppendValue(outcome.seeds[c], &rows[kStarts]);
  AddTensors(outcome.observations, key, kFirstTensor + num_actions_, num_observations_, rows);
}

void EpisodeRows::AddReset(const Outcome& outcome, absl::Span<std::string> rows) {
  for (size_t c = 0; c < now_.size(); ++c) {
    if (outcome.began[c]) AddStart(outcome, static_cast<int>(c), rows);
  }
  StartFrom(outcome);
}

void EpisodeRows::AddStep(const TensorBatch& actions, const Outcome& outcome,
                          absl::Span<std::string> rows) {
  for (size_t c = 0; c < now_.size(); ++c) {
    const bool ended = outcome.terminated[c] || outcome.truncated[c];
    if (outcome.began[c] && !ended) {  // the step that begins the next episode
      AddStart(outcome, static_cast<int>(c), rows);
      continue;
    }
    AddTensors(actions, now_[c], kFirstTensor, num_actions_, rows);
    io::RowKey end = now_[c];
    end.tick = outcome.began[c] ? end.tick + step_ticks_ : outcome.ticks[c];
    io::AppendKey(end, &rows[kRewards]);
    io::AppendValue(outcome.rewards[c], &rows[kRewards]);
    io::AppendValue(outcome.terminated[c], &rows[kRewards]);
    io::AppendValue(outcome.truncated[c], &rows[kRewards]);
    AddTensors(outcome.began[c] ? outcome.final_observations : outcome.observations, end,
               kFirstTensor + num_actions_, num_observations_, rows);
    if (outcome.began[c]) AddStart(outcome, static_cast<int>(c), rows);
  }
  StartFrom(outcome);
}

}  // namespace livnd::env
