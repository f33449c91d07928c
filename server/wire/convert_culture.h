// The messages of proto/livnd/v1/culture.proto to domain values and back; see convert.h.
#ifndef LIVND_SERVER_WIRE_CONVERT_CULTURE_H_
#define LIVND_SERVER_WIRE_CONVERT_CULTURE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/culture/culture_types.h"
#include "env/culture/live_culture.h"
#include "livnd/v1/culture.pb.h"
#include "livnd/v1/environment_service.pb.h"

namespace livnd::server {

// --- wire to domain ------------------------------------------------------------------------------
// These see to dtypes, shapes, lengths and enum values; ranges and names are the culture's.

// max_recording_bytes is left to the caller.
absl::StatusOr<env::CultureRun> ParseRun(const v1::CultureRun& run, int num_envs);
absl::StatusOr<env::CultureReset> ParseCultureReset(const v1::ResetRequest& request,
                                                    const env::EnvironmentSpec& spec, int num_envs);
absl::StatusOr<env::CultureChange> ParseChange(const v1::ConfigureRequest& request,
                                               const env::LiveCulture& culture);

// An InvalidArgument of env as INVALID_ARGUMENT / INVALID_FIELD: with the field that it names below
// `prefix`, or `fallback` where it names none. Other errors stay as they are.
absl::Status FromEnv(const absl::Status& status, absl::string_view prefix,
                     absl::string_view fallback);

// --- domain to wire ------------------------------------------------------------------------------

// Takes the numbers from the recording.
void EncodeRecording(env::CultureRecording recording, const env::RecordingSelection& selection,
                     int num_envs, double dt_ms, v1::CultureRecording* message);
// All but learned_weights and next_op_index.
void EncodeCulture(const env::LiveCulture& culture, v1::GetCultureResponse* response);
void EncodeLearnedWeights(const env::LiveCulture& culture, v1::LearnedWeights* message);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_CONVERT_CULTURE_H_
