// The metadata of a recording as HDF5 stores it (File Format Specification, version 3.0): superblock,
// root group, data sets and the trees that find their chunks. Encoding and decoding know each other's
// forms and no others.
//
// Decoding takes any bytes. DataLoss: they are not what encoding makes.
#ifndef LIVND_IO_RECORDING_HDF5_METADATA_H_
#define LIVND_IO_RECORDING_HDF5_METADATA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/recording/stream.h"

namespace livnd::io::hdf5 {

// Of what is nowhere.
inline constexpr uint64_t kNowhere = UINT64_MAX;

// A place in the file.
struct Extent {
  uint64_t address = kNowhere;
  uint64_t num_bytes = 0;
};

// The first bytes of the file. They fit into one page, so that a killed process has written all of
// them or none; that they say which root group there is makes a commit of it.
struct Superblock {
  uint64_t end = 0;  // of all that is used; the file is not shorter
  uint64_t root_address = 0;
};
inline constexpr int kSuperblockBytes = 48;
std::string EncodeSuperblock(const Superblock& superblock);
absl::StatusOr<Superblock> DecodeSuperblock(absl::string_view bytes);

// Object headers, of the root group and of data sets, tell their length in front.
inline constexpr int kHeaderPrefixBytes = 10;
// Of a header that begins with kHeaderPrefixBytes bytes; at most kMaxHeaderBytes.
absl::StatusOr<uint64_t> HeaderBytes(absl::string_view prefix);
inline constexpr uint64_t kMaxHeaderBytes = 1 << 22;

struct Link {
  std::string name;
  uint64_t address = 0;
};
struct Group {
  std::vector<Link> links;
  Attributes attributes;
};
std::string EncodeGroup(const Group& group);
absl::StatusOr<Group> DecodeGroup(absl::string_view bytes);

// A table: one-dimensional, of a compound type, without bound, in chunks that are shuffled and
// deflated if `compressed`, and end with a Fletcher sum.
struct Dataset {
  std::vector<Column> columns;  // their units are the attribute "units"
  int64_t num_rows = 0;
  int64_t chunk_rows = 1;
  bool compressed = true;
  uint64_t tree_address = kNowhere;
  Attributes attributes;
};
inline constexpr int kDeflateLevel = 1;
std::string EncodeDataset(const Dataset& dataset);
absl::StatusOr<Dataset> DecodeDataset(absl::string_view bytes);

// A node of a tree of chunks (B-tree, version 1). Entries are chunks at level 0, nodes above it.
struct Node {
  struct Entry {
    uint64_t first_row = 0;
    uint64_t stored_bytes = 0;  // of the chunk; of a node: of its first chunk
    uint64_t address = 0;
  };
  int level = 0;
  uint64_t left = kNowhere, right = kNowhere;  // neighbours of the same level
  std::vector<Entry> entries;                  // 1 to kMaxEntries
};
inline constexpr int kMaxEntries = 64;  // what HDF5 takes where the superblock does not say
inline constexpr int kNodeBytes = 24 + kMaxEntries * 8 + (kMaxEntries + 1) * 24;
// `end_row`: the first row behind the last entry's chunks.
std::string EncodeNode(const Node& node, uint64_t end_row);
absl::StatusOr<Node> DecodeNode(absl::string_view bytes);

}  // namespace livnd::io::hdf5

#endif  // LIVND_IO_RECORDING_HDF5_METADATA_H_
