// Every RPC of a real server with every kind of bad input; after each one the server still serves.
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "clients/cpp/tests/server_process.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "livnd/v1/culture_service.grpc.pb.h"
#include "livnd/v1/environment_service.grpc.pb.h"
#include "livnd/v1/server_service.grpc.pb.h"
#include "livnd/v1/session_service.grpc.pb.h"

namespace livnd::client {
namespace {

template <typename T>
v1::Tensor MakeTensor(v1::DataType dtype, const std::vector<int64_t>& shape,
                      const std::vector<T>& values) {
  v1::Tensor tensor;
  tensor.set_dtype(dtype);
  tensor.mutable_shape()->Add(shape.begin(), shape.end());
  tensor.set_data(values.data(), values.size() * sizeof(T));
  return tensor;
}

google::rpc::ErrorInfo Info(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (details.ParseFromString(status.error_details()) && details.details_size() == 1) {
    details.details(0).UnpackTo(&info);
  }
  return info;
}

void AddOption(const std::string& name, double value, v1::ResetRequest* request) {
  v1::ResetOption* option = request->add_options();
  option->set_name(name);
  option->set_value(value);
}

class BadInputTest : public ::testing::Test {
 protected:
  static constexpr int kNumEnvs = 2;
  static constexpr int kNumElectrodes = 8;  // of EI-mini

  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder();
    server_ = ServerProcess::Start(*folder_, {"--max-envs", "32"}).release();
    ASSERT_TRUE(server_->ready()) << server_->log();
  }
  static void TearDownTestSuite() {
    // It has survived all of it, and ends in order.
    server_->Signal(SIGTERM);
    EXPECT_EQ(server_->WaitForExit(), 0) << server_->log();
    delete server_;
    delete folder_;
  }

  BadInputTest() {
    grpc::ChannelArguments arguments;
    arguments.SetMaxSendMessageSize(-1);
    channel_ = grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(),
                                         arguments);
    static int num_requests = 0;
    create_.set_request_id("bad-input-" + std::to_string(++num_requests));
    create_.set_environment_id("TargetRate-EI-mini-v0");
    create_.set_num_envs(kNumEnvs);
    v1::CreateSessionResponse created;
    const grpc::Status status = Call(&v1::SessionService::Stub::CreateSession, create_, &created);
    EXPECT_TRUE(status.ok()) << status.error_message();
    session_ = created.session();
    EXPECT_TRUE(Reset(ResetRequest(1)).ok());
  }
  ~BadInputTest() override {
    v1::DeleteSessionRequest request;
    request.set_session(session_);
    v1::DeleteSessionResponse response;
    EXPECT_TRUE(Call(&v1::SessionService::Stub::DeleteSession, request, &response).ok());
  }

