// Bounds on what the readers of a system accept. They are far above any culture that can be
// simulated and exist so that a damaged or hostile file costs an error, not memory or time.

#ifndef LIVND_IO_SYSTEM_LIMITS_H_
#define LIVND_IO_SYSTEM_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace livnd::io {

constexpr uint64_t kMaxHdf5FileBytes = uint64_t{1} << 36;  // 64 GiB
// Elements of one data set (edges of a projection, synapses of a population).
constexpr uint64_t kMaxDatasetElements = uint64_t{1} << 28;
// A data set may be at most this many times larger than its file: what deflate can reach.
constexpr uint64_t kMaxExpansion = 1032;
constexpr uint64_t kMaxChunkBytes = uint64_t{1} << 28;
constexpr int kMaxFilters = 8;
constexpr size_t kMaxGroupLinks = 4096;

// Reading may take this long, and a second for as many bytes of the files on top.
constexpr double kMinReadSeconds = 60;
constexpr double kMinReadBytesPerSecond = 1e6;

constexpr uint64_t kMaxCells = 10'000'000;
constexpr size_t kMaxPopulations = 256;
// Of a connection, um: what a culture can be built with.
constexpr double kMaxDistanceUm = 1e7;

constexpr size_t kMaxJsonBytes = size_t{16} << 20;
constexpr int kMaxJsonDepth = 64;
// Members of one JSON object (elements of arrays are bounded by the size alone).
constexpr int kMaxJsonMembers = 1024;
// In a folder of documents: params, selection.
constexpr size_t kMaxDocuments = 256;

}  // namespace livnd::io

#endif  // LIVND_IO_SYSTEM_LIMITS_H_
