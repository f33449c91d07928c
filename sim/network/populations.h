// The populations whose cells can be simulated, by livn's names.
#ifndef LIVND_SIM_NETWORK_POPULATIONS_H_
#define LIVND_SIM_NETWORK_POPULATIONS_H_

#include "absl/strings/string_view.h"

namespace livnd::sim {

inline constexpr char kExcitatoryCells[] = "EXC";
inline constexpr char kInhibitoryCells[] = "INH";

// Whether a population's cells are neurons; one of any other name is a set of event sources.
inline bool AreNeurons(absl::string_view population) {
  return population == kExcitatoryCells || population == kInhibitoryCells;
}

}  // namespace livnd::sim

#endif  // LIVND_SIM_NETWORK_POPULATIONS_H_
