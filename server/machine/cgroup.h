// How much processor time and memory the control groups of this process leave it.
#ifndef LIVND_SERVER_MACHINE_CGROUP_H_
#define LIVND_SERVER_MACHINE_CGROUP_H_

#include <cstdint>
#include <string>

namespace livnd::server {

// Processors' worth of time that the process may use, as a container's or a unit's quota limits it:
// 2.5 where it gets 250 ms in 100 ms. Infinity where nothing limits it. Control groups of version 2
// (cpu.max) and 1 (cpu.cfs_quota_us), those of the process and all above them that can be seen; the
// smallest counts. Files that are not there or do not read as they should limit nothing.
//
// `root` is what "/" is taken to be, with /proc/self/cgroup and /proc/self/mountinfo in it.
double CgroupCpus(const std::string& root = "");

// Bytes of memory that the process may use, likewise (memory.max, memory.limit_in_bytes); the largest
// int64 where nothing limits it.
int64_t CgroupMemory(const std::string& root = "");

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_CGROUP_H_
