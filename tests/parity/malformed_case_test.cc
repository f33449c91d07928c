// Broken case and trace files are refused with the file and the place in it, and never crash.
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hdf5.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "lab/parity/judge_case.h"
#include "lab/parity/oracle_case.h"
#include "lab/parity/run_case.h"
#include "lab/parity/trace_file.h"

namespace livnd::lab {
namespace {

using testing::HasSubstr;

constexpr char kFolder[] = "tests/data/oracle/";

std::string ReadBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string WriteBytes(const std::string& name, const std::string& bytes) {
  const std::string path = testing::TempDir() + name;
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  return path;
}

absl::StatusOr<OracleCase> ParseText(const std::string& text) {
  const absl::StatusOr<io::Json> json = io::ParseJson("case.json", text);
  if (!json.ok()) return json.status();
  return ParseOracleCase(io::JsonView(*json, "case.json"));
}

// A sound case of one resting cell, with members replaced or added.
io::Json RestingCell() {
  io::Json json;
  json["name"] = "resting";
  json["cells"] = {{{"gid", 0}, {"population", "EXC"}, {"xyz", {0.0, 0.0, 0.0}}}};
  json["record"] = {{"sample_dt", 0.025}, {"every", 1}};
  json["runs"] = {{{"duration", 1.0}}};
  json["marks"] = {{{"dv_mv", nullptr}, {"spikes", "equal"}}};
  return json;
}

void ExpectRefused(const io::Json& json, const std::string& place) {
  const absl::StatusOr<OracleCase> oracle = ParseText(json.dump());
  ASSERT_FALSE(oracle.ok()) << place;
  EXPECT_EQ(oracle.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(oracle.status().message()), HasSubstr("case.json"));
  EXPECT_THAT(std::string(oracle.status().message()), HasSubstr(place));
}

TEST(MalformedCaseTest, ATruncatedCaseIsRefused) {
  const std::string text = ReadBytes(std::string(kFolder) + "pair_ee.json");
  const size_t last = text.find_last_of('}');
  for (size_t n = 0; n <= last; ++n) {
    const absl::StatusOr<OracleCase> oracle = ParseText(text.substr(0, n));
    ASSERT_FALSE(oracle.ok()) << "cut to " << n << " bytes";
    EXPECT_THAT(std::string(oracle.status().message()), HasSubstr("case.json"));
  }
}

TEST(MalformedCaseTest, AGarbledCaseIsReadOrRefusedByName) {
  for (const char* name : {"pair_ee", "mea_episodes_+30", "cell_params", "noise_exc_inh"}) {
    const std::string text = ReadBytes(std::string(kFolder) + name + ".json");
    for (size_t at = 0; at < text.size(); ++at) {
      for (const char c : {'\0', '-', '9', 'e', '"', '{', ']', '\xff'}) {
        std::string garbled = text;
        garbled[at] = c;
        const absl::StatusOr<OracleCase> oracle = ParseText(garbled);
        if (!oracle.ok()) {
          ASSERT_THAT(std::string(oracle.status().message()), HasSubstr("case.json"));
        }
      }
    }
  }
}

TEST(MalformedCaseTest, EachMistakeIsNamedByItsPlace) {
  ASSERT_TRUE(ParseText(RestingCell().dump()).ok());
  io::Json json = RestingCell();
  json.erase("cells");
  ExpectRefused(json, "cells");
  json = RestingCell();
  json["cells"].push_back(json["cells"][0]);
  ExpectRefused(json, "cells[1].gid");
  json = RestingCell();
  json["cells"][0]["gid"] = 7;
  ExpectRefused(json, "cells[0].gid");
  json = RestingCell();
  json["cells"][0]["xyz"] = {1.0, 2.0};
  ExpectRefused(json, "cells[0].xyz");
  json = RestingCell();
  json["cell_params"] = {{"zero", {{"soma.cm", 1.0}}}};
  ExpectRefused(json, "zero");
  json = RestingCell();
  json["model"] = {{"size_cv", "big"}};
  ExpectRefused(json, "model.size_cv");
  json = RestingCell();
  json["model"] = {{"sizecv", 0.1}};
  ExpectRefused(json, "model.sizecv");
  json = RestingCell();
  json["receptors"] = {{"EXC-EXC", io::Json::object()}};
  ExpectRefused(json, "receptors.EXC-EXC");
  json = RestingCell();
  json["receptors"] = {{"EXC<-EXC", {{"AMPA", io::Json::object()}}}};
  json["edges"] = {{{"pre", 0}, {"post", 0}, {"swc_type", 4}}};
  ASSERT_TRUE(ParseText(json.dump()).ok());
  json["edges"][0]["post"] = -1;
  ExpectRefused(json, "edges[0].post");
  json["edges"][0]["post"] = 1;
  ExpectRefused(json, "edges[0].post");
  json["edges"][0] = {{"pre", 1}, {"post", 0}, {"swc_type", 4}};
  ExpectRefused(json, "edges[0].pre");
  json = RestingCell();
  json["electrodes"] = {{0.0, 1.0, 2.0}};
  ExpectRefused(json, "electrodes[0]");
  json = RestingCell();
  json["input_spikes"] = {{"0", {1.0, "2"}}};
  ExpectRefused(json, "input_spikes.0[1]");
  json = RestingCell();
  json["marks"].push_back(json["marks"][0]);
  ExpectRefused(json, "marks");
  json = RestingCell();
  json["runs"][0]["stimulus"] = {{"mode", "current"},
                                 {"rows", 4},
                                 {"columns", {{{"gid", 0}, {"section", 0}}}},
                                 {"pulses", io::Json::array()}};
  ASSERT_TRUE(ParseText(json.dump()).ok());
  json["runs"][0]["stimulus"]["pulses"].push_back(
      {{"column", 0}, {"start_row", 1}, {"stop_row", 5}, {"value", 1.0}});
  ExpectRefused(json, "runs[0].stimulus.pulses[0].stop_row");
}

TEST(MalformedCaseTest, MistakesInOptionsAreNamedByTheirPlace) {
  io::Json json = RestingCell();
  json["plasticity"] = "always";
  ExpectRefused(json, "plasticity");
  json["plasticity"] = {{"EXC", {{"A_ltp", "strong"}}}};
  ExpectRefused(json, "plasticity.EXC.A_ltp");
  json = RestingCell();
  json["runs"][0]["plasticity_on"] = 1;
  ExpectRefused(json, "runs[0].plasticity_on");
  json = RestingCell();
  json["runs"][0]["normalize_weights"] = true;
  ExpectRefused(json, "runs[0].normalize_weights");
  json = RestingCell();
  json["opsin"] = {{"g0", 1.0}, {"E", "high"}};
  ExpectRefused(json, "opsin.E");
  json = RestingCell();
  json["model"] = {{"parameter_sets", {{"EXC", 2}}}};
  ExpectRefused(json, "model.parameter_sets.EXC");
  json = RestingCell();
  json["model"] = {{"dendrite_orientation", "up"}};
  ExpectRefused(json, "model.dendrite_orientation");
  json = RestingCell();
  json["record"]["current"] = 1e-6;
  ExpectRefused(json, "record.current");
  json = RestingCell();
  json["receptors"] = {{"EXC<-EXC", {{"AMPA", {{"tau_decay", 3.0}}}}}};
  json["swc_receptors"] = {{"EXC<-EXC", {{"1", {{"GABA_B", {{"tau_decay", 3.0}}}}}}}};
  ASSERT_TRUE(ParseText(json.dump()).ok());
  json["swc_receptors"] = {{"EXC<-EXC", {{"soma", {{"GABA_B", {{"tau_decay", 3.0}}}}}}}};
  ExpectRefused(json, "swc_receptors.EXC<-EXC.soma");
  json["swc_receptors"] = {{"EXC<-INH", {{"1", {{"GABA_B", {{"tau_decay", 3.0}}}}}}}};
  ExpectRefused(json, "swc_receptors.EXC<-INH");
}

void ExpectRunRefused(const io::Json& json, const std::string& what) {
  const absl::StatusOr<OracleCase> oracle = ParseText(json.dump());
  ASSERT_TRUE(oracle.ok()) << oracle.status();
  const absl::StatusOr<CaseRecording> recording = RunOracleCase(*oracle);
  ASSERT_FALSE(recording.ok()) << what;
  EXPECT_EQ(recording.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(recording.status().message()), HasSubstr(what));
}

// The culture is asked for what the case says, and names what it does not take.
TEST(MalformedCaseTest, WhatCannotRunIsRefused) {
  io::Json json = RestingCell();
  json["cells"][0]["population"] = "EXC";
  json["model"] = {{"parameter_sets", {{"EXC", "Hodgkin"}}}};
  ExpectRunRefused(json, "model.parameter_sets[EXC] is Hodgkin");
  json = RestingCell();
  json["plasticity"] = {{"EXC", {{"A_up", 1.0}}}};
  ExpectRunRefused(json, "plasticity[EXC][A_up] is an unknown name");
  json = RestingCell();
  json["opsin"] = {{"g0", 1.0}, {"g1", 1.0}};
  ExpectRunRefused(json, "opsin[g1] is an unknown name");
  json = RestingCell();
  json["noise"] = {{"std", 1.0}};
  ExpectRunRefused(json, "params[noise-std].key is noise-std");
  json = RestingCell();
  json["v_init"] = 1000.0;
  ExpectRunRefused(json, "v_init_mv is 1000");
  json = RestingCell();
  json["receptors"] = {{"EXC<-EXC", {{"AMPA", {{"tau_decay", 3.0}}}}}};
  json["edges"] = {{{"pre", 0}, {"post", 0}, {"swc_type", 4}}};
  json["weights"] = {{"EXC", 2.0}, {"EXC-dend-AMPA-tau_decay", 4.0}};
  const absl::StatusOr<OracleCase> weights = ParseText(json.dump());
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_TRUE(RunOracleCase(*weights).ok());
  json["weights"]["EXC_EXC-soma"] = 2.0;
  ExpectRunRefused(json, "params[EXC_EXC-soma].key is EXC_EXC-soma");
  json = RestingCell();
  io::Json& stimulus = json["runs"][0]["stimulus"];
  stimulus = {{"mode", "sound"},
              {"rows", 4},
              {"columns", {{{"gid", 0}, {"section", 0}}}},
              {"pulses", io::Json::array()}};
  ExpectRunRefused(json, "unknown stimulus mode 'sound'");
  stimulus["mode"] = "irradiance";
  stimulus["units"] = "lux";
  ExpectRunRefused(json, "irradiance in 'lux'");
  stimulus["mode"] = "extracellular";
  stimulus["pulses"] = {{{"column", 0}, {"start_row", 0}, {"stop_row", 2}, {"value", 1001.0}}};
  ExpectRunRefused(json,
                   "stimuli[0].samples is 1001 (sample 0, channel 0); accepted: -1000 .. 1000");
  stimulus["pulses"][0]["value"] = 1.0;
  stimulus["pulses"][0]["column"] = 1;
  ExpectRunRefused(json, "pulse column 1; the stimulus has 1");
  stimulus["mode"] = "electrode_uA";
  stimulus["pulses"] = io::Json::array();
  ExpectRunRefused(json, "this system has no electrodes");
}

TEST(MalformedCaseTest, NumbersThatNoRunCouldFinishAreRefused) {
  io::Json json = RestingCell();
  json["runs"][0]["duration"] = 1e300;
  ExpectRefused(json, "runs[0].duration");
  json["runs"][0]["duration"] = -1.0;
  ExpectRefused(json, "runs[0].duration");
  for (const double dt : {0.0, -0.025, 1e-300, 1e300}) {
    json = RestingCell();
    json["dt"] = dt;
    ExpectRefused(json, "dt");
  }
  json = RestingCell();
  json["record"]["every"] = 1e18;
  ExpectRefused(json, "record");
  json = RestingCell();
  json["seed"] = -1;
  ExpectRefused(json, "seed");
}

// The numbers of a trace of RestingCell.
struct TraceNumbers {
  std::vector<double> node_gid = {0.0}, node_section = {0.0};
  std::vector<double> spike_t, spike_gid;
  std::vector<double> v = std::vector<double>(40, -75.0);
};

void WriteArray(hid_t file, const char* name, const std::vector<double>& values,
                std::vector<hsize_t> size) {
  const hid_t space = H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr);
  const hid_t set =
      H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(set);
  H5Sclose(space);
}

absl::StatusOr<ParityResult> RunWithTrace(const TraceNumbers& n) {
  const std::string path = testing::TempDir() + "trace.h5";
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  WriteArray(file, "node_gid", n.node_gid, {n.node_gid.size()});
  WriteArray(file, "node_section", n.node_section, {n.node_section.size()});
  WriteArray(file, "r0_spike_t", n.spike_t, {n.spike_t.size()});
  WriteArray(file, "r0_spike_gid", n.spike_gid, {n.spike_gid.size()});
  WriteArray(file, "r0_v", n.v, {1, n.v.size()});
  H5Fclose(file);
  const absl::StatusOr<TraceFile> trace = TraceFile::Open(path);
  if (!trace.ok()) return trace.status();
  const absl::StatusOr<OracleCase> oracle = ParseText(RestingCell().dump());
  const absl::StatusOr<CaseRecording> recording = RunOracleCase(*oracle);
  if (!recording.ok()) return recording.status();
  return JudgeCase(*oracle, *recording, *trace);
}

void ExpectTraceRefused(const TraceNumbers& numbers, const std::string& place) {
  const absl::StatusOr<ParityResult> result = RunWithTrace(numbers);
  ASSERT_FALSE(result.ok()) << place;
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("trace.h5"));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr(place));
}

