// A file of some samples of a data set: what went into a culture, and what came out.
#ifndef LIVND_IO_DATASET_SAMPLE_FILE_H_
#define LIVND_IO_DATASET_SAMPLE_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace livnd::io {

// Samples `index[0]`, `index[1]` ... of a plan, each with the same number of trials. Every member is a
// one-dimensional data set of that name in the file, beside "plan", the text of the plan as bytes.
struct SampleRows {
  std::vector<uint64_t> index;
  std::vector<uint32_t> seed;   // of the noise
  std::vector<float> features;  // [sample][step][input]
  std::vector<uint64_t>
      spike_offsets;  // [sample][trial]: where its spikes begin; and where the last end
  std::vector<uint32_t> spike_gids;   // [spike], by time
  std::vector<uint32_t> spike_ticks;  // [spike], since the trial's start
  std::vector<double>
      failed_at_ms;                // [sample][trial]: from here on (the warm-up's start is 0) there
                                   // is nothing, for the numbers left their range; NaN: good
  std::vector<float> voltages_mv;  // [sample][trial][cell][time]
  std::vector<float> potentials_uv;  // [sample][trial][electrode][time]
};

// Writes a file, which has its name once all of it is on the disk; what another writer that was killed left
// of it is replaced. The same rows and plan are the same bytes. The system's error with the path.
absl::Status WriteSampleFile(const std::string& path, const SampleRows& rows,
                             absl::string_view plan);

// OK if the file has the samples first .. first + num - 1 of a plan of these `plan` bytes. NotFound: there is
// no such file; otherwise an error that names it: it is damaged, or of other samples.
absl::Status CheckSampleFile(const std::string& path, uint64_t first, uint64_t num,
                             absl::string_view plan);

}  // namespace livnd::io

#endif  // LIVND_IO_DATASET_SAMPLE_FILE_H_
