// What the C++ client does that tests/conformance does not ask of all clients: threads, names, sessions
// that it cannot drive.
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

class SessionTest : public ::testing::Test {
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

  SessionTest() : client_(Client::Connect(server_->address())) {}

  std::unique_ptr<Session> Create() {
    auto session = client_->CreateSession({kEnvironment});
    EXPECT_TRUE(session.ok()) << session.error().ToString();
    return *std::move(session);
  }

  // Actions that differ by step and electrode, within bounds.
  static std::vector<float> Actions(const Session& session, int step) {
    std::vector<float> actions(session.num_envs() * session.action_size());
    for (size_t i = 0; i < actions.size(); ++i) {
      const uint64_t element = i % session.action_size();
      actions[i] = static_cast<float>((step * 7 + element * 3) % 21) / 10.0f - 1.0f;
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

TemporaryFolder* SessionTest::folder_ = nullptr;
ServerProcess* SessionTest::server_ = nullptr;

TEST_F(SessionTest, TheServerTellsWhatItHas) {
  const auto info = client_->GetServerInfo();
  ASSERT_TRUE(info.ok()) << info.error().ToString();
  EXPECT_EQ(info->num_workers(), 3);
  EXPECT_GE(info->max_receive_message_bytes(), 4 << 20);
  EXPECT_FALSE(info->physics_version().empty());
  EXPECT_EQ(info->session_lease_s(), 60);
  EXPECT_EQ(info->session_retention_s(), 7 * 24 * 3600);

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
  const auto not_offered = client_->ListNotOffered();
  ASSERT_TRUE(not_offered.ok());
  for (const auto& one : *not_offered) EXPECT_FALSE(one.why().empty()) << one.environment_id();
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

TEST_F(SessionTest, SessionsSideBySideDoNotTouchEachOther) {
  const auto alone = Create();
  std::vector<std::vector<std::vector<float>>> expected;
  for (uint64_t seed = 0; seed < 6; ++seed) expected.push_back(Play(*alone, seed, 12));

  std::vector<std::vector<std::vector<float>>> seen(6);
  std::vector<std::thread> drivers;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    drivers.emplace_back([&, seed] {
      const auto session = Create();
      seen[seed] = Play(*session, seed, 12);
    });
  }
  for (std::thread& driver : drivers) driver.join();
  EXPECT_EQ(seen, expected);
}

TEST_F(SessionTest, NamesOfSessionsAreLongAndNeverTheSame) {
  std::set<std::string> names;
  for (int i = 0; i < 20; ++i) names.insert(Create()->name());
  EXPECT_EQ(names.size(), 20u);
  for (const std::string& name : names) EXPECT_EQ(name.size(), 32u);
}

TEST_F(SessionTest, ASessionThatTheClientCannotDriveIsDeletedAgain) {
  TemporaryFolder folder;
  const auto server = ServerProcess::Start(folder, {"--max-sessions", "1"});
  ASSERT_TRUE(server->ready()) << server->log();
  const auto client = Client::Connect(server->address());
  const auto refused = client->CreateSession({"Culture-EI-mini-v0"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "UNSUPPORTED");
  EXPECT_NE(refused.error().message.find("CreateCulture"), std::string::npos);
  const auto culture = client->CreateCulture("EI-mini");  // there is room for one session
  ASSERT_TRUE(culture.ok()) << culture.error().ToString();
  ClearOptions seeded;
  seeded.seeds = {5};
  EXPECT_EQ((*culture)->Clear(seeded).value(), std::vector<uint64_t>{5});
}

}  // namespace
}  // namespace livnd::client
