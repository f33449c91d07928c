// The law of saved copies: whoever restores one goes on with the bits of the copy that it was.
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error_matchers.h"
#include "env/task/testing/short_tasks.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gtest/gtest.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using testing::_;
using testing::HasSubstr;

constexpr int kEpisodeSteps = 4;  // ShortTask's
constexpr int kSteps = 11;        // to the third episode

std::unique_ptr<VectorEnvironment> Make(const std::shared_ptr<const Task>& task, int num_envs,
                                        AutoresetMode mode, sim::Executor& executor,
                                        uint64_t unseeded_seed = 99) {
  auto made = VectorEnvironment::Create(task, num_envs, mode, unseeded_seed, executor);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

// Actions by the number that a copy goes by and the step.
TensorBatch Actions(const VectorEnvironment& environment, const std::vector<int>& numbers,
                    int step) {
  TensorBatch out(environment.spec().actions, environment.num_envs());
  const TensorSpec& spec = environment.spec().actions[0];
  for (size_t c = 0; c < numbers.size(); ++c) {
    size_t e = 0;
    for (float& x : out.of<float>(0, static_cast<int>(c))) {
      const double wave = std::sin(numbers[c] + 1.7 * step + 0.9 * static_cast<double>(e));
      const double middle = (spec.low[e] + spec.high[e]) / 2.0;
      x = static_cast<float>(middle + 0.2 * (spec.high[e] - spec.low[e]) * wave);
      ++e;
    }
  }
  return out;
}

// All that a call tells of a copy.
struct Told {
  std::vector<std::vector<uint8_t>> observations, infos;
  double reward;
  uint8_t terminated, truncated, began;
  uint64_t seed;
  int64_t episode, ticks;

  friend bool operator==(const Told& a, const Told& b) {
    return a.observations == b.observations && a.infos == b.infos && a.reward == b.reward &&
           a.terminated == b.terminated && a.truncated == b.truncated && a.began == b.began &&
           a.seed == b.seed && a.episode == b.episode && a.ticks == b.ticks;
  }
};
Told ToldOf(const VectorEnvironment& environment, int copy) {
  const Outcome& o = environment.outcome();
  return {o.observations.SaveCopy(copy),
          o.infos.SaveCopy(copy),
          o.rewards[copy],
          o.terminated[copy],
          o.truncated[copy],
          o.began[copy],
          o.seeds[copy],
          o.episodes[copy],
          o.ticks[copy]};
}

std::vector<const EnvironmentCopy*> Pointers(const std::vector<EnvironmentCopy>& copies) {
  std::vector<const EnvironmentCopy*> out;
  for (const EnvironmentCopy& copy : copies) out.push_back(&copy);
  return out;
}

class EveryTaskTest : public testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<const Task> task() { return ShortTask(GetParam()); }
};

