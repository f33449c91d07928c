#include "server/machine/cpus.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "grpc/support/cpu.h"
#include "gtest/gtest.h"
#include "server/machine/cgroup.h"

namespace livnd::server {
namespace {

// Runs in a fresh process that may use one processor only.
bool OnOneCpu(bool (*holds)()) {
  const pid_t child = fork();
  if (child == 0) {
    cpu_set_t usable;
    sched_getaffinity(0, sizeof(usable), &usable);
    int first = 0;
    while (!CPU_ISSET(first, &usable)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    if (sched_setaffinity(0, sizeof(one), &one) != 0) _exit(2);
    _exit(holds() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(CpusTest, OnlyThoseThatTheProcessMayUseAreCounted) {
  EXPECT_TRUE(OnOneCpu([] { return NumUsableCpus() == 1; }));
}

TEST(CpusTest, GrpcCountsTheSame) {
  EXPECT_TRUE(OnOneCpu([] { return gpr_cpu_num_cores() == 1 && gpr_cpu_current_cpu() == 0; }));
  cpu_set_t usable;
  ASSERT_EQ(sched_getaffinity(0, sizeof(usable), &usable), 0);
  EXPECT_EQ(NumUsableCpus(),
            static_cast<int>(std::max(1.0, std::min<double>(CPU_COUNT(&usable), CgroupCpus()))));
  EXPECT_EQ(gpr_cpu_num_cores(), static_cast<unsigned>(NumUsableCpus()));
  EXPECT_LT(gpr_cpu_current_cpu(), gpr_cpu_num_cores());
}

}  // namespace
}  // namespace livnd::server