TEST(MalformedTraceTest, ArraysThatContradictEachOtherAreRefused) {
  ASSERT_TRUE(RunWithTrace({}).ok());
  TraceNumbers n;
  n.node_section.clear();
  ExpectTraceRefused(n, "node_section");
  n = {};
  n.node_gid[0] = 3.0;
  ExpectTraceRefused(n, "node_gid");
  n = {};
  n.node_gid[0] = 1e300;
  ExpectTraceRefused(n, "node_gid");
  n = {};
  n.node_section[0] = 7.0;
  ExpectTraceRefused(n, "node_section");
  n = {};
  n.spike_t = {1.0, 2.0};
  n.spike_gid = {0.0};
  ExpectTraceRefused(n, "r0_spike_gid");
  n = {};
  n.spike_t = {1.0};
  n.spike_gid = {-1e300};
  ExpectTraceRefused(n, "r0_spike_gid");
  n = {};
  n.spike_t = {std::nan("")};
  n.spike_gid = {0.0};
  ExpectTraceRefused(n, "r0_spike_t");
  n = {};
  n.v.push_back(-75.0);
  ExpectTraceRefused(n, "r0_v");
}

TEST(MalformedTraceTest, AMissingFileOrDataSetIsNamed) {
  const absl::StatusOr<TraceFile> none = TraceFile::Open("no/such.h5");
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("no/such.h5"));

  const absl::StatusOr<TraceFile> trace = TraceFile::Open(std::string(kFolder) + "exc_tref5.h5");
  ASSERT_TRUE(trace.ok());
  const absl::StatusOr<TraceArray> array = trace->Read("r7_v");
  ASSERT_FALSE(array.ok());
  EXPECT_EQ(array.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(array.status().message()), HasSubstr("exc_tref5.h5: /r7_v"));
}

