#include "env/recording/episode_rows.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "env/spec.h"
#include "env/task/target_rate.h"
#include "env/task/testing/short_target_rate.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/recording/stream.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using testing::ElementsAre;

constexpr int kNumCopies = 3;

// Rows of each copy and stream, in their order.
using RowsOfCopies = std::map<std::pair<int, std::string>, std::string>;

// An environment and what is recorded of it.
class Recorded {
 public:
  explicit Recorded(AutoresetMode mode)
      : mode_(mode),
        environment_(
            *VectorEnvironment::Create(ShortTargetRate(), kNumCopies, mode, 99, executor_)),
        rows_(environment_->spec(), kNumCopies),
        bytes_(rows_.streams().size()) {}

  void Reset(const ResetRequest& request) {
    ASSERT_TRUE(environment_->Reset(request).ok());
    rows_.AddReset(environment_->outcome(), absl::MakeSpan(bytes_));
  }

  // Actions that depend on where in its episodes a copy is.
  void Step() {
    const Outcome& outcome = environment_->outcome();
    TensorBatch actions(environment_->spec().actions, kNumCopies);
    for (int copy = 0; copy < kNumCopies; ++copy) {
      const auto c = static_cast<size_t>(copy);
      const auto step = static_cast<int>(10 * outcome.episodes[c] + outcome.ticks[c] / 1000);
      actions.TakeCopy(copy, Actions({1, 2, 3}, step));
    }
    ASSERT_TRUE(environment_->Step(actions).ok());
    rows_.AddStep(actions, environment_->outcome(), absl::MakeSpan(bytes_));
    if (mode_ != AutoresetMode::kDisabled) return;
    ResetRequest ended;
    ended.mask = environment_->outcome().truncated;
    for (const uint8_t copy_ended : ended.mask) {
      if (copy_ended) return Reset(ended);
    }
  }

  int64_t FewestEpisodes() const {
    int64_t fewest = INT64_MAX;
    for (const int64_t begun : environment_->outcome().episodes) fewest = std::min(fewest, begun);
    return fewest;
  }

  // Of episodes up to this one.
  RowsOfCopies OfCopies(int64_t last_episode) const {
    RowsOfCopies out;
    for (size_t i = 0; i < bytes_.size(); ++i) {
      const io::StreamSpec& stream = rows_.streams()[i];
      EXPECT_EQ(bytes_[i].size() % static_cast<size_t>(stream.row_bytes()), 0u);
      for (size_t at = 0; at < bytes_[i].size(); at += stream.row_bytes()) {
        const io::RowKey key = io::KeyOf(bytes_[i].data() + at);
        if (key.episode > last_episode) continue;
        out[{key.copy, stream.name}] += bytes_[i].substr(at, stream.row_bytes());
      }
    }
    return out;
  }

  VectorEnvironment& environment() { return *environment_; }
  EpisodeRows& rows() { return rows_; }
  const std::vector<std::string>& bytes() const { return bytes_; }

 private:
  const AutoresetMode mode_;
  sim::InlineExecutor executor_;
  const std::unique_ptr<VectorEnvironment> environment_;
  EpisodeRows rows_;
  std::vector<std::string> bytes_;  // [stream]
};

// Copies end at different steps: two of them are Reset in the middle of an episode.
RowsOfCopies FirstEpisodes(AutoresetMode mode) {
  Recorded recorded(mode);
  recorded.Reset(Seeds({7, 8, 9}));
  recorded.Step();
  ResetRequest some;
  some.mask = {0, 1, 1};
  recorded.Reset(some);
  recorded.Step();
  some.mask = {0, 0, 1};
  recorded.Reset(some);
  while (recorded.FewestEpisodes() < 5) recorded.Step();
  return recorded.OfCopies(4);
}

TEST(EpisodeRowsTest, AreTheSameHoweverEpisodesBegin) {
  const RowsOfCopies by_hand = FirstEpisodes(AutoresetMode::kDisabled);
  EXPECT_EQ(by_hand.size(), 4u * kNumCopies);
  EXPECT_TRUE(by_hand == FirstEpisodes(AutoresetMode::kNextStep));
  EXPECT_TRUE(by_hand == FirstEpisodes(AutoresetMode::kSameStep));
}

