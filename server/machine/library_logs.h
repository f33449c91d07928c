// What gRPC and protobuf have to say, in the server's own log.
#ifndef LIVND_SERVER_MACHINE_LIBRARY_LOGS_H_
#define LIVND_SERVER_MACHINE_LIBRARY_LOGS_H_

namespace livnd::server {

// From now on the lines of both libraries go through LogLine: theirs would carry bytes of clients
// as they came, and so could forge lines and command a terminal. For the process, before it uses
// either library. GRPC_VERBOSITY still says how much gRPC tells; by default errors alone.
void TakeLibraryLogs();

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_LIBRARY_LOGS_H_
