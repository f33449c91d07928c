// What a server does besides operations: it describes itself, makes and ends sessions, ends itself, and
// still serves after every bad call.
#include "server/service/server.h"

#include <unistd.h>

#include <limits>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "server/service/server_fixture.h"

namespace livnd::server {
namespace {

TEST_F(ServerTest, TellsItsLimits) {
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(
      Call(&v1::ServerService::Stub::GetServerInfo, v1::GetServerInfoRequest(), &info).ok());
  EXPECT_EQ(info.max_receive_message_bytes(), 1 << 20);
  EXPECT_EQ(info.max_send_message_bytes(), 1 << 20);
  EXPECT_EQ(info.max_sessions(), 4);
  EXPECT_EQ(info.max_envs_per_session(), 16);
  EXPECT_EQ(info.session_lease_s(), 0);
  EXPECT_EQ(info.session_retention_s(), 0);
  EXPECT_EQ(info.num_workers(), 3);
  EXPECT_EQ(info.physics_version(), "fake-1");
  EXPECT_FALSE(info.server_version().empty());
}

TEST_F(ServerTest, DescribesWhatItHas) {
  v1::ListSystemsResponse systems;
  ASSERT_TRUE(Call(&v1::ServerService::Stub::ListSystems, v1::ListSystemsRequest(), &systems).ok());
  ASSERT_EQ(systems.systems_size(), 1);
  v1::GetSystemRequest get;
  get.set_system("none");
  v1::GetSystemResponse system;
  EXPECT_TRUE(Call(&v1::ServerService::Stub::GetSystem, get, &system).ok());
  get.set_system("other");
  const grpc::Status status = Call(&v1::ServerService::Stub::GetSystem, get, &system);
  ExpectError(status, grpc::StatusCode::NOT_FOUND, "UNKNOWN_SYSTEM");
  EXPECT_EQ(Info(status).metadata().at("accepted"), "none");

  v1::ListEnvironmentsResponse environments;
  ASSERT_TRUE(Call(&v1::EnvironmentService::Stub::ListEnvironments, v1::ListEnvironmentsRequest(),
                   &environments)
                  .ok());
  ASSERT_EQ(environments.environments_size(), 1);
  v1::DescribeEnvironmentRequest describe;
  describe.set_environment_id("Fake-v0");
  v1::DescribeEnvironmentResponse described;
  ASSERT_TRUE(Call(&v1::EnvironmentService::Stub::DescribeEnvironment, describe, &described).ok());
  EXPECT_EQ(described.environment().SerializeAsString(),
            environments.environments(0).SerializeAsString());
  describe.set_environment_id("Fake-v1");
  ExpectError(Call(&v1::EnvironmentService::Stub::DescribeEnvironment, describe, &described),
              grpc::StatusCode::NOT_FOUND, "UNKNOWN_ENVIRONMENT");
}

TEST_F(ServerTest, AMethodThatThereIsNotIsToldSoInTheServersOwnWords) {
  grpc::GenericStub stub(channel_);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  const auto call =
      stub.PrepareUnaryCall(&context, "/livnd.v1.EnvironmentService/Guess", {}, &queue);
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  ExpectError(status, grpc::StatusCode::UNIMPLEMENTED, "UNKNOWN_METHOD");
  EXPECT_EQ(Info(status).metadata().at("value"), "/livnd.v1.EnvironmentService/Guess");
}

TEST_F(ServerTest, BadCreationsAreRefused) {
  v1::CreateSessionResponse response;
  const auto expect = [&](const v1::CreateSessionRequest& request, grpc::StatusCode code,
                          const std::string& reason, const std::string& field) {
    const grpc::Status status = Call(&v1::SessionService::Stub::CreateSession, request, &response);
    ExpectError(status, code, reason);
    EXPECT_EQ(Info(status).metadata().at("field"), field);
  };
  v1::CreateSessionRequest request = CreateRequest();
  request.clear_request_id();
  expect(request, grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "request_id");
  request.set_request_id(std::string(129, 'x'));
  expect(request, grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "request_id");
  request = CreateRequest();
  request.set_environment_id("Fake-v1");
  expect(request, grpc::StatusCode::NOT_FOUND, "UNKNOWN_ENVIRONMENT", "environment_id");
  for (const int bad : {0, -1, std::numeric_limits<int>::min()}) {
    expect(CreateRequest(bad), grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "num_envs");
  }
  for (const int many : {17, std::numeric_limits<int>::max()}) {
    expect(CreateRequest(many), grpc::StatusCode::RESOURCE_EXHAUSTED, "TOO_MANY_ENVS", "num_envs");
  }
  request = CreateRequest();
  request.set_autoreset_mode(static_cast<v1::AutoresetMode>(9));
  expect(request, grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "autoreset_mode");
  request = CreateRequest();
  request.set_max_episode_steps(-1);
  expect(request, grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "max_episode_steps");
  EXPECT_EQ(control_.num_builds, 0);
}

TEST_F(ServerTest, CreationIsIdempotent) {
  v1::CreateSessionRequest request = CreateRequest();
  v1::CreateSessionResponse first;
  v1::CreateSessionResponse again;
  ASSERT_TRUE(Call(&v1::SessionService::Stub::CreateSession, request, &first).ok());
  ASSERT_TRUE(Reset(first.session(), 1).ok());
  ASSERT_TRUE(Call(&v1::SessionService::Stub::CreateSession, request, &again).ok());
  EXPECT_EQ(first.SerializeAsString(), again.SerializeAsString());
  request.set_num_envs(3);
  ExpectError(Call(&v1::SessionService::Stub::CreateSession, request, &again),
              grpc::StatusCode::INVALID_ARGUMENT, "PAYLOAD_MISMATCH");
}

TEST_F(ServerTest, DeletionWaitsForTheRunningPieceAndFreesTheSession) {
  const std::string session = CreateSession();
  ASSERT_TRUE(Reset(session, 1).ok());
  control_.Close();
  std::thread stepper([&] { EXPECT_TRUE(Step(StepRequest(session, 2)).ok()); });
  control_.AwaitWaiting(1);
  std::thread opener([this] {
    absl::SleepFor(absl::Milliseconds(50));
    control_.Open();
  });
  v1::DeleteSessionRequest request;
  request.set_session(session);
  v1::DeleteSessionResponse response;
  EXPECT_TRUE(Call(&v1::SessionService::Stub::DeleteSession, request, &response).ok());
  EXPECT_EQ(control_.num_steps, 1);
  stepper.join();
  opener.join();
  ExpectError(Call(&v1::SessionService::Stub::DeleteSession, request, &response),
              grpc::StatusCode::NOT_FOUND, "UNKNOWN_SESSION");
  request.set_allow_missing(true);
  EXPECT_TRUE(Call(&v1::SessionService::Stub::DeleteSession, request, &response).ok());
  EXPECT_EQ(control_.num_alive, 0);
}

TEST_F(ServerTest, TooManySessionsAreRefused) {
  for (int i = 0; i < 4; ++i) CreateSession();
  v1::CreateSessionResponse response;
  ExpectError(Call(&v1::SessionService::Stub::CreateSession, CreateRequest(), &response),
              grpc::StatusCode::RESOURCE_EXHAUSTED, "TOO_MANY_SESSIONS");
}

TEST_F(ServerTest, OversizedMessagesAreRefusedByTheTransport) {
  v1::GetSystemRequest request;
  request.set_system(std::string((1 << 20) + 100, 'x'));
  v1::GetSystemResponse response;
  EXPECT_EQ(Call(&v1::ServerService::Stub::GetSystem, request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  ExpectStillServes();
  // As long as it may be: refused for what it says, in an answer that fits into trailers.
  request.set_system(std::string((1 << 20) - 100, '\x01'));
  ExpectError(Call(&v1::ServerService::Stub::GetSystem, request, &response),
              grpc::StatusCode::NOT_FOUND, "UNKNOWN_SYSTEM");
}

TEST_F(ServerTest, MalformedMessagesAreInvalidArguments) {
  const grpc::Slice not_utf8("\x0a\x02\xff\xfe");           // field 1, a string
  const grpc::Slice truncated(std::string("\x0a\x7f", 2));  // announces 127 bytes
  const grpc::Slice garbage(std::string(1000, '\xff'));
  grpc::GenericStub stub(channel_);
  for (const char* method :
       {"ServerService/GetServerInfo", "ServerService/ListSystems", "ServerService/GetSystem",
        "ServerService/ListCodings", "EnvironmentService/ListEnvironments",
        "EnvironmentService/DescribeEnvironment", "EnvironmentService/Reset",
        "EnvironmentService/Step", "EnvironmentService/Observe", "CultureService/GetCulture",
        "CultureService/Configure", "CultureService/Run", "CultureService/Clear",
        "SessionService/CreateSession", "SessionService/DeleteSession"}) {
    for (const grpc::Slice& slice : {truncated, garbage, not_utf8}) {
      const grpc::ByteBuffer request(&slice, 1);
      grpc::ByteBuffer response;
      grpc::ClientContext context;
      grpc::CompletionQueue queue;
      const auto call =
          stub.PrepareUnaryCall(&context, absl::StrCat("/livnd.v1.", method), request, &queue);
      call->StartCall();
      grpc::Status status;
      call->Finish(&response, &status, nullptr);
      void* tag;
      bool ok;
      ASSERT_TRUE(queue.Next(&tag, &ok));
      queue.Shutdown();
      while (queue.Next(&tag, &ok)) {
      }
      if (status.ok()) continue;  // a message without fields takes what it does not know
      ExpectError(status, grpc::StatusCode::INVALID_ARGUMENT, "MALFORMED_MESSAGE");
    }
  }
}

TEST_F(ServerTest, SessionsRunSideBySide) {
  const std::string slow = CreateSession();
  const std::string quick = CreateSession();
  ASSERT_TRUE(Reset(slow, 1).ok());
  control_.Close();
  std::thread stepper([&] { EXPECT_TRUE(Step(StepRequest(slow, 2)).ok()); });
  control_.AwaitWaiting(1);
  EXPECT_TRUE(Reset(quick, 1).ok());
  control_.Open();
  stepper.join();
}

TEST_F(ServerTest, DrainingFinishesWhatRunsAndRefusesWhatIsNew) {
  const std::string session = CreateSession();
  const std::string other = CreateSession();
  ASSERT_TRUE(Reset(session, 1).ok());
  control_.Close();
  std::thread stepper([&] { EXPECT_TRUE(Step(StepRequest(session, 2)).ok()); });
  control_.AwaitWaiting(1);
  server_->Drain();
  EXPECT_FALSE(server_->drained());
  v1::CreateSessionResponse created;
  ExpectError(Call(&v1::SessionService::Stub::CreateSession, CreateRequest(), &created),
              grpc::StatusCode::UNAVAILABLE, "SHUTTING_DOWN");
  ExpectError(Reset(other, 1), grpc::StatusCode::UNAVAILABLE, "SHUTTING_DOWN");
  control_.Open();
  stepper.join();
  while (!server_->drained()) absl::SleepFor(absl::Milliseconds(1));
  server_->Shutdown(absl::Seconds(1));
  EXPECT_NE(access((dir_ + "/s").c_str(), F_OK), 0);
}

TEST_F(ServerTest, ASecondServerOnTheAddressIsRefused) {
  FakeControl control;
  Offer offer = MakeOffer();
  EXPECT_FALSE(Server::Start(MakeOptions(), offer).ok());
  ExpectStillServes();

  ServerOptions tcp = MakeOptions();
  tcp.listen = *ListenAddress::Parse("127.0.0.1:0");
  const auto first = Server::Start(tcp, offer);
  ASSERT_TRUE(first.ok()) << first.status();
  tcp.listen = *ListenAddress::Parse((*first)->address());
  EXPECT_NE(tcp.listen.port, 0);
  EXPECT_FALSE(Server::Start(tcp, offer).ok());
}

TEST_F(ServerTest, BeyondThisMachineOnlyIfAllowed) {
  ServerOptions options = MakeOptions();
  options.listen = *ListenAddress::Parse("0.0.0.0:0");
  EXPECT_EQ(Server::Start(options, MakeOffer()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  options.allow_insecure_remote = true;
  EXPECT_TRUE(Server::Start(options, MakeOffer()).ok());
}

TEST_F(ServerTest, IdleSessionsAreLetGo) {
  ServerOptions options = MakeOptions();
  options.listen.unix_path = dir_ + "/idle";
  options.sessions.retention = absl::Milliseconds(300);
  auto server = *Server::Start(options, MakeOffer());
  channel_ = grpc::CreateChannel(server->address(), grpc::InsecureChannelCredentials());
  MakeStubs();
  const std::string session = CreateSession();
  ASSERT_TRUE(Reset(session, 1).ok());
  for (int i = 0; i < 5; ++i) {  // calls keep it
    absl::SleepFor(absl::Milliseconds(100));
    ASSERT_TRUE(Step(StepRequest(session, 2 + i)).ok());
  }
  absl::SleepFor(absl::Milliseconds(700));
  ExpectError(Step(StepRequest(session, 7)), grpc::StatusCode::NOT_FOUND, "UNKNOWN_SESSION");
  EXPECT_EQ(control_.num_alive, 0);
}

}  // namespace
}  // namespace livnd::server