TEST_P(EveryTaskTest, ARestoredCopyGoesOnWithTheSameBitsWhereverItIs) {
  sim::InlineExecutor one;
  sim::ThreadsExecutor two(2);
  const std::vector<int> numbers = {5, 6, 7};
  auto undisturbed = Make(task(), 3, AutoresetMode::kNextStep, two);
  ASSERT_TRUE(undisturbed->Reset({{101, std::nullopt, 103}, {}, {}}).ok());
  std::vector<std::vector<EnvironmentCopy>> saved;  // [steps done][copy]
  std::vector<std::vector<Told>> told;
  for (int step = 0; step <= kSteps; ++step) {
    saved.emplace_back();
    told.emplace_back();
    for (int c = 0; c < 3; ++c) {
      saved.back().push_back(undisturbed->Save(c));
      told.back().push_back(ToldOf(*undisturbed, c));
    }
    if (step < kSteps) {
      ASSERT_TRUE(undisturbed->Step(Actions(*undisturbed, numbers, step)).ok());
    }
  }
  // In the other order, beside a copy that was elsewhere, in an environment that has done other
  // things.
  auto other = Make(task(), 4, AutoresetMode::kNextStep, one, 12345);
  const std::vector<int> places = {7, 6, 0, 5};
  ASSERT_TRUE(other->Reset({{1, 2, 3, 4}, {}, {}}).ok());
  for (int from = 0; from < kSteps; from += (GetParam() == "Null" ? 1 : 3)) {
    ASSERT_TRUE(other->Step(Actions(*other, {1, 2, 3, 4}, from)).ok());
    const std::vector<EnvironmentCopy>& at = saved[static_cast<size_t>(from)];
    ASSERT_TRUE(other->Restore({&at[2], &at[1], nullptr, &at[0]}).ok());
    for (int step = from; step <= kSteps; ++step) {
      const std::vector<Told>& expected = told[static_cast<size_t>(step)];
      EXPECT_EQ(ToldOf(*other, 0), expected[2]) << "from " << from << " at " << step;
      EXPECT_EQ(ToldOf(*other, 1), expected[1]) << "from " << from << " at " << step;
      EXPECT_EQ(ToldOf(*other, 3), expected[0]) << "from " << from << " at " << step;
      if (step < kSteps) {
        ASSERT_TRUE(other->Step(Actions(*other, places, step)).ok());
      }
    }
  }
}

TEST_P(EveryTaskTest, OneCopyBecomesMany) {
  sim::InlineExecutor executor;
  auto one = Make(task(), 1, AutoresetMode::kNextStep, executor);
  ASSERT_TRUE(one->Reset({{42}, {}, {}}).ok());
  ASSERT_TRUE(one->Step(Actions(*one, {3}, 0)).ok());
  const EnvironmentCopy copy = one->Save(0);
  auto many = Make(task(), 3, AutoresetMode::kNextStep, executor);
  ASSERT_TRUE(many->Restore({&copy, &copy, &copy}).ok());
  bool differ = false;  // what the third one's agent does need not show at once
  for (int step = 1; step < kEpisodeSteps; ++step) {
    ASSERT_TRUE(one->Step(Actions(*one, {3}, step)).ok());
    ASSERT_TRUE(many->Step(Actions(*many, {3, 3, 4}, step)).ok());
    EXPECT_EQ(ToldOf(*many, 0), ToldOf(*one, 0));
    EXPECT_EQ(ToldOf(*many, 1), ToldOf(*one, 0));
    differ = differ || !(ToldOf(*many, 2) == ToldOf(*one, 0));
  }
  EXPECT_TRUE(differ);
}

TEST_P(EveryTaskTest, ACopyThatWasNeverResetKeepsTheSeedsThatItWouldHaveHad) {
  sim::InlineExecutor executor;
  auto a = Make(task(), 2, AutoresetMode::kNextStep, executor, 7);
  auto b = Make(task(), 2, AutoresetMode::kNextStep, executor, 8);
  const std::vector<EnvironmentCopy> saved = {a->Save(0), a->Save(1)};
  ASSERT_TRUE(b->Restore(Pointers(saved)).ok());
  EXPECT_FALSE(b->was_reset());
  ASSERT_TRUE(a->Reset({}).ok());
  ASSERT_TRUE(b->Reset({}).ok());
  for (int c = 0; c < 2; ++c) EXPECT_EQ(ToldOf(*a, c), ToldOf(*b, c));
}

TEST_P(EveryTaskTest, AnEndedEpisodeStaysEndedWithoutAutoreset) {
  sim::InlineExecutor executor;
  auto a = Make(task(), 1, AutoresetMode::kDisabled, executor);
  ASSERT_TRUE(a->Reset({{42}, {}, {}}).ok());
  int steps = 0;
  while (a->first_ended() < 0 && steps < 5000) ASSERT_TRUE(a->Step(Actions(*a, {3}, steps++)).ok());
  ASSERT_EQ(a->first_ended(), 0);
  const EnvironmentCopy copy = a->Save(0);
  auto b = Make(task(), 1, AutoresetMode::kDisabled, executor);
  ASSERT_TRUE(b->Restore({&copy}).ok());
  EXPECT_EQ(b->first_ended(), 0);
  EXPECT_EQ(ToldOf(*a, 0), ToldOf(*b, 0));
  EXPECT_EQ(b->Step(Actions(*b, {3}, 0)).code(), absl::StatusCode::kFailedPrecondition);
}

