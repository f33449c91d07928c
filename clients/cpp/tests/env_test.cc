// Env and VectorEnv: spaces, and Gymnasium's way with seeds and ends.
#include "clients/cpp/env.h"

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "clients/cpp/client.h"
#include "clients/cpp/tensor.h"
#include "clients/cpp/tests/server_process.h"
#include "gtest/gtest.h"

namespace livnd::client {
namespace {

constexpr char kEnvironment[] = "TargetRate-EI-mini-v0";
constexpr double kInfinity = std::numeric_limits<double>::infinity();

v1::TensorSpec SpecOf(const std::vector<double>& low, const std::vector<double>& high) {
  v1::TensorSpec spec;
  spec.set_dtype(v1::DATA_TYPE_FLOAT32);
  spec.add_shape(static_cast<int64_t>(low.size()));
  Pack(low, {static_cast<int64_t>(low.size())}, spec.mutable_low());
  Pack(high, {static_cast<int64_t>(high.size())}, spec.mutable_high());
  return spec;
}

TEST(Box, SamplesAreWithinBounds) {
  const Box box = Box::Of(
      SpecOf({-1, 0.1, -kInfinity, -kInfinity, 3, 7}, {1, 0.1000001, kInfinity, 5, kInfinity, 7}));
  ASSERT_EQ(box.size(), 6);
  std::mt19937_64 random(1);
  std::vector<float> least = box.high;
  std::vector<float> most = box.low;
  for (int i = 0; i < 10000; ++i) {
    const std::vector<float> values = box.Sample(random);
    ASSERT_TRUE(box.Contains(values));
    for (size_t k = 0; k < values.size(); ++k) {
      least[k] = std::min(least[k], values[k]);
      most[k] = std::max(most[k], values[k]);
    }
  }
  EXPECT_LT(least[0], -0.99f);
  EXPECT_GT(most[0], 0.99f);
  EXPECT_LT(least[2], -2.0f);
  EXPECT_GT(most[2], 2.0f);
  EXPECT_LT(least[3], 1.0f);
  EXPECT_GT(most[4], 7.0f);
  EXPECT_EQ(least[5], 7.0f);
}

TEST(Box, ItsBoundsAreNeverBeyondTheServers) {
  for (const double bound : {0.1, -0.1, 1.0 / 3.0, 1e-60, 1e38, 16777217.0}) {
    const Box box = Box::Of(SpecOf({bound}, {bound + std::fabs(bound)}));
    EXPECT_GE(static_cast<double>(box.low[0]), bound);
    EXPECT_LE(static_cast<double>(box.high[0]), bound + std::fabs(bound));
  }
}

TEST(Box, ContainsWhatIsWithinBounds) {
  const Box box = Box::Of(SpecOf({-1, -1}, {1, 1}));
  EXPECT_TRUE(box.Contains({-1, 1}));
  EXPECT_FALSE(box.Contains({-1}));
  EXPECT_FALSE(box.Contains({0, 0, 0}));
  EXPECT_FALSE(box.Contains({0, 1.0000001f}));
  EXPECT_FALSE(box.Contains({0, std::nanf("")}));
}

TEST(Box, IsOpenWhereNoBoundIsTold) {
  v1::TensorSpec spec;
  spec.add_shape(2);
  const Box box = Box::Of(spec);
  ASSERT_EQ(box.size(), 2);
  EXPECT_TRUE(box.Contains({1e38f, -1e38f}));
}

class EnvTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder();
    server_ = ServerProcess::Start(*folder_, {"--threads", "2"}).release();
    ASSERT_TRUE(server_->ready()) << server_->log();
  }
  static void TearDownTestSuite() {
    delete server_;
    delete folder_;
  }

  EnvTest() : client_(Client::Connect(server_->address())) {}

  static TemporaryFolder* folder_;
  static ServerProcess* server_;
  const std::unique_ptr<Client> client_;
};

TemporaryFolder* EnvTest::folder_ = nullptr;
ServerProcess* EnvTest::server_ = nullptr;

TEST_F(EnvTest, AnEpisodeGoesToItsEnd) {
  auto env = Env::Make(*client_, kEnvironment, /*max_episode_steps=*/5);
  ASSERT_TRUE(env.ok()) << env.error().ToString();
  std::mt19937_64 random(1);
  const auto begun = env->Reset(7);
  ASSERT_TRUE(begun.ok()) << begun.error().ToString();
  EXPECT_EQ(begun->seed, 7u);
  EXPECT_TRUE(env->observation_space().Contains(begun->observation));
  for (int step = 1; step <= 5; ++step) {
    const auto told = env->Step(env->action_space().Sample(random));
    ASSERT_TRUE(told.ok()) << told.error().ToString();
    EXPECT_TRUE(env->observation_space().Contains(told->observation));
    EXPECT_EQ(told->infos.at("rate_hz").size(), 1u);
    EXPECT_LT(told->reward, 0.0);
    EXPECT_FALSE(told->terminated);
    EXPECT_EQ(told->truncated, step == 5);
  }
  const auto after = env->Step(env->action_space().Sample(random));
  ASSERT_FALSE(after.ok());
  EXPECT_EQ(after.error().reason, "EPISODE_ENDED");
  ASSERT_TRUE(env->Reset().ok());
  EXPECT_TRUE(env->Step(env->action_space().Sample(random)).ok());
}

TEST_F(EnvTest, CopiesHaveTheSeedsThatGymnasiumGivesThem) {
  auto envs = VectorEnv::Make(*client_, {kEnvironment, 3});
  ASSERT_TRUE(envs.ok()) << envs.error().ToString();
  const auto begun = envs->Reset(40);
  ASSERT_TRUE(begun.ok()) << begun.error().ToString();
  EXPECT_EQ(begun->seeds, (std::vector<uint64_t>{40, 41, 42}));
  auto alone = Env::Make(*client_, kEnvironment);
  ASSERT_TRUE(alone.ok()) << alone.error().ToString();
  const auto same = alone->Reset(41);
  ASSERT_TRUE(same.ok()) << same.error().ToString();
  const auto size = static_cast<std::ptrdiff_t>(envs->observation_space().size());
  const auto first = begun->observations.begin() + size;
  EXPECT_EQ(std::vector<float>(first, first + size), same->observation);
}

TEST_F(EnvTest, OptionsAndErrorsAreTheServers) {
  auto env = Env::Make(*client_, kEnvironment);
  ASSERT_TRUE(env.ok()) << env.error().ToString();
  const auto begun = env->Reset(1, {{"target_rate_hz", 6.5}});
  ASSERT_TRUE(begun.ok()) << begun.error().ToString();
  EXPECT_EQ(begun->infos.at("target_rate_hz"), std::vector<double>{6.5});
  const auto bad = env->Step({2.0f});
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().reason, "INVALID_FIELD");
  const auto unknown = Env::Make(*client_, "NoSuchTask-v0");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().reason, "UNKNOWN_ENVIRONMENT");
}

}  // namespace
}  // namespace livnd::client
