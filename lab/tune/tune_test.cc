#include "lab/tune/tune.h"

#include <cmath>
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
#include "io/culture/culture_setup.h"
#include "io/json/yaml.h"
#include "io/neuroh5/read_system.h"
#include "lab/tune/front.h"
#include "lab/tune/stimulus_sweep.h"
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
  ASSERT_TRUE(fired.resting.has_value());
  EXPECT_FALSE(fired.resting->spike_gids.empty());
  EXPECT_EQ(evaluator_->Run(trials).value().resting->spike_ticks, fired.resting->spike_ticks);
  EXPECT_TRUE(absl::IsCancelled(evaluator_->Probe([] { return true; }).status()));
}

class TuningWithStimulus : public Tuning {
 protected:
  TuningWithStimulus() {
    const io::Json json = io::ParseYaml("t.yml", absl::StrCat(kTarget, R"(
stimulus:
  amplitudes_ua: [0.01, 100]
  repeats: 2
  trial_ms: 80
  onset_ms: 40
  pre_ms: 40
  post_ms: 20
  recovery_ms: 20
  measured: {probabilities: [0, 1]}
)"))
                              .value();
    run_.target = ParseTarget(io::JsonView(json, "t.yml")).value();
    evaluator_ = MakeEvaluator(system_, run_).value();
    for (const Dimension& d : evaluator_->space().dimensions()) {
      middle_.push_back((d.low() + d.high()) / 2);
    }
  }
  static double At(const Scores& scores, const char* name) {
    return scores.features[static_cast<size_t>(FindFeature(name))];
  }

  std::vector<double> middle_;
};

TEST_F(TuningWithStimulus, MeasuresWhatAnswersAfterTheTimeAtRest) {
  const FiredTrials fired = evaluator_->Run(evaluator_->TrialsOf(middle_)).value();
  ASSERT_EQ(fired.evoked.size(), 4u);
  const env::CultureRecording* before = &*fired.resting;
  for (const env::CultureRecording& run : fired.evoked) {
    EXPECT_EQ(run.start_tick, before->start_tick + before->num_ticks);
    EXPECT_EQ(run.num_ticks, 3200);
    before = &run;
  }
  // 100 uA make cells fire that hundredths of one do not.
  EXPECT_GT(fired.evoked[1].spike_gids.size(), fired.evoked[0].spike_gids.size());
  const Scores scores = evaluator_->Judge(fired).value();
  EXPECT_TRUE(std::isfinite(At(scores, "stimulus_threshold")));
  EXPECT_TRUE(std::isfinite(At(scores, "threshold_miss")));
  EXPECT_GE(At(scores, "recruitment_miss"), 0.0);
  // The time at rest is as it is without a stimulus.
  run_.target.stimulus.reset();
  const auto without = MakeEvaluator(system_, run_).value();
  const FiredTrials resting = without->Run(without->TrialsOf(middle_)).value();
  EXPECT_EQ(resting.resting->spike_ticks, fired.resting->spike_ticks);
  EXPECT_TRUE(resting.evoked.empty());
  EXPECT_TRUE(std::isnan(At(without->Judge(resting).value(), "stimulus_threshold")));
}

TEST_F(TuningWithStimulus, StimulatesWhatHoldsTheOtherConstraintsAlone) {
  Constraint near;
  near.name = "near";
  near.feature = static_cast<size_t>(FindFeature("threshold_miss"));
  near.high = 1e-9;
  Constraint both;
  both.kind = Constraint::Kind::kAll;
  both.all_of = {0, 1};
  run_.target.constraints.push_back(near);
  run_.target.constraints.push_back(both);
  const auto num_evoked = [&] {
    const auto evaluator = MakeEvaluator(system_, run_).value();
    return evaluator->Run(evaluator->TrialsOf(middle_)).value().evoked.size();
  };
  // Those of the stimulus are not known before it.
  EXPECT_EQ(num_evoked(), 4u);
  run_.target.constraints[0].low = 1e9;
  EXPECT_EQ(num_evoked(), 0u);
  run_.target.stimulus->gate = false;
  EXPECT_EQ(num_evoked(), 4u);
  run_.target.objectives[0].feature = near.feature;
  run_.target.objectives[0].cost = Cost::kValue;
  run_.target.stimulus->gate = true;
  const auto gated = MakeEvaluator(system_, run_).value();
  EXPECT_EQ(gated->Evaluate(middle_)->objectives[0], kUndefinedCost);
}

TEST_F(TuningWithStimulus, StimulatesWhereMostCellsAre) {
  const FiredTrials chosen = evaluator_->Run(evaluator_->TrialsOf(middle_)).value();
  run_.target.stimulus->electrode = DrivingElectrode(*system_, evaluator_->setup());
  const auto told = MakeEvaluator(system_, run_).value();
  EXPECT_EQ(told->Run(told->TrialsOf(middle_)).value().evoked[1].spike_ticks,
            chosen.evoked[1].spike_ticks);
}

// livn 2.0.0: of env.io.distances(env.active_neuron_coordinates()) those within the radius, and what
// np.unique(..., return_counts=True) and np.argmax make of their electrodes. Most are ties.
TEST_F(TuningWithStimulus, ChoosesLivnsElectrode) {
  const struct {
    const char* system;
    double radius_um;
    int32_t electrode;
  } kCases[] = {{"systems/EI-mini", 50, 0},  {"systems/EI-mini", 120, 3},
                {"systems/EI-mini", 200, 0}, {"systems/EI-100", 50, 4},
                {"systems/EI-100", 120, 21}, {"systems/EI-100", 200, 13},
                {"systems/EI-100", 400, 12}, {"systems/EI-mini", 0, -1}};
  for (const auto& c : kCases) {
    const io::System system = io::ReadSystem(c.system).value();
    io::CultureSetup setup = io::SetUpCulture(system).value();
    setup.electrode_array->input_radius_um = c.radius_um;
    EXPECT_EQ(DrivingElectrode(system, setup), c.electrode) << c.system << " " << c.radius_um;
  }
  io::System apart = *system_;
  apart.electrode_array->input_radius_um = 0.0;
  EXPECT_THAT(MakeEvaluator(std::make_shared<const io::System>(apart), run_).status(),
              IsFieldError("stimulus.electrode", "absent", HasSubstr("0 um of input_radius")));
}

TEST_F(TuningWithStimulus, ProbesWithAPulse) {
  const auto [trials, fired] = evaluator_->Probe(nullptr).value();
  ASSERT_EQ(fired.evoked.size(), 1u);
  EXPECT_FALSE(fired.evoked[0].spike_gids.empty());
}

TEST_F(TuningWithStimulus, RefusesWhatTheCultureHasNot) {
  const StimulusConfig good = *run_.target.stimulus;
  const auto fault = [&] { return MakeEvaluator(system_, run_).status(); };
  run_.target.stimulus->electrode = 4711;
  EXPECT_THAT(fault(), IsFieldError("stimulus.electrode", "4711", HasSubstr("8 electrodes")));
  run_.target.stimulus = good;
  run_.target.stimulus->onset_ms = 40.01;
  EXPECT_THAT(fault(), IsFieldError("stimulus.onset_ms", "40.01", HasSubstr("0.025 ms")));
  run_.target.stimulus = good;
  run_.target.stimulus->pulse.width_us = 110;
  EXPECT_THAT(fault(), IsFieldError("stimulus.width_us", "110", HasSubstr("tick")));
  run_.target.stimulus = good;
  run_.target.stimulus->pulse.recovery_width_us = 30;
  EXPECT_THAT(fault(), IsFieldError("stimulus.recovery_width_us", "30", HasSubstr("tick")));
  run_.target.stimulus = good;
  run_.target.stimulus->repeats = 256;
  run_.target.stimulus->amplitudes_ua.clear();
  for (int i = 1; i <= 20; ++i) run_.target.stimulus->amplitudes_ua.push_back(i);
  EXPECT_THAT(fault(), IsFieldError("stimulus.repeats", "256", HasSubstr("4096")));
  // What a field would be beyond what is simulated.
  run_.target.stimulus = good;
  run_.target.stimulus->amplitudes_ua = {1, 10'000};
  EXPECT_THAT(fault(), IsFieldError("stimulus.amplitudes_ua", HasSubstr("mV"), testing::_));
  run_.target.stimulus = good;
  io::System bare = *system_;
  bare.electrode_array.reset();
  const TuneRun run = run_;
  EXPECT_THAT(MakeEvaluator(std::make_shared<const io::System>(bare), run).status(),
              IsFieldError("stimulus", "present", HasSubstr("no electrodes")));
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
