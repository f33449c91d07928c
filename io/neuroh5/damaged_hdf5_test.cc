// HDF5 files that contradict themselves, are cut off, have flipped bits or mean harm: ReadSystem
// returns an error that names the place, or a valid system. It never crashes or hangs.

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "io/system/summary.h"
#include "io/system/system.h"
#include "io/testing/hdf5_editor.h"
#include "io/testing/system_copy.h"

namespace livnd::io {
namespace {

using testing::HasSubstr;

constexpr char kMini[] = "systems/EI-mini";  // EXC 0..7, INH 8..9

// --- contradictions ------------------------------------------------------------------------------

struct Case {
  const char* name;
  const char* file;
  const char* inner;  // the data set or group to change, and to be named
  std::function<void(Hdf5Editor&, const std::string& inner)> change;
  const char* expected;  // in the message
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class ContradictionTest : public testing::TestWithParam<Case> {};

TEST_P(ContradictionTest, IsNamed) {
  const Case& c = GetParam();
  const SystemCopy copy(kMini);
  {
    Hdf5Editor editor(copy.file(c.file));
    c.change(editor, c.inner);
  }
  // In this process, so that sanitizers see the reader at work.
  const absl::Status status = ReadSystem(copy.path(), {.in_process = true}).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr(absl::StrCat(copy.file(c.file), ": /", c.inner)));
  EXPECT_THAT(status.message(), HasSubstr(c.expected));
  EXPECT_EQ(ReadSystem(copy.path()).status(), status);
}

using Change = std::function<void(Hdf5Editor&, const std::string&)>;

// Overwrites element `index`, counted from the end if negative.
Change SetInteger(int index, int64_t value) {
  return [=](Hdf5Editor& editor, const std::string& inner) {
    std::vector<int64_t> values = editor.Integers(inner);
    values[index < 0 ? values.size() + index : index] = value;
    editor.Replace(inner, values);
  };
}

Change SetReal(int index, double value) {
  return [=](Hdf5Editor& editor, const std::string& inner) {
    std::vector<double> values = editor.Reals(inner);
    values[index] = value;
    editor.Replace(inner, values);
  };
}

Change DropLast() {
  return [](Hdf5Editor& editor, const std::string& inner) {
    std::vector<double> values = editor.Reals(inner);
    values.pop_back();
    editor.Replace(inner, values);
  };
}

Change DropLastInteger() {
  return [](Hdf5Editor& editor, const std::string& inner) {
    std::vector<int64_t> values = editor.Integers(inner);
    values.pop_back();
    editor.Replace(inner, values);
  };
}

Change Unwritten(hid_t type, std::vector<hsize_t> shape, hsize_t chunk) {
  return [=](Hdf5Editor& editor, const std::string& inner) {
    editor.ReplaceUnwritten(inner, type, shape, chunk);
  };
}

Change UnwrittenSources(hid_t type, hsize_t size, hsize_t chunk) {
  return [=](Hdf5Editor& editor, const std::string&) {
    editor.ReplaceUnwritten("Projections/EXC/EXC/Edges/Source Index", type, {size}, chunk);
  };
}

Change Remove() {
  return [](Hdf5Editor& editor, const std::string& inner) { editor.Remove(inner); };
}

Change Rows(std::vector<Hdf5Editor::Row> rows) {
  return [=](Hdf5Editor& editor, const std::string&) { editor.SetPopulations(rows); };
}

#define CELLS_X "Populations/EXC/Generated Coordinates/X Coordinate"
#define SITES "Populations/EXC/Synapse Attributes"
#define EDGES "Projections/EXC/EXC/Edges"

INSTANTIATE_TEST_SUITE_P(
    Cells, ContradictionTest,
    testing::Values(Case{"pointer falls", "cells.h5", CELLS_X "/Attribute Pointer",
                         SetInteger(3, 7), "element 4 is 4, expected at least 7"},
                    Case{"pointer starts late", "cells.h5", CELLS_X "/Attribute Pointer",
                         SetInteger(0, 1), "does not start with 0"},
                    Case{"pointer beyond values", "cells.h5", CELLS_X "/Attribute Value",
                         DropLast(), "found 7 elements, expected 8"},
                    Case{"negative pointer", "cells.h5", CELLS_X "/Attribute Pointer",
                         SetInteger(2, -1), "element 2 is -1"},
                    Case{"huge pointer", "cells.h5", CELLS_X "/Attribute Value",
                         [](Hdf5Editor& editor, const std::string&) {
                           SetInteger(-1, int64_t{1} << 62)(editor, CELLS_X "/Attribute Pointer");
                         },
                         "found 8 elements, expected 4611686018427387904"},
                    Case{"too few pointers", "cells.h5", CELLS_X "/Attribute Pointer",
                         DropLastInteger(), "found 8 elements, expected 9"},
                    Case{"cell out of range", "cells.h5", CELLS_X "/Cell Index", SetInteger(0, 8),
                         "element 0 is 8, expected 0 to 7"},
                    Case{"cell twice", "cells.h5", CELLS_X "/Cell Index", SetInteger(0, 5),
                         "lists cell 5 twice"},
                    Case{"coordinate not a number", "cells.h5", CELLS_X "/Attribute Value",
                         SetReal(2, std::nan("")), "element 2 is nan"},
                    Case{"coordinate infinite", "cells.h5", CELLS_X "/Attribute Value",
                         SetReal(0, HUGE_VAL), "element 0 is inf"},
                    Case{"two coordinates", "cells.h5", CELLS_X,
                         [](Hdf5Editor& editor, const std::string& inner) {
                           editor.Replace(inner + "/Attribute Pointer",
                                          std::vector<int64_t>{0, 2, 3, 3, 4, 5, 6, 7, 8});
                         },
                         "cell 0 has 2 values, expected 1"},
                    Case{"no coordinates", "cells.h5", CELLS_X, Remove(), "missing"},
                    Case{"attribute is a group", "cells.h5", CELLS_X "/Cell Index",
                         [](Hdf5Editor& editor, const std::string& inner) {
                           editor.Remove(inner);
                           editor.AddGroup(inner);
                         },
                         "is not a data set"},
                    Case{"index of reals", "cells.h5", CELLS_X "/Cell Index",
                         [](Hdf5Editor& editor, const std::string& inner) {
                           editor.Replace(inner, std::vector<double>(8, 0));
                         },
                         "expected plain integers"},
                    Case{"value of integers", "cells.h5", CELLS_X "/Attribute Value",
                         [](Hdf5Editor& editor, const std::string& inner) {
                           editor.Replace(inner, std::vector<int64_t>(8, 0));
                         },
                         "expected plain floating point"},
                    Case{"strings", "cells.h5", CELLS_X "/Attribute Value",
                         Unwritten(H5T_C_S1, {8}, 0), "holds string data"},
                    Case{"two dimensions", "cells.h5", CELLS_X "/Attribute Value",
                         Unwritten(H5T_IEEE_F32LE, {4, 2}, 0), "is not one-dimensional"}));

INSTANTIATE_TEST_SUITE_P(
    Populations, ContradictionTest,
    testing::Values(
        Case{"overlap", "cells.h5", "H5Types/Populations", Rows({{0, 8, 10}, {7, 2, 11}}),
             "INH (label 11) starts at cell 7 with 2 cells, expected to start at 8"},
        Case{"gap", "cells.h5", "H5Types/Populations", Rows({{0, 8, 10}, {9, 2, 11}}),
             "expected to start at 8"},
        Case{"too many", "cells.h5", "H5Types/Populations",
             Rows({{0, 4'000'000'000, 10}, {4'000'000'000, 2, 11}}), "with at most 10000000"},
        Case{"twice", "cells.h5", "H5Types/Populations", Rows({{0, 8, 10}, {8, 2, 10}}),
             "lists EXC twice"},
        Case{"not in the enum", "cells.h5", "H5Types/Populations", Rows({{0, 8, 10}, {8, 2, 12}}),
             "population 12 is not in the enum"},
        Case{"no cells", "cells.h5", "H5Types/Populations", Rows({{0, 0, 10}}), "lists no cells"},
        Case{"not a table", "cells.h5", "H5Types/Populations",
             [](Hdf5Editor& editor, const std::string& inner) {
               editor.Replace(inner, std::vector<int64_t>{0, 8});
             },
             "is not a table"},
        Case{"missing", "cells.h5", "H5Types/Populations", Remove(), "missing"},
        Case{"files disagree", "connections.h5", "H5Types/Populations",
             Rows({{0, 7, 10}, {7, 3, 11}}), "differs from the table in cells.h5"}));

INSTANTIATE_TEST_SUITE_P(
    Synapses, ContradictionTest,
    testing::Values(Case{"missing attribute", "cells.h5", SITES "/syn_locs", Remove(), "missing"},
                    Case{"type 2", "cells.h5", SITES "/syn_types/Attribute Value", SetInteger(1, 2),
                         "element 1 is 2, expected 0 to 1"},
                    Case{"swc type 256", "cells.h5", SITES "/swc_types/Attribute Value",
                         SetInteger(1, 256), "expected 0 to 255"},
                    Case{"negative id", "cells.h5", SITES "/syn_ids/Attribute Value",
                         SetInteger(0, -1), "element 0 is -1"},
                    Case{"id twice", "cells.h5", SITES "/syn_ids",
                         [](Hdf5Editor& editor, const std::string& inner) {
                           std::vector<int64_t> ids = editor.Integers(inner + "/Attribute Value");
                           ids[1] = ids[0];
                           editor.Replace(inner + "/Attribute Value", ids);
                         },
                         "cell 0 has syn_id 0 twice"},
                    Case{"outside its section", "cells.h5", SITES "/syn_locs",
                         [](Hdf5Editor& editor, const std::string& inner) {
                           SetReal(4, 1.5)(editor, inner + "/Attribute Value");
                         },
                         "value 4 is 1.5, expected 0 to 1"},
                    Case{"other cells than syn_ids", "cells.h5", SITES "/syn_secs",
                         [](Hdf5Editor& editor, const std::string& inner) {
                           std::vector<int64_t> pointers =
                               editor.Integers(inner + "/Attribute Pointer");
                           ++pointers[1];
                           editor.Replace(inner + "/Attribute Pointer", pointers);
                         },
                         "as in syn_ids"}));

INSTANTIATE_TEST_SUITE_P(
    Edges, ContradictionTest,
    testing::Values(
        Case{"source out of range", "connections.h5", EDGES "/Source Index", SetInteger(3, 8),
             "element 3 is 8, expected 0 to 7"},
        Case{"source wraps", "connections.h5", EDGES "/Source Index", SetInteger(3, 1LL << 32),
             "element 3 is 4294967296"},
        Case{"pointer falls", "connections.h5", EDGES "/Destination Pointer", SetInteger(1, 28),
             "element 2 is"},
        Case{"pointer ends early", "connections.h5", EDGES "/Destination Pointer",
             SetInteger(-1, 27), "the last element is 27, expected 28"},
        Case{"block out of range", "connections.h5", EDGES "/Destination Block Index",
             SetInteger(0, 8), "element 0 is 8, expected 0 to 7"},
        Case{"block too long", "connections.h5", EDGES "/Destination Block Index", SetInteger(0, 1),
             "block 0 of 8 destinations starts at 1, but EXC has 8 cells"},
        Case{"block beyond pointers", "connections.h5", EDGES "/Destination Block Pointer",
             SetInteger(1, 10), "the last element is 10, expected 9"},
        Case{"blocks without pointers", "connections.h5", EDGES "/Destination Block Pointer",
             DropLastInteger(), "found 1 elements for 1 blocks"},
        Case{"no blocks", "connections.h5", EDGES "/Destination Block Pointer",
             [](Hdf5Editor& editor, const std::string&) {
               editor.Replace(EDGES "/Destination Block Index", std::vector<int64_t>{});
             },
             "for 0 blocks"},
        Case{"fewer sources", "connections.h5", EDGES "/Destination Pointer",
             [](Hdf5Editor& editor, const std::string&) {
               DropLastInteger()(editor, EDGES "/Source Index");
             },
             "the last element is 28, expected 27"},
        Case{"distance negative", "connections.h5", "Projections/EXC/EXC/Connections/distance",
             SetReal(5, -1), "element 5 is -1"},
        Case{"distance not a number", "connections.h5", "Projections/EXC/EXC/Connections/distance",
             SetReal(5, std::nan("")), "element 5 is nan"},
        Case{"distance overflows", "connections.h5", "Projections/EXC/EXC/Connections/distance",
             SetReal(5, 1e300), "element 5 is 1e+300"},
        Case{"distance beyond any culture", "connections.h5",
             "Projections/EXC/EXC/Connections/distance", SetReal(5, 1e30),
             "element 5 is 1e+30, expected a length of 0 to 1e+07 um"},
        Case{"too few distances", "connections.h5", "Projections/EXC/EXC/Connections/distance",
             DropLast(), "found 27 elements, expected 28"},
        Case{"too few synapses", "connections.h5", "Projections/EXC/EXC/Synapses/syn_id",
             DropLastInteger(), "found 27 elements, expected 28"},
        Case{"no synapses", "connections.h5", "Projections/EXC/EXC/Synapses", Remove(), "missing"},
        Case{"unknown population", "connections.h5", "Projections/EXC",
             [](Hdf5Editor& editor, const std::string& inner) { editor.AddGroup(inner + "/PYR"); },
             "\"PYR\" is not a population"},
        Case{"empty projection", "connections.h5", "Projections/INH/INH",
             [](Hdf5Editor& editor, const std::string& inner) { editor.AddGroup(inner); },
             "missing"}));

// --- harm ----------------------------------------------------------------------------------------

INSTANTIATE_TEST_SUITE_P(
    Harm, ContradictionTest,
    testing::Values(
        Case{"more elements than allowed", "connections.h5", EDGES "/Source Index",
             Unwritten(H5T_STD_U32LE, {hsize_t{1} << 40}, 1000), "elements, at most"},
        Case{"more elements than the file can hold", "connections.h5", EDGES "/Source Index",
             Unwritten(H5T_STD_U32LE, {hsize_t{1} << 27}, 1000), "cannot be stored in a file of"},
        // These are zeros: no damage, but no edges either.
        Case{"chunks that were never written", "connections.h5", EDGES "/Destination Pointer",
             UnwrittenSources(H5T_STD_U32LE, 100000, 1000),
             "the last element is 28, expected 100000"},
        Case{"bytes that were never written", "connections.h5", EDGES "/Destination Pointer",
             UnwrittenSources(H5T_STD_U32LE, 1000, 0), "the last element is 28, expected 1000"},
        Case{"a giant chunk that was never written", "connections.h5", EDGES "/Destination Pointer",
             UnwrittenSources(H5T_STD_U8LE, 1 << 24, 1 << 24),
             "the last element is 28, expected 16777216"},
        Case{"unknown filter", "connections.h5", EDGES "/Source Index",
             [](Hdf5Editor& editor, const std::string& inner) {
               Storage storage;
               storage.chunk = 10;
               storage.fletcher32 = true;
               editor.Replace(inner, editor.Integers(inner), storage);
             },
             "unknown filter 3"},
        Case{"soft link", "connections.h5", EDGES "/Source Index",
             [](Hdf5Editor& editor, const std::string& inner) {
               editor.Remove(inner);
               editor.AddSoftLink("/Projections/EXC/INH/Edges/Source Index", inner);
             },
             "soft or external link"},
        Case{"soft link to itself", "connections.h5", "Projections/EXC",
             [](Hdf5Editor& editor, const std::string& inner) {
               editor.Remove(inner);
               editor.AddSoftLink("/Projections/EXC", inner);
             },
             "soft or external link"},
        Case{"external link", "cells.h5", "Populations/EXC",
             [](Hdf5Editor& editor, const std::string& inner) {
               editor.Remove(inner);
               editor.AddExternalLink("connections.h5", "/Projections", inner);
             },
             "soft or external link"},
        Case{"bytes in another file", "cells.h5", CELLS_X "/Attribute Value",
             [](Hdf5Editor& editor, const std::string& inner) {
               editor.ReplaceExternal(inner, 8, "graph.json");
             },
             "is stored in another file"}));

TEST(DamagedFileTest, ProjectionWithoutEdgesIsFine) {
  const SystemCopy copy(kMini);
  {
    Hdf5Editor editor(copy.file("connections.h5"));
    const std::string group = "Projections/INH/INH";
    for (const char* name : {"", "/Edges", "/Connections", "/Synapses"}) {
      editor.AddGroup(group + name);
    }
    const std::vector<int64_t> none;
    editor.Replace(group + "/Edges/Destination Block Index", none);
    editor.Replace(group + "/Edges/Destination Block Pointer", std::vector<int64_t>{0});
    editor.Replace(group + "/Edges/Destination Pointer", std::vector<int64_t>{0});
    editor.Replace(group + "/Edges/Source Index", none);
    editor.Replace(group + "/Synapses/syn_id", none);
    editor.Replace(group + "/Connections/distance", std::vector<double>());
  }
  const auto system = ReadSystem(copy.path());
  ASSERT_TRUE(system.ok()) << system.status();
  EXPECT_EQ(system->projections.size(), 4u);
  EXPECT_EQ(Summarize(*system, system->projections[3]).num_edges, 0u);
}

// A chunk that the index lists elsewhere is lost, not unwritten.
TEST(DamagedFileTest, ChunkInTheWrongPlaceIsNoUnwrittenOne) {
  const SystemCopy copy(kMini);
  const std::string inner = EDGES "/Source Index";
  {
    Hdf5Editor editor(copy.file("connections.h5"));
    Storage storage;
    storage.type = H5T_STD_U32LE;
    storage.chunk = 7;
    editor.Replace(inner, editor.Integers(inner), storage);
  }
  // A key of the index: bytes of the chunk, filters left out, first element, 0.
  std::string key(24, '\0');
  key[0] = 28;
  key[8] = 14;
  std::string bytes = copy.Read("connections.h5");
  const size_t at = bytes.find(key);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 8] = 77;
  copy.Write("connections.h5", bytes);
  const absl::Status status = ReadSystem(copy.path()).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(copy.file("connections.h5") + ": /" + inner));
}

