// Episodes on a real server with real cultures, through the client library.
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "clients/cpp/client.h"
#include "clients/cpp/tests/server_process.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace livnd::client {
namespace {

constexpr char kEnvironment[] = "TargetRate-EI-mini-v0";

class EpisodeTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder();
    server_ = ServerProcess::Start(*folder_, {"--threads", "3"}).release();
    ASSERT_TRUE(server_->ready()) << server_->log();
  }
  static void TearDownTestSuite() {
    delete server_;
    delete folder_;
  }

  EpisodeTest() : client_(Client::Connect(server_->address())) {}

  std::unique_ptr<Session> Create(int num_envs,
                                  v1::AutoresetMode mode = v1::AUTORESET_MODE_NEXT_STEP) {
    auto session = client_->CreateSession({kEnvironment, num_envs, mode});
    EXPECT_TRUE(session.ok()) << session.error().ToString();
    return *std::move(session);
  }

  // Actions that differ by step, copy and electrode, within bounds.
  static std::vector<float> Actions(const Session& session, int step, uint64_t salt = 0) {
    std::vector<float> actions(session.num_envs() * session.action_size());
    for (size_t i = 0; i < actions.size(); ++i) {
      const uint64_t element = i % session.action_size();
      actions[i] = static_cast<float>((step * 7 + element * 3 + salt) % 21) / 10.0f - 1.0f;
    }
    return actions;
  }

  // The observations of an episode of one copy: reset, then steps.
  static std::vector<std::vector<float>> Play(Session& session, uint64_t seed, int num_steps) {
    std::vector<std::vector<float>> seen;
    const auto reset = session.Reset({{seed}, {}, {}});
    EXPECT_TRUE(reset.ok()) << reset.error().ToString();
    seen.push_back(reset->observations);
    for (int i = 0; i < num_steps; ++i) {
      const auto step = session.Step(Actions(session, i));
      EXPECT_TRUE(step.ok()) << step.error().ToString();
      seen.push_back(step->observations);
    }
    return seen;
  }

  static TemporaryFolder* folder_;
  static ServerProcess* server_;
  std::unique_ptr<Client> client_;
};

TemporaryFolder* EpisodeTest::folder_ = nullptr;
ServerProcess* EpisodeTest::server_ = nullptr;

TEST_F(EpisodeTest, TheServerTellsWhatItHas) {
  const auto info = client_->GetServerInfo();
  ASSERT_TRUE(info.ok()) << info.error().ToString();
  EXPECT_EQ(info->num_workers(), 3);
  EXPECT_GE(info->max_receive_message_bytes(), 4 << 20);
  EXPECT_FALSE(info->physics_version().empty());
  EXPECT_EQ(info->session_idle_timeout_s(), 1800);

  const auto systems = client_->ListSystems();
  ASSERT_TRUE(systems.ok());
  EXPECT_TRUE(std::count(systems->begin(), systems->end(), "EI-mini"));
  const auto system = client_->GetSystem("EI-mini");
  ASSERT_TRUE(system.ok());
  EXPECT_EQ(system->populations_size(), 2);
  EXPECT_EQ(system->positions_um().shape(0), 10);
  EXPECT_EQ(system->electrode_ids().shape(0), 8);

  const auto environments = client_->ListEnvironments();
  ASSERT_TRUE(environments.ok());
  const auto spec = client_->DescribeEnvironment(kEnvironment);
  ASSERT_TRUE(spec.ok());
  EXPECT_TRUE(std::any_of(environments->begin(), environments->end(), [&](const auto& other) {
    return google::protobuf::util::MessageDifferencer::Equals(other, *spec);
  }));
  EXPECT_EQ(spec->actions(0).shape(0), 8);
  EXPECT_EQ(spec->physics_version(), info->physics_version());
  EXPECT_GT(spec->max_episode_steps(), 0);
  for (const auto* tensor : {&spec->actions(0), &spec->observations(0)}) {
    EXPECT_FALSE(tensor->name().empty());
    EXPECT_FALSE(tensor->unit().empty());
    EXPECT_FALSE(tensor->description().empty());
    EXPECT_EQ(tensor->low().data().size(), tensor->high().data().size());
  }
}

