// Operations of a session, over a socket: in order and out of it, repeated, too late, and wrong.
#include <chrono>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "server/service/server_fixture.h"

namespace livnd::server {
namespace {

using OperationsTest = ServerTest;

TEST_F(OperationsTest, PlaysAnEpisode) {
  const std::string session = CreateSession();
  v1::ResetRequest reset;
  reset.set_session(session);
  reset.set_op_index(1);
  const std::vector<uint64_t> seeds = {7, 8};
  reset.mutable_seeds()->set_dtype(v1::DATA_TYPE_UINT64);
  reset.mutable_seeds()->add_shape(2);
  reset.mutable_seeds()->set_data(seeds.data(), 16);
  v1::ResetResponse begun;
  ASSERT_TRUE(Call(&v1::EnvironmentService::Stub::Reset, reset, &begun).ok());
  EXPECT_EQ(begun.op_index(), 1);
  EXPECT_EQ(Values<uint64_t>(begun.episode_seeds()), seeds);
  EXPECT_EQ(Values<float>(begun.observations(0)), (std::vector<float>{0, 0, 7, 0, 0, 8}));

  v1::StepResponse stepped;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(Step(StepRequest(session, 2 + i, 0.5), &stepped).ok());
    EXPECT_EQ(stepped.op_index(), 2 + i);
    EXPECT_EQ(Values<uint8_t>(stepped.truncated()), (std::vector<uint8_t>(2, i == 3)));
  }
  EXPECT_EQ(Values<double>(stepped.rewards()), (std::vector<double>{4, 4}));
  ASSERT_TRUE(Step(StepRequest(session, 6, 0.5), &stepped).ok());  // the automatic reset
  EXPECT_EQ(Values<double>(stepped.rewards()), (std::vector<double>{0, 0}));

