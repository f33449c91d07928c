#include "server/wire/spec.h"

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
  EXPECT_EQ(*ParseAutoresetMode(v1::AUTORESET_MODE_DISABLED), env::AutoresetMode::kDisabled);
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
  const int64_t copies = MaxCopiesPerMessage(spec, cap, cap);
  ASSERT_GT(copies, 1'000'000);
  FakeControl control;
  FakeEnvironment environment(static_cast<int>(copies), env::AutoresetMode::kNextStep, control);
  v1::StepResponse response;
  EncodeStep(environment.outcome(), spec, static_cast<int>(copies), &response);
  EXPECT_LE(static_cast<int64_t>(response.ByteSizeLong()), cap);
  v1::ObserveResponse observed;
  EncodeObserve(environment.outcome(), spec, static_cast<int>(copies), &observed);
  EXPECT_LE(static_cast<int64_t>(observed.ByteSizeLong()), cap);
  EXPECT_EQ(MaxCopiesPerMessage(spec, 100, cap), 0);
}

}  // namespace
}  // namespace livnd::server
