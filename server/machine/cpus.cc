#include "server/machine/cpus.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "grpc/support/cpu.h"
#include "server/machine/cgroup.h"

namespace livnd::server {
namespace {

int CountCpusOfAffinity() {
  // The kernel refuses a set that is too small for the machine.
  for (int size = 1024; size <= (1 << 20); size *= 2) {
    cpu_set_t* const set = CPU_ALLOC(size);
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> owner(set,
                                                                 [](cpu_set_t* s) { CPU_FREE(s); });
    const size_t bytes = CPU_ALLOC_SIZE(size);
    if (sched_getaffinity(0, bytes, set) == 0) return std::max(1, CPU_COUNT_S(bytes, set));
    if (errno != EINVAL) break;
  }
  return 1;
}

}  // namespace

int NumUsableCpus() {
  static const int num_cpus = std::max(
      1, static_cast<int>(std::min(CgroupCpus(), static_cast<double>(CountCpusOfAffinity()))));
  return num_cpus;
}

}  // namespace livnd::server

// gRPC sizes its pools by these two, of its public <grpc/support/cpu.h>, and by default counts every
// processor that the machine is built for: on one of 64, a server that may use 2 starts 48 threads
// more than it needs. Defined in the program, they come before gRPC's own. gRPC also divides its
// tables by them, so the second must stay below the first.
extern "C" {

unsigned gpr_cpu_num_cores(void) { return static_cast<unsigned>(livnd::server::NumUsableCpus()); }

unsigned gpr_cpu_current_cpu(void) {
  const int cpu = sched_getcpu();
  return cpu < 0 ? 0 : static_cast<unsigned>(cpu) % gpr_cpu_num_cores();
}

}  // extern "C"
