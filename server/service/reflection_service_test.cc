#include "server/service/reflection_service.h"

#include <chrono>
#include <memory>
#include <string>

#include "grpc/health/v1/health.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

#if defined(__SANITIZE_THREAD__)
// gRPC's own synchronization is in Debian's library, where the sanitizer cannot see it.
extern "C" const char* __tsan_default_suppressions() { return "race:grpc::internal\n"; }
#endif

namespace livnd::server {
namespace {

using grpc::reflection::v1::ServerReflection;
using Stream = grpc::ClientReaderWriter<Reflection::Request, Reflection::Response>;

class ReflectionServiceTest : public ::testing::Test {
 protected:
  ReflectionServiceTest()
      : reflection_({grpc::health::v1::HealthCheckRequest::descriptor()->file()}),
        service_(reflection_, *trust_) {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = ServerReflection::NewStub(server_->InProcessChannel(grpc::ChannelArguments()));
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    stream_ = stub_->ServerReflectionInfo(&context_);
  }
  ~ReflectionServiceTest() override { server_->Shutdown(); }

  void ExpectAnswer() {
    Reflection::Request request;
    request.set_list_services("");
    EXPECT_TRUE(stream_->Write(request));
    Reflection::Response response;
    ASSERT_TRUE(stream_->Read(&response));
    ASSERT_EQ(response.list_services_response().service_size(), 1);
    EXPECT_EQ(response.list_services_response().service(0).name(), "grpc.health.v1.Health");
  }

  const Reflection reflection_;
  const std::unique_ptr<Trust> trust_ = *Trust::Open({});
  ReflectionV1 service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<ServerReflection::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<Stream> stream_;
};

TEST_F(ReflectionServiceTest, EveryRequestIsAnsweredUntilTheClientIsDone) {
  for (int i = 0; i < 3; ++i) ExpectAnswer();
  EXPECT_TRUE(stream_->WritesDone());
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(ReflectionServiceTest, AStreamWithoutARequestEndsWell) {
  EXPECT_TRUE(stream_->WritesDone());
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(ReflectionServiceTest, ARequestThatIsTooLongEndsTheStream) {
  ExpectAnswer();
  Reflection::Request request;
  request.set_file_containing_symbol(std::string(20'000, 'a'));
  EXPECT_TRUE(stream_->Write(request));
  Reflection::Response response;
  EXPECT_FALSE(stream_->Read(&response));
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ReflectionServiceTest, AClientMayGoAway) {
  ExpectAnswer();
  context_.TryCancel();
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ReflectionServiceTest, AnOpenStreamEndsWithTheServer) {
  ExpectAnswer();
  server_->Shutdown(std::chrono::system_clock::now());
  Reflection::Response response;
  EXPECT_FALSE(stream_->Read(&response));
  EXPECT_FALSE(stream_->Finish().ok());
}

}  // namespace
}  // namespace livnd::server
