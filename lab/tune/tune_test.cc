#include "lab/tune/tune.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/json/yaml.h"
#include "io/neuroh5/read_system.h"
#include "lab/tune/front.h"
#include "lab/tune/target_json.h"
#include "lab/tune/tune_folder.h"
#include "sim/testing/executors.h"

namespace livnd::lab {
namespace {

using testing::HasSubstr;

constexpr char kTarget[] = R"(
name: short
warmup_ms: 20
duration_ms: 100
trials: 2
min_spikes: 1
space:
  reference: [0.5, 10, log10]
  noise: {g_e0: [0.0002, 0.02, log10], g_i0: [0.002, 0.06, log10], std_e: [0.0001, 0.05, log10]}
objectives:
  mfr: {target: 5, cost: log_square}
  active_fraction: {target: 0.5}
constraints:
  some: {feature: total_spikes, min: 1}
)";

class Tuning : public testing::Test {
 protected:
  Tuning() {
    const io::Json json = io::ParseYaml("t.yml", kTarget).value();
    run_.target = ParseTarget(io::JsonView(json, "t.yml")).value();
    run_.system = "systems/EI-mini";
    run_.population = 8;
    system_ = std::make_shared<const io::System>(io::ReadSystem(run_.system).value());
    evaluator_ = MakeEvaluator(system_, run_).value();
  }

  std::string Path(const std::string& name) {
    const std::string path = absl::StrCat(testing::TempDir(), "/", name, ".jsonl");
    std::filesystem::remove(path);
    return path;
  }
  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  absl::StatusOr<std::unique_ptr<EvaluationLog>> Open(const std::string& path) {
    return EvaluationLog::Open(path, run_.target, evaluator_->space().dimensions().size());
  }

  TuneRun run_;
  std::shared_ptr<const io::System> system_;
  std::unique_ptr<Evaluator> evaluator_;
  sim::InlineExecutor inline_executor_;
};

TEST_F(Tuning, FindsTheSameOnAnyNumberOfThreads) {
  const std::string one = Path("one"), three = Path("three");
  {
    const auto log = Open(one).value();
    TuneWork work;
    work.executor = &inline_executor_;
    size_t told = 0;
    work.progress = [&](const EvaluationLog& now) { EXPECT_EQ(now.evaluations().size(), ++told); };
    ASSERT_TRUE(Tune(*evaluator_, run_.Config(24), work, *log).ok());
    EXPECT_EQ(told, 24u);
  }
  const auto log = Open(three).value();
  sim::ThreadsExecutor threads(3);
  std::mutex mu;
  TuneWork work;
  work.executor = &threads;
  work.threads.one_at_a_time = [&](absl::FunctionRef<void()> fn) {
    const std::lock_guard<std::mutex> locked(mu);
    fn();
  };
  work.threads.pause = [] { std::this_thread::yield(); };
  ASSERT_TRUE(Tune(*evaluator_, run_.Config(24), work, *log).ok());
  EXPECT_EQ(Read(one), Read(three));
  // Not all the same, and some of it is good.
  EXPECT_GT(log->evaluations().back().scores.features[0], 0.0);
  EXPECT_NE(log->evaluations()[0].scores.objectives, log->evaluations()[1].scores.objectives);
}

TEST_F(Tuning, GoesOnFromAnyLineAndHalfLines) {
  const std::string whole = Path("whole");
  TuneWork work;
  work.executor = &inline_executor_;
  ASSERT_TRUE(Tune(*evaluator_, run_.Config(24), work, **Open(whole)).ok());
  const std::string text = Read(whole);
  for (const double share : {0.0, 0.1, 0.34, 0.77, 0.999}) {
    const std::string path = Path("part");
    std::ofstream(path, std::ios::binary)
        << text.substr(0, static_cast<size_t>(share * static_cast<double>(text.size())));
    ASSERT_TRUE(Tune(*evaluator_, run_.Config(24), work, **Open(path)).ok());
    EXPECT_EQ(Read(path), text) << share;
  }
}

TEST_F(Tuning, StopsWhereItIsAskedTo) {
  const std::string path = Path("stopped");
  TuneWork work;
  work.executor = &inline_executor_;
  int asked = 0;
  work.stop = [&] { return ++asked > 11; };
  EXPECT_TRUE(absl::IsCancelled(Tune(*evaluator_, run_.Config(24), work, **Open(path))));
  EXPECT_EQ((*Open(path))->evaluations().size(), 11u);
}

// Does some evaluations, and is then away.
class LostRunner final : public EvaluationRunner {
 public:
  LostRunner(const Evaluator& evaluator, int num) : evaluator_(evaluator), left_(num) {}
  absl::StatusOr<bool> Ready() override {
    if (left_ < 0) return absl::UnavailableError("away");
    return true;
  }
  absl::StatusOr<FiredTrials> Run(const Trials& trials) override {
    if (--left_ < 0) return absl::UnavailableError("lost");
    return evaluator_.Run(trials);
  }

