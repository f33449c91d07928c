// What ListRecordings tells of a recording.
#ifndef LIVND_SERVER_RECORDING_RECORDING_SUMMARY_H_
#define LIVND_SERVER_RECORDING_RECORDING_SUMMARY_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "io/recording/recording_reader.h"
#include "livnd/v1/recording_service.pb.h"
#include "server/recording/growing_recording.h"

namespace livnd::server {

// Attributes that the server gives a file beside env::RecordingAttributes.
inline constexpr absl::string_view kLabel = "label";
inline constexpr absl::string_view kSessionTag = "session_tag";
inline constexpr absl::string_view kStartUnixS = "start_unix_s";

v1::Recording EncodeGrowing(const GrowingRecording& recording);
// One that does not grow. Reads the file.
v1::Recording DescribeFile(const std::string& name, const std::string& path, int64_t num_bytes);

}  // namespace livnd::server

#endif  // LIVND_SERVER_RECORDING_RECORDING_SUMMARY_H_
