// Counts what a test program allocates: linking this replaces operator new.
#ifndef LIVND_SIM_TESTING_ALLOCATIONS_H_
#define LIVND_SIM_TESTING_ALLOCATIONS_H_

#include <cstdint>

namespace livnd::sim {

// Calls of operator new since the program began, on all threads.
int64_t NumAllocations();

}  // namespace livnd::sim

#endif  // LIVND_SIM_TESTING_ALLOCATIONS_H_
