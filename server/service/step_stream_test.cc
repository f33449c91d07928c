// StepStream: order, first come, errors, goodbyes, and what a caller that goes away leaves.
#include <future>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "server/service/server_fixture.h"

namespace livnd::server {
namespace {

class StepStreamTest : public ServerTest {
 protected:
  using Stream = grpc::ClientReaderWriter<v1::StepStreamRequest, v1::StepStreamResponse>;

  StepStreamTest() { OpenAnew(); }

  void OpenAnew() {
    context_ = std::make_unique<grpc::ClientContext>();
    context_->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    stream_ =
        std::get<std::unique_ptr<v1::EnvironmentService::Stub>>(stubs_)->StepStream(context_.get());
  }
  std::string ResetSession() {
    const std::string session = CreateSession();
    EXPECT_TRUE(Reset(session, 1).ok());
    return session;
  }
  bool Send(int64_t tag, v1::StepRequest step, int64_t oldest_op_index = 0) {
    v1::StepStreamRequest request;
    request.set_tag(tag);
    request.set_oldest_op_index(oldest_op_index);
    *request.mutable_step() = std::move(step);
    return stream_->Write(request);
  }
  v1::StepStreamResponse Receive() {
    v1::StepStreamResponse response;
    EXPECT_TRUE(stream_->Read(&response));
    return response;
  }
  static google::rpc::Status ErrorOf(const v1::StepStreamResponse& response) {
    google::rpc::Status status;
    EXPECT_TRUE(status.ParseFromString(response.error())) << response.ShortDebugString();
    return status;
  }
  static std::string ReasonOf(const v1::StepStreamResponse& response) {
    google::rpc::ErrorInfo info;
    const google::rpc::Status status = ErrorOf(response);
    EXPECT_TRUE(status.details_size() > 0 && status.details(0).UnpackTo(&info));
    return info.reason();
  }

  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<Stream> stream_;
};

TEST_F(StepStreamTest, StepsOfASessionAreAnsweredInOrderAndAsSteps) {
  const std::string streamed = ResetSession(), called = ResetSession();
  // More than the server reads ahead, so that some have to wait in the line; and many, since who takes the
  // next one is a race.
  constexpr int kNumSteps = 2000;
  for (int i = 0; i < kNumSteps; ++i) {
    ASSERT_TRUE(Send(1000 + i, StepRequest(streamed, 2 + i, 0.01f * static_cast<float>(i % 7))));
  }
  ASSERT_TRUE(stream_->WritesDone());
  for (int i = 0; i < kNumSteps; ++i) {
    const v1::StepStreamResponse response = Receive();
    ASSERT_EQ(response.tag(), 1000 + i);
    v1::StepResponse expected;
    ASSERT_TRUE(
        Step(StepRequest(called, 2 + i, 0.01f * static_cast<float>(i % 7)), &expected).ok());
    expected.clear_episode_seeds();  // each session draws its own
    expected.clear_observations();
    v1::StepResponse got = response.step();
    ASSERT_EQ(Values<float>(got.observations(0))[0], Values<float>(got.observations(0))[3]);
    got.clear_episode_seeds();
    got.clear_observations();
    ASSERT_EQ(got.SerializeAsString(), expected.SerializeAsString()) << i;
  }
  v1::StepStreamResponse none;
  EXPECT_FALSE(stream_->Read(&none));
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(StepStreamTest, AnswersThatMayBeLostAreKeptUntilTheCallerHasThem) {
  constexpr int kNumSteps = 40;
  const std::string session = ResetSession();
  std::vector<std::string> told(2 + kNumSteps);  // by op_index
  const auto step = [&](int64_t op_index, int64_t oldest) {
    EXPECT_TRUE(Send(op_index, StepRequest(session, op_index), oldest));
    return Receive();
  };
  for (int64_t i = 2; i < 2 + kNumSteps; ++i) {
    told[static_cast<size_t>(i)] = step(i, 0).step().SerializeAsString();
  }
  // Nothing was said, so the last 32 come again, here and as calls of their own.
  EXPECT_EQ(ReasonOf(step(9, 0)), "WRONG_OP_INDEX");
  for (const int64_t i : {10, 25, 41}) {
    EXPECT_EQ(step(i, 0).step().SerializeAsString(), told[static_cast<size_t>(i)]);
    v1::StepResponse again;
    ASSERT_TRUE(Step(StepRequest(session, i), &again).ok());
    EXPECT_EQ(again.SerializeAsString(), told[static_cast<size_t>(i)]);
  }
  // Repeats let go of nothing; what is done next does.
  EXPECT_TRUE(step(41, 41).has_step());
  EXPECT_TRUE(step(30, 30).has_step());
  EXPECT_TRUE(step(42, 40).has_step());
  EXPECT_EQ(ReasonOf(step(39, 0)), "WRONG_OP_INDEX");
  EXPECT_TRUE(step(40, 0).has_step());
  // Who calls Step has had all answers before.
  ASSERT_TRUE(Step(StepRequest(session, 43)).ok());
  EXPECT_EQ(ReasonOf(step(42, 0)), "WRONG_OP_INDEX");
  EXPECT_TRUE(step(43, 0).has_step());
}

TEST_F(StepStreamTest, StepsOfSeveralSessionsAreAnsweredAsTheyAreDone) {
  const std::string slow = ResetSession(), fast = ResetSession();
  control_.pieces_per_step = std::numeric_limits<int>::max();
  ASSERT_TRUE(Send(1, StepRequest(slow, 2)));
  while (control_.num_begun == 0) absl::SleepFor(absl::Milliseconds(1));
  control_.pieces_per_step = 1;
  ASSERT_TRUE(Send(2, StepRequest(fast, 2)));
  ASSERT_TRUE(Send(3, StepRequest(fast, 3)));
  EXPECT_EQ(Receive().tag(), 2);
  EXPECT_EQ(Receive().tag(), 3);
  v1::DeleteSessionRequest request;
  request.set_session(slow);
  v1::DeleteSessionResponse response;
  ASSERT_TRUE(Call(&v1::SessionService::Stub::DeleteSession, request, &response).ok());
  const v1::StepStreamResponse ended = Receive();
  EXPECT_EQ(ended.tag(), 1);
  EXPECT_EQ(ReasonOf(ended), "UNKNOWN_SESSION");
}

TEST_F(StepStreamTest, AStepThatFailsUsesUpNothingAndTheStreamGoesOn) {
  const std::string session = ResetSession();
  ASSERT_TRUE(Send(1, StepRequest(session, 2, 7.0f)));  // out of bounds
  ASSERT_TRUE(Send(2, StepRequest("nobody", 2)));
  v1::StepStreamRequest without_step;
  without_step.set_tag(3);
  ASSERT_TRUE(stream_->Write(without_step));
  ASSERT_TRUE(Send(4, StepRequest(session, 3)));
  ASSERT_TRUE(Send(5, StepRequest(session, 2)));
  ASSERT_TRUE(Send(6, StepRequest(session, 2)));  // again
  ASSERT_TRUE(stream_->WritesDone());
  std::vector<v1::StepStreamResponse> by_tag(7);
  v1::StepStreamResponse response;
  while (stream_->Read(&response)) by_tag.at(static_cast<size_t>(response.tag())) = response;
  EXPECT_EQ(ReasonOf(by_tag[1]), "INVALID_FIELD");
  EXPECT_EQ(ErrorOf(by_tag[1]).code(), static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
  EXPECT_EQ(ReasonOf(by_tag[2]), "UNKNOWN_SESSION");
  EXPECT_EQ(ReasonOf(by_tag[3]), "INVALID_FIELD");
  EXPECT_EQ(ReasonOf(by_tag[4]), "WRONG_OP_INDEX");
  EXPECT_EQ(by_tag[5].step().op_index(), 2);
  EXPECT_EQ(by_tag[6].step().SerializeAsString(), by_tag[5].step().SerializeAsString());
  EXPECT_EQ(control_.num_steps, 1);
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(StepStreamTest, BytesThatAreNoRequestEndTheStream) {
  grpc::GenericStub stub(channel_);
  for (const grpc::Slice& slice :
       {grpc::Slice(std::string("\x12\x7f", 2)), grpc::Slice(std::string(1000, '\xff'))}) {
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    void* tag;
    bool ok;
    const auto call = stub.PrepareCall(&context, "/livnd.v1.EnvironmentService/StepStream", &queue);
    const auto wait = [&] { ASSERT_TRUE(queue.Next(&tag, &ok)); };
    call->StartCall(nullptr);
    wait();
    call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    wait();
    grpc::Status status;
    call->Finish(&status, nullptr);
    wait();
    ExpectError(status, grpc::StatusCode::INVALID_ARGUMENT, "MALFORMED_MESSAGE");
  }
}

TEST_F(StepStreamTest, ADrainingServerSaysGoodbye) {
  ASSERT_TRUE(Send(1, StepRequest("nobody", 2)));
  EXPECT_EQ(ReasonOf(Receive()), "UNKNOWN_SESSION");  // so that the server knows of the stream
  server_->Drain();
  EXPECT_TRUE(Receive().has_goodbye());
  v1::StepStreamResponse none;
  EXPECT_FALSE(stream_->Read(&none));
  EXPECT_TRUE(stream_->Finish().ok());
  // And takes no new stream.
  OpenAnew();
  EXPECT_FALSE(stream_->Read(&none));
  EXPECT_EQ(Info(stream_->Finish()).reason(), "SHUTTING_DOWN");
}

TEST_F(StepStreamTest, GoodbyeComesAfterWhatHasBegun) {
  const std::string session = ResetSession();
  control_.Close();
  ASSERT_TRUE(Send(1, StepRequest(session, 2)));
  ASSERT_TRUE(Send(2, StepRequest(session, 3)));
  control_.AwaitWaiting(1);
  v1::StepStreamRequest without_step;
  without_step.set_tag(3);
  ASSERT_TRUE(stream_->Write(without_step));
  v1::StepStreamResponse response = Receive();
  EXPECT_EQ(response.tag(),
            3);  // so that the second one has been taken, too, and waits for its turn
  server_->Drain();
  response = Receive();
  EXPECT_EQ(response.tag(), 2);
  EXPECT_EQ(ReasonOf(response), "SHUTTING_DOWN");
  control_.Open();
  response = Receive();
  EXPECT_EQ(response.tag(), 1);
  EXPECT_EQ(response.step().op_index(), 2);
  EXPECT_TRUE(Receive().has_goodbye());
  EXPECT_FALSE(stream_->Read(&response));
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(StepStreamTest, ACallerThatGoesAwayLeavesNothingHalfDone) {
  const std::string session = ResetSession();
  control_.Close();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Send(i, StepRequest(session, 2 + i)));
  control_.AwaitWaiting(1);
  context_->TryCancel();
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::CANCELLED);
  control_.Open();
  while (!server_->drained()) absl::SleepFor(absl::Milliseconds(1));
  // What had begun was done, once; a repeat of the last one is answered.
  const int num_steps = control_.num_steps;
  v1::GetSessionRequest get;
  get.set_session(session);
  v1::GetSessionResponse got;
  ASSERT_TRUE(Call(&v1::SessionService::Stub::GetSession, get, &got).ok());
  EXPECT_EQ(got.session().next_op_index(), 2 + num_steps);
  v1::StepResponse response;
  EXPECT_TRUE(Step(StepRequest(session, 1 + num_steps), &response).ok());
  EXPECT_EQ(control_.num_steps, num_steps);
}

}  // namespace
}  // namespace livnd::server
