// How many files and connections the process may have open at once.
#ifndef LIVND_SERVER_MACHINE_DESCRIPTOR_LIMIT_H_
#define LIVND_SERVER_MACHINE_DESCRIPTOR_LIMIT_H_

#include "absl/status/status.h"

namespace livnd::server {

// The soft limit of descriptors; no limit is a large number.
int DescriptorLimit();

// Raises the soft limit to the hard one, as far as it can, and returns it. A server needs few
// descriptors of its own, and one for each connection.
int RaiseDescriptorLimit();

// ResourceExhausted, with the limit and what raises it, unless the process can open `num_free` more
// descriptors. gRPC aborts the process where it lacks one of its first.
absl::Status RequireFreeDescriptors(int num_free);

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_DESCRIPTOR_LIMIT_H_
