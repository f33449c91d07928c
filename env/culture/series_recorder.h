// One series of one copy, while it is being recorded.
#ifndef LIVND_ENV_CULTURE_SERIES_RECORDER_H_
#define LIVND_ENV_CULTURE_SERIES_RECORDER_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "env/culture/culture_types.h"
#include "io/culture/culture_setup.h"
#include "io/device/electrode_array.h"
#include "io/device/sparse_gains.h"
#include "io/system/system.h"
#include "sim/culture/culture.h"
#include "sim/gang/gang.h"

namespace livnd::env {

// How electrodes hear membrane currents: livn's two sites a cell, the soma and its first other
// section (livn/models/rcsd, recording_coordinates).
struct ElectrodeHearing {
  std::vector<Site> sites;
  io::SparseGains gains;  // [electrode][site]
};
// `position_um`: of every cell of the system, by gid.
ElectrodeHearing MakeElectrodeHearing(const io::ElectrodeArray& array,
                                      absl::Span<const io::Point> position_um,
                                      const io::DendriteOrientation& orientation,
                                      const sim::Culture& culture);

// MakeFieldErrors below `field` unless the culture has what is selected.
absl::Status CheckSeries(absl::string_view field, absl::Span<const SeriesSelection> series,
                         const sim::Culture& culture, bool has_electrodes);
absl::Status CheckSelection(absl::string_view field, const RecordingSelection& selection,
                            const sim::Culture& culture, bool has_electrodes);

// Thread-compatible.
class SeriesRecorder {
 public:
  // `hearing` is needed for electrode potentials alone.
  SeriesRecorder(const SeriesSelection& selection, int copy, const sim::Culture& culture,
                 std::shared_ptr<const ElectrodeHearing> hearing);

  // Begins another run, of which nothing is kept yet.
  void Begin();
  // To be given to every Gang::Advance of the run.
  sim::Probe* probe() { return &probe_; }
  // After an Advance: keeps what the probe has found ...
  void Keep();
  // ... or drops it.
  void Drop() { probe_.samples.clear(); }

  // Forgets what was kept.
  void Forget() { samples_.clear(); }

  int64_t num_rows() const { return num_rows_; }
  // [sample][row].
  const std::vector<double>& samples() const { return samples_; }

 private:
  sim::Probe probe_;
  std::shared_ptr<const ElectrodeHearing> hearing_;  // null: the probe's numbers as they are
  int64_t num_rows_ = 0;
  std::vector<double> samples_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_SERIES_RECORDER_H_