TEST_F(EpisodeTest, AnEpisodeRunsToItsEndAndTheNextBegins) {
  const auto session = Create(2);
  const auto reset = session->Reset({{1, 2}, {}, {}});
  ASSERT_TRUE(reset.ok()) << reset.error().ToString();
  EXPECT_EQ(reset->observations.size(), 2u * session->observation_size());
  EXPECT_EQ(reset->seeds, (std::vector<uint64_t>{1, 2}));
  const int64_t length = session->spec().max_episode_steps();
  double num_spikes = 0;
  for (int64_t i = 1; i <= length; ++i) {
    const auto step = session->Step(Actions(*session, static_cast<int>(i)));
    ASSERT_TRUE(step.ok()) << step.error().ToString();
    ASSERT_EQ(step->rewards.size(), 2u);
    EXPECT_EQ(step->truncated[0] != 0, i == length) << i;
    EXPECT_EQ(step->terminated[0], 0);
    for (const auto& [name, values] : step->infos) EXPECT_EQ(values.size() % 2, 0u) << name;
    for (const float value : step->observations) num_spikes += value;
  }
  EXPECT_GT(num_spikes, 0);  // a living culture
  // NEXT_STEP: the step after the last one begins the next episode.
  const auto next = session->Step(Actions(*session, 0));
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next->rewards, (std::vector<double>{0, 0}));
  EXPECT_EQ(next->truncated, (std::vector<uint8_t>{0, 0}));
  const auto seen = session->Observe();
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->episodes, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(seen->ticks, (std::vector<int64_t>{0, 0}));
  EXPECT_EQ(seen->observations, next->observations);
  EXPECT_TRUE(session->Close().ok());
}

TEST_F(EpisodeTest, TheSameSeedAndActionsGiveTheSameEpisode) {
  const auto a = Create(1);
  const auto b = Create(1);
  const auto first = Play(*a, 5, 10);
  EXPECT_EQ(Play(*b, 5, 10), first);
  EXPECT_EQ(Play(*a, 5, 10), first);  // a session forgets its past
  EXPECT_NE(Play(*a, 6, 10), first);
  EXPECT_NE(Play(*a, 5 + (uint64_t{1} << 32), 10), first);  // high bits count
}

TEST_F(EpisodeTest, ACopyDoesNotKnowItsPlaceNorItsNeighbours) {
  const auto alone = Create(1);
  const auto crowd = Create(11);  // more than a tile of eight
  const auto expected = Play(*alone, 42, 5);
  ResetOptions options;
  options.seeds.resize(11);
  for (int i = 0; i < 11; ++i) options.seeds[i] = i == 9 ? 42 : 100 + i;
  auto reset = crowd->Reset(options);
  ASSERT_TRUE(reset.ok()) << reset.error().ToString();
  const auto ninth = [&](const std::vector<float>& all) {
    const int64_t size = crowd->observation_size();
    return std::vector<float>(all.begin() + 9 * size, all.begin() + 10 * size);
  };
  EXPECT_EQ(ninth(reset->observations), expected[0]);
  for (int i = 0; i < 5; ++i) {
    const auto step = crowd->Step(Actions(*crowd, i));
    ASSERT_TRUE(step.ok());
    EXPECT_EQ(ninth(step->observations), expected[i + 1]) << i;
  }
}

TEST_F(EpisodeTest, AResetWithoutSeedContinuesTheStreamOfSeeds) {
  const auto a = Create(1);
  const auto b = Create(1);
  for (const auto& session : {a.get(), b.get()}) {
    ASSERT_TRUE(session->Reset({{7}, {}, {}}).ok());
  }
  const auto second_a = a->Reset();
  const auto second_b = b->Reset();
  ASSERT_TRUE(second_a.ok() && second_b.ok());
  EXPECT_EQ(second_a->seeds, second_b->seeds);
  EXPECT_NE(second_a->seeds[0], 7u);
  EXPECT_EQ(second_a->observations, second_b->observations);
}

