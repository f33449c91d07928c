#include "server/wire/episode.h"

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "env/tensor_batch.h"
#include "gtest/gtest.h"
#include "server/testing/fake_environment.h"
#include "server/testing/tensors.h"
#include "server/wire/errors.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

v1::StepRequest Actions(const v1::Tensor& tensor) {
  v1::StepRequest request;
  *request.add_actions() = tensor;
  return request;
}

void AddOption(const std::string& name, double value, v1::ResetRequest* request) {
  v1::ResetOption* option = request->add_options();
  option->set_name(name);
  option->set_value(value);
}

absl::Status Parse(const v1::StepRequest& request, int num_envs = 2) {
  env::TensorBatch actions(FakeSpec().actions, num_envs);
  return ParseActions(request.actions(), FakeSpec(), num_envs, &actions);
}

TEST(EpisodeTest, ActionsArriveInOrder) {
  env::TensorBatch actions(FakeSpec().actions, 2);
  const auto request = Actions(MakeTensor<float>(v1::DATA_TYPE_FLOAT32, {2, 2}, {-1, 0, 0.5, 1}));
  ASSERT_TRUE(ParseActions(request.actions(), FakeSpec(), 2, &actions).ok());
  EXPECT_EQ(actions.all<float>(0), (std::vector<float>{-1, 0, 0.5, 1}));
}

TEST(EpisodeTest, ActionsOfTheWrongKindNameFieldValueAndAccepted) {
  struct Case {
    v1::StepRequest request;
    std::string field, value, accepted;
  };
  v1::StepRequest two = Actions(MakeTensor<float>(v1::DATA_TYPE_FLOAT32, {2, 2}, {0, 0, 0, 0}));
  *two.add_actions() = two.actions(0);
  v1::Tensor short_data = MakeTensor<float>(v1::DATA_TYPE_FLOAT32, {2, 2}, {0, 0, 0});
  v1::Tensor long_data = MakeTensor<float>(v1::DATA_TYPE_FLOAT32, {2, 2}, {0, 0, 0, 0, 0});
  v1::Tensor odd_dtype = MakeTensor<float>(static_cast<v1::DataType>(77), {2, 2}, {0, 0, 0, 0});
  const int64_t big = int64_t{1} << 62;
  const std::vector<Case> cases = {
      {v1::StepRequest(), "actions", "0 tensors", "1 tensor (stimulation)"},
      {two, "actions", "2 tensors", "1 tensor (stimulation)"},
      {Actions(v1::Tensor()), "actions[0].dtype", "unspecified", "float32"},
      {Actions(odd_dtype), "actions[0].dtype", "77", "float32"},
      {Actions(MakeTensor<double>(v1::DATA_TYPE_FLOAT64, {2, 2}, {0, 0, 0, 0})), "actions[0].dtype",
       "float64", "float32"},
      {Actions(MakeTensor<float>(v1::DATA_TYPE_FLOAT32, {4}, {0, 0, 0, 0})), "actions[0].shape",
       "[4]", "[2, 2]"},
      {Actions(MakeTensor<float>(v1::DATA_TYPE_FLOAT32, {2, 2, 1}, {0, 0, 0, 0})),
       "actions[0].shape", "[2, 2, 1]", "[2, 2]"},
      {Actions(MakeTensor<float>(v1::DATA_TYPE_FLOAT32, {-2, -2}, {0, 0, 0, 0})),
       "actions[0].shape", "[-2, -2]", "[2, 2]"},
      {Actions(MakeTensor<float>(v1::DATA_TYPE_FLOAT32, {big, big, big}, {0})), "actions[0].shape",
       "[4611686018427387904, 4611686018427387904, 4611686018427387904]", "[2, 2]"},
      {Actions(MakeTensor<float>(v1::DATA_TYPE_FLOAT32, std::vector<int64_t>(1000, 1), {0})),
       "actions[0].shape", "[1, 1, 1, 1, 1, 1, 1, 1, ... 1000 axes]", "[2, 2]"},
      {Actions(short_data), "actions[0].data", "12 bytes", "16 bytes ([2, 2] of float32)"},
      {Actions(long_data), "actions[0].data", "20 bytes", "16 bytes ([2, 2] of float32)"},
  };
  for (const Case& c : cases) {
    const absl::Status status = Parse(c.request);
    EXPECT_EQ(ReasonOf(status), reason::kInvalidField) << status;
    EXPECT_EQ(MetadataOf(status, "field"), c.field);
    EXPECT_EQ(MetadataOf(status, "value"), c.value);
    EXPECT_EQ(MetadataOf(status, "accepted"), c.accepted);
  }
}

