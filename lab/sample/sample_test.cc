#include "lab/sample/sample.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "io/testing/temporary_folder.h"
#include "lab/sample/engine_runner.h"
#include "lab/sample/merge.h"
#include "lab/sample/sample_folder.h"
#include "sim/testing/executors.h"

namespace livnd::lab {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Sampling : public testing::Test {
 protected:
  Sampling()
      : system_(std::make_shared<const io::System>(io::ReadSystem("systems/EI-mini").value())) {
    config_.split = {{"train", 9}, {"test", 2}};
    config_.params = "default";
    config_.warmup_ms = 20;
    config_.duration_ms = 110;
    config_.trials = 2;
    config_.part = 4;
    config_.voltages = io::Json::array({3});
    config_.potentials = true;
    config_.sample_dt_ms = 1;
  }

  SamplePlan Plan() const {
    return SamplePlan::Create(*system_, config_, "livnd sample EI-mini --out DIR").value();
  }

  std::unique_ptr<EngineRunner> Runner(const SamplePlan& plan, sim::Executor& executor,
                                       int64_t batch) {
    return EngineRunner::Create(system_, plan, executor, batch, nullptr).value();
  }

  // Runs all of a plan into a folder.
  absl::Status Run(const std::string& folder, sim::Executor& executor, int64_t batch) {
    const SamplePlan plan = Plan();
    if (absl::Status s = PrepareSampleFolder(folder, plan); !s.ok()) return s;
    const auto runner = Runner(plan, executor, batch);
    SampleRunner* const runners[] = {runner.get()};
    SampleWork work;
    work.executor = &inline_executor_;
    return RunSamples(plan, folder, runners, work);
  }

  // {name: bytes}
  static std::map<std::string, std::string> Files(const std::string& folder) {
    std::map<std::string, std::string> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      out[std::filesystem::relative(entry.path(), folder)] = {std::istreambuf_iterator<char>(file),
                                                              {}};
    }
    return out;
  }

  std::shared_ptr<const io::System> system_;
  SampleConfig config_;
  sim::InlineExecutor inline_executor_;
  io::TemporaryFolder folder_;
};

TEST_F(Sampling, IsTheSameBytesOnAnyThreadsAndInAnyBatches) {
  ASSERT_TRUE(Run(folder_.file("a"), inline_executor_, 0).ok());
  const auto files = Files(folder_.file("a"));
  EXPECT_EQ(files.size(), 6u);  // three parts, the plan, the card and what livn's readers take
  EXPECT_THAT(files.at("README.md"),
              AllOf(HasSubstr("train 9, samples 0 .. 8; test 2, samples 9 .. 10"),
                    HasSubstr("livnd sample EI-mini --out DIR"), HasSubstr("SHA-256")));
  sim::ThreadsExecutor threads(2);
  ASSERT_TRUE(Run(folder_.file("b"), threads, 11).ok());
  EXPECT_EQ(Files(folder_.file("b")), files);
  sim::BackwardExecutor backward(3);
  ASSERT_TRUE(Run(folder_.file("c"), backward, 3).ok());
  EXPECT_EQ(Files(folder_.file("c")), files);
  ASSERT_TRUE(Run(folder_.file("d"), inline_executor_, 1).ok());
  EXPECT_EQ(Files(folder_.file("d")), files);
}

