// What an evaluation measures in the spikes of a culture.
#ifndef LIVND_LAB_TUNE_FEATURES_H_
#define LIVND_LAB_TUNE_FEATURES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/decoding/window.h"
#include "lab/tune/target.h"

namespace livnd::lab {

struct MeasureOptions {
  // False: rates are means over all units, network bursts and avalanches as docs/codings.md has them.
  // True: as livn 2.0.0's Culture.compute_objectives gives them: the mean rate leaves out silent units,
  // and the power law is fitted to counts in bins that grow with the size.
  bool livn = false;
  int64_t min_spikes = 150;  // with fewer mean_channel_correlation is not defined
};

// kFeatures of what units and cells have fired in a window; cells are in groups, a population each. The bins
// and thresholds are those of livn 2.0.0's culture target. Errors: spikes that are not in the window
// (io::CheckSpikes).
absl::StatusOr<Features> Measure(const MeasureOptions& options, const io::DecodingWindow& units,
                                 absl::Span<const io::UnitSpike> unit_spikes,
                                 const io::DecodingWindow& cells,
                                 absl::Span<const io::UnitSpike> cell_spikes);

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_FEATURES_H_
