#include "server/recording/recording_summary.h"

#include <variant>

namespace livnd::server {
namespace {

template <typename T>
T Attribute(const io::Attributes& attributes, absl::string_view name) {
  const auto found = attributes.find(std::string(name));
  const T* value = found == attributes.end() ? nullptr : std::get_if<T>(&found->second);
  return value == nullptr ? T() : *value;
}

// What the file says of itself.
void Describe(const io::Attributes& attributes, v1::Recording* recording) {
  recording->set_label(Attribute<std::string>(attributes, kLabel));
  recording->set_session_tag(Attribute<std::string>(attributes, kSessionTag));
  recording->set_environment_id(Attribute<std::string>(attributes, "environment"));
  recording->set_num_envs(static_cast<int32_t>(Attribute<int64_t>(attributes, "num_copies")));
  recording->set_start_unix_s(Attribute<double>(attributes, kStartUnixS));
  recording->set_num_flushes(Attribute<int64_t>(attributes, "num_flushes"));
  recording->set_num_waits(Attribute<int64_t>(attributes, "num_waits"));
  recording->set_waited_s(static_cast<double>(Attribute<int64_t>(attributes, "waited_us")) * 1e-6);
}

}  // namespace

v1::Recording EncodeGrowing(const GrowingRecording& growing) {
  v1::Recording out;
  Describe(growing.attributes(), &out);
  out.set_recording(growing.name());
  const absl::Status status = growing.status();
  out.set_state(status.ok() ? v1::RECORDING_STATE_RECORDING : v1::RECORDING_STATE_CUT_SHORT);
  out.set_why(std::string(status.message()));
  const io::RecordingWriter::Counts counts = growing.counts();
  out.set_num_bytes(counts.num_bytes);
  out.set_num_flushes(counts.num_flushes);
  out.set_num_waits(counts.num_waits);
  out.set_waited_s(static_cast<double>(counts.waited_us) * 1e-6);
  out.set_recording_s(growing.recording_s());
  out.set_operations_s(growing.operations_s());
  for (size_t i = 0; i < growing.streams().size(); ++i) {
    v1::RecordedStream& stream = *out.add_streams();
    stream.set_stream(growing.streams()[i].name);
    stream.set_num_rows(counts.flushed[i]);
    stream.set_num_dropped(counts.dropped[i]);
  }
  return out;
}

v1::Recording DescribeFile(const std::string& name, const std::string& path, int64_t num_bytes) {
  v1::Recording out;
  out.set_recording(name);
  out.set_num_bytes(num_bytes);
  const auto reader = io::RecordingReader::Open(path);
  if (!reader.ok()) {
    out.set_state(v1::RECORDING_STATE_DAMAGED);
    out.set_why("the file cannot be read");
    return out;
  }
  const io::Attributes& attributes = (*reader)->attributes();
  Describe(attributes, &out);
  if (!(*reader)->closed()) {
    out.set_state(v1::RECORDING_STATE_ABANDONED);
  } else if (Attribute<int64_t>(attributes, io::kCutShort) != 0) {
    out.set_state(v1::RECORDING_STATE_CUT_SHORT);
  } else if (Attribute<int64_t>(attributes, kPaused) != 0) {
    out.set_state(v1::RECORDING_STATE_PAUSED);
  } else {
    out.set_state(v1::RECORDING_STATE_COMPLETE);
  }
  for (size_t i = 0; i < (*reader)->streams().size(); ++i) {
    const io::StreamSpec& spec = (*reader)->streams()[i];
    v1::RecordedStream& stream = *out.add_streams();
    stream.set_stream(spec.name);
    stream.set_num_rows((*reader)->num_rows(static_cast<int>(i)));
    stream.set_num_dropped(Attribute<int64_t>(spec.attributes, "num_dropped"));
  }
  return out;
}

}  // namespace livnd::server
