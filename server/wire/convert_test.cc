#include "server/wire/convert.h"

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "env/tensor_batch.h"
#include "gtest/gtest.h"
#include "server/testing/fake_environment.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

template <typename T>
v1::Tensor MakeTensor(v1::DType dtype, const std::vector<int64_t>& shape,
                      const std::vector<T>& values) {
  v1::Tensor tensor;
  tensor.set_dtype(dtype);
  tensor.mutable_shape()->Add(shape.begin(), shape.end());
  tensor.set_data(values.data(), values.size() * sizeof(T));
  return tensor;
}

v1::StepRequest Actions(const v1::Tensor& tensor) {
  v1::StepRequest request;
  *request.add_actions() = tensor;
  return request;
}

absl::Status Parse(const v1::StepRequest& request, int num_envs = 2) {
  env::TensorBatch actions(FakeSpec().actions, num_envs);
  return ParseActions(request.actions(), FakeSpec(), num_envs, &actions);
}

TEST(ConvertTest, ActionsArriveInOrder) {
  env::TensorBatch actions(FakeSpec().actions, 2);
  const auto request = Actions(MakeTensor<float>(v1::DTYPE_FLOAT32, {2, 2}, {-1, 0, 0.5, 1}));
  ASSERT_TRUE(ParseActions(request.actions(), FakeSpec(), 2, &actions).ok());
  EXPECT_EQ(actions.all<float>(0), (std::vector<float>{-1, 0, 0.5, 1}));
}

TEST(ConvertTest, ActionsOfTheWrongKindNameFieldValueAndAccepted) {
  struct Case {
    v1::StepRequest request;
    std::string field, value, accepted;
  };
  v1::StepRequest two = Actions(MakeTensor<float>(v1::DTYPE_FLOAT32, {2, 2}, {0, 0, 0, 0}));
  *two.add_actions() = two.actions(0);
  v1::Tensor short_data = MakeTensor<float>(v1::DTYPE_FLOAT32, {2, 2}, {0, 0, 0});
  v1::Tensor long_data = MakeTensor<float>(v1::DTYPE_FLOAT32, {2, 2}, {0, 0, 0, 0, 0});
  v1::Tensor odd_dtype = MakeTensor<float>(static_cast<v1::DType>(77), {2, 2}, {0, 0, 0, 0});
  const int64_t big = int64_t{1} << 62;
  const std::vector<Case> cases = {
      {v1::StepRequest(), "actions", "0 tensors", "1 tensor (stimulation)"},
      {two, "actions", "2 tensors", "1 tensor (stimulation)"},
      {Actions(v1::Tensor()), "actions[0].dtype", "DTYPE_UNSPECIFIED", "DTYPE_FLOAT32"},
      {Actions(odd_dtype), "actions[0].dtype", "77", "DTYPE_FLOAT32"},
      {Actions(MakeTensor<double>(v1::DTYPE_FLOAT64, {2, 2}, {0, 0, 0, 0})), "actions[0].dtype",
       "DTYPE_FLOAT64", "DTYPE_FLOAT32"},
      {Actions(MakeTensor<float>(v1::DTYPE_FLOAT32, {4}, {0, 0, 0, 0})), "actions[0].shape", "[4]",
       "[2, 2]"},
      {Actions(MakeTensor<float>(v1::DTYPE_FLOAT32, {2, 2, 1}, {0, 0, 0, 0})), "actions[0].shape",
       "[2, 2, 1]", "[2, 2]"},
      {Actions(MakeTensor<float>(v1::DTYPE_FLOAT32, {-2, -2}, {0, 0, 0, 0})), "actions[0].shape",
       "[-2, -2]", "[2, 2]"},
      {Actions(MakeTensor<float>(v1::DTYPE_FLOAT32, {big, big, big}, {0})), "actions[0].shape",
       "[4611686018427387904, 4611686018427387904, 4611686018427387904]", "[2, 2]"},
      {Actions(MakeTensor<float>(v1::DTYPE_FLOAT32, std::vector<int64_t>(1000, 1), {0})),
       "actions[0].shape", "[1, 1, 1, 1, 1, 1, 1, 1, ... 1000 axes]", "[2, 2]"},
      {Actions(short_data), "actions[0].data", "12 bytes", "16 bytes ([2, 2] of DTYPE_FLOAT32)"},
      {Actions(long_data), "actions[0].data", "20 bytes", "16 bytes ([2, 2] of DTYPE_FLOAT32)"},
  };
  for (const Case& c : cases) {
    const absl::Status status = Parse(c.request);
    EXPECT_EQ(ReasonOf(status), reason::kInvalidField) << status;
    EXPECT_EQ(MetadataOf(status, "field"), c.field);
    EXPECT_EQ(MetadataOf(status, "value"), c.value);
    EXPECT_EQ(MetadataOf(status, "accepted"), c.accepted);
  }
}

