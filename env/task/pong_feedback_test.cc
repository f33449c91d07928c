#include "env/task/pong_feedback.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error_matchers.h"
#include "env/seed.h"
#include "env/task/motor_regions.h"
#include "env/task/pong.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "sim/stimulus/stimulus.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using testing::_;
using testing::HasSubstr;

io::System Read(const std::string& name) {
  auto system = io::ReadSystem("systems/" + name);
  EXPECT_TRUE(system.ok()) << system.status();
  return *std::move(system);
}

// A task, one copy's state, and a culture that fires what the test says.
class OneGame {
 public:
  explicit OneGame(const std::string& system, const std::map<std::string, double>& options = {}) {
    PongFeedbackConfig config;
    config.settle_ms = 20.0;
    auto made = PongFeedback::Create(Read(system), config);
    EXPECT_TRUE(made.ok()) << made.status();
    task_ = *std::move(made);
    state_.resize(task_->state_size());
    observations_ = TensorBatch(task_->spec().observations, 1);
    infos_ = TensorBatch(task_->spec().infos, 1);
    actions_ = TensorBatch(task_->spec().actions, 1);
    task_->NewEpisode({5, options}, absl::MakeSpan(state_), Seen(observations_, infos_, 0));
  }

  // One step without any spike; its pulses are in pulses() and waveform().
  StepEnd Step() {
    task_->Encode({actions_, 0}, absl::MakeSpan(state_), tick_, &waveform_);
    tick_ += 800;
    pulses_.assign(static_cast<size_t>(waveform_.num_channels), 0);
    for (size_t s = 0; s < waveform_.samples.size(); ++s) {
      if (waveform_.samples[s] < 0.0) ++pulses_[s % pulses_.size()];
    }
    return task_->Finish({actions_, 0}, {}, absl::MakeSpan(state_), Seen(observations_, infos_, 0));
  }
  // Steps until the ball comes, with the paddle where it is; the electrodes that had pulses.
  std::set<size_t> HitTheBall() { return StepToTheEnd(1.0); }
  // The same, with the paddle elsewhere.
  std::set<size_t> MissTheBall() { return StepToTheEnd(-1.0); }
  void PutPaddle(double y) { state_[4] = y; }
  double ball_y() const { return state_[1]; }
  double info(int i) const { return infos_.of<double>(i, 0)[0]; }
  float seen(size_t i) const { return observations_.of<float>(0, 0)[i]; }
  const std::vector<int>& pulses() const { return pulses_; }
  const sim::Waveform& waveform() const { return waveform_; }
  int64_t tick() const { return tick_; }
  absl::Span<float> action() { return actions_.of<float>(0, 0); }
  const PongFeedback& task() const { return *task_; }
  std::vector<double>& state() { return state_; }

 private:
  std::set<size_t> StepToTheEnd(double wanted) {
    std::set<size_t> stimulated;
    double reward = 0.0;
    for (int step = 0; step < 200 && reward == 0.0; ++step) {
      PutPaddle(wanted > 0.0 ? ball_y() : ball_y() > 0.5 ? 0.0 : 1.0);
      reward = Step().reward;
      for (size_t e = 0; e < pulses_.size(); ++e) {
        if (pulses_[e] > 0) stimulated.insert(e);
      }
    }
    EXPECT_EQ(reward, wanted);
    return stimulated;
  }

  std::shared_ptr<const PongFeedback> task_;
  std::vector<double> state_;
  TensorBatch observations_, infos_, actions_;
  int64_t tick_ = 0;
  sim::Waveform waveform_;
  std::vector<int> pulses_;
};

// Electrodes that had pulses in some steps.
std::set<size_t> Stimulated(OneGame& game, int steps) {
  std::set<size_t> electrodes;
  for (int step = 0; step < steps; ++step) {
    game.Step();
    for (size_t e = 0; e < game.pulses().size(); ++e) {
      if (game.pulses()[e] > 0) electrodes.insert(e);
    }
  }
  return electrodes;
}

