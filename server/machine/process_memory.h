// What this process has of the machine's memory.
#ifndef LIVND_SERVER_MACHINE_PROCESS_MEMORY_H_
#define LIVND_SERVER_MACHINE_PROCESS_MEMORY_H_

#include <cstdint>

namespace livnd::server {

struct ProcessMemory {
  // What the program has asked the allocator for and not returned.
  int64_t allocated_bytes = 0;
  // What the system keeps in memory for the process (RSS): also code, stacks, and what the allocator
  // keeps for later. 0 where /proc is not to be read.
  int64_t resident_bytes = 0;
};

// Thread-safe. Takes each of the allocator's locks in turn: for now and then.
ProcessMemory ReadProcessMemory();

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_PROCESS_MEMORY_H_
