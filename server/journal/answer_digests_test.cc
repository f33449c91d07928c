#include "server/journal/answer_digests.h"

#include <string>

#include "gtest/gtest.h"
#include "livnd/v1/environment_service.pb.h"
#include "server/wire/message_bytes.h"

namespace livnd::server {
namespace {

v1::StepResponse Answer() {
  v1::StepResponse answer;
  answer.set_op_index(7);
  answer.add_observations()->set_data("abcd");
  answer.add_observations()->set_data("efgh");
  answer.mutable_rewards()->set_data("12345678");
  return answer;
}

std::string BytesOf(const v1::StepResponse& answer) {
  return BytesOfBuffer(SerializeMessage(answer));
}

TEST(AnswerDigestsTest, EveryFieldHasOneThatItsBytesDecide) {
  const auto fields = DigestFields(BytesOf(Answer()));
  ASSERT_EQ(fields.size(), 4u);
  v1::StepResponse other = Answer();
  other.mutable_observations(1)->set_data("efgH");
  const auto changed = DigestFields(BytesOf(other));
  ASSERT_EQ(changed.size(), 4u);
  int different = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].digest == changed[i].digest) continue;
    ++different;
    EXPECT_EQ(NameOf(changed, i, *v1::StepResponse::descriptor()), "observations[1]");
  }
  EXPECT_EQ(different, 1);
}

TEST(AnswerDigestsTest, FieldsAreNamedAsTheMessageDeclaresThem) {
  const auto fields = DigestFields(BytesOf(Answer()));
  std::vector<std::string> names;
  for (size_t i = 0; i < fields.size(); ++i) {
    names.push_back(NameOf(fields, i, *v1::StepResponse::descriptor()));
  }
  EXPECT_NE(std::find(names.begin(), names.end(), "op_index"), names.end());
  EXPECT_NE(std::find(names.begin(), names.end(), "observations[0]"), names.end());
  EXPECT_NE(std::find(names.begin(), names.end(), "rewards"), names.end());
  EXPECT_EQ(NameOf({{99999, 0}}, 0, *v1::StepResponse::descriptor()), "field 99999");
}

TEST(AnswerDigestsTest, BytesThatAreNoMessageAreHarmless) {
  EXPECT_TRUE(DigestFields("").empty());
  EXPECT_TRUE(DigestFields(std::string(20, '\xff')).empty());
  EXPECT_TRUE(DigestFields("\x0a\x7f").empty());
  EXPECT_EQ(BytesOfBuffer(BufferOfBytes("")), "");
  EXPECT_EQ(BytesOfBuffer(BufferOfBytes("abc")), "abc");
}

}  // namespace
}  // namespace livnd::server
