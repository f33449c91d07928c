// Long operations of some sessions beside those of others, on one worker.
#include <chrono>
#include <future>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "server/service/server_fixture.h"

namespace livnd::server {
namespace {

// A step of so many pieces takes minutes.
constexpr int kEndless = std::numeric_limits<int>::max();

class TurnsTest : public ServerTest {
 protected:
  TurnsTest() {
    ServerOptions options = MakeOptions();
    options.listen.unix_path = dir_ + "/one";
    options.num_workers = 1;
    server_ = *Server::Start(options, MakeOffer());
    channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
    MakeStubs();
  }

  std::string ResetSession() {
    const std::string session = CreateSession();
    EXPECT_TRUE(Reset(session, 1).ok());
    return session;
  }
  std::future<grpc::Status> InBackground(const v1::StepRequest& request) {
    return std::async(std::launch::async, [this, request] { return Step(request); });
  }
  // A first step of a session that will take so many pieces, once it has begun.
  std::future<grpc::Status> BeginStep(const std::string& session, int num_pieces) {
    control_.pieces_per_step = num_pieces;
    const int before = control_.num_begun;
    std::future<grpc::Status> step = InBackground(StepRequest(session, 2));
    while (control_.num_begun == before) absl::SleepFor(absl::Milliseconds(1));
    control_.pieces_per_step = 1;
    return step;
  }
  static bool Waits(const std::future<grpc::Status>& step) {
    return step.wait_for(std::chrono::seconds(0)) == std::future_status::timeout;
  }
  grpc::Status Delete(const std::string& session) {
    v1::DeleteSessionRequest request;
    request.set_session(session);
    v1::DeleteSessionResponse response;
    return Call(&v1::SessionService::Stub::DeleteSession, request, &response);
  }
};

TEST_F(TurnsTest, StepsOfOthersAreDoneWhileALongOneGoesOn) {
  const std::string busy = ResetSession();
  const std::string other = ResetSession();
  std::future<grpc::Status> step = BeginStep(busy, kEndless);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Step(StepRequest(other, 2 + i)).ok());
  CreateSession();
  EXPECT_TRUE(Waits(step));
  EXPECT_TRUE(Delete(busy).ok());
  step.wait();
}

TEST_F(TurnsTest, SessionsWithLongStepsTakeTurns) {
  const std::string first = ResetSession();
  const std::string second = ResetSession();
  std::future<grpc::Status> endless = BeginStep(first, kEndless);
  EXPECT_TRUE(BeginStep(second, 200'000).get().ok());
  EXPECT_TRUE(Waits(endless));
  EXPECT_TRUE(Delete(first).ok());
  endless.wait();
}

TEST_F(TurnsTest, DeletionEndsALongStepAndWhatWaitsBehindIt) {
  const std::string session = ResetSession();
  std::future<grpc::Status> step = BeginStep(session, kEndless);
  std::future<grpc::Status> next = InBackground(StepRequest(session, 3));
  std::future<grpc::Status> repeat = InBackground(StepRequest(session, 2));
  EXPECT_TRUE(Delete(session).ok());
  for (std::future<grpc::Status>* call : {&step, &next, &repeat}) {
    ExpectError(call->get(), grpc::StatusCode::NOT_FOUND, "UNKNOWN_SESSION");
  }
  EXPECT_EQ(control_.num_steps, 0);
  EXPECT_EQ(control_.num_alive, 0);
}

TEST_F(TurnsTest, AServerThatDrainsSendsAwayWhatWaitsAndThatStopsEndsALongStep) {
  const std::string session = ResetSession();
  std::future<grpc::Status> step = BeginStep(session, kEndless);
  v1::ObserveRequest observe;
  observe.set_session(session);
  v1::ObserveResponse seen;
  std::future<grpc::Status> next = std::async(std::launch::async, [&] {
    return Call(&v1::EnvironmentService::Stub::Observe, observe, &seen);
  });
  absl::SleepFor(absl::Milliseconds(30));  // until it waits; later the answer is the same
  server_->Drain();
  ExpectError(next.get(), grpc::StatusCode::UNAVAILABLE, "SHUTTING_DOWN");
  EXPECT_TRUE(Waits(step));
  server_->Stop();
  ExpectError(step.get(), grpc::StatusCode::UNAVAILABLE, "SHUTTING_DOWN");
  while (!server_->drained()) absl::SleepFor(absl::Milliseconds(1));
}

TEST_F(TurnsTest, ARepeatOfALongStepGetsItsAnswerAndLaterCallsComeAfterIt) {
  const std::string session = ResetSession();
  control_.Close();
  control_.pieces_per_step = 5;
  v1::StepResponse first, again, next;
  const auto step = [this](const v1::StepRequest& request, v1::StepResponse* response) {
    return std::async(std::launch::async,
                      [this, request, response] { return Step(request, response); });
  };
  auto original = step(StepRequest(session, 2, 0.5), &first);
  control_.AwaitWaiting(1);
  auto repeat = step(StepRequest(session, 2, 0.5), &again);
  absl::SleepFor(absl::Milliseconds(30));
  auto later = step(StepRequest(session, 3, 0.5), &next);
  absl::SleepFor(absl::Milliseconds(30));
  control_.Open();
  EXPECT_TRUE(original.get().ok() && repeat.get().ok() && later.get().ok());
  EXPECT_EQ(first.SerializeAsString(), again.SerializeAsString());
  EXPECT_EQ(Values<float>(next.observations(0))[0], 2);
  EXPECT_EQ(control_.num_steps, 2);
  EXPECT_EQ(control_.num_pieces, 10);
}

TEST_F(TurnsTest, ACallWhoseDeadlinePassesWhileItWaitsIsNotBegun) {
  const std::string session = ResetSession();
  control_.Close();
  std::future<grpc::Status> step = InBackground(StepRequest(session, 2));
  control_.AwaitWaiting(1);
  v1::StepResponse response;
  EXPECT_EQ(Call(&v1::EnvironmentService::Stub::Step, StepRequest(session, 3), &response,
                 std::chrono::milliseconds(50))
                .error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  absl::SleepFor(absl::Milliseconds(200));  // until the server has heard of it
  control_.Open();
  EXPECT_TRUE(step.get().ok());
  v1::ObserveRequest observe;
  observe.set_session(session);
  v1::ObserveResponse seen;
  ASSERT_TRUE(Call(&v1::EnvironmentService::Stub::Observe, observe, &seen).ok());
  EXPECT_EQ(seen.next_op_index(), 3);
  EXPECT_EQ(control_.num_steps, 1);
  // Its number is free, for another operation too.
  EXPECT_TRUE(Step(StepRequest(session, 3, 0.5)).ok());
}

TEST_F(TurnsTest, BuildsLeaveTheWorkerToSteps) {
  Offer offer = MakeOffer();
  offer.environments.push_back(FakeSpec("Other-v0"));
  ServerOptions options = MakeOptions();
  options.listen.unix_path = dir_ + "/two";
  options.num_workers = 1;
  server_.reset();
  server_ = *Server::Start(options, std::move(offer));
  channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
  MakeStubs();
  const std::string ready = CreateSession();
  control_.Close();
  v1::CreateSessionRequest request = CreateRequest();
  request.set_environment_id("Other-v0");
  v1::CreateSessionResponse created;
  auto creation = std::async(std::launch::async, [&] {
    return Call(&v1::SessionService::Stub::CreateSession, request, &created);
  });
  control_.AwaitWaiting(1);
  EXPECT_TRUE(Reset(ready, 1).ok());
  CreateSession();
  control_.Open();
  EXPECT_TRUE(creation.get().ok());
}

}  // namespace
}  // namespace livnd::server