TEST(EpisodeTest, SeveralActionTensorsOfSeveralKindsArrive) {
  env::EnvironmentSpec spec = FakeSpec();
  env::TensorSpec& second = spec.actions.emplace_back();
  second.name = "choice";
  second.dtype = env::DType::kInt64;
  v1::StepRequest request = Actions(MakeTensor<float>(v1::DATA_TYPE_FLOAT32, {2, 2}, {0, 1, 2, 3}));
  env::TensorBatch actions(spec.actions, 2);
  const absl::Status one = ParseActions(request.actions(), spec, 2, &actions);
  EXPECT_EQ(MetadataOf(one, "accepted"), "2 tensors (stimulation, choice)");
  *request.add_actions() = MakeTensor<int64_t>(v1::DATA_TYPE_INT64, {2}, {-5, 1});
  ASSERT_TRUE(ParseActions(request.actions(), spec, 2, &actions).ok());
  EXPECT_EQ(actions.of<float>(0, 1), (std::vector<float>{2, 3}));
  EXPECT_EQ(actions.of<int64_t>(1, 0), (std::vector<int64_t>{-5}));
}

TEST(EpisodeTest, AResetWithNothingSetResetsAllWithoutSeeds) {
  const auto reset = ParseReset(v1::ResetRequest(), 3);
  ASSERT_TRUE(reset.ok());
  EXPECT_TRUE(reset->seeds.empty());
  EXPECT_TRUE(reset->mask.empty());
  EXPECT_TRUE(reset->options.empty());
}

TEST(EpisodeTest, SeedsCountWhereTheyArePresentAndTheCopyIsReset) {
  v1::ResetRequest request;
  const uint64_t big = std::numeric_limits<uint64_t>::max();
  *request.mutable_seeds() = MakeTensor<uint64_t>(v1::DATA_TYPE_UINT64, {3}, {1, 2, big});
  *request.mutable_seed_present() = MakeTensor<uint8_t>(v1::DATA_TYPE_BOOL, {3}, {1, 0, 1});
  auto reset = ParseReset(request, 3);
  ASSERT_TRUE(reset.ok());
  EXPECT_EQ(reset->seeds, (std::vector<std::optional<uint64_t>>{1, std::nullopt, big}));

  *request.mutable_mask() = MakeTensor<uint8_t>(v1::DATA_TYPE_BOOL, {3}, {0, 1, 1});
  reset = ParseReset(request, 3);
  ASSERT_TRUE(reset.ok());
  EXPECT_EQ(reset->seeds, (std::vector<std::optional<uint64_t>>{std::nullopt, std::nullopt, big}));
  EXPECT_EQ(reset->mask, (std::vector<uint8_t>{0, 1, 1}));
}

TEST(EpisodeTest, BadResetsNameTheirField) {
  const auto field_of = [](const v1::ResetRequest& request) {
    const absl::Status status = ParseReset(request, 2).status();
    EXPECT_EQ(ReasonOf(status), reason::kInvalidField) << status;
    return MetadataOf(status, "field");
  };
  const v1::Tensor two_flags = MakeTensor<uint8_t>(v1::DATA_TYPE_BOOL, {2}, {1, 1});
  v1::ResetRequest request;
  *request.mutable_mask() = MakeTensor<uint8_t>(v1::DATA_TYPE_BOOL, {2}, {0, 2});
  EXPECT_EQ(field_of(request), "mask.data");
  *request.mutable_mask() = MakeTensor<uint8_t>(v1::DATA_TYPE_BOOL, {3}, {1, 1, 1});
  EXPECT_EQ(field_of(request), "mask.shape");
  *request.mutable_mask() = MakeTensor<int64_t>(v1::DATA_TYPE_INT64, {2}, {1, 1});
  EXPECT_EQ(field_of(request), "mask.dtype");

  request = v1::ResetRequest();
  *request.mutable_seed_present() = two_flags;
  EXPECT_EQ(field_of(request), "seed_present");
  *request.mutable_seeds() = MakeTensor<int64_t>(v1::DATA_TYPE_INT64, {2}, {1, 1});
  EXPECT_EQ(field_of(request), "seeds.dtype");
  *request.mutable_seeds() = MakeTensor<uint64_t>(v1::DATA_TYPE_UINT64, {1}, {1});
  EXPECT_EQ(field_of(request), "seeds.shape");
  *request.mutable_seeds() = MakeTensor<uint64_t>(v1::DATA_TYPE_UINT64, {2}, {1});
  EXPECT_EQ(field_of(request), "seeds.data");

  request = v1::ResetRequest();
  AddOption("target", 5.0, &request);
  EXPECT_TRUE(ParseReset(request, 2).ok());
  AddOption("target", 5.0, &request);
  EXPECT_EQ(field_of(request), "options[target]");
}