// Opens a damaged trace and reads all that a run needs.
absl::Status ReadAll(const std::string& path) {
  const absl::StatusOr<TraceFile> trace = TraceFile::Open(path);
  if (!trace.ok()) return trace.status();
  for (const char* name : {"node_gid", "node_section", "r0_spike_t", "r0_spike_gid", "r0_v"}) {
    const absl::StatusOr<TraceArray> array = trace->Read(name);
    if (!array.ok()) return array.status();
  }
  return absl::OkStatus();
}

TEST(MalformedTraceTest, ATruncatedTraceIsRefused) {
  const std::string bytes = ReadBytes(std::string(kFolder) + "exc_tref5.h5");
  for (size_t n = 0; n < bytes.size(); n += 997) {
    const absl::Status status = ReadAll(WriteBytes("cut.h5", bytes.substr(0, n)));
    ASSERT_FALSE(status.ok()) << "cut to " << n << " bytes";
    EXPECT_THAT(std::string(status.message()), HasSubstr("cut.h5"));
  }
}

TEST(MalformedTraceTest, AGarbledTraceIsReadOrRefusedByName) {
  const std::string bytes = ReadBytes(std::string(kFolder) + "two_current_density.h5");
  uint64_t random = 1;
  for (int i = 0; i < 2000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    std::string garbled = bytes;
    // Half of them among the first 4 kB, where the structure lies.
    const size_t range = i % 2 == 0 ? 4096 : garbled.size();
    garbled[(random >> 32) % range] ^= static_cast<char>(1 + (random >> 24) % 255);
    const absl::Status status = ReadAll(WriteBytes("garbled.h5", garbled));
    if (!status.ok()) {
      ASSERT_THAT(std::string(status.message()), HasSubstr("garbled.h5"));
    }
  }
}

}  // namespace
}  // namespace livnd::lab
