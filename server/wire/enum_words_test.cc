#include "server/wire/enum_words.h"

#include "gtest/gtest.h"
#include "livnd/v1/pulse_plan.pb.h"
#include "livnd/v1/recording_service.pb.h"
#include "livnd/v1/tensor.pb.h"

namespace livnd::server {
namespace {

TEST(EnumWordsTest, AreTheClients) {
  EXPECT_EQ(WordOf(v1::RECORDED_KIND_CHANNEL_EVENTS), "channel_events");
  EXPECT_EQ(WordOf(v1::DATA_TYPE_FLOAT32), "float32");
  EXPECT_EQ(WordOf(v1::DATA_TYPE_UNSPECIFIED), "unspecified");
  EXPECT_EQ(WordsOf<v1::PulseShape>(), "biphasic, monophasic");
}

TEST(EnumWordsTest, OfUnknownValuesAreNumbers) {
  EXPECT_EQ(WordOf(static_cast<v1::DataType>(77)), "77");
  EXPECT_EQ(WordOf(static_cast<v1::DataType>(-1)), "-1");
}

}  // namespace
}  // namespace livnd::server
