// How many processors this process may use.
#ifndef LIVND_SERVER_MACHINE_CPUS_H_
#define LIVND_SERVER_MACHINE_CPUS_H_

namespace livnd::server {

// Those that the scheduler may run the process on (sched_setaffinity, taskset, a container's
// cpuset), which may be fewer than the machine has; and no more than the whole ones that the quota
// of its control groups makes (server/machine/cgroup.h), for a thread beyond them would only bring
// forward the moment at which all threads are stopped. At least 1; as it was at the first call.
int NumUsableCpus();

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_CPUS_H_