TEST(EpisodeTest, AnEncodedStepHasOneTensorOfEachKindHoweverOftenTheMessageIsUsed) {
  FakeControl control;
  FakeEnvironment environment(2, env::AutoresetMode::kNextStep, control);
  ASSERT_TRUE(environment.Reset({}).ok());
  v1::StepResponse response;
  for (int i = 0; i < 3; ++i) {
    EncodeStep(environment.outcome(), environment.spec(), 2, &response);
    ASSERT_EQ(response.observations_size(), 1);
    ASSERT_EQ(response.infos_size(), 1);
    EXPECT_TRUE(CheckTensor("o", response.observations(0), v1::DATA_TYPE_FLOAT32, {2, 3}).ok());
    EXPECT_TRUE(CheckTensor("i", response.infos(0), v1::DATA_TYPE_FLOAT64, {2}).ok());
    EXPECT_TRUE(CheckTensor("r", response.rewards(), v1::DATA_TYPE_FLOAT64, {2}).ok());
    EXPECT_TRUE(CheckTensor("t", response.terminated(), v1::DATA_TYPE_BOOL, {2}).ok());
    EXPECT_TRUE(CheckTensor("t", response.truncated(), v1::DATA_TYPE_BOOL, {2}).ok());
  }
}

TEST(EpisodeTest, AnEncodedStepHasARowForEachEpisodeThatEndedInIt) {
  FakeControl control;
  FakeEnvironment environment(3, env::AutoresetMode::kSameStep, control);
  ASSERT_TRUE(environment.Reset({}).ok());
  env::TensorBatch actions(FakeSpec().actions, 3);
  for (int c = 0; c < 3; ++c) actions.of<float>(0, c)[0] = 0.25f * static_cast<float>(c);
  v1::StepResponse response;
  const auto step = [&] {
    ASSERT_TRUE(environment.Step(actions).ok());
    EncodeStep(environment.outcome(), environment.spec(), 3, &response);
  };
  step();
  EXPECT_EQ(response.final_observations_size() + response.final_infos_size(), 0);
  env::ResetRequest middle;
  middle.mask = {0, 1, 0};
  ASSERT_TRUE(environment.Reset(middle).ok());
  for (int i = 0; i < 3; ++i) step();
  ASSERT_EQ(response.final_observations_size(), 1);
  ASSERT_EQ(response.final_infos_size(), 1);
  const v1::Tensor& ended = response.final_observations(0);
  EXPECT_TRUE(CheckTensor("o", ended, v1::DATA_TYPE_FLOAT32, {2, 3}).ok());
  EXPECT_TRUE(CheckTensor("i", response.final_infos(0), v1::DATA_TYPE_FLOAT64, {2}).ok());
  const std::vector<float> rows = Values<float>(ended);
  EXPECT_EQ((std::vector<float>{rows[0], rows[1]}), (std::vector<float>{4, 0}));
  EXPECT_EQ((std::vector<float>{rows[3], rows[4]}), (std::vector<float>{4, 2}));
  const std::vector<float> seen = Values<float>(response.observations(0));
  EXPECT_EQ((std::vector<float>{seen[0], seen[3], seen[6]}), (std::vector<float>{0, 3, 0}));
  step();  // the middle one, in a message that had two rows
  ASSERT_EQ(response.final_observations_size(), 1);
  EXPECT_EQ(Values<float>(response.final_observations(0))[1], 1);
  step();
  EXPECT_EQ(response.final_observations_size() + response.final_infos_size(), 0);
}

}  // namespace
}  // namespace livnd::server
