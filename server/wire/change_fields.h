// How errors name the places of a ConfigureRequest.
#ifndef LIVND_SERVER_WIRE_CHANGE_FIELDS_H_
#define LIVND_SERVER_WIRE_CHANGE_FIELDS_H_

#include "absl/status/status.h"
#include "livnd/v1/culture_service.pb.h"

namespace livnd::server {

// A field error about what ParseChange made of the request, as one about the request's own field:
// "opsin[g0]" is "opsin.g0_ps" there, "selection.cells[EXC][3]" is
// "selection.populations[EXC].gids[3]". Other errors stay as they are.
absl::Status InRequest(const v1::ConfigureRequest& request, const absl::Status& status);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_CHANGE_FIELDS_H_
