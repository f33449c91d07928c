#include "io/neuroh5/write_system.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system.h"
#include "io/system/truth.h"
#include "io/testing/temporary_folder.h"

namespace livnd::io {
namespace {

using testing::HasSubstr;

auto Members(const Population& p) { return std::tie(p.name, p.label, p.first_gid, p.num_cells); }
auto Members(const SynapseSites& s) {
  return std::tie(s.offsets, s.syn_id, s.syn_type, s.swc_type, s.section, s.layer, s.location,
                  s.path_distance_um);
}
auto Members(const ReceptorConfig& r) { return std::tie(r.receptor, r.params, r.disabled); }
auto Members(const Param& p) { return std::tie(p.key, p.values); }
auto Members(const ModelDocument& m) { return std::tie(m.model_class, m.arguments); }
auto Members(const SelectionDocument& s) { return std::tie(s.gids, s.graph_uuid); }
auto Members(const LayerExtent& l) { return std::tie(l.name, l.min_um, l.max_um); }
auto Members(const Electrode& e) { return std::tie(e.id, e.position_um); }

template <typename T>
void ExpectSame(const std::vector<T>& a, const std::vector<T>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(Members(a[i]) == Members(b[i])) << i;
}

void ExpectSame(const ProjectionConfig& a, const ProjectionConfig& b) {
  EXPECT_EQ(std::tie(a.post, a.pre, a.type, a.contacts, a.sections, a.layers, a.proportions),
            std::tie(b.post, b.pre, b.type, b.contacts, b.sections, b.layers, b.proportions));
  ASSERT_EQ(a.mechanisms.size(), b.mechanisms.size());
  for (const auto& [site, receptors] : a.mechanisms) ExpectSame(receptors, b.mechanisms.at(site));
}

void ExpectSame(const ElectrodeArrayConfig& a, const ElectrodeArrayConfig& b) {
  ExpectSame(a.electrodes, b.electrodes);
  const auto members = [](const ElectrodeArrayConfig& c) {
    return std::tie(c.input_radius_um, c.output_radius_um, c.conductor.stimulation_gain,
                    c.conductor.recording_gain, c.conductor.min_distance_um,
                    c.conductor.electrode_radius_um, c.conductor.culture_height_um);
  };
  EXPECT_EQ(members(a), members(b));
}

// All that the reader has of both, but where they are and in which order the edges of different targets
// stand.
void ExpectSame(const System& a, const System& b) {
  ExpectSame(a.populations, b.populations);
  EXPECT_EQ(a.position_um, b.position_um);
  ExpectSame(a.synapse_sites, b.synapse_sites);
  ASSERT_EQ(a.projections.size(), b.projections.size());
  for (size_t i = 0; i < a.projections.size(); ++i) {
    EXPECT_EQ(a.projections[i].pre, b.projections[i].pre);
    EXPECT_EQ(a.projections[i].post, b.projections[i].post);
    EXPECT_EQ(EdgesSha256(a.projections[i]), EdgesSha256(b.projections[i]));
    EXPECT_EQ(EdgesSynSha256(a.projections[i]), EdgesSynSha256(b.projections[i]));
  }
  ASSERT_EQ(a.projection_configs.size(), b.projection_configs.size());
  for (size_t i = 0; i < a.projection_configs.size(); ++i) {
    ExpectSame(a.projection_configs[i], b.projection_configs[i]);
  }
  ASSERT_EQ(a.area.has_value(), b.area.has_value());
  if (a.area.has_value()) {
    EXPECT_EQ(std::tie(a.area->min_um, a.area->max_um), std::tie(b.area->min_um, b.area->max_um));
  }
  ExpectSame(a.layers, b.layers);
  EXPECT_EQ(a.graph_uuid, b.graph_uuid);
  ASSERT_EQ(a.electrode_array.has_value(), b.electrode_array.has_value());
  if (a.electrode_array.has_value()) ExpectSame(*a.electrode_array, *b.electrode_array);
  ASSERT_EQ(a.model.has_value(), b.model.has_value());
  if (a.model.has_value()) {
    EXPECT_TRUE(Members(*a.model) == Members(*b.model));
  }
  ASSERT_EQ(a.params.size(), b.params.size());
  for (const auto& [name, document] : a.params) {
    const ParamsDocument& other = b.params.at(name);
    ASSERT_EQ(document.size(), other.size());
    for (const auto& [model, groups] : document) {
      ASSERT_EQ(groups.size(), other.at(model).size());
      for (const auto& [group, params] : groups) ExpectSame(params, other.at(model).at(group));
    }
  }
  ASSERT_EQ(a.selections.size(), b.selections.size());
  for (const auto& [name, selection] : a.selections) {
    EXPECT_TRUE(Members(selection) == Members(b.selections.at(name))) << name;
  }
}

class WriteSystemTest : public testing::TestWithParam<const char*> {};

TEST_P(WriteSystemTest, IsReadAgainAsTheSame) {
  const TemporaryFolder folder;
  const absl::StatusOr<System> system = ReadSystem(GetParam());
  ASSERT_TRUE(system.ok()) << system.status();
  const absl::Status written = WriteSystem(*system, folder.file("again"));
  ASSERT_TRUE(written.ok()) << written;
  EXPECT_EQ(folder.Entries(), std::vector<std::string>{"again"});
  const absl::StatusOr<System> again = ReadSystem(folder.file("again/"));
  ASSERT_TRUE(again.ok()) << again.status();
  ExpectSame(*system, *again);
  // From there on nothing changes any more, the order of the edges included, whenever it is.
  absl::SleepFor(absl::Milliseconds(1001));
  ASSERT_TRUE(WriteSystem(*again, folder.file("third/")).ok());
  const absl::StatusOr<System> third = ReadSystem(folder.file("third"));
  ASSERT_TRUE(third.ok()) << third.status();
  for (size_t i = 0; i < again->projections.size(); ++i) {
    const Projection& a = again->projections[i];
    const Projection& b = third->projections[i];
    EXPECT_EQ(std::tie(a.source_gid, a.target_gid, a.distance_um, a.syn_id),
              std::tie(b.source_gid, b.target_gid, b.distance_um, b.syn_id));
  }
  EXPECT_EQ(*SystemSha256(*again), *SystemSha256(*third));
}

INSTANTIATE_TEST_SUITE_P(Systems, WriteSystemTest,
                         testing::Values("systems/EI-mini", "systems/EI-100",
                                         "tests/data/systems/E-100", "tests/data/systems/EI-alt",
                                         "tests/data/systems/EI-blocks",
                                         "tests/data/systems/EI-1000", "tests/data/systems/S1"));

System Mini() { return *ReadSystem("systems/EI-mini"); }

TEST(WriteSystemRefusalTest, ASystemThatContradictsItselfIsNotWritten) {
  const TemporaryFolder folder;
  const std::pair<const char*, std::function<void(System&)>> cases[] = {
      {"populations[1].first_gid is 9; accepted: 8",
       [](System& s) { s.populations[1].first_gid = 9; }},
      {"populations[1].name is EXC", [](System& s) { s.populations[1].name = "EXC"; }},
      {"populations[1].label is 10", [](System& s) { s.populations[1].label = 10; }},
      {"position_um is 9 places", [](System& s) { s.position_um.pop_back(); }},
      {"synapse_sites is of 1 populations", [](System& s) { s.synapse_sites.pop_back(); }},
      {"synapse_sites[0].offsets", [](System& s) { s.synapse_sites[0].offsets[1] = 1000; }},
      {"synapse_sites[0] is 35 values", [](System& s) { s.synapse_sites[0].location.pop_back(); }},
      {"projections[0].pre is PYR", [](System& s) { s.projections[0].pre = "PYR"; }},
      {"projections[0] is 27 values", [](System& s) { s.projections[0].syn_id.pop_back(); }},
      {"projections[0].target_gid[3] is 8", [](System& s) { s.projections[0].target_gid[3] = 8; }},
      {"projections[0].source_gid[0] is 4294967295",
       [](System& s) { s.projections[0].source_gid[0] = UINT32_MAX; }},
      {"syn_locs", [](System& s) { s.synapse_sites[0].location[0] = 2; }},
      {"finite", [](System& s) { s.position_um[0][1] = std::numeric_limits<double>::quiet_NaN(); }},
      {"the name of a file", [](System& s) { s.params["../evil"] = s.params.begin()->second; }},
  };
  for (const auto& [message, spoil] : cases) {
    System system = Mini();
    spoil(system);
    const absl::Status status = WriteSystem(system, folder.file("bad"));
    EXPECT_FALSE(status.ok()) << message;
    EXPECT_THAT(status.ToString(), HasSubstr(message));
    EXPECT_TRUE(folder.Entries().empty()) << message;
  }
}

TEST(WriteSystemRefusalTest, WhatIsThereStays) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("taken")) << "somebody's";
  EXPECT_EQ(WriteSystem(Mini(), folder.file("taken")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(std::filesystem::file_size(folder.file("taken")), 10u);
  EXPECT_EQ(WriteSystem(Mini(), folder.file("no/where")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(folder.Entries().size(), 1u);
}

TEST(WriteSystemRefusalTest, WhereThereIsNoRoomNothingIsLeft) {
  const TemporaryFolder folder;
  signal(SIGXFSZ, SIG_IGN);
  const System system = *ReadSystem("tests/data/systems/EI-1000");
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  for (const rlim_t most : {1 << 10, 20 << 10, 60 << 10}) {
    const rlimit limit = {most, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const absl::Status status = WriteSystem(system, folder.file("large"));
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_FALSE(status.ok()) << most;
    EXPECT_TRUE(absl::StrContains(status.message(), "large")) << status;
    EXPECT_TRUE(folder.Entries().empty()) << most;
  }
}

TEST(WriteSystemPrecisionTest, PlacesKeepEveryBit) {
  const TemporaryFolder folder;
  System system = Mini();
  system.position_um[3] = {1.0 / 3.0, 1e-300, 12345.678901234567};
  ASSERT_TRUE(WriteSystem(system, folder.file("fine")).ok());
  EXPECT_EQ(ReadSystem(folder.file("fine"))->position_um, system.position_um);
}

}  // namespace
}  // namespace livnd::io