TEST(PongFeedbackTest, PlaceTellsWhereTheBallIs) {
  for (const bool above : {false, true}) {
    OneGame game("EI-100");
    const auto& sites = game.task().sites();
    ASSERT_EQ(sites.size(), 4u);
    game.state()[1] = above ? 0.95 : 0.05;
    game.state()[3] = 0.0;
    game.PutPaddle(above ? 0.0 : 1.0);
    // Nothing else, and neither motor region.
    const std::vector<size_t>& site = above ? sites.back() : sites.front();
    EXPECT_EQ(Stimulated(game, 30), std::set<size_t>(site.begin(), site.end()));
  }
}

TEST(PongFeedbackTest, RateTellsHowNearTheBallIs) {
  const auto rate_hz = [](double ball_x) {
    OneGame game("EI-mini");
    int pulses = 0;
    for (int step = 0; step < 100; ++step) {
      game.state()[0] = ball_x;
      game.state()[1] = game.state()[4] = 0.5;
      game.state()[2] = game.state()[3] = 0.0;
      game.Step();
      pulses += *std::max_element(game.pulses().begin(), game.pulses().end());
    }
    return pulses / 2.0;  // of 2 s
  };
  EXPECT_NEAR(rate_hz(1.0), 4.0, 0.5);
  EXPECT_NEAR(rate_hz(0.5), 22.0, 0.5);
  EXPECT_NEAR(rate_hz(0.001), 40.0, 0.5);
}

TEST(PongFeedbackTest, TheAgentIsHeardAfterAHitAndAfterAMissAndNeverElse) {
  OneGame game("EI-mini");
  std::fill(game.action().begin(), game.action().end(), 0.5f);
  EXPECT_EQ(game.info(kPongFeedbackKind), 0.0);
  const std::set<size_t> heard = game.HitTheBall();
  EXPECT_EQ(heard.count(0), 0u) << "the sensory area alone, before the ball has come";
  EXPECT_EQ(game.info(kPongNumHits), 1.0);
  // 100 ms at 100 Hz on every electrode.
  for (int step = 0; step < 5; ++step) {
    EXPECT_EQ(game.info(kPongFeedbackKind), 1.0) << step;
    game.Step();
    EXPECT_THAT(game.pulses(), testing::Each(2));
    EXPECT_NEAR(game.info(kPongChargeNc), 8 * 2 * 0.5 * 4.0 * 0.4, 1e-9);
  }
  EXPECT_EQ(game.info(kPongFeedbackKind), 0.0);
  game.Step();
  EXPECT_EQ(game.pulses().front(), 0);
  game.MissTheBall();
  const double served_y = game.ball_y();
  for (int step = 0; step < 50; ++step) {
    EXPECT_EQ(game.info(kPongFeedbackKind), 2.0);
    EXPECT_FLOAT_EQ(game.seen(7), static_cast<float>((50 - step) / 50.0));
    game.Step();
    EXPECT_THAT(game.pulses(), testing::Each(2));
    EXPECT_EQ(game.ball_y(), served_y);  // it waits
  }
  EXPECT_EQ(game.info(kPongFeedbackKind), 0.0);
}

TEST(PongFeedbackTest, FeedbackBeginsWithTheStepAfterAHitAndComesEveryTenMilliseconds) {
  OneGame game("EI-mini");
  std::fill(game.action().begin(), game.action().end(), 1.0f);
  game.HitTheBall();
  const int64_t tick = game.tick();
  game.Step();
  const sim::Waveform& waveform = game.waveform();
  EXPECT_EQ(waveform.first_tick, tick);
  EXPECT_EQ(waveform.sample_dt_ms, 0.2);
  const auto num_channels = static_cast<size_t>(waveform.num_channels);
  ASSERT_EQ(waveform.samples.size(), 100 * num_channels);
  for (size_t s = 0; s < waveform.samples.size(); ++s) {
    const size_t in_interval = s / num_channels % 50;
    EXPECT_EQ(waveform.samples[s], in_interval == 0 ? -4.0 : in_interval == 1 ? 4.0 : 0.0) << s;
  }
}