TEST_F(Sampling, HasNoiseThatDiffersAndInputsThatAct) {
  const SamplePlan plan = Plan();
  const auto runner = Runner(plan, inline_executor_, 0);
  const auto samples = runner->Run(0, 6).value();
  size_t num_spikes = 0;
  for (const SampledTrials& trials : samples) {
    ASSERT_EQ(trials.size(), 2u);
    EXPECT_NE(trials[0].voltages_mv, trials[1].voltages_mv);
    EXPECT_EQ(trials[0].voltages_mv.size(), 110u);
    EXPECT_EQ(trials[0].potentials_uv.size(), 8u * 110u);
    for (const SampledTrial& trial : trials) {
      num_spikes += trial.spike_gids.size();
      for (const uint32_t tick : trial.spike_ticks) EXPECT_LT(tick, 4400u);
    }
  }
  EXPECT_GT(num_spikes, 0u);
  EXPECT_NE(samples[0][0].voltages_mv, samples[1][0].voltages_mv);
  // Without noise and input all is the same.
  config_.noise = false;
  config_.encoding.reset();
  const SamplePlan quiet = Plan();
  const auto alike = Runner(quiet, inline_executor_, 0)->Run(0, 2).value();
  EXPECT_EQ(alike[0][0].voltages_mv, alike[1][1].voltages_mv);
  // And with input it is not.
  config_.encoding = io::Json{{"name", "livn_pulse"}};
  const SamplePlan driven = Plan();
  const auto unlike = Runner(driven, inline_executor_, 0)->Run(0, 2).value();
  EXPECT_EQ(unlike[0][0].voltages_mv, unlike[0][1].voltages_mv);
  EXPECT_NE(unlike[0][0].voltages_mv, unlike[1][0].voltages_mv);
}

