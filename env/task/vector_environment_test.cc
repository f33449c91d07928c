#include "env/task/vector_environment.h"

#include <limits>
#include <utility>

#include "base/field_error.h"
#include "env/seed.h"
#include "env/task/target_rate.h"
#include "env/task/testing/short_target_rate.h"
#include "env/tensor_batch.h"
#include "gtest/gtest.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

std::unique_ptr<VectorEnvironment> Make(int num_envs, AutoresetMode mode, sim::Executor& executor) {
  auto made = VectorEnvironment::Create(ShortTargetRate(), num_envs, mode, 99, executor);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

std::vector<float> ObservationOf(const VectorEnvironment& env, int copy) {
  const absl::Span<const float> seen = env.outcome().observations.of<float>(0, copy);
  return {seen.begin(), seen.end()};
}

TEST(VectorEnvironmentTest, ACopyDoesNotDependOnItsPlaceOrOnThreads) {
  sim::InlineExecutor inline_executor;
  sim::ThreadsExecutor two(2);
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
  EXPECT_NE(env->outcome().infos.all<double>(kTargetRateHz)[0],
            env->outcome().infos.all<double>(kTargetRateHz)[1]);
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
  TensorBatch nonsense = Actions({5}, 0);
  for (float& x : nonsense.of<float>(0, 0)) x = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE(env->Step(nonsense).ok());
  EXPECT_EQ(env->outcome().rewards[0], 0.0);
  EXPECT_EQ(env->outcome().truncated[0], 0);
  EXPECT_EQ(env->outcome().ticks[0], 0);
  EXPECT_EQ(env->outcome().episodes[0], 2);
  // Only the target may differ from the first episode's start.
  std::vector<float> second = ObservationOf(*env, 0);
  second.back() = first.back();
  EXPECT_EQ(first, second);
  EXPECT_EQ(env->outcome().began, std::vector<uint8_t>{1});
  // What follows equals a reset with the new seed.
  auto fresh = Make(1, AutoresetMode::kNextStep, executor);
  ASSERT_TRUE(fresh->Reset(Seeds({env->outcome().seeds[0]})).ok());
  ASSERT_TRUE(fresh->Step(Actions({5}, 0)).ok());
  ASSERT_TRUE(env->Step(Actions({5}, 0)).ok());
  EXPECT_EQ(fresh->outcome().observations, env->outcome().observations);
}

TEST(VectorEnvironmentTest, AnEndedCopyIsNotSimulatedInTheStepThatResetsIt) {
  sim::InlineExecutor executor;
  const auto task = std::make_shared<const EndingTask>();
  auto made = VectorEnvironment::Create(task, 3, AutoresetMode::kNextStep, 1, executor);
  ASSERT_TRUE(made.ok()) << made.status();
  VectorEnvironment& env = **made;
  ASSERT_TRUE(env.Reset(Seeds({1, 2, 3})).ok());
  EXPECT_EQ(env.outcome().began, (std::vector<uint8_t>{1, 1, 1}));
  TensorBatch actions = Actions({1, 2, 3}, 0);
  actions.of<float>(0, 1)[0] = EndingTask::kTerminate;
  ASSERT_TRUE(env.Step(actions).ok());
  EXPECT_EQ(task->Asked(), (std::pair<int, int>{3, 3}));
  EXPECT_EQ(env.outcome().terminated, (std::vector<uint8_t>{0, 1, 0}));
  EXPECT_EQ(env.outcome().began, (std::vector<uint8_t>{0, 0, 0}));
  ASSERT_TRUE(env.Step(actions).ok());
  EXPECT_EQ(task->Asked(), (std::pair<int, int>{2, 2}));
  EXPECT_EQ(env.outcome().ticks, (std::vector<int64_t>{4000, 0, 4000}));
  EXPECT_EQ(env.outcome().began, (std::vector<uint8_t>{0, 1, 0}));
  EXPECT_EQ(env.outcome().seeds, (std::vector<uint64_t>{1, EpisodeSeed(2, 1), 3}));
  // Its new episode is that of its seed, and the others have not noticed.
  auto fresh = Make(3, AutoresetMode::kNextStep, executor);
  ASSERT_TRUE(fresh->Reset(Seeds({1, EpisodeSeed(2, 1), 3})).ok());
  ASSERT_TRUE(env.Reset(Seeds({1, EpisodeSeed(2, 1), 3})).ok());
  for (int step = 0; step < 3; ++step) {
    ASSERT_TRUE(env.Step(Actions({1, 2, 3}, step)).ok());
    ASSERT_TRUE(fresh->Step(Actions({1, 2, 3}, step)).ok());
    EXPECT_EQ(env.outcome().observations, fresh->outcome().observations);
  }
}

TEST(VectorEnvironmentTest, CopiesThatRunDoNotNoticeOneThatIsReset) {
  sim::InlineExecutor executor;
  auto made = VectorEnvironment::Create(std::make_shared<const EndingTask>(), 3,
                                        AutoresetMode::kNextStep, 1, executor);
  ASSERT_TRUE(made.ok()) << made.status();
  auto undisturbed = Make(3, AutoresetMode::kNextStep, executor);
  ASSERT_TRUE((*made)->Reset(Seeds({1, 2, 3})).ok());
  ASSERT_TRUE(undisturbed->Reset(Seeds({1, 2, 3})).ok());
  for (int step = 0; step < 4; ++step) {
    TensorBatch actions = Actions({1, 2, 3}, step);
    ASSERT_TRUE(undisturbed->Step(actions).ok());
    actions.of<float>(0, 1)[0] =
        EndingTask::kTerminate;  // ends in steps 0 and 2, is reset in 1 and 3
    ASSERT_TRUE((*made)->Step(actions).ok());
    for (const int c : {0, 2}) EXPECT_EQ(ObservationOf(**made, c), ObservationOf(*undisturbed, c));
  }
}

TEST(VectorEnvironmentTest, HowAStepIsCutChangesNoBit) {
  constexpr int kCopies = 5;
  sim::ThreadsExecutor two(2);
  const std::vector<uint64_t> seeds = {3, 14, 15, 92, 65};
  using Mode = AutoresetMode;
  for (const auto& [max_ticks, mode] : {std::pair<int64_t, Mode>(1, Mode::kNextStep),
                                        {7, Mode::kSameStep},
                                        {333, Mode::kNextStep},
                                        {2000, Mode::kSameStep}}) {
    std::unique_ptr<VectorEnvironment> whole, cut;
    for (auto* env : {&whole, &cut}) {
      auto made =
          VectorEnvironment::Create(std::make_shared<const EndingTask>(), kCopies, mode, 1, two);
      ASSERT_TRUE(made.ok()) << made.status();
      *env = *std::move(made);
      ASSERT_TRUE((*env)->Reset(Seeds({3, 14, 15, 92, 65})).ok());
    }
    for (int step = 0; step < 5; ++step) {
      TensorBatch actions = Actions(seeds, step);
      actions.of<float>(0, 1)[0] = 1.0f;  // ends where it is not reset
      ASSERT_TRUE(whole->Step(actions).ok());
      ASSERT_TRUE(cut->BeginStep(actions).ok());
      int64_t num_pieces = 0, ticks = 0;
      for (Progress progress; !progress.over; ++num_pieces) {
        progress = cut->ContinueStep(max_ticks);
        ticks += progress.ticks;
      }
      EXPECT_GE(num_pieces, 2000 / max_ticks);
      EXPECT_EQ(ticks % 2000, 0);
      EXPECT_EQ(cut->outcome().observations, whole->outcome().observations) << max_ticks;
      EXPECT_EQ(cut->outcome().rewards, whole->outcome().rewards);
      EXPECT_EQ(cut->outcome().began, whole->outcome().began);
      EXPECT_EQ(cut->outcome().ticks, whole->outcome().ticks);
    }
  }
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
  EXPECT_EQ(ObservationOf(*env, 1), before.observations.of<float>(0, 1));
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
  const auto invalid = [&](const absl::Status& status, const std::string& field,
                           const std::string& value, const std::string& accepted) {
    const auto error = FieldErrorOf(status);
    ASSERT_TRUE(error.has_value()) << status;
    EXPECT_EQ(error->field, field);
    EXPECT_EQ(error->value, value);
    EXPECT_EQ(error->accepted, accepted);
    EXPECT_EQ(env->outcome().observations, before.observations);
    EXPECT_EQ(env->outcome().ticks, before.ticks);
  };
  TensorBatch a = Actions({1, 2}, 0);
  a.of<float>(0, 1)[1] = std::numeric_limits<float>::quiet_NaN();
  invalid(env->Step(a), "actions[0].data", "nan (copy 1, amplitude_e1)", "-1 .. 1");
  a.of<float>(0, 1)[1] = -std::numeric_limits<float>::infinity();
  invalid(env->Step(a), "actions[0].data", "-inf (copy 1, amplitude_e1)", "-1 .. 1");
  a.of<float>(0, 1)[1] = 1.5f;
  invalid(env->Step(a), "actions[0].data", "1.5 (copy 1, amplitude_e1)", "-1 .. 1");
  ResetRequest request;
  request.options["target_rate_hz"] = 1e6;
  invalid(env->Reset(request), "options[target_rate_hz]", "1e+06", "5 .. 12");
  request.options = {{"speed", 1.0}};
  invalid(env->Reset(request), "options", "speed", "target_rate_hz");
  request = {};
  request.mask = {0, 0};
  invalid(env->Reset(request), "mask", "selects no copy", "at least one copy");
  request.mask = {1};
  invalid(env->Reset(request), "mask", "1 entries", "2");
  invalid(env->Reset(Seeds({1})), "seeds", "1 entries", "2");
}

TEST(VectorEnvironmentTest, OutcomesKeepToTheirSpec) {
  sim::InlineExecutor executor;
  auto env = Make(3, AutoresetMode::kNextStep, executor);
  const EnvironmentSpec& spec = env->spec();
  ASSERT_TRUE(env->Reset(Seeds({1, 2, 3})).ok());
  for (int step = 0; step < 9; ++step) {
    for (int c = 0; c < 3; ++c) {
      const std::vector<float> o = ObservationOf(*env, c);
      ASSERT_EQ(o.size(), spec.observations[0].element_names.size());
      for (size_t i = 0; i < o.size(); ++i) {
        EXPECT_GE(o[i], spec.observations[0].low[i]) << spec.observations[0].element_names[i];
        EXPECT_LE(o[i], spec.observations[0].high[i]) << spec.observations[0].element_names[i];
      }
      for (int k = 0; k < kNumTargetRateInfos; ++k) {
        EXPECT_GE(env->outcome().infos.of<double>(k, c)[0], spec.infos[k].low[0])
            << spec.infos[k].name;
        EXPECT_LE(env->outcome().infos.of<double>(k, c)[0], spec.infos[k].high[0])
            << spec.infos[k].name;
      }
    }
    ASSERT_TRUE(env->Step(Actions({1, 2, 3}, step)).ok());
  }
}

}  // namespace
}  // namespace livnd::env