TEST(PongFeedbackTest, TheExperimentsFeedbackIsPredictableAfterAHitAndNotAfterAMiss) {
  OneGame game("EI-100", {{"experiment", 1.0}, {"miss_feedback_ms", 4000.0}});
  std::fill(game.action().begin(), game.action().end(), 1.0f);  // nobody listens
  std::set<size_t> sensory;
  for (const auto& site : game.task().sites()) sensory.insert(site.begin(), site.end());
  game.HitTheBall();
  for (int step = 0; step < 5; ++step) {
    game.Step();
    for (size_t e = 0; e < game.pulses().size(); ++e) {
      EXPECT_EQ(game.pulses()[e], sensory.count(e) == 0 ? 0 : 2);
    }
  }
  game.MissTheBall();
  std::set<size_t> where;
  int pulses = 0;
  for (int step = 0; step < 200; ++step) {
    ASSERT_EQ(game.info(kPongFeedbackKind), 2.0);
    game.Step();
    for (size_t e = 0; e < game.pulses().size(); ++e) {
      pulses += game.pulses()[e];
      if (game.pulses()[e] > 0) where.insert(e);
    }
  }
  EXPECT_EQ(game.info(kPongFeedbackKind), 0.0);
  EXPECT_GT(pulses, 8);  // 20 are expected in 4 s
  EXPECT_LT(pulses, 36);
  EXPECT_GT(where.size(), 5u);
  EXPECT_TRUE(std::includes(sensory.begin(), sensory.end(), where.begin(), where.end()));
}

// The promise of docs/tasks/pong_feedback.md.
TEST(PongFeedbackTest, FeedbackThatLooksAtTheCourtHelpsMoreThanAnyThatDoesNot) {
  constexpr int kCopies = 8, kSteps = 1000;
  PongFeedbackConfig config;
  config.settle_ms = 300.0;
  const auto task = PongFeedback::Create(Read("EI-mini"), config);
  ASSERT_TRUE(task.ok()) << task.status();
  const auto regions = MotorRegions::Create(Read("EI-mini"), PongFeedback::kMotorPart);
  ASSERT_TRUE(regions.ok()) << regions.status();
  sim::ThreadsExecutor executor(2);
  auto env = VectorEnvironment::Create(*task, kCopies, AutoresetMode::kNextStep, 0, executor);
  ASSERT_TRUE(env.ok()) << env.status();
  // `amplitude` of an electrode in the next step, by what is seen.
  using Amplitude = std::function<double(absl::Span<const float> seen, size_t electrode)>;
  const auto mean_return = [&](const Amplitude& amplitude) {
    ResetRequest request;
    for (uint64_t c = 0; c < kCopies; ++c) request.seeds.emplace_back(100 + c);
    EXPECT_TRUE((*env)->Reset(request).ok());
    double sum = 0.0;
    TensorBatch actions((*task)->spec().actions, kCopies);
    for (int step = 0; step < kSteps; ++step) {
      for (int c = 0; c < kCopies; ++c) {
        const absl::Span<const float> seen = (*env)->outcome().observations.of<float>(0, c);
        const absl::Span<float> action = actions.of<float>(0, c);
        for (size_t e = 0; e < action.size(); ++e) {
          action[e] = static_cast<float>(std::clamp(amplitude(seen, e), 0.0, 1.0));
        }
      }
      EXPECT_TRUE((*env)->Step(actions).ok());
      for (int c = 0; c < kCopies; ++c) sum += (*env)->outcome().rewards[static_cast<size_t>(c)];
    }
    return sum / kCopies;
  };
  const auto side = [&](size_t e) {
    const auto has = [e](const std::vector<size_t>& region) {
      return std::find(region.begin(), region.end(), e) != region.end();
    };
    return has(regions->high()) ? 1.0 : has(regions->low()) ? -1.0 : 0.0;
  };
  const auto constant = [](double amplitude) {
    return [amplitude](absl::Span<const float>, size_t) { return amplitude; };
  };
  uint64_t draws = 0;
  const double best_of_others =
      std::max({mean_return(constant(0.0)), mean_return(constant(0.3)), mean_return(constant(1.0)),
                mean_return([&](absl::Span<const float>, size_t e) { return side(e); }),
                mean_return([&](absl::Span<const float>, size_t e) { return -side(e); }),
                mean_return([&](absl::Span<const float>, size_t) {
                  return UniformOf(++draws, SeedPurpose::kTarget);
                })});
  // Towards where the ball will be, while it is heard.
  const double by_court = mean_return([&](absl::Span<const float> seen, size_t e) {
    const double y = (seen[1] + 1.0) / 2.0, paddle = (seen[4] + 1.0) / 2.0;
    const double comes = std::fmod(y + seen[3] + 4.0, 2.0);
    return 5.0 * ((comes > 1.0 ? 2.0 - comes : comes) - paddle) * side(e);
  });
  EXPECT_GT(by_court, best_of_others + 1.0);
}

