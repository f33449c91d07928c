#include "server/wire/spec.h"

#include <algorithm>
#include <cstring>

#include "gtest/gtest.h"
#include "livnd/v1/environment_service.pb.h"
#include "server/testing/fake_environment.h"
#include "server/wire/episode.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

TEST(SpecTest, UnknownAutoresetModesAreRefused) {
  EXPECT_EQ(*ParseAutoresetMode(v1::AUTORESET_MODE_UNSPECIFIED), env::AutoresetMode::kNextStep);
  for (const v1::AutoresetMode mode :
       {v1::AUTORESET_MODE_NEXT_STEP, v1::AUTORESET_MODE_SAME_STEP, v1::AUTORESET_MODE_DISABLED}) {
    EXPECT_EQ(EncodeAutoresetMode(*ParseAutoresetMode(mode)), mode);
  }
  EXPECT_FALSE(ParseAutoresetMode(static_cast<v1::AutoresetMode>(9)).ok());
}

TEST(SpecTest, ASpecArrivesWhole) {
  const v1::EnvironmentSpec spec = EncodeEnvironmentSpec(FakeSpec());
  EXPECT_EQ(spec.environment_id(), "Fake-v0");
  ASSERT_EQ(spec.actions_size(), 1);
  EXPECT_EQ(spec.actions(0).dtype(), v1::DATA_TYPE_FLOAT32);
  EXPECT_EQ(spec.actions(0).element_names(1), "electrode_1");
  EXPECT_TRUE(CheckTensor("low", spec.observations(0).low(), v1::DATA_TYPE_FLOAT64, {3}).ok());
  double high = 0;
  std::memcpy(&high, spec.observations(0).high().data().data(), sizeof(high));
  EXPECT_EQ(high, 100);
  EXPECT_EQ(spec.infos(0).shape_size(), 0);
  EXPECT_EQ(spec.reset_options(0).name(), "target");
  ASSERT_EQ(spec.settings_size(), 1);
  EXPECT_EQ(spec.settings(0).name(), "price");
  EXPECT_EQ(spec.settings(0).value(), 0.25);
  EXPECT_TRUE(spec.deterministic());
}

TEST(SpecTest, AsManyCopiesAsFitIntoAMessage) {
  const env::EnvironmentSpec spec = FakeSpec();
  const int64_t cap = 64 << 20;
  for (const env::AutoresetMode mode :
       {env::AutoresetMode::kNextStep, env::AutoresetMode::kSameStep}) {
    const int64_t copies = MaxCopiesPerMessage(spec, mode, cap, cap);
    ASSERT_GT(copies, 1'000'000);
    FakeControl control;
    FakeEnvironment environment(static_cast<int>(copies), mode, control);
    // As large as an answer gets: every copy has ended.
    env::Outcome outcome = environment.outcome();
    std::fill(outcome.truncated.begin(), outcome.truncated.end(), uint8_t{1});
    v1::StepResponse response;
    EncodeStep(outcome, spec, static_cast<int>(copies), &response);
    EXPECT_LE(static_cast<int64_t>(response.ByteSizeLong()), cap);
    EXPECT_GT(static_cast<int64_t>(response.ByteSizeLong()), cap / 10 * 8);
    v1::ObserveResponse observed;
    EncodeObserve(environment.outcome(), spec, static_cast<int>(copies), &observed);
    EXPECT_LE(static_cast<int64_t>(observed.ByteSizeLong()), cap);
    EXPECT_EQ(MaxCopiesPerMessage(spec, mode, 100, cap), 0);
  }
}

}  // namespace
}  // namespace livnd::server
