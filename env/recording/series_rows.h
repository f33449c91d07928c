// Series of voltages, potentials and the like as streams of a recording.
#ifndef LIVND_ENV_RECORDING_SERIES_ROWS_H_
#define LIVND_ENV_RECORDING_SERIES_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "env/culture/culture_types.h"
#include "io/recording/stream.h"
#include "sim/culture/culture.h"

namespace livnd::env {

// What the rows of series are that have no sites.
struct SeriesSources {
  absl::Span<const int32_t> electrode_ids;               // of potentials
  absl::Span<const sim::PlasticConnection> connections;  // of learned weights
};

// For each series one stream named by its quantity ("voltages", "membrane_currents", "potentials",
// "learned_weights", "states.NAME"; ".2" and so on where there are several), and "NAME.labels" of what
// its rows are: gids and sections of sites, ids of electrodes ("channel"), or source_gid, target_gid and
// syn_id of connections. Immutable and thread-safe.
class SeriesRows {
 public:
  SeriesRows() = default;
  // Appends the streams to others. `num_rows`: of each series, as its samples have them. Sources that
  // are not as many as the rows tell nothing.
  SeriesRows(absl::Span<const SeriesSelection> series, absl::Span<const int64_t> num_rows,
             const SeriesSources& sources, std::vector<io::StreamSpec>* streams);

  size_t size() const { return series_.size(); }
  const SeriesSelection& series(size_t i) const { return series_[i]; }

  // Rows that the labels' streams have, to be written once: appended to rows[stream].
  void AddLabels(absl::Span<std::string> rows) const;
  // A sample of series i, its numbers `stride` apart.
  void AddSample(size_t i, const io::RowKey& key, const double* values, int64_t stride,
                 absl::Span<std::string> rows) const;

 private:
  std::vector<SeriesSelection> series_;
  std::vector<int64_t> num_rows_;
  std::vector<int> streams_;  // [series] places
  struct Labels {
    int stream;
    std::string rows;
  };
  std::vector<Labels> labels_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_RECORDING_SERIES_ROWS_H_