TEST(EpisodeRowsTest, HaveStreamsOfTheSpec) {
  const EnvironmentSpec& spec = ShortTargetRate()->spec();
  const EpisodeRows rows(spec, kNumCopies);
  std::vector<std::string> names;
  for (const io::StreamSpec& stream : rows.streams()) names.push_back(stream.name);
  EXPECT_THAT(names, ElementsAre("episode_starts", "rewards", "actions." + spec.actions[0].name,
                                 "observations." + spec.observations[0].name));
  EXPECT_TRUE(io::CheckStreams(rows.streams()).ok());
  const io::Column& values = rows.streams()[2].columns[3];
  EXPECT_EQ(values.name, "values");
  EXPECT_EQ(values.length, spec.actions[0].num_elements());
  EXPECT_EQ(values.type, io::ElementType::kFloat32);
  EXPECT_EQ(spec.actions[0].unit, "1");
  EXPECT_EQ(values.unit, "");  // a plain number
}

// Each step of one copy in the words of its outcome.
TEST(EpisodeRowsTest, TellWhatTheOutcomesTell) {
  Recorded recorded(AutoresetMode::kNextStep);
  recorded.Reset(Seeds({7, 8, 9}));
  const Outcome& outcome = recorded.environment().outcome();
  std::string starts, rewards, observations;
  const auto observe = [&](int64_t tick) {
    io::AppendKey({1, outcome.episodes[1], tick}, &observations);
    for (const float value : outcome.observations.of<float>(0, 1)) {
      io::AppendValue(value, &observations);
    }
  };
  const auto start = [&] {
    io::AppendKey({1, outcome.episodes[1], 0}, &starts);
    io::AppendValue(outcome.seeds[1], &starts);
    observe(0);
  };
  start();
  for (int step = 1; step <= 11; ++step) {
    recorded.Step();
    if (step % 5 == 0) {  // the step after the fourth begins an episode
      start();
      continue;
    }
    observe(outcome.ticks[1]);
    io::AppendKey({1, outcome.episodes[1], outcome.ticks[1]}, &rewards);
    io::AppendValue(outcome.rewards[1], &rewards);
    io::AppendValue(uint8_t{0}, &rewards);
    io::AppendValue(static_cast<uint8_t>(step % 5 == 4), &rewards);
  }
  RowsOfCopies rows = recorded.OfCopies(INT64_MAX);
  EXPECT_TRUE((rows[{1, "episode_starts"}] == starts));
  EXPECT_TRUE((rows[{1, "rewards"}] == rewards));
  EXPECT_TRUE((rows[{1, recorded.rows().streams()[3].name}] == observations));
}

// What is recorded from the middle of an episode on is what would have been.
TEST(EpisodeRowsTest, CanStartInTheMiddleOfEpisodes) {
  Recorded recorded(AutoresetMode::kSameStep);
  recorded.Reset(Seeds({7, 8, 9}));
  for (int step = 0; step < 6; ++step) recorded.Step();
  std::vector<size_t> before;
  for (const std::string& bytes : recorded.bytes()) before.push_back(bytes.size());
  EpisodeRows late(recorded.environment().spec(), kNumCopies);
  late.StartFrom(recorded.environment().outcome());
  std::vector<std::string> bytes(before.size());
  for (int step = 0; step < 6; ++step) {
    // What the step was asked is what was recorded of it: take it from there.
    std::vector<size_t> sizes;
    for (const std::string& all : recorded.bytes()) sizes.push_back(all.size());
    recorded.Step();
    TensorBatch actions(recorded.environment().spec().actions, kNumCopies);
    const int64_t row_bytes = late.streams()[2].row_bytes();
    for (int copy = 0; copy < kNumCopies; ++copy) {
      const char* row = recorded.bytes()[2].data() + sizes[2] + copy * row_bytes;
      std::copy(row + io::kKeyBytes, row + row_bytes,
                reinterpret_cast<char*>(actions.of<float>(0, copy).data()));
    }
    late.AddStep(actions, recorded.environment().outcome(), absl::MakeSpan(bytes));
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(bytes[i].empty());
    EXPECT_TRUE(bytes[i] == recorded.bytes()[i].substr(before[i])) << i;
  }
}

TEST(EpisodeRowsTest, SayWhatWasRecorded) {
  const EnvironmentSpec& spec = ShortTargetRate()->spec();
  const io::Attributes attributes = RecordingAttributes(spec, 3);
  EXPECT_EQ(std::get<std::string>(attributes.at("environment")), spec.id);
  EXPECT_EQ(std::get<std::string>(attributes.at("physics_version")), spec.physics_version);
  EXPECT_EQ(std::get<int64_t>(attributes.at("tick_ns")), spec.tick_ns);
  EXPECT_EQ(std::get<int64_t>(attributes.at("num_copies")), 3);
  EXPECT_TRUE(io::CheckAttributes("attributes", attributes).ok());
}

}  // namespace
}  // namespace livnd::env
