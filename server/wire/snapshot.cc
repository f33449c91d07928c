#include "server/wire/snapshot.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "server/wire/enum_words.h"
#include "server/wire/errors.h"
#include "server/wire/sites.h"

namespace livnd::server {
namespace {

constexpr absl::string_view kMagic = "LIVNDS01";
constexpr size_t kHeaderBytes = 12;

// Little-endian, as are the machines that livnd runs on.
uint32_t Crc32(absl::string_view bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string BytesOf(absl::Span<const double> numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()),
                     numbers.size() * sizeof(double));
}
absl::StatusOr<std::vector<double>> NumbersOf(absl::string_view field, const std::string& bytes) {
  if (bytes.size() % sizeof(double) != 0) {
    return InvalidField(absl::StrCat("snapshot.", field), absl::StrCat(bytes.size(), " bytes"),
                        "8 bytes a number");
  }
  std::vector<double> numbers(bytes.size() / sizeof(double));
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

std::vector<std::vector<uint8_t>> TensorsOf(
    const google::protobuf::RepeatedPtrField<std::string>& tensors) {
  std::vector<std::vector<uint8_t>> out;
  for (const std::string& tensor : tensors) out.emplace_back(tensor.begin(), tensor.end());
  return out;
}

// Modes are numbered from 1 on the wire.
constexpr int kFirstMode = v1::STIMULUS_MODE_FIELD;

v1::SampleTiming EncodeTiming(sim::SampleTiming timing) {
  return timing == sim::SampleTiming::kLivn ? v1::SAMPLE_TIMING_LIVN : v1::SAMPLE_TIMING_EXACT;
}
absl::StatusOr<sim::SampleTiming> ParseTiming(v1::SampleTiming timing) {
  if (timing == v1::SAMPLE_TIMING_EXACT) return sim::SampleTiming::kExactTicks;
  if (timing == v1::SAMPLE_TIMING_LIVN) return sim::SampleTiming::kLivn;
  return InvalidField("snapshot.stimuli.timing", WordOf(timing), WordsOf<v1::SampleTiming>());
}

void EncodeWaveform(const sim::Waveform& waveform, v1::WaveformSnapshot* message) {
  message->set_timing(EncodeTiming(waveform.timing));
  message->set_sample_dt_ms(waveform.sample_dt_ms);
  message->set_first_tick(waveform.first_tick);
  message->set_first_sample(waveform.first_sample);
  message->set_num_channels(waveform.num_channels);
  message->mutable_channels()->Add(waveform.channels.begin(), waveform.channels.end());
  message->set_samples(BytesOf(waveform.samples));
}
absl::StatusOr<std::shared_ptr<const sim::Waveform>> ParseWaveform(
    const v1::WaveformSnapshot& message) {
  auto out = std::make_shared<sim::Waveform>();
  LIVND_ASSIGN_OR_RETURN(out->timing, ParseTiming(message.timing()));
  out->sample_dt_ms = message.sample_dt_ms();
  out->first_tick = message.first_tick();
  out->first_sample = message.first_sample();
  out->num_channels = message.num_channels();
  out->channels.assign(message.channels().begin(), message.channels().end());
  LIVND_ASSIGN_OR_RETURN(out->samples, NumbersOf("stimuli.samples", message.samples()));
  if (out->num_channels < 0) {
    return InvalidField("snapshot.stimuli.num_channels", absl::StrCat(out->num_channels),
                        "0 or more");
  }
  return out;
}

absl::StatusOr<sim::StimulusMode> ParseMode(v1::StimulusMode mode) {
  if (mode >= kFirstMode && mode < kFirstMode + sim::kNumStimulusModes) {
    return static_cast<sim::StimulusMode>(mode - kFirstMode);
  }
  return InvalidField("snapshot.stimuli.mode", WordOf(mode), WordsOf<v1::StimulusMode>());
}

// A mismatch about `field`, unless what the snapshot says is what this environment has.
absl::Status CheckSame(absl::string_view field, const std::string& of_snapshot,
                       const std::string& here) {
  if (of_snapshot == here) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition, reason::kSnapshotMismatch,
      absl::StrCat("the snapshot's ", field, " is ", of_snapshot, ", and here it is ", here),
      {{"field", absl::StrCat("snapshot.", field)}, {"value", of_snapshot}, {"accepted", here}});
}

}  // namespace

void EncodeIdentity(const SnapshotIdentity& identity, v1::SnapshotContents* contents) {
  contents->set_physics_version(identity.physics_version);
  contents->set_environment_id(identity.environment_id);
  contents->set_spec_sha256(identity.spec_sha256);
  contents->set_system_sha256(identity.system_sha256);
}