TEST_F(EpisodeTest, AMaskResetsOnlyItsCopies) {
  const auto session = Create(3);
  ASSERT_TRUE(session->Reset({{1, 2, 3}, {}, {}}).ok());
  ASSERT_TRUE(session->Step(Actions(*session, 0)).ok());
  const auto reset = session->Reset({{4, 5, 6}, {false, true, false}, {}});
  ASSERT_TRUE(reset.ok()) << reset.error().ToString();
  EXPECT_EQ(reset->seeds, (std::vector<uint64_t>{1, 5, 3}));
  const auto seen = session->Observe();
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->episodes, (std::vector<int64_t>{1, 2, 1}));
  EXPECT_EQ(seen->ticks[1], 0);
  EXPECT_GT(seen->ticks[0], 0);
}

TEST_F(EpisodeTest, WithoutAutoresetAStepAfterTheEndIsRefused) {
  const auto session = Create(1, v1::AUTORESET_MODE_DISABLED);
  ASSERT_TRUE(session->Reset({{1}, {}, {}}).ok());
  for (int64_t i = 0; i < session->spec().max_episode_steps(); ++i) {
    ASSERT_TRUE(session->Step(Actions(*session, 0)).ok());
  }
  const auto refused = session->Step(Actions(*session, 0));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "EPISODE_ENDED");
  ASSERT_TRUE(session->Reset().ok());
  EXPECT_TRUE(session->Step(Actions(*session, 0)).ok());
}

TEST_F(EpisodeTest, OptionsAreThoseOfTheSpec) {
  const auto session = Create(1);
  for (const v1::OptionSpec& option : session->spec().reset_options()) {
    EXPECT_TRUE(session->Reset({{1}, {}, {{option.name(), option.min()}}}).ok());
    const auto refused = session->Reset({{1}, {}, {{option.name(), option.max() + 1}}});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason, "INVALID_FIELD");
  }
  const auto refused = session->Reset({{1}, {}, {{"no_such_option", 1}}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().metadata.at("value"), "no_such_option");
}

TEST_F(EpisodeTest, SessionsSideBySideDoNotTouchEachOther) {
  const auto alone = Create(1);
  std::vector<std::vector<std::vector<float>>> expected;
  for (uint64_t seed = 0; seed < 6; ++seed) expected.push_back(Play(*alone, seed, 12));

  std::vector<std::vector<std::vector<float>>> seen(6);
  std::vector<std::thread> drivers;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    drivers.emplace_back([&, seed] {
      const auto session = Create(1);
      seen[seed] = Play(*session, seed, 12);
    });
  }
  for (std::thread& driver : drivers) driver.join();
  EXPECT_EQ(seen, expected);
}

TEST_F(EpisodeTest, ClosingTwiceIsFineAndAClosedSessionIsGone) {
  const auto session = Create(1);
  ASSERT_TRUE(session->Close().ok());
  EXPECT_TRUE(session->Close().ok());
  const auto refused = session->Reset();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "UNKNOWN_SESSION");
  EXPECT_FALSE(refused.error().in_doubt);
}

TEST_F(EpisodeTest, NamesOfSessionsAreLongAndNeverTheSame) {
  std::set<std::string> names;
  for (int i = 0; i < 20; ++i) names.insert(Create(1)->name());
  EXPECT_EQ(names.size(), 20u);
  for (const std::string& name : names) EXPECT_EQ(name.size(), 32u);
}

TEST_F(EpisodeTest, ARequestAboveTheCapIsNotSent) {
  const auto session = Create(1);
  ASSERT_TRUE(session->Reset().ok());
  const auto refused = session->Step(std::vector<float>(17 << 20));  // 68 MiB
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "MESSAGE_TOO_LARGE");
  EXPECT_TRUE(session->Step(Actions(*session, 0)).ok());
}

}  // namespace
}  // namespace livnd::client
