// Names that were meant.
#ifndef LIVND_BASE_NEAREST_NAME_H_
#define LIVND_BASE_NEAREST_NAME_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace livnd {

// "max-sessions (the nearest), or lease, listen, max-sessions": of names, of which there are some, the one
// that takes the fewest steps from `name` (characters put in, left out or exchanged), and all of them.
std::string NearestAndAll(absl::string_view name, const std::vector<std::string>& names);

}  // namespace livnd

#endif  // LIVND_BASE_NEAREST_NAME_H_
