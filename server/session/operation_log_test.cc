#include "server/session/operation_log.h"

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
  EXPECT_LT(log.payload().size(), 100u);
  EXPECT_EQ(*log.Admit(1, payload), OperationLog::Verdict::kRepeat);
  std::string other = payload;
  other.back() = 'y';
  EXPECT_EQ(ReasonOf(log.Admit(1, other).status()), reason::kPayloadMismatch);
  EXPECT_EQ(ReasonOf(log.Admit(1, log.payload()).status()), reason::kPayloadMismatch);
  OperationLog again;  // in another process
  again.Restore(log.next(), log.payload(), log.answer());
  EXPECT_EQ(*again.Admit(1, payload), OperationLog::Verdict::kRepeat);
}

TEST(OperationLogTest, NumberZeroIsNotARepeatOfNothing) {
  EXPECT_EQ(ReasonOf(OperationLog().Admit(0, "").status()), reason::kWrongOpIndex);
}

}  // namespace
}  // namespace livnd::server