 private:
  const Evaluator& evaluator_;
  int left_;
};

TEST_F(Tuning, GivesWhatALostRunnerHadToTheOthers) {
  const std::string whole = Path("whole"), lost = Path("lost");
  TuneWork work;
  work.executor = &inline_executor_;
  ASSERT_TRUE(Tune(*evaluator_, run_.Config(24), work, **Open(whole)).ok());
  sim::ThreadsExecutor threads(3);
  std::mutex mu;
  work.executor = &threads;
  work.threads.one_at_a_time = [&](absl::FunctionRef<void()> fn) {
    const std::lock_guard<std::mutex> locked(mu);
    fn();
  };
  work.threads.pause = [] { std::this_thread::yield(); };
  LostRunner one(*evaluator_, 3), two(*evaluator_, 5), three(*evaluator_, 1000);
  work.runners = {&one, &two, &three};
  ASSERT_TRUE(Tune(*evaluator_, run_.Config(24), work, **Open(lost)).ok());
  EXPECT_EQ(Read(lost), Read(whole));
  // Where all are lost, what they have done stays.
  LostRunner last(*evaluator_, 5);
  work.runners = {&last};
  const std::string part = Path("part");
  EXPECT_TRUE(absl::IsUnavailable(Tune(*evaluator_, run_.Config(24), work, **Open(part))));
  EXPECT_EQ((*Open(part))->evaluations().size(), 5u);
}

TEST_F(Tuning, ProbesWithTrialsThatFire) {
  const auto [trials, fired] = evaluator_->Probe(nullptr).value();
  EXPECT_EQ(trials.num, 1);
  EXPECT_EQ(trials.duration_ms, 120.0);
  ASSERT_TRUE(fired.has_value());
  EXPECT_FALSE(fired->spike_gids.empty());
  EXPECT_EQ(evaluator_->Run(trials).value()->spike_ticks, fired->spike_ticks);
  EXPECT_TRUE(absl::IsCancelled(evaluator_->Probe([] { return true; }).status()));
}

TEST_F(Tuning, RefusesTheLogOfAnotherSearch) {
  const std::string path = Path("other");
  TuneWork work;
  work.executor = &inline_executor_;
  ASSERT_TRUE(Tune(*evaluator_, run_.Config(8), work, **Open(path)).ok());
  run_.seed = 2;
  EXPECT_THAT(Tune(*evaluator_, run_.Config(8), work, **Open(path)).message(),
              HasSubstr("evaluation 1 in the log"));
  std::ofstream(path, std::ios::app) << "{\"x\": [1]}\n";
  EXPECT_THAT(Open(path).status(),
              IsFileError(absl::StrCat(path, ":9"), "x", testing::_, testing::_));
}

TEST_F(Tuning, RefusesWhatTheCultureHasNot) {
  run_.target.space.params = {{"EXC_EXC-dend-GABA_A-weight", {0.1, 1.0}}};
  EXPECT_THAT(MakeEvaluator(system_, run_).status().message(), HasSubstr("space.params"));
  run_.target.space.params.clear();
  run_.target.space.noise_balance = {{"PYR", {0.1, 1.0}}};
  EXPECT_THAT(MakeEvaluator(system_, run_).status(),
              IsFieldError("space.noise_balance", "PYR", "EXC, INH"));
}

TEST_F(Tuning, RefusesAdaptationOfCellsThatHaveNone) {
  run_.target.space.adaptation = true;
  EXPECT_TRUE(MakeEvaluator(system_, run_).ok());
  run_.target.selection = io::Json{{"INH", 2}};
  EXPECT_THAT(MakeEvaluator(system_, run_).status(),
              IsFieldError("space.adaptation", "true", HasSubstr("no cells of a population EXC")));
  run_.target.selection.reset();
  run_.target.space.noise = {{"level", {0.5, 2.0}}};
  run_.target.model = io::ModelDocument{"livn.models.glif.GLIF", {}};
  run_.target.space.reference.reset();
  EXPECT_THAT(MakeEvaluator(system_, run_).status(),
              IsFieldError("space.adaptation", "true", HasSubstr("are points")));
}

TEST_F(Tuning, HoldsAllButWhatIsSearched) {
  const size_t n = evaluator_->space().dimensions().size();
  std::vector<double> middle;
  for (const Dimension& d : evaluator_->space().dimensions())
    middle.push_back((d.low() + d.high()) / 2);
  const io::ParamList before = evaluator_->space().Params(middle);
  run_.from = middle;
  run_.search = "noise-";
  const auto noise = MakeEvaluator(system_, run_).value();
  ASSERT_EQ(noise->space().dimensions().size(), 3u);
  ASSERT_LT(3u, n);
  std::vector<double> coordinates;
  for (const Dimension& d : noise->space().dimensions()) coordinates.push_back(d.high());
  for (const io::Param& param : noise->space().Params(coordinates)) {
    const auto same = std::find_if(before.begin(), before.end(),
                                   [&](const io::Param& p) { return p.key == param.key; });
    ASSERT_NE(same, before.end());
    EXPECT_EQ(same->values == param.values, param.key.rfind("noise-", 0) != 0) << param.key;
  }
  run_.search = "nosie-";
  EXPECT_THAT(MakeEvaluator(system_, run_).status(),
              IsFieldError("--search", "nosie-", testing::_));
}

Evaluation Of(std::vector<double> objectives, double constraint = 1.0, double feature = 0.0) {
  Evaluation out;
  out.scores.objectives = std::move(objectives);
  out.scores.constraints = {constraint};
  out.scores.features.fill(feature);
  return out;
}

TEST(RankedFront, IsOfTheFeasibleAndInLivnsOrder) {
  Target target;
  target.objectives.resize(2);
  target.feature_bands = {{0, {1.0, 2.0}}};
  const std::vector<Evaluation> all = {
      Of({0.0, 0.0}, -1.0),      // best, but not feasible
      Of({1.0, 5.0}),            // worst objective 1, out of its band
      Of({3.0, 3.0}),            // in the middle
      Of({3.0, 3.0}),            // the same again
      Of({5.0, 1.0}, 1.0, 1.5),  // within the band: first
      Of({5.0, 5.0}),            // dominated
  };
  EXPECT_EQ(RankedFront(target, all), (std::vector<size_t>{4, 2, 1}));
  EXPECT_EQ(RankedFront(target, {all.data(), 1}), (std::vector<size_t>{0}));
  // None is feasible: those that violate least.
  const std::vector<Evaluation> none = {Of({0.0, 0.0}, -2.0), Of({1.0, 1.0}, -1.0)};
  EXPECT_EQ(RankedFront(target, none), (std::vector<size_t>{1}));
}

}  // namespace
}  // namespace livnd::lab