TEST(PongFeedbackTest, RefusesWhatIsNoState) {
  OneGame game("EI-mini");
  const size_t kind = PongGame::kSize;
  const std::vector<double> state = game.state();
  EXPECT_TRUE(game.task().CheckState(state).ok());
  const auto error = [&](size_t i, double value) {
    std::vector<double> changed = state;
    changed[i] = value;
    return game.task().CheckState(changed);
  };
  EXPECT_THAT(error(0, -0.1), IsFieldError("task[0]", _, _));
  EXPECT_THAT(error(kind, 3.0), IsFieldError("task[11]", "3", HasSubstr("0 to 2")));
  EXPECT_THAT(error(kind + 1, 0.5), IsFieldError("task[12]", "0.5", _));
  EXPECT_THAT(error(kind + 2, 2.0), IsFieldError("task[13]", "2", _));
  EXPECT_THAT(error(kind + 3, 1e9), IsFieldError("task[14]", _, _));
  EXPECT_THAT(error(kind + 4, std::nan("")), IsFieldError("task[15]", "nan", _));
  EXPECT_THAT(error(state.size() - 1, 7.0), IsFieldError(_, "7", _));
}

TEST(PongFeedbackTest, ErrorsNameTheField) {
  const io::System system = Read("EI-mini");
  const auto error_of = [&](auto change) {
    PongFeedbackConfig config;
    change(config);
    return PongFeedback::Create(system, config).status();
  };
  EXPECT_THAT(error_of([](PongFeedbackConfig& c) { c.max_rate_hz = 1.0; }),
              IsFieldError("max_rate_hz", "1", HasSubstr("4 .. ")));
  EXPECT_THAT(error_of([](PongFeedbackConfig& c) { c.unpredictable_hz = 51.0; }),
              IsFieldError("unpredictable_hz", "51", "0 .. 50"));
  EXPECT_THAT(error_of([](PongFeedbackConfig& c) { c.feedback_hz = 1e4; }),
              IsFieldError("feedback_hz", _, _));
  EXPECT_THAT(error_of([](PongFeedbackConfig& c) { c.miss_feedback_ms = -1.0; }),
              IsFieldError("miss_feedback_ms", "-1", _));
  // An array of two rows has nothing between its ends.
  io::System two_rows = system;
  for (io::Electrode& e : two_rows.electrode_array->electrodes) {
    e.position_um[1] = e.id < 4 ? 29.7 : 179.7;
  }
  const auto error = IsFileError("systems/EI-mini/mea.json", "electrode_coordinates",
                                 "0 places between the array's ends", _);
  EXPECT_THAT(PongFeedback::Offer(two_rows).status(), error);
  EXPECT_THAT(PongFeedback::Create(two_rows).status(), error);
}

}  // namespace
}  // namespace livnd::env
