#include "server/machine/descriptor_limit.h"

#include <sys/resource.h>

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace livnd::server {
namespace {

class DescriptorLimitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit_), 0);
    rlimit few = limit_;
    few.rlim_cur = 32;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  void TearDown() override { setrlimit(RLIMIT_NOFILE, &limit_); }

  rlimit limit_;
};

TEST_F(DescriptorLimitTest, IsRaisedAsFarAsItMay) {
  const int raised = RaiseDescriptorLimit();
  rlimit now;
  getrlimit(RLIMIT_NOFILE, &now);
  EXPECT_EQ(now.rlim_cur, now.rlim_max);
  EXPECT_GT(raised, 32);
}

TEST_F(DescriptorLimitTest, WhatIsOpenIsNotFree) {
  EXPECT_EQ(RequireFreeDescriptors(16), absl::OkStatus());
  // Standard input, output and error are among the 32.
  const absl::Status refused = RequireFreeDescriptors(32);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  for (const char* word : {"limit of 32 file descriptors", "at least 32", "ulimit -n"}) {
    EXPECT_NE(std::string(refused.message()).find(word), std::string::npos) << refused;
  }
  RaiseDescriptorLimit();
  EXPECT_EQ(RequireFreeDescriptors(32), absl::OkStatus());
}

}  // namespace
}  // namespace livnd::server
