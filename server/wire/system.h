// Systems as messages.
#ifndef LIVND_SERVER_WIRE_SYSTEM_H_
#define LIVND_SERVER_WIRE_SYSTEM_H_

#include "io/system/system.h"
#include "livnd/v1/system.pb.h"

namespace livnd::server {

v1::System EncodeSystem(const io::System& system);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_SYSTEM_H_
