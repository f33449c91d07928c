// Makes a culture: cells on a plane, and connections whose chance falls with the distance.
#ifndef LIVND_LAB_GENERATE_GENERATE_CULTURE_H_
#define LIVND_LAB_GENERATE_GENERATE_CULTURE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/json/json_file.h"
#include "io/system/system.h"
#include "lab/generate/culture_config.h"
#include "lab/generate/progress.h"

namespace livnd::lab {

struct GeneratedCulture {
  io::System system;
  // What graph.json says beside the system: the area as asked for, and the kernel of each projection.
  io::Json graph = io::Json::object();
  // By population, where the configuration has a margin: 1 for each cell of the interior.
  std::map<std::string, std::vector<uint8_t>> interior;
};

// The same bits for the same configuration, whatever the executor. Populations are numbered by their labels; within
// one, and in the order of its inputs, cells and projections come in the configuration's order, as livn makes them.
// The graph's uuid is made of the configuration.
//
// Takes about 45 bytes for a connection. Errors: a field error where a degree cannot be reached or comes to more
// connections than a system may have; Cancelled.
absl::StatusOr<GeneratedCulture> GenerateCulture(const CultureConfig& config, const Work& work);

// Writes the culture and its provenance.json as a new folder, which is there as a whole or not at all (WriteSystem).
absl::Status WriteCulture(const GeneratedCulture& culture, const CultureConfig& config,
                          const std::string& version, const std::string& directory,
                          const Work& work);

// The same of a culture that was made otherwise.
absl::Status WriteCulture(const GeneratedCulture& culture, io::Json provenance,
                          const std::string& directory, const Work& work);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_GENERATE_CULTURE_H_
