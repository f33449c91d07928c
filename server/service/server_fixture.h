// What tests of a whole server have: one in this process, with environments without a culture, and a
// line to it.
#ifndef LIVND_SERVER_SERVICE_SERVER_FIXTURE_H_
#define LIVND_SERVER_SERVICE_SERVER_FIXTURE_H_

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "livnd/v1/culture_service.grpc.pb.h"
#include "livnd/v1/environment_service.grpc.pb.h"
#include "livnd/v1/server_service.grpc.pb.h"
#include "livnd/v1/session_service.grpc.pb.h"
#include "server/service/server.h"
#include "server/testing/fake_environment.h"

namespace livnd::server {

// The numbers of a tensor.
template <typename T>
std::vector<T> Values(const v1::Tensor& tensor) {
  std::vector<T> values(tensor.data().size() / sizeof(T));
  std::memcpy(values.data(), tensor.data().data(), tensor.data().size());
  return values;
}

// Of a failed call; empty where it has none.
inline google::rpc::ErrorInfo Info(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (details.ParseFromString(status.error_details()) && details.details_size() >= 1) {
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
    return {{system}, {FakeSpec()}, FakeBuilder(control_), "fake-1", {}, {}, {}, {}};
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

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_SERVER_FIXTURE_H_
