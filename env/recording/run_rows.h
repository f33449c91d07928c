// What runs of a culture leave in a recording.
#ifndef LIVND_ENV_RECORDING_RUN_ROWS_H_
#define LIVND_ENV_RECORDING_RUN_ROWS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "env/culture/culture_types.h"
#include "env/culture/live_culture.h"
#include "env/recording/channel_events.h"
#include "env/recording/device_rows.h"
#include "env/recording/series_rows.h"
#include "io/device/electrode_array_config.h"
#include "io/device/light_array_config.h"
#include "io/recording/stream.h"
#include "sim/culture/culture.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

// What of a culture's runs is wanted.
struct RunSelection {
  RecordingSelection recording;  // spikes and series
  bool channel_events = false;   // of the spikes of all populations
  bool stimuli = false;
};

// Through what a culture is heard and stimulated.
struct RunChannels {
  std::vector<int32_t> electrode_ids, fiber_ids;     // in declared order
  std::vector<std::vector<uint32_t>> gids_in_reach;  // [electrode]
  std::vector<sim::StimulusMode> site_modes;         // those that its cells take
  // Those that learn; as long as the culture is there and keeps them.
  absl::Span<const sim::PlasticConnection> connections;
  // Absent where there is no such device.
  std::optional<io::ElectrodeArrayConfig> electrode_array;
  std::optional<io::LightArrayConfig> light_array;
};
RunChannels ChannelsOf(const LiveCulture& culture);

// Turns the recording of each run into rows of streams: of spikes, of every series that the culture
// records, and of stimuli, which are recorded in the run that is given them, however long they last. What a
// copy has not lived through, since it failed, has no rows.
//
// Thread-compatible. A function of the recordings alone, which have kept their stimuli where these are
// selected.
class RunRows {
 public:
  // `num_rows`: of each series of the selection, as its recordings will have them. `dt_ms`: a tick's
  // length.
  RunRows(const RunSelection& selection, absl::Span<const int64_t> num_rows, double dt_ms,
          const RunChannels& channels = {});

  bool has_stimuli() const { return selection_.stimuli; }

  // "spikes" if they are selected, and "channel_events"; of stimuli "stimuli" where there are electrodes,
  // "stimuli.fibers" where there are fibres, and for each mode that cells take "stimuli.extracellular",
  // "stimuli.current", "stimuli.current_density" or "stimuli.light", of those that are given to sites;
  // then those of SeriesRows and of DeviceRows.
  const std::vector<io::StreamSpec>& streams() const { return streams_; }

  // Rows that explain others, to be written once, of labels and places: appended to rows[i] of streams()[i].
  void AddLabels(absl::Span<std::string> rows) const {
    series_.AddLabels(rows);
    devices_.AddPlaces(rows);
  }
  // The electrodes, which are the same, hear other cells from now on.
  void Hear(const RunChannels& channels);
  // Of a run after so many Clears.
  void AddRun(const CultureRecording& recording, int64_t num_clears,
              absl::Span<std::string> rows) const;

 private:
  void AddSeries(const CultureRecording& recording, size_t series, int64_t num_clears,
                 absl::Span<std::string> rows) const;

  void AddStimuli(const CultureRecording& recording, int64_t num_clears,
                  absl::Span<std::string> rows) const;
  // One waveform's, of one copy that is good until end_tick.
  void AddStimulus(const GivenStimulus& given, const io::RowKey& key, int64_t end_tick,
                   absl::Span<std::string> rows) const;

  const RunSelection selection_;
  const double dt_ms_;
  const std::vector<int32_t> electrode_ids_, fiber_ids_;
  ChannelEvents channel_events_;
  std::vector<io::StreamSpec> streams_;
  // Places of streams, or -1.
  int spikes_ = -1, events_ = -1, electrodes_ = -1, fibers_ = -1;
  std::array<int, sim::kNumStimulusModes> sites_;
  SeriesRows series_;
  DeviceRows devices_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_RECORDING_RUN_ROWS_H_
