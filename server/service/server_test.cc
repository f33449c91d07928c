// A server in this process with environments without a culture: what calls do, in order and out of
// it, and that after every bad one it still serves.
#include "server/service/server.h"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "livnd/v1/culture_service.grpc.pb.h"
#include "livnd/v1/environment_service.grpc.pb.h"
#include "livnd/v1/server_service.grpc.pb.h"
#include "livnd/v1/session_service.grpc.pb.h"
#include "server/testing/fake_environment.h"

#if defined(__SANITIZE_THREAD__)
// gRPC's own synchronization is in Debian's library, where the sanitizer cannot see it.
extern "C" const char* __tsan_default_suppressions() { return "race:grpc::internal\n"; }
#endif

namespace livnd::server {
namespace {

template <typename T>
std::vector<T> Values(const v1::Tensor& tensor) {
  std::vector<T> values(tensor.data().size() / sizeof(T));
  std::memcpy(values.data(), tensor.data().data(), tensor.data().size());
  return values;
}

google::rpc::ErrorInfo Info(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (details.ParseFromString(status.error_details()) && details.details_size() == 1) {
    details.details(0).UnpackTo(&info);
  }
  return info;
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    char path[] = "/tmp/livnd-server-XXXXXX";
    dir_ = mkdtemp(path);
    auto server = Server::Start(MakeOptions(), MakeOffer());
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
    MakeStubs();
  }
  ~ServerTest() override {
    control_.Open();
    stubs_ = {};
    channel_.reset();
    server_.reset();
    std::filesystem::remove_all(dir_);
  }

  ServerOptions MakeOptions() {
    ServerOptions options;
    options.listen.unix_path = dir_ + "/s";
    options.num_workers = 3;
    options.sessions.max_sessions = 4;
    options.sessions.max_envs_per_session = 16;
    options.max_message_bytes = 1 << 20;
    return options;
  }
  Offer MakeOffer() {
    v1::System system;
    system.set_name("none");
    return {{system}, {FakeSpec()}, FakeBuilder(control_), "fake-1"};
  }

  void MakeStubs() {
    stubs_ = {v1::ServerService::NewStub(channel_), v1::EnvironmentService::NewStub(channel_),
              v1::CultureService::NewStub(channel_), v1::SessionService::NewStub(channel_)};
  }

  // One unary call; the response goes to `response`.
  template <typename Stub, typename Request, typename Response>
  grpc::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response,
                    std::chrono::milliseconds deadline = std::chrono::seconds(20)) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    return (*std::get<std::unique_ptr<Stub>>(stubs_).*method)(&context, request, response);
  }

  v1::CreateSessionRequest CreateRequest(int num_envs = 2) {
    v1::CreateSessionRequest request;
    request.set_request_id(absl::StrCat("request-", ++num_requests_));
    request.set_environment_id("Fake-v0");
    request.set_num_envs(num_envs);
    return request;
  }
  std::string CreateSession(int num_envs = 2,
                            v1::AutoresetMode mode = v1::AUTORESET_MODE_UNSPECIFIED) {
    v1::CreateSessionRequest request = CreateRequest(num_envs);
    request.set_autoreset_mode(mode);
    v1::CreateSessionResponse response;
    const grpc::Status status = Call(&v1::SessionService::Stub::CreateSession, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.next_op_index(), 1);
    return response.session();
  }
  grpc::Status Reset(const std::string& session, int64_t op_index,
                     v1::ResetResponse* response = nullptr) {
    v1::ResetRequest request;
    request.set_session(session);
    request.set_op_index(op_index);
    v1::ResetResponse unused;
    return Call(&v1::EnvironmentService::Stub::Reset, request,
                response != nullptr ? response : &unused);
  }
  static v1::StepRequest StepRequest(const std::string& session, int64_t op_index, float action = 0,
                                     int num_envs = 2) {
    v1::StepRequest request;
    request.set_session(session);
    request.set_op_index(op_index);
    v1::Tensor* actions = request.add_actions();
    actions->set_dtype(v1::DATA_TYPE_FLOAT32);
    actions->add_shape(num_envs);
    actions->add_shape(2);
    const std::vector<float> values(num_envs * 2, action);
    actions->set_data(values.data(), values.size() * sizeof(float));
    return request;
  }
  grpc::Status Step(const v1::StepRequest& request, v1::StepResponse* response = nullptr) {
    v1::StepResponse unused;
    return Call(&v1::EnvironmentService::Stub::Step, request,
                response != nullptr ? response : &unused);
  }

  void ExpectError(const grpc::Status& status, grpc::StatusCode code, const std::string& reason) {
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_EQ(Info(status).reason(), reason) << status.error_message();
    EXPECT_EQ(Info(status).domain(), "livnd");
    ExpectStillServes();
  }
  void ExpectStillServes() {
    v1::GetServerInfoResponse info;
    const grpc::Status status =
        Call(&v1::ServerService::Stub::GetServerInfo, v1::GetServerInfoRequest(), &info);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  std::string dir_;
  FakeControl control_;
  int num_requests_ = 0;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::tuple<std::unique_ptr<v1::ServerService::Stub>,
             std::unique_ptr<v1::EnvironmentService::Stub>,
             std::unique_ptr<v1::CultureService::Stub>, std::unique_ptr<v1::SessionService::Stub>>
      stubs_;
};

