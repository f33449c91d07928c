// Names that were meant.
#ifndef LIVND_SERVER_MACHINE_NEAREST_NAME_H_
#define LIVND_SERVER_MACHINE_NEAREST_NAME_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace livnd::server {

// "max-sessions (the nearest), or lease, listen, max-sessions": of names, of which there are some, the one
// that takes the fewest steps from `name` (characters put in, left out or exchanged), and all of them.
std::string NearestAndAll(absl::string_view name, const std::vector<std::string>& names);

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_NEAREST_NAME_H_
