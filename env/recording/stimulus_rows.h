// Waveforms as rows of a recording.
#ifndef LIVND_ENV_RECORDING_STIMULUS_ROWS_H_
#define LIVND_ENV_RECORDING_STIMULUS_ROWS_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "io/recording/stream.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

// Appends rows of io::StimuliStream: one for each stretch in which a channel has the same value, unless
// that is 0; by their first ticks, then in the order of the channels. `ids` names the waveform's columns.
// `key` is that of the culture's tick `start_tick`, from which the rows' ticks are counted; dt_ms is a
// tick's length. Of samples on livn's grid the ticks are those of kExactTicks from the sample's own time
// on, which may be one off.
void AppendStimulus(const sim::Waveform& waveform, absl::Span<const int32_t> ids,
                    const io::RowKey& key, int64_t start_tick, double dt_ms, std::string* rows);

}  // namespace livnd::env

#endif  // LIVND_ENV_RECORDING_STIMULUS_ROWS_H_
