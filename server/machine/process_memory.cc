#include "server/machine/process_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>

namespace livnd::server {

ProcessMemory ReadProcessMemory() {
  ProcessMemory memory;
  // In arenas, and mapped one by one.
  const struct mallinfo2 allocator = mallinfo2();
  memory.allocated_bytes = static_cast<int64_t>(allocator.uordblks + allocator.hblkhd);
  std::ifstream statm("/proc/self/statm");
  int64_t size_pages = 0;
  int64_t resident_pages = 0;
  if (statm >> size_pages >> resident_pages) {
    memory.resident_bytes = resident_pages * sysconf(_SC_PAGESIZE);
  }
  return memory;
}

}  // namespace livnd::server
