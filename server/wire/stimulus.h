// What goes into a culture.
#ifndef LIVND_SERVER_WIRE_STIMULUS_H_
#define LIVND_SERVER_WIRE_STIMULUS_H_

#include <string>

#include "absl/status/statusor.h"
#include "env/culture/culture_types.h"
#include "livnd/v1/culture.pb.h"

namespace livnd::server {

// Sees to dtypes, shapes, lengths and enum values; ranges and channels are the culture's. `field` is
// the path of the message in the request.
absl::StatusOr<env::CultureStimulus> ParseStimulus(const std::string& field,
                                                   const v1::CultureStimulus& stimulus,
                                                   int num_envs);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_STIMULUS_H_
