// What runs of a culture leave in a recording.
#ifndef LIVND_ENV_RECORDING_RUN_ROWS_H_
#define LIVND_ENV_RECORDING_RUN_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "env/culture/culture_types.h"
#include "io/recording/stream.h"

namespace livnd::env {

// Turns the recording of each run into rows of streams: of spikes, and of every series that the culture
// records. What a copy has not lived through, since it failed, has no rows.
//
// Thread-compatible. A function of the recordings alone.
class RunRows {
 public:
  // `num_rows`: of each series of the selection, as its recordings will have them. `dt_ms`: a tick's
  // length.
  RunRows(const RecordingSelection& selection, absl::Span<const int64_t> num_rows, double dt_ms);

  // "spikes" if they are selected; for each series one named by its quantity ("voltages",
  // "membrane_currents", "potentials", "learned_weights", "states.NAME"; ".2" and so on where there
  // are several), and where it has sites, "NAME.labels" of their gids and sections.
  const std::vector<io::StreamSpec>& streams() const { return streams_; }

  // Rows that the labels' streams have, to be written once: appended to rows[i] of streams()[i].
  void AddLabels(absl::Span<std::string> rows) const;
  // Of a run after so many Clears.
  void AddRun(const CultureRecording& recording, int64_t num_clears,
              absl::Span<std::string> rows) const;

 private:
  void AddSeries(const CultureRecording& recording, size_t series, int64_t num_clears,
                 std::string* rows) const;

  const RecordingSelection selection_;
  const double dt_ms_;
  std::vector<io::StreamSpec> streams_;
  int spikes_ = -1;          // places of streams, or -1
  std::vector<int> series_;  // [series]
  std::vector<int> labels_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_RECORDING_RUN_ROWS_H_