std::string SealSnapshot(const SnapshotIdentity& identity, v1::SnapshotContents contents) {
  EncodeIdentity(identity, &contents);
  std::string out(kMagic);
  out.resize(kHeaderBytes);
  contents.AppendToString(&out);
  const uint32_t crc = Crc32(absl::string_view(out).substr(kHeaderBytes));
  std::memcpy(&out[kMagic.size()], &crc, sizeof(crc));
  return out;
}

absl::StatusOr<v1::SnapshotContents> OpenSnapshot(absl::string_view snapshot,
                                                  const SnapshotIdentity& identity) {
  const auto damaged = [&](absl::string_view how) {
    return InvalidField("snapshot", absl::StrCat(snapshot.size(), " bytes, ", how),
                        "what Snapshot answered, to the byte");
  };
  if (!absl::StartsWith(snapshot, kMagic)) return damaged("not a snapshot of this format");
  if (snapshot.size() < kHeaderBytes) return damaged("cut");
  const absl::string_view body = snapshot.substr(kHeaderBytes);
  uint32_t crc;
  std::memcpy(&crc, snapshot.data() + kMagic.size(), sizeof(crc));
  if (crc != Crc32(body)) return damaged("cut or changed: their checksum is another one");
  v1::SnapshotContents contents;
  if (body.size() > std::numeric_limits<int>::max() ||
      !contents.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return damaged("which are no snapshot");
  }
  LIVND_RETURN_IF_ERROR(CheckIdentity(contents, identity));
  return contents;
}

absl::Status CheckIdentity(const v1::SnapshotContents& contents, const SnapshotIdentity& identity) {
  LIVND_RETURN_IF_ERROR(
      CheckSame("environment_id", contents.environment_id(), identity.environment_id));
  LIVND_RETURN_IF_ERROR(
      CheckSame("physics_version", contents.physics_version(), identity.physics_version));
  LIVND_RETURN_IF_ERROR(
      CheckSame("system_sha256", contents.system_sha256(), identity.system_sha256));
  return CheckSame("spec_sha256", contents.spec_sha256(), identity.spec_sha256);
}

void EncodeEpisode(const env::EnvironmentCopy& copy, v1::EpisodeSnapshot* message) {
  message->set_was_reset(copy.was_reset);
  message->set_ended(copy.ended);
  message->set_seed(copy.seed);
  message->set_num_episodes_of_seed(copy.num_episodes_of_seed);
  message->set_episode_seed(copy.episode_seed);
  message->set_episode(copy.episode);
  message->set_step(copy.step);
  message->set_culture_state(BytesOf(copy.culture.culture));
  for (int m = 0; m < sim::kNumStimulusModes; ++m) {
    if (copy.culture.stimuli[m].empty()) continue;
    v1::StimuliSnapshot* mode = message->add_stimuli();
    mode->set_mode(static_cast<v1::StimulusMode>(kFirstMode + m));
    for (const auto& waveform : copy.culture.stimuli[m]) {
      EncodeWaveform(*waveform, mode->add_stimuli()->add_of_copy());
    }
  }
  message->set_task_state(BytesOf(copy.task));
  for (const auto& tensor : copy.observations) {
    message->add_observations(tensor.data(), tensor.size());
  }
  for (const auto& tensor : copy.infos) message->add_infos(tensor.data(), tensor.size());
  message->set_reward(copy.reward);
  message->set_terminated(copy.terminated);
  message->set_truncated(copy.truncated);
  message->set_began(copy.began);
}

absl::StatusOr<env::EnvironmentCopy> ParseEpisode(const v1::EpisodeSnapshot& message) {
  env::EnvironmentCopy out;
  out.was_reset = message.was_reset();
  out.ended = message.ended();
  out.seed = message.seed();
  out.num_episodes_of_seed = message.num_episodes_of_seed();
  out.episode_seed = message.episode_seed();
  out.episode = message.episode();
  out.step = message.step();
  LIVND_ASSIGN_OR_RETURN(out.culture.culture, NumbersOf("culture_state", message.culture_state()));
  for (const v1::StimuliSnapshot& stimuli : message.stimuli()) {
    LIVND_ASSIGN_OR_RETURN(const sim::StimulusMode mode, ParseMode(stimuli.mode()));
    for (const v1::StimulusSnapshot& stimulus : stimuli.stimuli()) {
      for (const v1::WaveformSnapshot& waveform : stimulus.of_copy()) {
        LIVND_ASSIGN_OR_RETURN(auto parsed, ParseWaveform(waveform));
        out.culture.stimuli[static_cast<int>(mode)].push_back(std::move(parsed));
      }
    }
  }
  LIVND_ASSIGN_OR_RETURN(out.task, NumbersOf("task_state", message.task_state()));
  out.observations = TensorsOf(message.observations());
  out.infos = TensorsOf(message.infos());
  out.reward = message.reward();
  out.terminated = message.terminated();
  out.truncated = message.truncated();
  out.began = message.began();
  return out;
}