TEST_F(ServerTest, TellsItsLimits) {
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(
      Call(&v1::ServerService::Stub::GetServerInfo, v1::GetServerInfoRequest(), &info).ok());
  EXPECT_EQ(info.max_receive_message_bytes(), 1 << 20);
  EXPECT_EQ(info.max_send_message_bytes(), 1 << 20);
  EXPECT_EQ(info.max_sessions(), 4);
  EXPECT_EQ(info.max_envs_per_session(), 16);
  EXPECT_EQ(info.session_idle_timeout_s(), 0);
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

TEST_F(ServerTest, PlaysAnEpisode) {
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

TEST_F(ServerTest, ARepeatedOperationIsAnsweredWithoutRunningAgain) {
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

TEST_F(ServerTest, ARepeatedResetIsAnsweredWithoutRunningAgain) {
  const std::string session = CreateSession();
  v1::ResetResponse first;
  v1::ResetResponse again;
  ASSERT_TRUE(Reset(session, 1, &first).ok());
  ASSERT_TRUE(Reset(session, 1, &again).ok());
  EXPECT_EQ(first.SerializeAsString(), again.SerializeAsString());
}

TEST_F(ServerTest, ADeadlineDropsOnlyTheAnswer) {
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

TEST_F(ServerTest, OperationsMayBeSentAheadAndRunInOrder) {
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

TEST_F(ServerTest, ManyRepeatsAtOnceRunOnce) {
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

TEST_F(ServerTest, BadStepsChangeNothingAndUseUpNoIndex) {
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

TEST_F(ServerTest, NextStepDoesNotLookAtTheActionOfAnEndedCopy) {
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

TEST_F(ServerTest, CallsForCulturesAreRefusedByName) {
  v1::GetCultureRequest request;
  request.set_session(CreateSession());
  v1::GetCultureResponse response;
  ExpectError(Call(&v1::CultureService::Stub::GetCulture, request, &response),
              grpc::StatusCode::FAILED_PRECONDITION, "NOT_A_CULTURE");
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

TEST_F(ServerTest, BadResetsChangeNothing) {
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

TEST_F(ServerTest, ObserveNeedsAReset) {
  v1::ObserveRequest request;
  request.set_session(CreateSession());
  v1::ObserveResponse response;
  ExpectError(Call(&v1::EnvironmentService::Stub::Observe, request, &response),
              grpc::StatusCode::FAILED_PRECONDITION, "NOT_RESET");
  request.set_session("nobody");
  ExpectError(Call(&v1::EnvironmentService::Stub::Observe, request, &response),
              grpc::StatusCode::NOT_FOUND, "UNKNOWN_SESSION");
}

TEST_F(ServerTest, WithoutAutoresetAnEndedEpisodeMustBeReset) {
  const std::string session = CreateSession(2, v1::AUTORESET_MODE_DISABLED);
  ASSERT_TRUE(Reset(session, 1).ok());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Step(StepRequest(session, 2 + i)).ok());
  ExpectError(Step(StepRequest(session, 6)), grpc::StatusCode::FAILED_PRECONDITION,
              "EPISODE_ENDED");
  ASSERT_TRUE(Reset(session, 6).ok());
  EXPECT_TRUE(Step(StepRequest(session, 7)).ok());
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

TEST_F(ServerTest, DeletionWaitsForRunningOperationsAndFreesTheSession) {
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
        "EnvironmentService/ListEnvironments", "EnvironmentService/DescribeEnvironment",
        "EnvironmentService/Reset", "EnvironmentService/Step", "EnvironmentService/Observe",
        "CultureService/GetCulture", "CultureService/Configure", "CultureService/Run",
        "CultureService/Clear", "SessionService/CreateSession", "SessionService/DeleteSession"}) {
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
  options.sessions.idle_timeout = absl::Milliseconds(300);
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