INSTANTIATE_TEST_SUITE_P(Tasks, EveryTaskTest, testing::ValuesIn(TaskNames()),
                         [](const auto& info) { return info.param; });

TEST(RestoreTest, RefusesWhatIsNoCopyOfTheEnvironmentAndLeavesItAsItWas) {
  sim::InlineExecutor executor;
  auto environment = Make(ShortTask("TargetRate"), 2, AutoresetMode::kNextStep, executor);
  ASSERT_TRUE(environment->Reset({{1, 2}, {}, {}}).ok());
  ASSERT_TRUE(environment->Step(Actions(*environment, {1, 2}, 0)).ok());
  const EnvironmentCopy good = environment->Save(0), second = environment->Save(1);

  EXPECT_THAT(environment->Restore({&good}), IsFieldError("copies", "1 entries", "2"));
  const auto refuses = [&](auto spoil, const std::string& field) {
    EnvironmentCopy bad = second;
    spoil(bad);
    EXPECT_THAT(environment->Restore({&good, &bad}), IsFieldError(HasSubstr(field), _, _));
  };
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  refuses([](EnvironmentCopy& c) { c.task.pop_back(); }, "copies[1].task");
  refuses([](EnvironmentCopy& c) { c.task.clear(); }, "copies[1].task");
  refuses([](EnvironmentCopy& c) { c.observations.clear(); }, "copies[1].observations");
  refuses([](EnvironmentCopy& c) { c.infos[0].push_back(0); }, "copies[1].infos");
  refuses([](EnvironmentCopy& c) { c.step = -1; }, "copies[1].step");
  refuses([](EnvironmentCopy& c) { c.step = kEpisodeSteps + 1; }, "copies[1].step");
  refuses([](EnvironmentCopy& c) { c.episode = 0; }, "copies[1].episode");
  for (const double oldest : {-1.0, 0.5, 1e9, kNan}) {
    refuses([&](EnvironmentCopy& c) { c.task[1] = oldest; }, "copies[1].task[1]");
  }
  refuses([](EnvironmentCopy& c) { c.culture.culture.clear(); }, "copies[1].culture.state");
  refuses([](EnvironmentCopy& c) { c.culture.culture[0] = -1.0; }, "copies[1].culture.state[0]");
  refuses([](EnvironmentCopy& c) { c.culture.culture[0] += 0.5; }, "copies[1].culture.state[0]");
  auto waveform = std::make_shared<sim::Waveform>();
  waveform->num_channels = 1000;
  waveform->samples.resize(1000);
  refuses([&](EnvironmentCopy& c) { c.culture.stimuli[0].push_back(waveform); },
          "copies[1].culture.stimuli");

  EXPECT_EQ(environment->Save(1).culture.culture, second.culture.culture);
  auto undisturbed = Make(ShortTask("TargetRate"), 2, AutoresetMode::kNextStep, executor);
  ASSERT_TRUE(undisturbed->Reset({{1, 2}, {}, {}}).ok());
  for (int step = 0; step < 3; ++step) {
    ASSERT_TRUE(undisturbed->Step(Actions(*undisturbed, {1, 2}, step)).ok());
    if (step > 0) {
      ASSERT_TRUE(environment->Step(Actions(*environment, {1, 2}, step)).ok());
    }
  }
  for (int c = 0; c < 2; ++c) EXPECT_EQ(ToldOf(*environment, c), ToldOf(*undisturbed, c));
}

}  // namespace
}  // namespace livnd::env