// --- chance --------------------------------------------------------------------------------------

// Reads a folder that may be damaged: an error that names one of its files, or a usable system.
void ExpectSurvives(const SystemCopy& copy) {
  const auto system = ReadSystem(copy.path());
  if (!system.ok()) {
    EXPECT_THAT(system.status().message(), HasSubstr(copy.path()));
    return;
  }
  for (const Projection& projection : system->projections) Summarize(*system, projection);
}

class ChanceTest : public testing::TestWithParam<const char*> {};

TEST_P(ChanceTest, CutOff) {
  const SystemCopy copy(kMini);
  const std::string whole = copy.Read(GetParam());
  for (int i = 0; i < 25; ++i) {
    SCOPED_TRACE(i);
    copy.Write(GetParam(), whole.substr(0, whole.size() * i / 25));
    EXPECT_TRUE(absl::IsDataLoss(ReadSystem(copy.path()).status()));
  }
  copy.Write(GetParam(), whole.substr(0, whole.size() - 1));
  ExpectSurvives(copy);
}

TEST_P(ChanceTest, Overwritten) {
  const SystemCopy copy(kMini);
  const std::string whole = copy.Read(GetParam());
  for (int seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::string bytes = whole;
    // One flipped bit, up to a few dozen lost bytes.
    const int count = 1 << (seed % 7);
    for (int i = 0; i < count; ++i) bytes[random() % bytes.size()] ^= 1 << (random() % 8);
    copy.Write(GetParam(), bytes);
    ExpectSurvives(copy);
  }
}

TEST_P(ChanceTest, OverwrittenStructure) {
  const SystemCopy copy(kMini);
  const std::string whole = copy.Read(GetParam());
  // B-tree nodes, symbol tables and heaps.
  std::vector<size_t> places = {0};
  for (const char* signature : {"TREE", "SNOD", "HEAP"}) {
    for (size_t at = whole.find(signature); at != std::string::npos;
         at = whole.find(signature, at + 1)) {
      places.push_back(at);
    }
  }
  for (int seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::string bytes = whole;
    for (int i = 0; i < 1 + seed % 3; ++i) {
      const size_t at = places[random() % places.size()] + random() % 300;
      if (at < bytes.size()) bytes[at] = seed % 2 ? '\xff' : static_cast<char>(random());
    }
    copy.Write(GetParam(), bytes);
    ExpectSurvives(copy);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ChanceTest, testing::Values("cells.h5", "connections.h5"));

}  // namespace
}  // namespace livnd::io