TEST(ConvertTest, SeveralActionTensorsOfSeveralKindsArrive) {
  env::EnvironmentSpec spec = FakeSpec();
  env::TensorSpec& second = spec.actions.emplace_back();
  second.name = "choice";
  second.dtype = env::DType::kInt64;
  v1::StepRequest request = Actions(MakeTensor<float>(v1::DTYPE_FLOAT32, {2, 2}, {0, 1, 2, 3}));
  env::TensorBatch actions(spec.actions, 2);
  const absl::Status one = ParseActions(request.actions(), spec, 2, &actions);
  EXPECT_EQ(MetadataOf(one, "accepted"), "2 tensors (stimulation, choice)");
  *request.add_actions() = MakeTensor<int64_t>(v1::DTYPE_INT64, {2}, {-5, 1});
  ASSERT_TRUE(ParseActions(request.actions(), spec, 2, &actions).ok());
  EXPECT_EQ(actions.of<float>(0, 1), (std::vector<float>{2, 3}));
  EXPECT_EQ(actions.of<int64_t>(1, 0), (std::vector<int64_t>{-5}));
}

TEST(ConvertTest, AResetWithNothingSetResetsAllWithoutSeeds) {
  const auto reset = ParseReset(v1::ResetRequest(), FakeSpec(), 3);
  ASSERT_TRUE(reset.ok());
  EXPECT_TRUE(reset->seeds.empty());
  EXPECT_TRUE(reset->mask.empty());
  EXPECT_TRUE(reset->options.empty());
}

TEST(ConvertTest, SeedsCountWhereTheyArePresentAndTheCopyIsReset) {
  v1::ResetRequest request;
  const uint64_t big = std::numeric_limits<uint64_t>::max();
  *request.mutable_seeds() = MakeTensor<uint64_t>(v1::DTYPE_UINT64, {3}, {1, 2, big});
  *request.mutable_seed_present() = MakeTensor<uint8_t>(v1::DTYPE_BOOL, {3}, {1, 0, 1});
  auto reset = ParseReset(request, FakeSpec(), 3);
  ASSERT_TRUE(reset.ok());
  EXPECT_EQ(reset->seeds, (std::vector<std::optional<uint64_t>>{1, std::nullopt, big}));

  *request.mutable_mask() = MakeTensor<uint8_t>(v1::DTYPE_BOOL, {3}, {0, 1, 1});
  reset = ParseReset(request, FakeSpec(), 3);
  ASSERT_TRUE(reset.ok());
  EXPECT_EQ(reset->seeds, (std::vector<std::optional<uint64_t>>{std::nullopt, std::nullopt, big}));
  EXPECT_EQ(reset->mask, (std::vector<uint8_t>{0, 1, 1}));
}

TEST(ConvertTest, BadResetsNameTheirField) {
  const auto field_of = [](const v1::ResetRequest& request) {
    const absl::Status status = ParseReset(request, FakeSpec(), 2).status();
    EXPECT_EQ(ReasonOf(status), reason::kInvalidField) << status;
    return MetadataOf(status, "field");
  };
  const v1::Tensor two_flags = MakeTensor<uint8_t>(v1::DTYPE_BOOL, {2}, {1, 1});
  v1::ResetRequest request;
  *request.mutable_mask() = MakeTensor<uint8_t>(v1::DTYPE_BOOL, {2}, {0, 0});
  EXPECT_EQ(field_of(request), "mask.data");
  *request.mutable_mask() = MakeTensor<uint8_t>(v1::DTYPE_BOOL, {2}, {0, 2});
  EXPECT_EQ(field_of(request), "mask.data");
  *request.mutable_mask() = MakeTensor<uint8_t>(v1::DTYPE_BOOL, {3}, {1, 1, 1});
  EXPECT_EQ(field_of(request), "mask.shape");
  *request.mutable_mask() = MakeTensor<int64_t>(v1::DTYPE_INT64, {2}, {1, 1});
  EXPECT_EQ(field_of(request), "mask.dtype");

  request = v1::ResetRequest();
  *request.mutable_seed_present() = two_flags;
  EXPECT_EQ(field_of(request), "seed_present");
  *request.mutable_seeds() = MakeTensor<int64_t>(v1::DTYPE_INT64, {2}, {1, 1});
  EXPECT_EQ(field_of(request), "seeds.dtype");
  *request.mutable_seeds() = MakeTensor<uint64_t>(v1::DTYPE_UINT64, {1}, {1});
  EXPECT_EQ(field_of(request), "seeds.shape");
  *request.mutable_seeds() = MakeTensor<uint64_t>(v1::DTYPE_UINT64, {2}, {1});
  EXPECT_EQ(field_of(request), "seeds.data");

  request = v1::ResetRequest();
  (*request.mutable_options())["tarlet"] = 1;
  EXPECT_EQ(field_of(request), "options");
  for (const double bad : {0.4, 5.1, std::numeric_limits<double>::quiet_NaN()}) {
    request = v1::ResetRequest();
    (*request.mutable_options())["target"] = bad;
    EXPECT_EQ(field_of(request), "options[target]") << bad;
  }
  (*request.mutable_options())["target"] = 5.0;
  EXPECT_TRUE(ParseReset(request, FakeSpec(), 2).ok());
}