TEST_F(Sampling, GoesOnWithThePlanAndNoOther) {
  const std::string a = folder_.file("a"), b = folder_.file("b");
  ASSERT_TRUE(Run(a, inline_executor_, 0).ok());
  ASSERT_TRUE(Run(b, inline_executor_, 0).ok());
  std::filesystem::remove(SamplePaths(b).Part(1));
  std::filesystem::remove(SamplePaths(b).card);
  const SamplePlan plan = Plan();
  EXPECT_THAT(MissingParts(b, plan.document()).value(), testing::ElementsAre(1));
  ASSERT_TRUE(Run(b, inline_executor_, 0).ok());
  EXPECT_EQ(Files(b), Files(a));

  config_.seed = 124;
  const absl::Status other = PrepareSampleFolder(a, Plan());
  EXPECT_TRUE(absl::IsFailedPrecondition(other));
  EXPECT_THAT(std::string(other.message()),
              HasSubstr("is of another data set: seed is 123 there and 124 here"));
  config_.seed = 123;
  config_.ranges = io::Json{{"amplitude", 500}};
  EXPECT_THAT(std::string(PrepareSampleFolder(a, Plan()).message()), HasSubstr("input.features"));
  // A part of another plan is none.
  std::filesystem::copy_file(SamplePaths(a).Part(0), SamplePaths(a).Part(2),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(std::string(MissingParts(a, plan.document()).status().message()),
              HasSubstr("part-0000002.h5: index is 0 .. 3; accepted: 8 .. 10"));
}

// Does what another runner does, until it is lost.
class LostRunner final : public SampleRunner {
 public:
  LostRunner(SampleRunner& runner, int num_good) : runner_(runner), num_good_(num_good) {}
  absl::StatusOr<bool> Ready() override {
    if (num_good_ < 0) return absl::UnavailableError("gone");
    return num_asked_++ % 2 == 1;
  }
  int64_t batch() const override { return 4; }
  absl::StatusOr<std::vector<SampledTrials>> Run(int64_t first, int64_t num) override {
    if (num_good_-- <= 0) return absl::UnavailableError("gone");
    return runner_.Run(first, num);
  }

 private:
  SampleRunner& runner_;
  int num_good_;
  int num_asked_ = 0;
};

TEST_F(Sampling, GivesWhatALostRunnerHadToTheOthers) {
  ASSERT_TRUE(Run(folder_.file("a"), inline_executor_, 0).ok());
  const SamplePlan plan = Plan();
  const auto one = Runner(plan, inline_executor_, 0), two = Runner(plan, inline_executor_, 0);
  LostRunner lost(*one, 1);
  SampleRunner* const runners[] = {&lost, two.get()};
  sim::ThreadsExecutor threads(2);
  std::mutex mutex;
  SampleWork work;
  work.executor = &threads;
  work.threads.one_at_a_time = [&](absl::FunctionRef<void()> fn) {
    const std::lock_guard<std::mutex> lock(mutex);
    fn();
  };
  work.threads.pause = [] { std::this_thread::yield(); };
  const std::string b = folder_.file("b");
  ASSERT_TRUE(PrepareSampleFolder(b, plan).ok());
  ASSERT_TRUE(RunSamples(plan, b, runners, work).ok());
  EXPECT_EQ(Files(b), Files(folder_.file("a")));
  // Where all are lost, what they have done stays.
  const std::string c = folder_.file("c");
  ASSERT_TRUE(PrepareSampleFolder(c, plan).ok());
  LostRunner last(*one, 2);
  SampleRunner* const only[] = {&last};
  work.executor = &inline_executor_;
  EXPECT_TRUE(absl::IsUnavailable(RunSamples(plan, c, only, work)));
  EXPECT_THAT(MissingParts(c, plan.document()).value(), testing::ElementsAre(2));
  EXPECT_FALSE(std::filesystem::exists(SamplePaths(c).card));
}

TEST_F(Sampling, IsMergedOfPartsThatMakeTheWhole) {
  config_.trials = 1;
  ASSERT_TRUE(Run(folder_.file("whole"), inline_executor_, 0).ok());
  const auto merge = [&](std::vector<std::string> names) {
    for (std::string& name : names) name = folder_.file(name);
    return MergeSamples(names, folder_.file("out"), nullptr).status();
  };
  config_.range = {0, 4};
  ASSERT_TRUE(Run(folder_.file("a"), inline_executor_, 0).ok());
  config_.range = {4, 8};
  ASSERT_TRUE(Run(folder_.file("b"), inline_executor_, 0).ok());
  config_.range = {8, 11};
  ASSERT_TRUE(Run(folder_.file("c"), inline_executor_, 0).ok());
  config_.seed = 5;
  ASSERT_TRUE(Run(folder_.file("other"), inline_executor_, 0).ok());

  const auto said = [&](const std::vector<std::string>& names) {
    const absl::Status status = merge(names);
    EXPECT_FALSE(status.ok());
    EXPECT_FALSE(std::filesystem::exists(folder_.file("out")));
    return std::string(status.message());
  };
  EXPECT_THAT(said({"a", "c"}), HasSubstr("samples 4 .. 7 are in none of the folders; livnd sample "
                                          "--range 4:8 makes them"));
  EXPECT_THAT(said({"a", "b"}), HasSubstr("samples 8 .. 10 are in none of the folders"));
  EXPECT_THAT(said({"b", "c"}), HasSubstr("samples 0 .. 3 are in none of the folders"));
  EXPECT_THAT(said({"a", "b", "c", "b"}), HasSubstr("samples 4 .. 7 are in"));
  EXPECT_THAT(said({"a", "b", "other"}),
              AllOf(HasSubstr("other/run.json is of another plan: seed is 5 there and 123 here"),
                    HasSubstr("in " + folder_.file("a"))));
  EXPECT_THAT(said({"a", "nothing"}), HasSubstr("a folder of livnd sample"));
  std::filesystem::rename(SamplePaths(folder_.file("b")).Part(1), folder_.file("aside"));
  EXPECT_THAT(said({"a", "b", "c"}), HasSubstr("b is not complete: 1 of its files are missing"));
  std::filesystem::rename(folder_.file("aside"), SamplePaths(folder_.file("b")).Part(1));

  ASSERT_TRUE(merge({"c", "a", "b"}).ok());
  EXPECT_EQ(Files(folder_.file("out")), Files(folder_.file("whole")));
  EXPECT_TRUE(absl::IsAlreadyExists(merge({"a", "b", "c"})));
}

}  // namespace
}  // namespace livnd::lab
