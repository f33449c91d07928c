// The messages of culture_service.proto, but for stimuli, recordings and the choice of cells.
//
// Parse* sees to dtypes, shapes, lengths and enum values; ranges and names are the culture's.
#ifndef LIVND_SERVER_WIRE_CULTURE_H_
#define LIVND_SERVER_WIRE_CULTURE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "env/culture/culture_types.h"
#include "env/culture/live_culture.h"
#include "livnd/v1/culture_service.pb.h"
#include "sim/culture/culture.h"

namespace livnd::server {

// max_recording_bytes is left to the caller.
absl::StatusOr<env::CultureRun> ParseRun(const v1::RunRequest& request, int num_envs);
absl::StatusOr<env::CultureClear> ParseClear(const v1::ClearRequest& request, int num_envs);
absl::StatusOr<env::CultureChange> ParseChange(const v1::ConfigureRequest& request,
                                               const env::LiveCulture& culture);

// The request that asks for a change, but for its setup.
void EncodeChange(const env::CultureChange& change, v1::ConfigureRequest* request);

// The length of the culture's ticks, to the nearest nanosecond.
int64_t TickNs(const sim::Culture& culture);

// All but learned_weights, electrode_hearing and next_op_index.
void EncodeCulture(const env::LiveCulture& culture, v1::GetCultureResponse* response);
void EncodeLearnedWeights(const env::LiveCulture& culture, v1::LearnedWeights* message);
void EncodeHearing(const env::ElectrodeHearing& hearing, v1::ElectrodeHearing* message);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_CULTURE_H_