TEST(ConvertTest, UnknownAutoresetModesAreRefused) {
  EXPECT_EQ(*ParseAutoresetMode(v1::AUTORESET_MODE_UNSPECIFIED), env::AutoresetMode::kNextStep);
  EXPECT_EQ(*ParseAutoresetMode(v1::AUTORESET_MODE_DISABLED), env::AutoresetMode::kDisabled);
  EXPECT_FALSE(ParseAutoresetMode(static_cast<v1::AutoresetMode>(9)).ok());
}

TEST(ConvertTest, ASpecArrivesWhole) {
  const v1::EnvironmentSpec spec = EncodeEnvironmentSpec(FakeSpec());
  EXPECT_EQ(spec.environment_id(), "Fake-v0");
  ASSERT_EQ(spec.actions_size(), 1);
  EXPECT_EQ(spec.actions(0).dtype(), v1::DTYPE_FLOAT32);
  EXPECT_EQ(spec.actions(0).element_names(1), "electrode_1");
  EXPECT_TRUE(CheckTensor("low", spec.observations(0).low(), v1::DTYPE_FLOAT64, {3}).ok());
  double high = 0;
  std::memcpy(&high, spec.observations(0).high().data().data(), sizeof(high));
  EXPECT_EQ(high, 100);
  EXPECT_EQ(spec.infos(0).shape_size(), 0);
  EXPECT_EQ(spec.reset_options(0).name(), "target");
  EXPECT_EQ(spec.settings().at("price"), 0.25);
  EXPECT_TRUE(spec.deterministic());
}

TEST(ConvertTest, AnEncodedStepHasOneTensorOfEachKindHoweverOftenTheMessageIsUsed) {
  FakeControl control;
  FakeEnvironment environment(2, env::AutoresetMode::kNextStep, control);
  ASSERT_TRUE(environment.Reset({}).ok());
  v1::StepResponse response;
  for (int i = 0; i < 3; ++i) {
    EncodeStep(environment.outcome(), environment.spec(), 2, &response);
    ASSERT_EQ(response.observations_size(), 1);
    ASSERT_EQ(response.infos_size(), 1);
    EXPECT_TRUE(CheckTensor("o", response.observations(0), v1::DTYPE_FLOAT32, {2, 3}).ok());
    EXPECT_TRUE(CheckTensor("i", response.infos(0), v1::DTYPE_FLOAT64, {2}).ok());
    EXPECT_TRUE(CheckTensor("r", response.rewards(), v1::DTYPE_FLOAT64, {2}).ok());
    EXPECT_TRUE(CheckTensor("t", response.terminated(), v1::DTYPE_BOOL, {2}).ok());
    EXPECT_TRUE(CheckTensor("t", response.truncated(), v1::DTYPE_BOOL, {2}).ok());
  }
}

TEST(ConvertTest, AsManyCopiesAsFitIntoAMessage) {
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

TEST(ConvertTest, ASystemArrivesInNumbers) {
  io::System system;
  system.name = "two";
  system.populations = {{"EXC", 0, 0, 2}};
  system.position_um = {{1, 2, 3}, {4, 5, 6}};
  io::Projection projection;
  projection.pre = projection.post = "EXC";
  projection.distance_um = {7, 3, 5};
  system.projections = {projection, io::Projection()};
  v1::System encoded = EncodeSystem(system);
  EXPECT_EQ(encoded.populations(0).num_cells(), 2);
  EXPECT_EQ(encoded.projections(0).num_edges(), 3);
  EXPECT_EQ(encoded.projections(0).min_distance_um(), 3);
  EXPECT_EQ(encoded.projections(0).max_distance_um(), 7);
  EXPECT_EQ(encoded.projections(1).num_edges(), 0);
  EXPECT_TRUE(CheckTensor("p", encoded.positions_um(), v1::DTYPE_FLOAT64, {2, 3}).ok());
  EXPECT_TRUE(CheckTensor("e", encoded.electrode_ids(), v1::DTYPE_INT64, {0}).ok());

  system.electrode_array.emplace();
  system.electrode_array->electrodes = {{4, {9, 8, 7}}};
  system.electrode_array->output_radius_um = 100;
  encoded = EncodeSystem(system);
  EXPECT_TRUE(CheckTensor("e", encoded.electrode_positions_um(), v1::DTYPE_FLOAT64, {1, 3}).ok());
  EXPECT_EQ(encoded.output_radius_um(), 100);
}

}  // namespace
}  // namespace livnd::server
