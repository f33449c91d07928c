#include "server/service/server_fixture.h"

#if defined(__SANITIZE_THREAD__)
// gRPC's own synchronization is in Debian's library, where the sanitizer cannot see it.
extern "C" const char* __tsan_default_suppressions() { return "race:grpc::internal\n"; }
#endif
