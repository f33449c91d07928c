// The ways in which HDF5 stores one and the same content.

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system.h"
#include "io/system/truth.h"
#include "io/testing/hdf5_editor.h"
#include "io/testing/system_copy.h"

namespace livnd::io {
namespace {

constexpr char kMini[] = "systems/EI-mini";

std::string Digest(const System& system) {
  std::string digest;
  for (size_t i = 0; i < system.populations.size(); ++i) {
    absl::StrAppend(&digest, CoordinatesSha256(system, i), SynapsesSha256(system, i));
  }
  for (const Projection& projection : system.projections) {
    absl::StrAppend(&digest, projection.pre, projection.post, EdgesSynSha256(projection));
  }
  return digest;
}

std::string MiniDigest() { return Digest(*ReadSystem(kMini)); }

// The same edges and cells however they are stored.
class StorageTest : public testing::TestWithParam<Storage> {};

TEST_P(StorageTest, DoesNotMatter) {
  const SystemCopy copy(kMini);
  for (const bool latest_format : {false, true}) {
    {
      Hdf5Editor cells(copy.file("cells.h5"), latest_format);
      Hdf5Editor connections(copy.file("connections.h5"), latest_format);
      const std::string edges = "Projections/EXC/EXC/Edges/";
      const std::string sites = "Populations/EXC/Synapse Attributes/";
      for (const char* name : {"Source Index", "Destination Pointer", "Destination Block Index"}) {
        connections.Replace(edges + name, connections.Integers(edges + name), GetParam());
      }
      for (const char* name : {"syn_ids/Attribute Value", "syn_secs/Attribute Value",
                               "syn_layers/Attribute Pointer", "swc_types/Cell Index"}) {
        cells.Replace(sites + name, cells.Integers(sites + name), GetParam());
      }
      Storage storage = GetParam();
      storage.type = H5T_IEEE_F32BE;
      const std::string x = "Populations/INH/Generated Coordinates/X Coordinate/Attribute Value";
      cells.Replace(x, cells.Reals(x), storage);
      storage.type = H5T_IEEE_F64LE;
      const std::string distance = "Projections/INH/EXC/Connections/distance";
      connections.Replace(distance, connections.Reals(distance), storage);
    }
    const auto system = ReadSystem(copy.path(), {.in_process = true});
    ASSERT_TRUE(system.ok()) << system.status();
    EXPECT_EQ(Digest(*system), MiniDigest());
  }
}

Storage Stored(hid_t type, hsize_t chunk, int num_deflate = 0, bool shuffle = false) {
  Storage storage;
  storage.type = type;
  storage.chunk = chunk;
  storage.num_deflate = num_deflate;
  storage.shuffle = shuffle;
  return storage;
}

Storage Compact() {
  Storage storage;
  storage.compact = true;
  return storage;
}

INSTANTIATE_TEST_SUITE_P(Variants, StorageTest,
                         testing::Values(Storage{}, Compact(), Stored(H5T_STD_I16BE, 0),
                                         Stored(H5T_STD_U8LE, 5), Stored(H5T_STD_U32BE, 7, 1),
                                         Stored(H5T_STD_I64LE, 3, 1, true),
                                         Stored(H5T_STD_U16LE, 4000, 4),
                                         Stored(H5T_STD_U64BE, 2, 2, true)));

// Elements that were never written have their data set's fill value, as HDF5 has it: h5py, say,
// leaves z = 0 so.
struct Unwritten {
  const char* name;
  Storage storage;
  std::vector<double> expected;  // of eight cells at 1 .. 8 um
};

void PrintTo(const Unwritten& u, std::ostream* out) { *out << u.name; }

class UnwrittenTest : public testing::TestWithParam<Unwritten> {};

TEST_P(UnwrittenTest, IsTheFillValue) {
  const std::string inner = "Populations/EXC/Generated Coordinates/Z Coordinate/Attribute Value";
  const SystemCopy copy(kMini);
  for (const bool latest_format : {false, true}) {
    {
      Hdf5Editor cells(copy.file("cells.h5"), latest_format);
      cells.Replace(inner, std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}, GetParam().storage);
    }
    for (const bool in_process : {false, true}) {
      const auto system = ReadSystem(copy.path(), {.in_process = in_process});
      ASSERT_TRUE(system.ok()) << system.status();
      for (size_t cell = 0; cell < 8; ++cell) {
        EXPECT_EQ(system->position_um[cell][2], GetParam().expected[cell]) << cell;
      }
    }
  }
}

Storage Partly(hsize_t num_written, hsize_t chunk, std::optional<double> fill,
               int num_deflate = 0) {
  Storage storage;
  storage.type = H5T_IEEE_F32LE;
  storage.chunk = chunk;
  storage.num_deflate = num_deflate;
  storage.fill = fill;
  storage.num_written = num_written;
  return storage;
}

INSTANTIATE_TEST_SUITE_P(
    Variants, UnwrittenTest,
    testing::Values(
        Unwritten{"in one piece", Partly(0, 0, {}), std::vector<double>(8, 0.0)},
        Unwritten{"in one piece with a value", Partly(0, 0, -2.5), std::vector<double>(8, -2.5)},
        Unwritten{"in chunks", Partly(0, 3, {}), std::vector<double>(8, 0.0)},
        Unwritten{"in chunks with a value", Partly(0, 3, 7.25), std::vector<double>(8, 7.25)},
        Unwritten{"some chunks", Partly(3, 3, {}), {1, 2, 3, 0, 0, 0, 0, 0}},
        Unwritten{
            "half a chunk, packed", Partly(4, 3, 7.25, 1), {1, 2, 3, 4, 7.25, 7.25, 7.25, 7.25}},
        Unwritten{"a chunk too large", Partly(0, 4000, -2.5, 1), std::vector<double>(8, -2.5)}));

}  // namespace
}  // namespace livnd::io
