#include "env/task/vector_environment.h"

#include <cmath>
#include <limits>
#include <thread>

#include "env/catalog.h"
#include "env/seed.h"
#include "env/task/task_model.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"

namespace livnd::env {
namespace {

using ::testing::HasSubstr;

// Two pieces at once, so that copies fall into several gangs.
class TwoThreads final : public sim::Executor {
 public:
  int concurrency() const override { return 2; }
  void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) override {
    std::thread odd([&] {
      for (int i = 1; i < num_pieces; i += 2) fn(i);
    });
    for (int i = 0; i < num_pieces; i += 2) fn(i);
    odd.join();
  }
};

// A short TargetRate on the system that ships, settled once for all tests.
std::shared_ptr<const EnvironmentModel> Model() {
  static const auto* model = [] {
    auto system = io::ReadSystem("systems/EI-mini");
    EXPECT_TRUE(system.ok()) << system.status();
    TargetRateConfig config;
    config.settle_ms = 300.0;
    config.episode_steps = 4;
    auto made = EnvironmentModel::Create(*system, config);
    EXPECT_TRUE(made.ok()) << made.status();
    return new std::shared_ptr<const EnvironmentModel>(*made);
  }();
  return *model;
}

std::unique_ptr<VectorEnvironment> Make(int num_envs, AutoresetMode mode, sim::Executor& executor) {
  auto made = VectorEnvironment::Create(Model(), num_envs, mode, 99, executor);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

ResetRequest Seeds(std::vector<std::optional<uint64_t>> seeds) {
  ResetRequest r;
  r.seeds = std::move(seeds);
  return r;
}

// Amplitudes that depend on copy seed and step, the same wherever the copy lies.
std::vector<float> Actions(const std::vector<uint64_t>& seeds, int step) {
  std::vector<float> out;
  for (uint64_t seed : seeds) {
    for (int e = 0; e < Model()->num_electrodes(); ++e) {
      out.push_back(
          static_cast<float>(0.3 * std::sin(static_cast<double>(seed) + 1.7 * step + 0.9 * e)));
    }
  }
  return out;
}

std::vector<float> ObservationOf(const VectorEnvironment& env, int copy) {
  const auto size = static_cast<size_t>(env.spec().observation.num_elements());
  const auto at = env.outcome().observations.begin() + static_cast<int64_t>(copy * size);
  return {at, at + static_cast<int64_t>(size)};
}

TEST(EnvironmentModelTest, ATaskWithElectrodesNeedsCellsThatTheyReach) {
  auto system = io::ReadSystem("systems/EI-mini");
  ASSERT_TRUE(system.ok()) << system.status();
  system->model = io::ModelDocument{"livn.models.glif.GLIF", {}};
  system->params["default"]["GLIF"]["default"] = {{"noise-level", {100.0}}};
  const auto made = EnvironmentModel::Create(*system, TargetRateConfig());
  EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(made.status().message(), HasSubstr("EI-mini: electrodes do not reach"));
  EXPECT_THAT(made.status().message(), HasSubstr("GLIF"));
}

TEST(VectorEnvironmentTest, ACopyDoesNotDependOnItsPlaceOrOnThreads) {
  sim::InlineExecutor inline_executor;
  TwoThreads two;
  const std::vector<uint64_t> seeds = {3, 14, 15, 92, 65};
  auto batch = Make(5, AutoresetMode::kNextStep, two);
  ASSERT_TRUE(batch->Reset(Seeds({3, 14, 15, 92, 65})).ok());
  for (int c = 0; c < 5; ++c) {
    auto alone = Make(1, AutoresetMode::kNextStep, inline_executor);
    ASSERT_TRUE(alone->Reset(Seeds({seeds[c]})).ok());
    auto again = Make(5, AutoresetMode::kNextStep, two);
    ASSERT_TRUE(again->Reset(Seeds({3, 14, 15, 92, 65})).ok());
    for (int step = 0; step < 7; ++step) {  // beyond the end of the episode
      ASSERT_TRUE(alone->Step(Actions({seeds[c]}, step)).ok());
      ASSERT_TRUE(again->Step(Actions(seeds, step)).ok());
      EXPECT_EQ(ObservationOf(*alone, 0), ObservationOf(*again, c)) << "copy " << c;
      EXPECT_EQ(alone->outcome().rewards[0], again->outcome().rewards[c]);
      EXPECT_EQ(alone->outcome().seeds[0], again->outcome().seeds[c]);
    }
  }
}

TEST(VectorEnvironmentTest, SeedsDecideAndUnseededResetsContinueTheStream) {
  sim::InlineExecutor executor;
  auto a = Make(1, AutoresetMode::kDisabled, executor);
  auto b = Make(1, AutoresetMode::kDisabled, executor);
  for (auto* env : {a.get(), b.get()}) ASSERT_TRUE(env->Reset(Seeds({7})).ok());
  EXPECT_EQ(a->outcome().seeds[0], 7u);
  for (auto* env : {a.get(), b.get()}) ASSERT_TRUE(env->Reset({}).ok());
  EXPECT_EQ(a->outcome().seeds, b->outcome().seeds);
  EXPECT_NE(a->outcome().seeds[0], 7u);
  // The reported seed alone brings the episode back.
  auto c = Make(1, AutoresetMode::kDisabled, executor);
  ASSERT_TRUE(c->Reset(Seeds({a->outcome().seeds[0]})).ok());
  for (int step = 0; step < 3; ++step) {
    ASSERT_TRUE(a->Step(Actions({7}, step)).ok());
    ASSERT_TRUE(c->Step(Actions({7}, step)).ok());
    EXPECT_EQ(a->outcome().observations, c->outcome().observations);
  }
}

TEST(VectorEnvironmentTest, DifferentSeedsGiveDifferentEpisodes) {
  sim::InlineExecutor executor;
  auto env = Make(2, AutoresetMode::kDisabled, executor);
  ASSERT_TRUE(env->Reset(Seeds({1, 2})).ok());
  EXPECT_NE(env->outcome().infos[kTargetRateHz][0], env->outcome().infos[kTargetRateHz][1]);
  ResetRequest same_target = Seeds({1, 2});
  same_target.options["target_rate_hz"] = 8.0;
  ASSERT_TRUE(env->Reset(same_target).ok());
  for (int step = 0; step < 4; ++step) ASSERT_TRUE(env->Step(Actions({5, 5}, step)).ok());
  EXPECT_NE(ObservationOf(*env, 0), ObservationOf(*env, 1));  // the noise differs
}

TEST(VectorEnvironmentTest, UnseededCopiesDifferFromEachOther) {
  sim::InlineExecutor executor;
  auto env = Make(3, AutoresetMode::kDisabled, executor);
  ASSERT_TRUE(env->Reset({}).ok());
  EXPECT_NE(env->outcome().seeds[0], env->outcome().seeds[1]);
  EXPECT_NE(env->outcome().seeds[1], env->outcome().seeds[2]);
}

TEST(VectorEnvironmentTest, NextStepResetsInTheCallAfterTheEnd) {
  sim::InlineExecutor executor;
  auto env = Make(1, AutoresetMode::kNextStep, executor);
  ASSERT_TRUE(env->Reset(Seeds({5})).ok());
  const std::vector<float> first = ObservationOf(*env, 0);
  for (int step = 0; step < 4; ++step) {
    ASSERT_TRUE(env->Step(Actions({5}, step)).ok());
    EXPECT_EQ(env->outcome().truncated[0], step == 3 ? 1 : 0);
    EXPECT_EQ(env->outcome().terminated[0], 0);
    EXPECT_EQ(env->outcome().ticks[0], (step + 1) * 2000);
    EXPECT_LT(env->outcome().rewards[0], 0.0);
  }
  // Its action is not looked at, not even checked.
  const std::vector<float> nonsense(static_cast<size_t>(Model()->num_electrodes()),
                                    std::numeric_limits<float>::quiet_NaN());
  ASSERT_TRUE(env->Step(nonsense).ok());
  EXPECT_EQ(env->outcome().rewards[0], 0.0);
  EXPECT_EQ(env->outcome().truncated[0], 0);
  EXPECT_EQ(env->outcome().ticks[0], 0);
  EXPECT_EQ(env->outcome().episodes[0], 2);
  // Only the target may differ from the first episode's start.
  std::vector<float> second = ObservationOf(*env, 0);
  second.back() = first.back();
  EXPECT_EQ(first, second);
  // What follows equals a reset with the new seed.
  auto fresh = Make(1, AutoresetMode::kNextStep, executor);
  ASSERT_TRUE(fresh->Reset(Seeds({env->outcome().seeds[0]})).ok());
  ASSERT_TRUE(fresh->Step(Actions({5}, 0)).ok());
  ASSERT_TRUE(env->Step(Actions({5}, 0)).ok());
  EXPECT_EQ(fresh->outcome().observations, env->outcome().observations);
}

TEST(VectorEnvironmentTest, DisabledRefusesToStepPastTheEnd) {
  sim::InlineExecutor executor;
  auto env = Make(2, AutoresetMode::kDisabled, executor);
  ASSERT_TRUE(env->Reset(Seeds({5, 6})).ok());
  for (int step = 0; step < 4; ++step) ASSERT_TRUE(env->Step(Actions({5, 6}, step)).ok());
  EXPECT_EQ(env->first_ended(), 0);
  const Outcome before = env->outcome();
  EXPECT_EQ(env->Step(Actions({5, 6}, 4)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(before.observations, env->outcome().observations);
  ResetRequest one;
  one.mask = {1, 0};
  ASSERT_TRUE(env->Reset(one).ok());
  EXPECT_EQ(env->first_ended(), 1);
  EXPECT_EQ(env->outcome().truncated[1], 1);  // the other copy is as it was
  EXPECT_EQ(ObservationOf(*env, 1),
            std::vector<float>(before.observations.begin() + env->spec().observation.num_elements(),
                               before.observations.end()));
}

TEST(VectorEnvironmentTest, BadRequestsChangeNothing) {
  sim::InlineExecutor executor;
  auto env = Make(2, AutoresetMode::kDisabled, executor);
  EXPECT_EQ(env->Step(Actions({1, 2}, 0)).code(), absl::StatusCode::kFailedPrecondition);
  ResetRequest half;
  half.mask = {1, 0};
  EXPECT_EQ(env->Reset(half).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(env->Reset(Seeds({1, 2})).ok());
  const Outcome before = env->outcome();
  const auto invalid = [&](const absl::Status& status, const std::string& says) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(says));
    EXPECT_EQ(env->outcome().observations, before.observations);
    EXPECT_EQ(env->outcome().ticks, before.ticks);
  };
  invalid(env->Step(std::vector<float>(3)), "takes 2 x 8");
  std::vector<float> a = Actions({1, 2}, 0);
  a[9] = std::numeric_limits<float>::quiet_NaN();
  invalid(env->Step(a), "copy 1, amplitude_e1 = nan; takes -1 to 1");
  a[9] = 1.5f;
  invalid(env->Step(a), "amplitude_e1 = 1.5");
  ResetRequest request;
  request.options["target_rate_hz"] = 1e6;
  invalid(env->Reset(request), "target_rate_hz = 1e+06; takes 5 to 12");
  request.options = {{"speed", 1.0}};
  invalid(env->Reset(request), "accepted: target_rate_hz");
  request = {};
  request.mask = {0, 0};
  invalid(env->Reset(request), "at least one");
  request.mask = {1};
  invalid(env->Reset(request), "takes 2");
  invalid(env->Reset(Seeds({1})), "takes 2");
}

TEST(VectorEnvironmentTest, OutcomesKeepToTheirSpec) {
  sim::InlineExecutor executor;
  auto env = Make(3, AutoresetMode::kNextStep, executor);
  const EnvironmentSpec& spec = env->spec();
  ASSERT_TRUE(env->Reset(Seeds({1, 2, 3})).ok());
  for (int step = 0; step < 9; ++step) {
    for (int c = 0; c < 3; ++c) {
      const std::vector<float> o = ObservationOf(*env, c);
      ASSERT_EQ(o.size(), spec.observation.element_names.size());
      for (size_t i = 0; i < o.size(); ++i) {
        EXPECT_GE(o[i], spec.observation.low[i]) << spec.observation.element_names[i];
        EXPECT_LE(o[i], spec.observation.high[i]) << spec.observation.element_names[i];
      }
      for (int k = 0; k < kNumTargetRateInfos; ++k) {
        EXPECT_GE(env->outcome().infos[k][c], spec.infos[k].low[0]) << spec.infos[k].name;
        EXPECT_LE(env->outcome().infos[k][c], spec.infos[k].high[0]) << spec.infos[k].name;
      }
    }
    ASSERT_TRUE(env->Step(Actions({1, 2, 3}, step)).ok());
  }
}

// The promise in target_rate.h, measured on every shipped system.
TEST(TargetRateTest, TargetsLieBetweenSpontaneousFiringAndStrongStimulation) {
  for (const std::string name : {"EI-mini", "EI-100"}) {
    auto system = io::ReadSystem("systems/" + name);
    ASSERT_TRUE(system.ok()) << system.status();
    TargetRateConfig config;
    config.settle_ms = 500.0;
    config.episode_steps = 60;
    auto model = EnvironmentModel::Create(*system, config);
    ASSERT_TRUE(model.ok()) << model.status();
    sim::InlineExecutor executor;
    auto env = VectorEnvironment::Create(*model, 2, AutoresetMode::kDisabled, 0, executor);
    ASSERT_TRUE(env.ok());
    ASSERT_TRUE((*env)->Reset(Seeds({11, 11})).ok());
    const auto electrodes = static_cast<size_t>((*model)->num_electrodes());
    std::vector<float> actions(2 * electrodes, 0.0f);
    std::fill_n(actions.begin(), electrodes, 1.0f);
    double strong = 0.0, silent = 0.0;
    for (int step = 0; step < 60; ++step) {
      ASSERT_TRUE((*env)->Step(actions).ok());
      strong += (*env)->outcome().infos[kNumSpikes][0];
      silent += (*env)->outcome().infos[kNumSpikes][1];
    }
    const double cell_seconds = static_cast<double>((*model)->num_cells()) * 60 * 0.05;
    EXPECT_LT(silent / cell_seconds, config.min_target_hz) << name;
    EXPECT_GT(strong / cell_seconds, config.max_target_hz) << name;
  }
}

TEST(TargetRateTest, RewardIsRelativeErrorAndPriceOfCharge) {
  TargetRateConfig config;
  config.charge_price = 0.2;
  const float action[2] = {0.5f, -1.0f};
  EXPECT_DOUBLE_EQ(TargetRateReward(config, 6.0, 8.0, action, 2), -0.25 - 0.2 * 0.75);
  // 15 uA in all, 200 us a phase, two phases.
  EXPECT_DOUBLE_EQ(StepChargeNc(config, action, 2), 15.0 * 0.4);
}

TEST(TargetRateTest, ConfigErrorsNameTheField) {
  TargetRateConfig config;
  config.phase_us = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(std::string(config.Validate().message()), HasSubstr("phase_us"));
  config = {};
  config.max_target_hz = 1.0;
  EXPECT_THAT(std::string(config.Validate().message()), HasSubstr("max_target_hz = 1; takes 5"));
}

TEST(SeedTest, TheFirstEpisodeHasTheSeedItself) {
  EXPECT_EQ(EpisodeSeed(123, 0), 123u);
  EXPECT_NE(EpisodeSeed(123, 1), EpisodeSeed(123, 2));
  EXPECT_NE(EpisodeSeed(123, 1), EpisodeSeed(124, 1));
}

TEST(CatalogTest, ListsEveryCultureAndTasksOnThoseWithElectrodesAndParams) {
  std::vector<std::shared_ptr<const io::System>> systems;
  for (const std::string name : {"EI-mini", "EI-100"}) {
    auto system = io::ReadSystem("systems/" + name);
    ASSERT_TRUE(system.ok()) << system.status();
    systems.push_back(std::make_shared<const io::System>(*std::move(system)));
  }
  auto without = std::make_shared<io::System>(*systems[0]);
  without->name = "bare";
  without->params.clear();
  systems.push_back(without);
  auto catalog = Catalog::Create(systems);
  ASSERT_TRUE(catalog.ok());
  std::vector<std::string> ids;
  for (const EnvironmentSpec& spec : catalog->specs()) ids.push_back(spec.id);
  EXPECT_THAT(ids,
              testing::ElementsAre("Culture-EI-100-v0", "Culture-EI-mini-v0", "Culture-bare-v0",
                                   "TargetRate-EI-100-v0", "TargetRate-EI-mini-v0"));
  EXPECT_EQ(catalog->Find("TargetRate-bare-v0"), nullptr);
  const auto unknown = catalog->BuildTask("nothing");
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("TargetRate-EI-mini-v0"));
  EXPECT_TRUE(catalog->BuildCulture("Culture-bare-v0").ok());
  EXPECT_EQ(catalog->BuildCulture("TargetRate-EI-mini-v0").status().code(),
            absl::StatusCode::kNotFound);
  systems.push_back(systems[0]);
  EXPECT_FALSE(Catalog::Create(systems).ok());
}

}  // namespace
}  // namespace livnd::env
