#include "server/wire/recorded_stream.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/wire/enum_words.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

v1::RecordedType EncodeType(io::ElementType type) {
  switch (type) {
    case io::ElementType::kUint8:
      return v1::RECORDED_TYPE_UINT8;
    case io::ElementType::kInt32:
      return v1::RECORDED_TYPE_INT32;
    case io::ElementType::kInt64:
      return v1::RECORDED_TYPE_INT64;
    case io::ElementType::kUint64:
      return v1::RECORDED_TYPE_UINT64;
    case io::ElementType::kFloat32:
      return v1::RECORDED_TYPE_FLOAT32;
    case io::ElementType::kFloat64:
      return v1::RECORDED_TYPE_FLOAT64;
  }
  return v1::RECORDED_TYPE_UNSPECIFIED;
}

// Sees that each is one of `accepted`, once.
absl::Status CheckKinds(const google::protobuf::RepeatedField<int>& kinds,
                        const std::vector<v1::RecordedKind>& accepted) {
  std::set<int> seen;
  for (int i = 0; i < kinds.size(); ++i) {
    const bool known = std::find(accepted.begin(), accepted.end(), kinds[i]) != accepted.end();
    if (known && seen.insert(kinds[i]).second) continue;
    return InvalidField(
        absl::StrCat("kinds[", i, "]"), WordOf(static_cast<v1::RecordedKind>(kinds[i])),
        absl::StrCat("each once: ",
                     absl::StrJoin(accepted, ", ", [](std::string* out, v1::RecordedKind kind) {
                       out->append(WordOf(kind));
                     })));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<env::EpisodeSelection> ParseEpisodeKinds(
    const google::protobuf::RepeatedField<int>& kinds, bool has_culture) {
  env::EpisodeSelection out;
  std::vector<std::pair<v1::RecordedKind, bool*>> all = {
      {v1::RECORDED_KIND_EPISODE_STARTS, &out.episode_starts},
      {v1::RECORDED_KIND_REWARDS, &out.rewards},
      {v1::RECORDED_KIND_ACTIONS, &out.actions},
      {v1::RECORDED_KIND_OBSERVATIONS, &out.observations},
  };
  if (has_culture) {
    all.insert(all.end(), {{v1::RECORDED_KIND_SPIKES, &out.spikes},
                           {v1::RECORDED_KIND_CHANNEL_EVENTS, &out.channel_events},
                           {v1::RECORDED_KIND_STIMULI, &out.stimuli}});
  }
  std::vector<v1::RecordedKind> accepted;
  for (const auto& [kind, selected] : all) accepted.push_back(kind);
  if (absl::Status s = CheckKinds(kinds, accepted); !s.ok()) return s;
  if (kinds.empty()) return out;
  for (const auto& [kind, selected] : all) {
    *selected = std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  }
  return out;
}

absl::StatusOr<env::RunSelection> ParseCultureKinds(
    const google::protobuf::RepeatedField<int>& kinds, const env::RecordingSelection& selection,
    bool has_electrodes) {
  std::vector<v1::RecordedKind> accepted;
  if (selection.spikes) accepted.push_back(v1::RECORDED_KIND_SPIKES);
  // Electrodes hear all cells.
  const bool all_spikes = selection.spikes && selection.spike_populations.empty();
  if (has_electrodes && all_spikes) accepted.push_back(v1::RECORDED_KIND_CHANNEL_EVENTS);
  accepted.push_back(v1::RECORDED_KIND_STIMULI);
  if (!selection.series.empty()) accepted.push_back(v1::RECORDED_KIND_SERIES);
  if (absl::Status s = CheckKinds(kinds, accepted); !s.ok()) return s;
  const auto has = [&](v1::RecordedKind kind) {
    if (!kinds.empty()) return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    return std::find(accepted.begin(), accepted.end(), kind) != accepted.end();
  };
  env::RunSelection out = {selection, has(v1::RECORDED_KIND_CHANNEL_EVENTS),
                           has(v1::RECORDED_KIND_STIMULI)};
  out.recording.spikes = has(v1::RECORDED_KIND_SPIKES);
  if (!has(v1::RECORDED_KIND_SERIES)) out.recording.series.clear();
  return out;
}

void EncodeAttributes(const io::Attributes& attributes,
                      google::protobuf::RepeatedPtrField<v1::RecordingAttribute>* messages) {
  for (const auto& [name, value] : attributes) {
    v1::RecordingAttribute& message = *messages->Add();
    message.set_name(name);
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      message.set_integer(*integer);
    } else if (const auto* number = std::get_if<double>(&value)) {
      message.set_number(*number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      message.set_text(*text);
    } else {
      for (const std::string& one : std::get<std::vector<std::string>>(value)) {
        message.mutable_texts()->add_texts(one);
      }
    }
  }
}

void EncodeColumns(const io::StreamSpec& stream, v1::RecordingHeader* header) {
  for (const io::Column& column : stream.columns) {
    v1::RecordedColumn& message = *header->add_columns();
    message.set_name(column.name);
    message.set_type(EncodeType(column.type));
    message.set_length(column.length);
    message.set_unit(column.unit);
  }
}

io::RowFilter ParseFilter(const v1::ReadRecordingRequest& request) {
  io::RowFilter out;
  if (request.has_copy()) out.copy = request.copy();
  if (request.has_begin_episode()) out.begin_episode = request.begin_episode();
  if (request.has_end_episode()) out.end_episode = request.end_episode();
  if (request.has_begin_tick()) out.begin_tick = request.begin_tick();
  if (request.has_end_tick()) out.end_tick = request.end_tick();
  return out;
}

}  // namespace livnd::server
