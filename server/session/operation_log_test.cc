#include "server/session/operation_log.h"

#include <deque>
#include <limits>
#include <string>

#include "grpcpp/support/slice.h"
#include "gtest/gtest.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

using Verdict = OperationLog::Verdict;

grpc::ByteBuffer Bytes(const std::string& text) {
  const grpc::Slice slice(text);
  return grpc::ByteBuffer(&slice, 1);
}

std::string Text(const grpc::ByteBuffer& bytes) {
  grpc::Slice slice;
  EXPECT_TRUE(bytes.TrySingleSlice(&slice).ok());
  return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
}

TEST(OperationLogTest, TheFirstOperationIsNumberOne) {
  const OperationLog log;
  EXPECT_EQ(log.next(), 1);
  EXPECT_EQ(*log.Admit(1, "a"), Verdict::kRun);
}

TEST(OperationLogTest, ARepeatWithTheSamePayloadGetsTheStoredAnswer) {
  OperationLog log;
  log.Commit("a", Bytes("answer"));
  EXPECT_EQ(log.next(), 2);
  EXPECT_EQ(*log.Admit(1, "a"), Verdict::kRepeat);
  EXPECT_EQ(*log.Admit(1, "a"), Verdict::kRepeat);
  EXPECT_EQ(Text(log.answer()), "answer");
  EXPECT_EQ(*log.Admit(2, "a"), Verdict::kRun);
}

TEST(OperationLogTest, ARepeatWithAnotherPayloadIsAMismatch) {
  OperationLog log;
  log.Commit("a", Bytes("answer"));
  const absl::Status status = log.Admit(1, "b").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), reason::kPayloadMismatch);
}

TEST(OperationLogTest, AnyOtherNumberIsRefusedWithTheRightOne) {
  OperationLog log;
  log.Commit("a", Bytes("1"));
  log.Commit("b", Bytes("2"));
  for (const int64_t index :
       {int64_t{-1}, int64_t{0}, int64_t{1}, int64_t{4}, std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min()}) {
    const absl::Status status = log.Admit(index, "a").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << index;
    EXPECT_EQ(ReasonOf(status), reason::kWrongOpIndex);
    EXPECT_EQ(MetadataOf(status, "expected"), "3");
  }
}

TEST(OperationLogTest, ALongPayloadIsNotKept) {
  OperationLog log;
  const std::string payload(8 << 20, 'x');
  log.Commit(payload, Bytes("answer"));
  EXPECT_LT(log.num_bytes(), 1 << 10);
  EXPECT_LT(log.done().back().payload.size(), 100u);
  EXPECT_EQ(*log.Admit(1, payload), OperationLog::Verdict::kRepeat);
  std::string other = payload;
  other.back() = 'y';
  EXPECT_EQ(ReasonOf(log.Admit(1, other).status()), reason::kPayloadMismatch);
  EXPECT_EQ(ReasonOf(log.Admit(1, log.done().back().payload).status()), reason::kPayloadMismatch);
  OperationLog again;  // in another process
  again.Restore(log.next(), log.done());
  EXPECT_EQ(*again.Admit(1, payload), OperationLog::Verdict::kRepeat);
}

std::string NameOf(int64_t op_index) { return "operation " + std::to_string(op_index); }

// A log of so many operations, each with the number from which on answers may be lost.
OperationLog Made(int num_operations, int64_t oldest) {
  OperationLog log;
  for (int i = 0; i < num_operations; ++i) {
    const std::string name = NameOf(log.next());
    log.Commit(name, Bytes("answer of " + name), oldest);
  }
  return log;
}

// Those from `oldest` on come again, each with its own answer, and others are refused.
void ExpectKept(const OperationLog& log, int64_t oldest) {
  for (int64_t index = 0; index < log.next(); ++index) {
    const absl::StatusOr<Verdict> verdict = log.Admit(index, NameOf(index));
    if (index < oldest) {
      EXPECT_EQ(ReasonOf(verdict.status()), reason::kWrongOpIndex) << index;
    } else {
      ASSERT_TRUE(verdict.ok()) << index << verdict.status();
      EXPECT_EQ(*verdict, Verdict::kRepeat);
      EXPECT_EQ(Text(log.answer(index)), "answer of " + NameOf(index));
      EXPECT_EQ(ReasonOf(log.Admit(index, "another").status()), reason::kPayloadMismatch);
    }
  }
  EXPECT_EQ(*log.Admit(log.next(), "new"), Verdict::kRun);
}

TEST(OperationLogTest, AnswersThatMayBeLostComeAgain) {
  ExpectKept(Made(5, 1), 1);
  ExpectKept(Made(5, 3), 3);
  ExpectKept(Made(5, 5), 5);
  ExpectKept(Made(5, 0), 5);
  ExpectKept(Made(5, 1000), 5);
  ExpectKept(Made(5, -1000), 1);
  ExpectKept(Made(OperationLog::kMaxKept + 9, 1), 10);
  OperationLog log = Made(7, 1);
  log.Commit(NameOf(8), Bytes("answer of " + NameOf(8)), 6);
  ExpectKept(log, 6);
  log.Commit(NameOf(9), Bytes("answer of " + NameOf(9)));
  ExpectKept(log, 9);
}

TEST(OperationLogTest, WhatIsKeptIsRestoredAndCounted) {
  const OperationLog log = Made(20, 11);
  OperationLog again;
  again.Restore(log.next(), log.done());
  ExpectKept(again, 11);
  EXPECT_EQ(again.num_bytes(), log.num_bytes());
  EXPECT_GT(log.num_bytes(), 10 * 20);
  // What no log of this server has written is no reason to keep more, or what there cannot be.
  std::deque<OperationLog::Done> many(1000, {"a", Bytes("b")});
  again.Restore(2000, many);
  EXPECT_EQ(again.done().size(), static_cast<size_t>(OperationLog::kMaxKept));
  again.Restore(3, many);
  EXPECT_EQ(again.done().size(), 2u);
  again.Restore(-3, many);
  EXPECT_TRUE(again.done().empty());
  EXPECT_EQ(again.num_bytes(), 0);
}

TEST(OperationLogTest, NumberZeroIsNotARepeatOfNothing) {
  EXPECT_EQ(ReasonOf(OperationLog().Admit(0, "").status()), reason::kWrongOpIndex);
}

}  // namespace
}  // namespace livnd::server