void EncodeSavedCulture(const env::SavedCulture& saved, v1::CultureSnapshot* message) {
  message->set_was_cleared(saved.was_cleared);
  message->set_tick(saved.tick);
  message->set_summed_ms(saved.summed_ms);
  message->set_num_clears(saved.num_clears);
  message->set_noise_stream(saved.noise_stream);
  for (const auto& [mode, stimuli] : saved.stimuli) {
    v1::StimuliSnapshot* added = message->add_stimuli();
    added->set_mode(static_cast<v1::StimulusMode>(kFirstMode + static_cast<int>(mode)));
    added->set_of_device(stimuli.of_device);
    added->set_timing(EncodeTiming(stimuli.timing));
    added->set_sample_dt_ms(stimuli.sample_dt_ms);
    EncodeSites(stimuli.sites, added->mutable_sites());
    for (const auto& of_copy : stimuli.waveforms) {
      v1::StimulusSnapshot* stimulus = added->add_stimuli();
      for (const auto& waveform : of_copy) EncodeWaveform(*waveform, stimulus->add_of_copy());
    }
  }
  for (const env::SavedCulture::Copy& copy : saved.copies) {
    v1::CultureCopySnapshot* added = message->add_copies();
    added->set_seed(copy.seed);
    added->set_failed_at_ms(copy.failed_at_ms);
    added->set_state(BytesOf(copy.state));
    added->set_encoding_state(BytesOf(copy.encoding_state));
  }
}

absl::StatusOr<env::SavedCulture> ParseSavedCulture(const v1::CultureSnapshot& message) {
  env::SavedCulture out;
  out.was_cleared = message.was_cleared();
  out.tick = message.tick();
  out.summed_ms = message.summed_ms();
  out.num_clears = message.num_clears();
  out.noise_stream = message.noise_stream();
  for (const v1::StimuliSnapshot& stimuli : message.stimuli()) {
    LIVND_ASSIGN_OR_RETURN(const sim::StimulusMode mode, ParseMode(stimuli.mode()));
    env::SavedStimuli& saved = out.stimuli[mode];
    saved.of_device = stimuli.of_device();
    LIVND_ASSIGN_OR_RETURN(saved.timing, ParseTiming(stimuli.timing()));
    saved.sample_dt_ms = stimuli.sample_dt_ms();
    LIVND_ASSIGN_OR_RETURN(saved.sites, ParseSites("snapshot.stimuli.sites", stimuli.sites()));
    for (const v1::StimulusSnapshot& stimulus : stimuli.stimuli()) {
      auto& of_copy = saved.waveforms.emplace_back();
      for (const v1::WaveformSnapshot& waveform : stimulus.of_copy()) {
        LIVND_ASSIGN_OR_RETURN(auto parsed, ParseWaveform(waveform));
        of_copy.push_back(std::move(parsed));
      }
    }
  }
  for (const v1::CultureCopySnapshot& copy : message.copies()) {
    env::SavedCulture::Copy& added = out.copies.emplace_back();
    added.seed = copy.seed();
    added.failed_at_ms = copy.failed_at_ms();
    LIVND_ASSIGN_OR_RETURN(added.state, NumbersOf("copies.state", copy.state()));
    LIVND_ASSIGN_OR_RETURN(added.encoding_state,
                           NumbersOf("copies.encoding_state", copy.encoding_state()));
  }
  return out;
}

absl::StatusOr<std::vector<int>> ParseCopyOf(
    const google::protobuf::RepeatedField<int32_t>& copy_of, int num_envs, int num_saved,
    bool may_stay) {
  std::vector<int> out(copy_of.begin(), copy_of.end());
  if (out.empty()) {
    if (num_saved != num_envs) {
      return InvalidField("copy_of", absl::StrCat("empty, and the snapshot has ", num_saved),
                          absl::StrCat("a copy of it for each of ", num_envs));
    }
    for (int i = 0; i < num_envs; ++i) out.push_back(i);
  }
  if (static_cast<int>(out.size()) != num_envs) {
    return InvalidField("copy_of", absl::StrCat(out.size(), " numbers"), absl::StrCat(num_envs));
  }
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] >= (may_stay ? -1 : 0) && out[i] < num_saved) continue;
    return InvalidField(absl::StrCat("copy_of[", i, "]"), absl::StrCat(out[i]),
                        absl::StrCat(may_stay ? -1 : 0, " .. ", num_saved - 1));
  }
  return out;
}

}  // namespace livnd::server
