// Series of voltages, potentials and the like as streams of a recording.
#ifndef LIVND_ENV_RECORDING_SERIES_ROWS_H_
#define LIVND_ENV_RECORDING_SERIES_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "env/culture/culture_types.h"
#include "io/recording/stream.h"

namespace livnd::env {

// For each series one stream named by its quantity ("voltages", "membrane_currents", "potentials",
// "learned_weights", "states.NAME"; ".2" and so on where there are several), and where it has sites,
// "NAME.labels" of their gids and sections. Immutable and thread-safe.
class SeriesRows {
 public:
  SeriesRows() = default;
  // Appends the streams to others. `num_rows`: of each series, as its samples have them.
  SeriesRows(absl::Span<const SeriesSelection> series, absl::Span<const int64_t> num_rows,
             std::vector<io::StreamSpec>* streams);

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
  std::vector<int> streams_, labels_;  // [series] places of streams; of labels, or -1
};

}  // namespace livnd::env

#endif  // LIVND_ENV_RECORDING_SERIES_ROWS_H_
