// Standard input, output and error, whether or not the process was given them.
//
// Where one of them is closed, the next file that is opened gets its number, and what is meant for
// the log is written into that: the lock file of a server, once. So /dev/null is opened there. This
// comes before main, because gRPC opens a descriptor when it is loaded: a program's own
// .preinit_array runs before the initialisers of its libraries. It has no header: whoever is linked
// with it has it.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

namespace livnd::server {
namespace {

// Library functions are not in use yet: sanitizers, for one, are still to be set up.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
__attribute__((no_sanitize("address", "thread", "undefined")))
#endif
void OpenStandardDescriptors(int, char**, char**) {
  // In ascending order, so that the kernel gives the very number that is missing.
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (syscall(SYS_fcntl, fd, F_GETFD) >= 0) continue;
    const int mode = fd == STDIN_FILENO ? O_RDONLY : O_WRONLY;
    if (syscall(SYS_openat, AT_FDCWD, "/dev/null", mode) != fd) std::abort();
  }
}

__attribute__((section(".preinit_array"),
               used)) void (*const kBeforeLibraries)(int, char**, char**) = OpenStandardDescriptors;

}  // namespace
}  // namespace livnd::server
