// Waveforms as rows of a recording.
#ifndef LIVND_ENV_RECORDING_STIMULUS_ROWS_H_
#define LIVND_ENV_RECORDING_STIMULUS_ROWS_H_

#include <cstdint>
#include <limits>
#include <string>

#include "absl/functional/function_ref.h"
#include "io/recording/stream.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

// Appends rows of io::StimuliStream or io::SiteStimuliStream: one for each stretch in which a channel has
// the same value, unless that is 0; by their first ticks, then in the order of the channels. `append_name`
// appends the columns that name a column of the waveform. Rows that would begin at end_tick or later are
// left out. `key` is that of the culture's tick `start_tick`, from which the rows' ticks are counted; dt_ms is a
// tick's length. Of samples on livn's grid the ticks are those of kExactTicks from the sample's own time
// on, which may be one off.
void AppendStimulus(const sim::Waveform& waveform,
                    absl::FunctionRef<void(int64_t, std::string*)> append_name,
                    const io::RowKey& key, int64_t start_tick, double dt_ms, std::string* rows,
                    int64_t end_tick = std::numeric_limits<int64_t>::max());

}  // namespace livnd::env

#endif  // LIVND_ENV_RECORDING_STIMULUS_ROWS_H_