  template <typename Stub, typename Request, typename Response>
  grpc::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    Stub stub(channel_);
    return (stub.*method)(&context, request, response);
  }
  v1::ResetRequest ResetRequest(int64_t op_index) const {
    v1::ResetRequest request;
    request.set_session(session_);
    request.set_op_index(op_index);
    return request;
  }
  v1::StepRequest StepRequest(int64_t op_index, float action = 0.25) const {
    v1::StepRequest request;
    request.set_session(session_);
    request.set_op_index(op_index);
    *request.add_actions() =
        MakeTensor<float>(v1::DATA_TYPE_FLOAT32, {kNumEnvs, kNumElectrodes},
                          std::vector<float>(kNumEnvs * kNumElectrodes, action));
    return request;
  }
  grpc::Status Reset(const v1::ResetRequest& request) {
    v1::ResetResponse response;
    return Call(&v1::EnvironmentService::Stub::Reset, request, &response);
  }
  grpc::Status Step(const v1::StepRequest& request, v1::StepResponse* response = nullptr) {
    v1::StepResponse unused;
    return Call(&v1::EnvironmentService::Stub::Step, request,
                response != nullptr ? response : &unused);
  }

  // The error says what it should, and the session goes on as if nothing had been sent.
  void ExpectError(const grpc::Status& status, grpc::StatusCode code, const std::string& reason,
                   const std::string& field = "") {
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    const google::rpc::ErrorInfo info = Info(status);
    EXPECT_EQ(info.reason(), reason) << status.error_message();
    if (!field.empty()) {
      EXPECT_EQ(info.metadata().at("field"), field);
      EXPECT_NE(info.metadata().at("accepted"), "");
    }
    ExpectStillServes();
  }
  void ExpectStillServes() {
    v1::ObserveRequest request;
    request.set_session(session_);
    v1::ObserveResponse seen;
    ASSERT_TRUE(Call(&v1::EnvironmentService::Stub::Observe, request, &seen).ok());
    EXPECT_EQ(seen.next_op_index(), next_op_index_);
    const grpc::Status status = Step(StepRequest(next_op_index_));
    EXPECT_TRUE(status.ok()) << status.error_message();
    ++next_op_index_;
  }
  void ExpectInvalidStep(const std::function<void(v1::StepRequest*)>& spoil,
                         const std::string& field) {
    v1::StepRequest request = StepRequest(next_op_index_);
    spoil(&request);
    ExpectError(Step(request), grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", field);
  }
  void ExpectInvalidReset(const std::function<void(v1::ResetRequest*)>& spoil,
                          const std::string& field) {
    v1::ResetRequest request = ResetRequest(next_op_index_);
    spoil(&request);
    ExpectError(Reset(request), grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", field);
  }

  static TemporaryFolder* folder_;
  static ServerProcess* server_;
  std::shared_ptr<grpc::Channel> channel_;
  v1::CreateSessionRequest create_;
  std::string session_;
  int64_t next_op_index_ = 2;
};

TemporaryFolder* BadInputTest::folder_ = nullptr;
ServerProcess* BadInputTest::server_ = nullptr;

TEST_F(BadInputTest, UnknownNames) {
  for (const std::string& name :
       {std::string(), std::string("EI"), std::string("../EI-mini"), std::string("/etc/passwd"),
        std::string("\0", 1), std::string(100'000, 'x'), std::string("\xc3\xa9")}) {
    v1::GetSystemRequest get;
    get.set_system(name);
    v1::GetSystemResponse system;
    ExpectError(Call(&v1::ServerService::Stub::GetSystem, get, &system),
                grpc::StatusCode::NOT_FOUND, "UNKNOWN_SYSTEM", "system");
    v1::DescribeEnvironmentRequest describe;
    describe.set_environment_id(name);
    v1::DescribeEnvironmentResponse described;
    ExpectError(Call(&v1::EnvironmentService::Stub::DescribeEnvironment, describe, &described),
                grpc::StatusCode::NOT_FOUND, "UNKNOWN_ENVIRONMENT", "environment_id");
    v1::CreateSessionRequest create = create_;
    create.set_request_id("new");
    create.set_environment_id(name);
    v1::CreateSessionResponse created;
    ExpectError(Call(&v1::SessionService::Stub::CreateSession, create, &created),
                grpc::StatusCode::NOT_FOUND, "UNKNOWN_ENVIRONMENT", "environment_id");

    v1::DeleteSessionRequest remove;
    remove.set_session(name);
    v1::DeleteSessionResponse removed;
    ExpectError(Call(&v1::SessionService::Stub::DeleteSession, remove, &removed),
                grpc::StatusCode::NOT_FOUND, "UNKNOWN_SESSION", "session");
    v1::ObserveRequest observe;
    observe.set_session(name);
    v1::ObserveResponse seen;
    ExpectError(Call(&v1::EnvironmentService::Stub::Observe, observe, &seen),
                grpc::StatusCode::NOT_FOUND, "UNKNOWN_SESSION", "session");
    v1::StepRequest step = StepRequest(1);
    step.set_session(name);
    ExpectError(Step(step), grpc::StatusCode::NOT_FOUND, "UNKNOWN_SESSION", "session");
    v1::ResetRequest reset = ResetRequest(1);
    reset.set_session(name);
    ExpectError(Reset(reset), grpc::StatusCode::NOT_FOUND, "UNKNOWN_SESSION", "session");
  }
}

TEST_F(BadInputTest, Creations) {
  const auto expect = [&](const std::function<void(v1::CreateSessionRequest*)>& spoil,
                          grpc::StatusCode code, const std::string& reason,
                          const std::string& field) {
    v1::CreateSessionRequest request = create_;
    request.set_request_id("spoilt");
    spoil(&request);
    v1::CreateSessionResponse response;
    ExpectError(Call(&v1::SessionService::Stub::CreateSession, request, &response), code, reason,
                field);
  };
  const auto invalid = grpc::StatusCode::INVALID_ARGUMENT;
  expect([](auto* r) { r->clear_request_id(); }, invalid, "INVALID_FIELD", "request_id");
  expect([](auto* r) { r->set_request_id(std::string(129, 'x')); }, invalid, "INVALID_FIELD",
         "request_id");
  for (const int bad : {0, -1, std::numeric_limits<int>::min()}) {
    expect([&](auto* r) { r->set_num_envs(bad); }, invalid, "INVALID_FIELD", "num_envs");
  }
  for (const int many : {33, std::numeric_limits<int>::max()}) {
    expect([&](auto* r) { r->set_num_envs(many); }, grpc::StatusCode::RESOURCE_EXHAUSTED,
           "TOO_MANY_ENVS", "num_envs");
  }
  for (const int mode : {4, -1, 1'000'000}) {
    expect([&](auto* r) { r->set_autoreset_mode(static_cast<v1::AutoresetMode>(mode)); }, invalid,
           "INVALID_FIELD", "autoreset_mode");
  }
  expect([](auto* r) { r->set_max_episode_steps(-1); }, invalid, "INVALID_FIELD",
         "max_episode_steps");
  expect(
      [&](auto* r) {
        *r = create_;
        r->set_num_envs(kNumEnvs + 1);
      },
      invalid, "PAYLOAD_MISMATCH", "request_id");
}

TEST_F(BadInputTest, Actions) {
  const std::vector<float> good(kNumEnvs * kNumElectrodes, 0.5);
  const std::vector<int64_t> shape = {kNumEnvs, kNumElectrodes};
  ExpectInvalidStep([](auto* r) { r->clear_actions(); }, "actions");
  ExpectInvalidStep([](auto* r) { *r->add_actions() = r->actions(0); }, "actions");
  ExpectInvalidStep([](auto* r) { r->mutable_actions(0)->Clear(); }, "actions[0].dtype");
  ExpectInvalidStep([](auto* r) { r->mutable_actions(0)->set_dtype(v1::DATA_TYPE_FLOAT64); },
                    "actions[0].dtype");
  ExpectInvalidStep(
      [](auto* r) { r->mutable_actions(0)->set_dtype(static_cast<v1::DataType>(99)); },
      "actions[0].dtype");
  const std::vector<std::vector<int64_t>> bad_shapes = {
      {},
      {kNumEnvs * kNumElectrodes},
      {kNumElectrodes, kNumEnvs},
      {kNumEnvs, kNumElectrodes, 1},
      {1, kNumElectrodes},
      {kNumEnvs + 1, kNumElectrodes},
      {-kNumEnvs, -kNumElectrodes},
      {0, 0},
      {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max()},
      std::vector<int64_t>(100'000, 1)};
  for (const std::vector<int64_t>& bad : bad_shapes) {
    ExpectInvalidStep(
        [&](auto* r) { *r->mutable_actions(0) = MakeTensor(v1::DATA_TYPE_FLOAT32, bad, good); },
        "actions[0].shape");
  }
  for (const size_t size : {size_t{0}, size_t{1}, good.size() * 4 - 1, good.size() * 4 + 1}) {
    ExpectInvalidStep([&](auto* r) { r->mutable_actions(0)->set_data(std::string(size, '\0')); },
                      "actions[0].data");
  }
  for (const float bad : {std::nanf(""), -std::nanf(""), INFINITY, -INFINITY, 1.0001f, -2.0f,
                          std::numeric_limits<float>::max()}) {
    std::vector<float> values = good;
    values.back() = bad;
    ExpectInvalidStep(
        [&](auto* r) { *r->mutable_actions(0) = MakeTensor(v1::DATA_TYPE_FLOAT32, shape, values); },
        "actions[0].data");
  }
}

TEST_F(BadInputTest, Resets) {
  const auto flags = [](const std::vector<uint8_t>& values) {
    return MakeTensor<uint8_t>(v1::DATA_TYPE_BOOL, {static_cast<int64_t>(values.size())}, values);
  };
  const auto seeds = [](const std::vector<uint64_t>& values) {
    return MakeTensor<uint64_t>(v1::DATA_TYPE_UINT64, {static_cast<int64_t>(values.size())},
                                values);
  };
  ExpectInvalidReset([&](auto* r) { *r->mutable_mask() = flags({0, 0}); }, "mask");
  ExpectInvalidReset([&](auto* r) { *r->mutable_mask() = flags({1, 2}); }, "mask.data");
  ExpectInvalidReset([&](auto* r) { *r->mutable_mask() = flags({1}); }, "mask.shape");
  ExpectInvalidReset([&](auto* r) { *r->mutable_mask() = seeds({1, 1}); }, "mask.dtype");
  ExpectInvalidReset([&](auto* r) { *r->mutable_seeds() = seeds({1, 2, 3}); }, "seeds.shape");
  ExpectInvalidReset([&](auto* r) { *r->mutable_seeds() = flags({1, 1}); }, "seeds.dtype");
  ExpectInvalidReset([&](auto* r) { r->mutable_seeds(); }, "seeds.dtype");
  ExpectInvalidReset([&](auto* r) { *r->mutable_seed_present() = flags({1, 1}); }, "seed_present");
  ExpectInvalidReset(
      [&](auto* r) {
        *r->mutable_seeds() = seeds({1, 2});
        *r->mutable_seed_present() = flags({1, 1, 1});
      },
      "seed_present.shape");
  ExpectInvalidReset([](auto* r) { AddOption("nonsense", 1, r); }, "options");
  ExpectInvalidReset([](auto* r) { AddOption("", 1, r); }, "options");
  ExpectInvalidReset([](auto* r) { AddOption(std::string(10'000, 'x'), std::nan(""), r); },
                     "options");
  ExpectInvalidReset([](auto* r) { AddOption("target_rate_hz", std::nan(""), r); },
                     "options[target_rate_hz]");
}

TEST_F(BadInputTest, OrderOfOperations) {
  v1::StepResponse first;
  ASSERT_TRUE(Step(StepRequest(2, 0.5), &first).ok());
  next_op_index_ = 3;
  v1::StepResponse again;
  ASSERT_TRUE(Step(StepRequest(2, 0.5), &again).ok());
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  ExpectError(Step(StepRequest(2, 0.25)), grpc::StatusCode::INVALID_ARGUMENT, "PAYLOAD_MISMATCH");
  for (const int64_t offset : {int64_t{-1000}, int64_t{-2}, int64_t{1}, int64_t{1} << 62}) {
    const int64_t next = next_op_index_;
    const grpc::Status status = Step(StepRequest(next + offset));
    EXPECT_EQ(Info(status).metadata().at("expected"), std::to_string(next));
    ExpectError(status, grpc::StatusCode::FAILED_PRECONDITION, "WRONG_OP_INDEX", "op_index");
  }
  ExpectError(Reset(ResetRequest(next_op_index_ - 1)), grpc::StatusCode::INVALID_ARGUMENT,
              "PAYLOAD_MISMATCH");
}

TEST_F(BadInputTest, OtherEnvironmentsAreNoCultures) {
  v1::ConfigureRequest change;
  change.set_session(session_);
  change.set_op_index(next_op_index_);
  v1::ConfigureResponse changed;
  ExpectError(Call(&v1::CultureService::Stub::Configure, change, &changed),
              grpc::StatusCode::FAILED_PRECONDITION, "NOT_A_CULTURE");
  v1::GetCultureRequest look;
  look.set_session(session_);
  v1::GetCultureResponse culture;
  ExpectError(Call(&v1::CultureService::Stub::GetCulture, look, &culture),
              grpc::StatusCode::FAILED_PRECONDITION, "NOT_A_CULTURE");
  v1::RunRequest run;
  run.set_session(session_);
  run.set_op_index(next_op_index_);
  v1::RunResponse ran;
  ExpectError(Call(&v1::CultureService::Stub::Run, run, &ran),
              grpc::StatusCode::FAILED_PRECONDITION, "NOT_A_CULTURE");
  v1::ClearRequest clear;
  clear.set_session(session_);
  clear.set_op_index(next_op_index_);
  v1::ClearResponse cleared;
  ExpectError(Call(&v1::CultureService::Stub::Clear, clear, &cleared),
              grpc::StatusCode::FAILED_PRECONDITION, "NOT_A_CULTURE");
}

TEST_F(BadInputTest, BeforeTheFirstReset) {
  v1::CreateSessionRequest create = create_;
  create.set_request_id("never reset");
  v1::CreateSessionResponse created;
  ASSERT_TRUE(Call(&v1::SessionService::Stub::CreateSession, create, &created).ok());
  v1::StepRequest step = StepRequest(1);
  step.set_session(created.session());
  ExpectError(Step(step), grpc::StatusCode::FAILED_PRECONDITION, "NOT_RESET");
  v1::ObserveRequest observe;
  observe.set_session(created.session());
  v1::ObserveResponse seen;
  ExpectError(Call(&v1::EnvironmentService::Stub::Observe, observe, &seen),
              grpc::StatusCode::FAILED_PRECONDITION, "NOT_RESET");
  v1::ResetRequest reset = ResetRequest(1);
  reset.set_session(created.session());
  *reset.mutable_mask() = MakeTensor<uint8_t>(v1::DATA_TYPE_BOOL, {2}, {1, 0});
  ExpectError(Reset(reset), grpc::StatusCode::FAILED_PRECONDITION, "NOT_RESET");
  v1::DeleteSessionRequest remove;
  remove.set_session(created.session());
  v1::DeleteSessionResponse removed;
  EXPECT_TRUE(Call(&v1::SessionService::Stub::DeleteSession, remove, &removed).ok());
}

TEST_F(BadInputTest, OversizedMessages) {
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(
      Call(&v1::ServerService::Stub::GetServerInfo, v1::GetServerInfoRequest(), &info).ok());
  v1::StepRequest step = StepRequest(next_op_index_);
  step.mutable_actions(0)->set_data(std::string(info.max_receive_message_bytes() + 1, '\0'));
  EXPECT_EQ(Step(step).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  ExpectStillServes();
  // Just below the cap it is read, and refused for its length.
  step = StepRequest(next_op_index_);
  step.mutable_actions(0)->set_data(std::string(info.max_receive_message_bytes() - 1000, '\0'));
  ExpectError(Step(step), grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "actions[0].data");
}

TEST_F(BadInputTest, BytesThatAreNoMessage) {
  const grpc::Slice not_utf8(
      std::string("\x0a\x02\xff\xfe", 4));  // in field 1, a string everywhere
  const grpc::Slice truncated(std::string("\x0a\x7f", 2));
  const grpc::Slice garbage(std::string(1000, '\xff'));
  grpc::GenericStub generic(channel_);
  for (const std::string method :
       {"ServerService/GetServerInfo", "ServerService/ListSystems", "ServerService/GetSystem",
        "EnvironmentService/ListEnvironments", "EnvironmentService/DescribeEnvironment",
        "EnvironmentService/Reset", "EnvironmentService/Step", "EnvironmentService/Observe",
        "CultureService/GetCulture", "CultureService/Configure", "CultureService/Run",
        "CultureService/Clear", "SessionService/CreateSession", "SessionService/DeleteSession"}) {
    for (const grpc::Slice& slice : {not_utf8, truncated, garbage}) {
      const bool has_fields = method.find("/List") == std::string::npos &&
                              method.find("GetServerInfo") == std::string::npos;
      if (!has_fields && slice.size() == not_utf8.size()) continue;  // unknown fields are ignored
      const grpc::ByteBuffer request(&slice, 1);
      grpc::ByteBuffer response;
      grpc::ClientContext context;
      grpc::CompletionQueue queue;
      const auto call = generic.PrepareUnaryCall(&context, "/livnd.v1." + method, request, &queue);
      call->StartCall();
      grpc::Status status;
      call->Finish(&response, &status, nullptr);
      void* tag;
      bool ok;
      ASSERT_TRUE(queue.Next(&tag, &ok));
      queue.Shutdown();
      while (queue.Next(&tag, &ok)) {
      }
      ExpectError(status, grpc::StatusCode::INVALID_ARGUMENT, "MALFORMED_MESSAGE");
    }
  }
}

}  // namespace
}  // namespace livnd::client
