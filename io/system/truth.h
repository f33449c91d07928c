// Digests of a system's content: what two readers must agree on, whatever chunks, filters and
// blocks the files use. Lower-case hexadecimal SHA-256 over lines of text:
//
//   coordinates  "gid,x,y,z\n"                  %d,%.6f,%.6f,%.6f; by gid
//   synapses     "gid,syn_id,syn_type,swc_type,section,layer,location,path_distance\n"
//                                               %d six times, %.6f,%.6f; by gid, then as stored
//   edges        "source,target,distance\n"     %d,%d,%.6f; by (target, source, distance)
//   edges_syn    "source,target,distance,syn_id\n"         by (target, source, syn_id)
//
// A system's truth.json holds them as independent readers found them.

#ifndef LIVND_IO_SYSTEM_TRUTH_H_
#define LIVND_IO_SYSTEM_TRUTH_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/system/system.h"

namespace livnd::io {

// `population` indexes System::populations.
std::string CoordinatesSha256(const System& system, int population);
std::string SynapsesSha256(const System& system, int population);

std::string EdgesSha256(const Projection& projection);
std::string EdgesSynSha256(const Projection& projection);

// Of all that the system was read from: the HDF5 files and the JSON documents of its folder, but for
// truth.json, which says nothing of its own. The error names a file that cannot be read.
absl::StatusOr<std::string> SystemSha256(const System& system);

std::string BytesSha256(absl::string_view bytes);
// Of a file's bytes; the system's error if it cannot be opened or read.
absl::StatusOr<std::string> FileSha256(const std::string& path);

}  // namespace livnd::io

#endif  // LIVND_IO_SYSTEM_TRUTH_H_
