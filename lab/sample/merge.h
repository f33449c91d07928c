// Folders that several processes or machines have made of one plan, as one.
#ifndef LIVND_LAB_SAMPLE_MERGE_H_
#define LIVND_LAB_SAMPLE_MERGE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace livnd::lab {

struct Merged {
  int64_t num_samples = 0;
  int64_t num_parts = 0;  // files
};

// Makes the folder `out`, with the bytes that one process would have written. The parts are linked where that
// goes, and copied where not. FailedPrecondition, naming folders and samples: other plans, samples that several
// folders have, or none; a folder that is not complete. AlreadyExists: there is something of that name. Cancelled:
// asked to stop. Nothing is left of `out` then.
absl::StatusOr<Merged> MergeSamples(absl::Span<const std::string> folders, const std::string& out,
                                    const std::function<bool()>& stop);

}  // namespace livnd::lab

#endif  // LIVND_LAB_SAMPLE_MERGE_H_
