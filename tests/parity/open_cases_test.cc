// Every case of the physics oracle, run on the culture that is served and judged by the case's own marks.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "lab/parity/judge_case.h"
#include "lab/parity/oracle_case.h"
#include "lab/parity/run_case.h"
#include "lab/parity/trace_file.h"

namespace livnd::lab {
namespace {

constexpr char kFolder[] = "tests/data/oracle/";

std::vector<std::string> CaseNames() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(kFolder)) {
    if (file.path().extension() == ".json") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class OpenCaseTest : public testing::TestWithParam<std::string> {};

TEST_P(OpenCaseTest, EveryRunPassesItsMark) {
  const std::string path = kFolder + GetParam();
  const absl::StatusOr<io::Json> json = io::ReadJsonFile(path + ".json");
  ASSERT_TRUE(json.ok()) << json.status();
  const absl::StatusOr<OracleCase> oracle = ParseOracleCase(io::JsonView(*json, path));
  ASSERT_TRUE(oracle.ok()) << oracle.status();
  const absl::StatusOr<TraceFile> trace = TraceFile::Open(path + ".h5");
  ASSERT_TRUE(trace.ok()) << trace.status();
  const absl::StatusOr<CaseRecording> recording = RunOracleCase(*oracle);
  ASSERT_TRUE(recording.ok()) << recording.status();
  const absl::StatusOr<ParityResult> result = JudgeCase(*oracle, *recording, *trace);
  ASSERT_TRUE(result.ok()) << result.status();

  EXPECT_EQ(result->name, GetParam());
  ASSERT_EQ(result->runs.size(), oracle->runs.size());
  for (size_t i = 0; i < result->runs.size(); ++i) {
    const ParityRun& run = result->runs[i];
    EXPECT_TRUE(run.pass) << "run " << i << ": |dv| " << run.max_abs_dv_mv << " mV, "
                          << run.spikes_got << " spikes of " << run.spikes_expected
                          << ", moved by up to " << run.max_spike_shift_ms << " ms";
  }
}

INSTANTIATE_TEST_SUITE_P(All, OpenCaseTest, testing::ValuesIn(CaseNames()),
                         [](const testing::TestParamInfo<std::string>& info) {
                           std::string name;
                           for (char c : info.param) {
                             name += c == '+' ? "plus" : c == '-' ? "minus" : std::string(1, c);
                           }
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(OpenCasesTest, AreAllThere) { EXPECT_EQ(CaseNames().size(), 36u); }

}  // namespace
}  // namespace livnd::lab
