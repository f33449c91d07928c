#include "server/wire/memory_needs.h"

#include <string>

#include "gtest/gtest.h"
#include "livnd/v1/culture_service.pb.h"
#include "livnd/v1/environment_service.pb.h"
#include "server/wire/errors.h"
#include "server/wire/message_bytes.h"

namespace livnd::server {
namespace {

// What is told of a message's bytes, beside what it takes once it is parsed.
template <typename Message>
void ExpectCovered(const Message& message, int64_t most_times) {
  const grpc::ByteBuffer bytes = SerializeMessage(message);
  Message parsed;
  ASSERT_TRUE(ParseMessage(bytes, &parsed).ok());
  const auto taken = static_cast<int64_t>(parsed.SpaceUsedLong());
  const int64_t told = ParsedBytesAtMost(bytes, *Message::descriptor());
  EXPECT_GE(told, taken);
  EXPECT_LE(told, most_times * taken + (64 << 10));
}

TEST(MemoryNeedsTest, OfATensorItsBytes) {
  v1::StepRequest step;
  step.add_actions()->set_data(std::string(1 << 20, 'x'));
  ExpectCovered(step, 3);
}

TEST(MemoryNeedsTest, OfManySmallPartsMuchMore) {
  v1::StepRequest step;
  for (int i = 0; i < 50'000; ++i) step.add_actions();  // 100 KB on the wire
  ExpectCovered(step, 10);
  v1::ConfigureRequest configure;
  for (int i = 0; i < 20'000; ++i) configure.add_params()->set_key("k");
  ExpectCovered(configure, 10);
  v1::StepRequest shapes;
  for (int i = 0; i < 200'000; ++i) shapes.mutable_actions()->Add()->add_shape(1);
  ExpectCovered(shapes, 10);
  v1::StepRequest shape;
  v1::Tensor* tensor = shape.add_actions();
  for (int i = 0; i < 200'000; ++i) tensor->add_shape(1);
  ExpectCovered(shape, 10);
}

TEST(MemoryNeedsTest, GarbageIsReadToItsFirstFault) {
  for (const std::string& text : {std::string(1 << 16, '\xff'), std::string(1 << 16, '\0'),
                                  std::string(1 << 16, '\x0a'), std::string(1 << 16, '\x0b')}) {
    const grpc::Slice slice(text);
    const grpc::ByteBuffer bytes(&slice, 1);
    EXPECT_GT(ParsedBytesAtMost(bytes, *v1::StepRequest::descriptor()), 0);
  }
}

TEST(MemoryNeedsTest, WhatMayComeBackMayBeTriedAgain) {
  MemoryBudget budget(1000);
  const auto answers = budget.Reserve(MemoryUse::kAnswers, 500);
  const auto sessions = budget.Reserve(MemoryUse::kSessions, 400);
  const auto of = [&](int64_t bytes) {
    return ReserveMemory(budget, MemoryUse::kWork, bytes, "a step").status();
  };
  EXPECT_TRUE(of(100).ok());
  EXPECT_EQ(ReasonOf(of(101)), reason::kOutOfMemory);
  EXPECT_EQ(MetadataOf(of(101), "value"), "101 bytes");
  EXPECT_EQ(MetadataOf(of(101), "accepted"), "100 bytes");
  EXPECT_TRUE(RetryAfter(of(600)).has_value());
  EXPECT_FALSE(RetryAfter(of(601)).has_value());
  EXPECT_FALSE(RetryAfter(of(-1)).has_value());
}

}  // namespace
}  // namespace livnd::server
