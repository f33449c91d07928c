// A recording whose every row is a function of its number, so that any part of it can be checked.
#ifndef LIVND_IO_RECORDING_TESTING_SAMPLE_RECORDING_H_
#define LIVND_IO_RECORDING_TESTING_SAMPLE_RECORDING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "io/recording/recording_file.h"
#include "io/recording/stream.h"

namespace livnd::io {

// Spikes, potentials of 64 electrodes in float32, rewards, voltages of rows that fill a chunk each, and
// the sites of the voltages.
std::vector<StreamSpec> SampleStreams();
inline constexpr int kSampleSpikes = 0, kSamplePotentials = 1, kSampleRewards = 2,
                     kSampleVoltages = 3, kSampleSites = 4;

// What every recording says of itself.
Attributes SampleAttributes();

// Rows begin .. end - 1 of a stream. Episodes of 1000 rows; copies take turns; ticks rise.
std::string SampleRows(int stream, int64_t begin, int64_t end);
RowKey SampleKey(int64_t row);

// A path that no other test has, with nothing there.
std::string FreshPath(absl::string_view name);

}  // namespace livnd::io

#endif  // LIVND_IO_RECORDING_TESTING_SAMPLE_RECORDING_H_
