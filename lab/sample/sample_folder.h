// The folder of a data set: run.json says which samples it has, parts/ has them, README.md and
// conversion_metadata.json tell others of them.
#ifndef LIVND_LAB_SAMPLE_SAMPLE_FOLDER_H_
#define LIVND_LAB_SAMPLE_SAMPLE_FOLDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/json/json_file.h"
#include "lab/sample/sample_plan.h"
#include "lab/sample/sample_runner.h"

namespace livnd::lab {

struct SamplePaths {
  explicit SamplePaths(const std::string& folder);
  std::string Part(int64_t number) const;
  std::string run, parts, card, metadata, lock;
};

// What is the same in all folders that share a plan, as text.
std::string SharedPlan(const io::Json& document);

// Makes the folder for a plan, or checks that it is of the same one. FailedPrecondition names what differs.
absl::Status PrepareSampleFolder(const std::string& folder, const SamplePlan& plan);

// run.json, as far as its readers here rely on it. Field errors name the file.
absl::StatusOr<io::Json> ReadSampleRun(const std::string& folder);

// Numbers of the parts that the folder is to have and has not, ascending. An error about a file that is
// there and is none of this plan.
absl::StatusOr<std::vector<int64_t>> MissingParts(const std::string& folder,
                                                  const io::Json& document);

// Writes a part: trials of its samples, by sample.
absl::Status WritePart(const std::string& folder, const SamplePlan& plan, int64_t number,
                       std::vector<SampledTrials> samples);

// README.md and conversion_metadata.json, of a folder that has all of its parts.
absl::Status WriteCard(const std::string& folder, const io::Json& document);

}  // namespace livnd::lab

#endif  // LIVND_LAB_SAMPLE_SAMPLE_FOLDER_H_
