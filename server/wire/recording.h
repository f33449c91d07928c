// What is recorded of a culture, and what a run left.
#ifndef LIVND_SERVER_WIRE_RECORDING_H_
#define LIVND_SERVER_WIRE_RECORDING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "env/culture/culture_types.h"
#include "livnd/v1/culture.pb.h"

namespace livnd::server {

// Sees to enum values and shapes; ranges and sites are the culture's. Fields are named below
// "recording".
absl::StatusOr<env::RecordingSelection> ParseSelection(const v1::RecordingSelection& selection);
// The same of series alone, named below `field`.
absl::StatusOr<std::vector<env::SeriesSelection>> ParseSeries(
    const std::string& field,
    const google::protobuf::RepeatedPtrField<v1::SeriesSelection>& messages);
void EncodeSelection(const env::RecordingSelection& selection, v1::RecordingSelection* message);

// Takes the numbers from the recording.
void EncodeRecording(env::CultureRecording recording, const env::RecordingSelection& selection,
                     int num_envs, int64_t tick_ns, v1::CultureRecording* message);

// The other way: all but charges and what was decoded. Sees to dtypes and shapes; errors name the field below
// "recording".
absl::StatusOr<env::CultureRecording> ParseRecording(const v1::CultureRecording& message,
                                                     int64_t num_envs);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_RECORDING_H_
