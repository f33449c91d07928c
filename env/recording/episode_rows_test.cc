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
#include "env/task/task_model.h"
#include "env/task/testing/short_target_rate.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/recording/stream.h"
#include "io/recording/streams.h"
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
        rows_(*environment_, EpisodeSelection()),
        bytes_(rows_.streams().size()) {}

  void Reset(const ResetRequest& request) {
    ASSERT_TRUE(environment_->Reset(request).ok());
    rows_.AddReset(*environment_, absl::MakeSpan(bytes_));
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
    rows_.AddStep(actions, *environment_, absl::MakeSpan(bytes_));
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
  EXPECT_EQ(by_hand.size(), 7u * kNumCopies);
  EXPECT_TRUE(by_hand == FirstEpisodes(AutoresetMode::kNextStep));
  EXPECT_TRUE(by_hand == FirstEpisodes(AutoresetMode::kSameStep));
}

std::vector<std::string> NamesOf(const EpisodeRows& rows) {
  std::vector<std::string> names;
  for (const io::StreamSpec& stream : rows.streams()) names.push_back(stream.name);
  return names;
}

TEST(EpisodeRowsTest, HaveStreamsOfTheSpec) {
  Recorded recorded(AutoresetMode::kNextStep);
  const EpisodeRows& rows = recorded.rows();
  const EnvironmentSpec& spec = ShortTargetRate()->spec();
  EXPECT_THAT(NamesOf(rows),
              ElementsAre("episode_starts", "rewards", "spikes", "channel_events", "stimuli",
                          "actions." + spec.actions[0].name,
                          "observations." + spec.observations[0].name, "electrodes"));
  EXPECT_TRUE(io::CheckStreams(rows.streams()).ok());
  const io::Column& values = rows.streams()[5].columns[3];
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
  EXPECT_TRUE((rows[{1, recorded.rows().streams()[6].name}] == observations));
}

// What is recorded from the middle of an episode on is what would have been.
TEST(EpisodeRowsTest, CanStartInTheMiddleOfEpisodes) {
  Recorded recorded(AutoresetMode::kSameStep);
  recorded.Reset(Seeds({7, 8, 9}));
  for (int step = 0; step < 6; ++step) recorded.Step();
  std::vector<size_t> before;
  for (const std::string& bytes : recorded.bytes()) before.push_back(bytes.size());
  EpisodeRows late(recorded.environment(), EpisodeSelection());
  late.StartFrom(recorded.environment().outcome());
  std::vector<std::string> bytes(before.size());
  for (int step = 0; step < 6; ++step) {
    // What the step was asked is what was recorded of it: take it from there.
    std::vector<size_t> sizes;
    for (const std::string& all : recorded.bytes()) sizes.push_back(all.size());
    recorded.Step();
    TensorBatch actions(recorded.environment().spec().actions, kNumCopies);
    const int64_t row_bytes = late.streams()[5].row_bytes();
    for (int copy = 0; copy < kNumCopies; ++copy) {
      const char* row = recorded.bytes()[5].data() + sizes[5] + copy * row_bytes;
      std::copy(row + io::kKeyBytes, row + row_bytes,
                reinterpret_cast<char*>(actions.of<float>(0, copy).data()));
    }
    late.AddStep(actions, recorded.environment(), absl::MakeSpan(bytes));
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    // Where electrodes are is told once, by AddLabels.
    EXPECT_EQ(bytes[i].empty(), late.streams()[i].name == io::kElectrodes);
    EXPECT_TRUE(bytes[i] == recorded.bytes()[i].substr(before[i])) << i;
  }
}

TEST(EpisodeRowsTest, AreOfWhatIsSelectedAlone) {
  Recorded recorded(AutoresetMode::kNextStep);
  EpisodeSelection selection;
  selection.episode_starts = selection.rewards = selection.channel_events = false;
  selection.actions = selection.observations = false;
  EpisodeRows some(recorded.environment(), selection);
  EXPECT_THAT(NamesOf(some), ElementsAre("spikes", "stimuli", "electrodes"));
  recorded.Reset(Seeds({7, 8, 9}));
  std::vector<std::string> bytes(3);
  some.AddReset(recorded.environment(), absl::MakeSpan(bytes));
  for (int step = 0; step < 6; ++step) {
    recorded.Step();
    some.AddStep(TensorBatch(), recorded.environment(), absl::MakeSpan(bytes));
  }
  EXPECT_TRUE(bytes[0] == recorded.bytes()[2]);
  EXPECT_TRUE(bytes[1] == recorded.bytes()[4]);
}

// Spikes, what electrodes hear of them and what they are given lie within the steps; the pulses are the
// action's, balanced.
TEST(EpisodeRowsTest, TellWhatTheCultureWasGivenAndDid) {
  Recorded recorded(AutoresetMode::kSameStep);
  recorded.Reset(Seeds({7, 8, 9}));
  for (int step = 0; step < 9; ++step) recorded.Step();
  const VectorEnvironment& environment = recorded.environment();
  const TaskModel& model = *environment.task().model();
  const auto step_ticks =
      static_cast<int64_t>(environment.spec().step_duration_ms * 1e6 / environment.spec().tick_ns);
  std::map<std::pair<int64_t, int32_t>, int> heard;  // by tick and electrode
  int64_t num_spikes = 0, num_events = 0;
  const auto rows_of = [&](int stream, auto each) {
    const int64_t row_bytes = recorded.rows().streams()[stream].row_bytes();
    const std::string& bytes = recorded.bytes()[stream];
    for (size_t at = 0; at < bytes.size(); at += row_bytes) {
      const io::RowKey key = io::KeyOf(bytes.data() + at);
      ASSERT_GE(key.episode, 1);
      ASSERT_GE(key.tick, 0);
      ASSERT_LT(key.tick, 4 * step_ticks);  // an episode has four steps
      each(key, bytes.data() + at + io::kKeyBytes);
    }
  };
  rows_of(2, [&](const io::RowKey& key, const char* row) {
    ++num_spikes;
    const auto gid = io::ValueAt<int32_t>(row, 0);
    for (int e = 0; e < model.num_electrodes(); ++e) {
      const auto& near = model.gids_in_reach()[e];
      if (std::find(near.begin(), near.end(), gid) == near.end()) continue;
      ++heard[{key.tick, model.electrode_ids()[e]}];
      ++num_events;
    }
  });
  EXPECT_GT(num_spikes, 0);
  EXPECT_GT(num_events, 0);
  rows_of(3, [&](const io::RowKey& key, const char* row) {
    --num_events;
    const std::pair<int64_t, int32_t> what(key.tick, io::ValueAt<int32_t>(row, 0));
    EXPECT_GE(--heard[what], 0);
  });
  EXPECT_EQ(num_events, 0);
  double charge = 0.0;
  int num_phases = 0;
  rows_of(4, [&](const io::RowKey&, const char* row) {
    charge += io::ValueAt<double>(row, 4) * io::ValueAt<int64_t>(row, 12);
    ++num_phases;
  });
  EXPECT_EQ(charge, 0.0);
  EXPECT_GT(num_phases, 0);
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
