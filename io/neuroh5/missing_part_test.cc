// HDF5 files that are sound but lack something under its name: what graph.json declares is there, or
// is missed by name. No culture silently has fewer connections.

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/culture/culture_setup.h"
#include "io/json/json_file.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system.h"
#include "io/system/truth.h"
#include "io/testing/hdf5_editor.h"
#include "io/testing/system_copy.h"

namespace livnd::io {
namespace {

using testing::HasSubstr;

constexpr char kMini[] = "systems/EI-mini";

// A system's folder makes a culture with all of its connections, or none and says why.
void ExpectWholeOrNamed(const SystemCopy& copy, const std::string& file,
                        const ReadOptions& options = {}) {
  static const auto* whole = new absl::StatusOr<System>(ReadSystem(kMini));
  const auto system = ReadSystem(copy.path(), options);
  const absl::Status status = system.ok() ? SetUpCulture(*system).status() : system.status();
  if (!status.ok()) {
    EXPECT_THAT(status.message(), HasSubstr(copy.file(file) + ": /"));
    return;
  }
  ASSERT_TRUE(whole->ok()) << whole->status();
  ASSERT_EQ(system->projections.size(), (*whole)->projections.size());
  for (size_t i = 0; i < (*whole)->projections.size(); ++i) {
    EXPECT_EQ(EdgesSynSha256(system->projections[i]), EdgesSynSha256((*whole)->projections[i]));
  }
  for (size_t i = 0; i < (*whole)->populations.size(); ++i) {
    EXPECT_EQ(CoordinatesSha256(*system, i), CoordinatesSha256(**whole, i));
    EXPECT_EQ(SynapsesSha256(*system, i), SynapsesSha256(**whole, i));
  }
}

TEST(MissingPartTest, DeclaredProjectionIsNamed) {
  const auto system = ReadSystem(kMini);
  ASSERT_TRUE(system.ok()) << system.status();
  ASSERT_EQ(system->projection_configs.size(), 3u);
  for (const ProjectionConfig& declared : system->projection_configs) {
    const std::string inner = absl::StrCat("Projections/", declared.post, "/", declared.pre);
    for (const std::string& removed :
         {inner, absl::StrCat("Projections/", declared.post), std::string("Projections")}) {
      SCOPED_TRACE(absl::StrCat(inner, " without ", removed));
      const SystemCopy copy(kMini);
      Hdf5Editor(copy.file("connections.h5")).Remove(removed);
      const absl::Status status = ReadSystem(copy.path(), {.in_process = true}).status();
      EXPECT_TRUE(absl::IsNotFound(status)) << status;
      EXPECT_THAT(status.message(), HasSubstr(copy.file("connections.h5") + ": /Projections/"));
      EXPECT_THAT(status.message(), HasSubstr(copy.file("graph.json")));
      if (removed != inner) continue;
      EXPECT_THAT(status.message(), HasSubstr(": /" + inner + ": missing"));
    }
  }
}

TEST(MissingPartTest, DeclaredProjectionOfNoCellsNeedNotBeThere) {
  const SystemCopy copy("tests/data/systems/E-100");
  Json graph = *ReadJsonFile(copy.file("graph.json"));
  Json& synapses = graph["connections"].begin().value()["config"]["synapses"];
  synapses["EXC"]["INH"] = synapses["EXC"]["EXC"];
  synapses["INH"]["EXC"] = synapses["EXC"]["EXC"];
  copy.Write("graph.json", graph.dump());
  EXPECT_TRUE(ReadSystem(copy.path()).ok()) << ReadSystem(copy.path()).status();
}

class LinkNameTest : public testing::TestWithParam<const char*> {};

// Each link under a name that differs by one bit, in a file that is sound otherwise.
TEST_P(LinkNameTest, ChangedNameIsNoticed) {
  const std::vector<std::string> links = Hdf5Editor(std::string(kMini) + "/" + GetParam()).Links();
  ASSERT_GT(links.size(), 20u);
  for (const std::string& link : links) {
    const SystemCopy copy(kMini);
    std::string name = link.substr(link.rfind('/') + 1);
    name.back() = static_cast<char>(name.back() ^ 1);
    SCOPED_TRACE(absl::StrCat(link, " -> ", name));
    Hdf5Editor(copy.file(GetParam())).Rename(link, name);
    ExpectWholeOrNamed(copy, GetParam(), {.in_process = true});
  }
}

// A flipped bit wherever a link's name stands in the file.
TEST_P(LinkNameTest, FlippedBitIsNoticed) {
  std::set<std::string> names;
  for (const std::string& link : Hdf5Editor(std::string(kMini) + "/" + GetParam()).Links()) {
    names.insert(link.substr(link.rfind('/') + 1));
  }
  const SystemCopy copy(kMini);
  const std::string whole = copy.Read(GetParam());
  int num_flips = 0;
  for (const std::string& name : names) {
    const std::string stored = name + '\0';
    for (size_t at = whole.find(stored); at != std::string::npos; at = whole.find(stored, at + 1)) {
      SCOPED_TRACE(absl::StrCat(name, " at ", at));
      std::string bytes = whole;
      const size_t in_name = static_cast<size_t>(num_flips) % name.size();
      bytes[at + in_name] = static_cast<char>(bytes[at + in_name] ^ 1 << (num_flips % 8));
      ++num_flips;
      copy.Write(GetParam(), bytes);
      ExpectWholeOrNamed(copy, GetParam());
    }
  }
  EXPECT_GT(num_flips, 20);
}

INSTANTIATE_TEST_SUITE_P(Files, LinkNameTest, testing::Values("cells.h5", "connections.h5"));

}  // namespace
}  // namespace livnd::io