  v1::ObserveRequest observe;
  observe.set_session(session);
  v1::ObserveResponse seen;
  ASSERT_TRUE(Call(&v1::EnvironmentService::Stub::Observe, observe, &seen).ok());
  EXPECT_EQ(Values<int64_t>(seen.episodes()), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(Values<int64_t>(seen.ticks()), (std::vector<int64_t>{0, 0}));
  EXPECT_EQ(seen.next_op_index(), 7);
  EXPECT_EQ(seen.observations(0).data(), stepped.observations(0).data());
}

TEST_F(OperationsTest, ARepeatedOperationIsAnsweredWithoutRunningAgain) {
  const std::string session = CreateSession();
  ASSERT_TRUE(Reset(session, 1).ok());
  v1::StepResponse first;
  ASSERT_TRUE(Step(StepRequest(session, 2, 0.5), &first).ok());
  for (int i = 0; i < 3; ++i) {
    v1::StepResponse again;
    ASSERT_TRUE(Step(StepRequest(session, 2, 0.5), &again).ok());
    EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  }
  EXPECT_EQ(control_.num_steps, 1);
  ExpectError(Step(StepRequest(session, 2, 0.25)), grpc::StatusCode::INVALID_ARGUMENT,
              "PAYLOAD_MISMATCH");
  // Another method is another payload.
  ExpectError(Reset(session, 2), grpc::StatusCode::INVALID_ARGUMENT, "PAYLOAD_MISMATCH");
  for (const int64_t index : {-1, 0, 1, 4, 100}) {
    const grpc::Status status = Step(StepRequest(session, index, 0.5));
    ExpectError(status, grpc::StatusCode::FAILED_PRECONDITION, "WRONG_OP_INDEX");
    EXPECT_EQ(Info(status).metadata().at("expected"), "3");
  }
  EXPECT_TRUE(Step(StepRequest(session, 3)).ok());
  EXPECT_EQ(control_.num_steps, 2);
}

TEST_F(OperationsTest, ARepeatedResetIsAnsweredWithoutRunningAgain) {
  const std::string session = CreateSession();
  v1::ResetResponse first;
  v1::ResetResponse again;
  ASSERT_TRUE(Reset(session, 1, &first).ok());
  ASSERT_TRUE(Reset(session, 1, &again).ok());
  EXPECT_EQ(first.SerializeAsString(), again.SerializeAsString());
}

TEST_F(OperationsTest, ADeadlineDropsOnlyTheAnswer) {
  const std::string session = CreateSession();
  ASSERT_TRUE(Reset(session, 1).ok());
  control_.Close();
  v1::StepResponse response;
  EXPECT_EQ(Call(&v1::EnvironmentService::Stub::Step, StepRequest(session, 2, 0.5), &response,
                 std::chrono::milliseconds(50))
                .error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  // The repeat arrives while the original still runs: it waits, and nothing runs twice.
  std::thread opener([this] {
    absl::SleepFor(absl::Milliseconds(50));
    control_.Open();
  });
  ASSERT_TRUE(Step(StepRequest(session, 2, 0.5), &response).ok());
  opener.join();
  EXPECT_EQ(Values<float>(response.observations(0))[0], 1);
  EXPECT_EQ(control_.num_steps, 1);
}

TEST_F(OperationsTest, OperationsMayBeSentAheadAndRunInOrder) {
  const std::string session = CreateSession();
  ASSERT_TRUE(Reset(session, 1).ok());
  control_.Close();
  std::vector<std::thread> callers;
  std::vector<v1::StepResponse> responses(4);
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back(
        [&, i] { EXPECT_TRUE(Step(StepRequest(session, 2 + i), &responses[i]).ok()); });
    absl::SleepFor(absl::Milliseconds(30));
  }
  control_.Open();
  for (std::thread& caller : callers) caller.join();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Values<float>(responses[i].observations(0))[0], i + 1);
}

TEST_F(OperationsTest, ManyRepeatsAtOnceRunOnce) {
  const std::string session = CreateSession();
  ASSERT_TRUE(Reset(session, 1).ok());
  control_.Close();
  std::vector<std::thread> callers;
  for (int i = 0; i < 16; ++i) {
    callers.emplace_back([&] {
      v1::StepResponse response;
      EXPECT_TRUE(Step(StepRequest(session, 2, 0.5), &response).ok());
      EXPECT_EQ(Values<float>(response.observations(0))[0], 1);
    });
  }
  control_.AwaitWaiting(1);
  control_.Open();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(control_.num_steps, 1);
}

TEST_F(OperationsTest, BadStepsChangeNothingAndUseUpNoIndex) {
  const std::string session = CreateSession();
  ExpectError(Step(StepRequest(session, 1)), grpc::StatusCode::FAILED_PRECONDITION, "NOT_RESET");
  ASSERT_TRUE(Reset(session, 1).ok());
  v1::StepRequest bad = StepRequest(session, 2, 0, /*num_envs=*/3);
  ExpectError(Step(bad), grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD");
  ExpectError(Step(StepRequest(session, 2, std::nanf(""))), grpc::StatusCode::INVALID_ARGUMENT,
              "INVALID_FIELD");
  ExpectError(Step(StepRequest(session, 2, 1.01f)), grpc::StatusCode::INVALID_ARGUMENT,
              "INVALID_FIELD");
  bad = StepRequest(session, 2);
  bad.clear_actions();
  ExpectError(Step(bad), grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD");
  ExpectError(Step(StepRequest("nobody", 2)), grpc::StatusCode::NOT_FOUND, "UNKNOWN_SESSION");
  EXPECT_EQ(control_.num_steps, 0);
  EXPECT_TRUE(Step(StepRequest(session, 2)).ok());
}

TEST_F(OperationsTest, NextStepDoesNotLookAtTheActionOfAnEndedCopy) {
  const std::string session = CreateSession();
  ASSERT_TRUE(Reset(session, 1).ok());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Step(StepRequest(session, 2 + i)).ok());
  v1::StepResponse response;
  ASSERT_TRUE(Step(StepRequest(session, 6, std::nanf("")), &response).ok());
  EXPECT_EQ(Values<double>(response.rewards()), (std::vector<double>{0, 0}));
  EXPECT_EQ(Values<float>(response.observations(0))[0], 0);
  // The new episode's first action counts again.
  ExpectError(Step(StepRequest(session, 7, std::nanf(""))), grpc::StatusCode::INVALID_ARGUMENT,
              "INVALID_FIELD");
}

TEST_F(OperationsTest, CallsForCulturesAreRefusedByName) {
  v1::GetCultureRequest request;
  request.set_session(CreateSession());
  v1::GetCultureResponse response;
  ExpectError(Call(&v1::CultureService::Stub::GetCulture, request, &response),
              grpc::StatusCode::FAILED_PRECONDITION, "NOT_A_CULTURE");
}

TEST_F(OperationsTest, BadResetsChangeNothing) {
  const std::string session = CreateSession();
  v1::ResetRequest request;
  request.set_session(session);
  request.set_op_index(1);
  v1::ResetResponse response;
  const auto flags = [](std::string bytes) {
    v1::Tensor tensor;
    tensor.set_dtype(v1::DATA_TYPE_BOOL);
    tensor.add_shape(static_cast<int64_t>(bytes.size()));
    tensor.set_data(std::move(bytes));
    return tensor;
  };
  *request.mutable_mask() = flags(std::string("\0\1", 2));
  ExpectError(Call(&v1::EnvironmentService::Stub::Reset, request, &response),
              grpc::StatusCode::FAILED_PRECONDITION, "NOT_RESET");
  *request.mutable_mask() = flags(std::string("\0\0", 2));
  ExpectError(Call(&v1::EnvironmentService::Stub::Reset, request, &response),
              grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD");
  request.clear_mask();
  v1::ResetOption* option = request.add_options();
  option->set_name("nonsense");
  ExpectError(Call(&v1::EnvironmentService::Stub::Reset, request, &response),
              grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD");
  request.clear_options();
  ASSERT_TRUE(Call(&v1::EnvironmentService::Stub::Reset, request, &response).ok());
  *request.mutable_mask() = flags(std::string("\0\1", 2));
  request.set_op_index(2);
  ASSERT_TRUE(Call(&v1::EnvironmentService::Stub::Reset, request, &response).ok());
}

TEST_F(OperationsTest, ObserveNeedsAReset) {
  v1::ObserveRequest request;
  request.set_session(CreateSession());
  v1::ObserveResponse response;
  ExpectError(Call(&v1::EnvironmentService::Stub::Observe, request, &response),
              grpc::StatusCode::FAILED_PRECONDITION, "NOT_RESET");
  request.set_session("nobody");
  ExpectError(Call(&v1::EnvironmentService::Stub::Observe, request, &response),
              grpc::StatusCode::NOT_FOUND, "UNKNOWN_SESSION");
}

TEST_F(OperationsTest, WithoutAutoresetAnEndedEpisodeMustBeReset) {
  const std::string session = CreateSession(2, v1::AUTORESET_MODE_DISABLED);
  ASSERT_TRUE(Reset(session, 1).ok());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Step(StepRequest(session, 2 + i)).ok());
  ExpectError(Step(StepRequest(session, 6)), grpc::StatusCode::FAILED_PRECONDITION,
              "EPISODE_ENDED");
  ASSERT_TRUE(Reset(session, 6).ok());
  EXPECT_TRUE(Step(StepRequest(session, 7)).ok());
}

}  // namespace
}  // namespace livnd::server
