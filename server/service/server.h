// A running livnd.
#ifndef LIVND_SERVER_SERVICE_SERVER_H_
#define LIVND_SERVER_SERVICE_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/journal/journal_file.h"
#include "server/machine/listen_address.h"
#include "server/machine/memory_budget.h"
#include "server/recording/recording_folder.h"
#include "server/session/offer.h"
#include "server/session/session_registry.h"
#include "server/trust/trust.h"

namespace livnd::server {

struct ServerOptions {
  ListenAddress listen;
  // Sockets that listen already, whoever made them; the server listens on them and nowhere else, and
  // closes them. By the same rules as for `listen`.
  std::vector<int> sockets;
  TrustOptions trust;
  // Listen beyond this machine although nobody is asked who they are.
  bool allow_insecure_remote = false;
  // Where Prometheus may read the metrics: in clear, whoever it is. So beyond this machine only with
  // allow_insecure_remote, whatever callers are asked for.
  std::optional<ListenAddress> metrics_listen;
  int num_workers = 1;
  SessionRegistry::Options sessions;  // but for its journals
  // The folder of the sessions' journals; empty: they live in memory only.
  std::string journals;
  Durability durability = Durability::kProcess;
  // The folder of recordings; empty: none are kept.
  std::string recordings;
  RecordingFolder::Options recording_limits;  // but for its durability
  // Called when an admin asks the server to end, on any thread; the owner then goes the way out.
  std::function<void()> asked_to_end = [] {};
  // A file of Quotas, read again when it changes; empty: every tenant may have as much as there is.
  std::string quotas;
  // Cap of one message in either direction.
  int max_message_bytes = 64 << 20;
  // What sessions, builds, requests and answers may use, gRPC's own part of it among them.
  int64_t memory_bytes = MemoryBudget::kNoLimit;
};

// Owns the port, the services, the sessions and the workers. Serves from Start to destruction; the
// health service says SERVING from Start to Drain.
//
// The way out: Drain, wait until drained(), Shutdown, destroy. Destruction does what is left of it.
// Who does not want to wait for long operations calls Stop after Drain.
// Thread-compatible: its owner calls it from one thread.
class Server {
 public:
  // Brings back the sessions that the journals tell of, and then listens. FailedPrecondition: an
  // address is taken, or reaches beyond this machine where nobody is asked who they are, without the
  // option. InvalidArgument: Trust::Open's. Otherwise the system's error.
  static absl::StatusOr<std::unique_ptr<Server>> Start(ServerOptions options, Offer offer);

  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // With the port that was chosen where 0 was asked for.
  std::string address() const;
  // Empty without metrics_listen.
  std::string metrics_url() const;
  // Ordered.
  std::vector<std::string> environment_ids() const;

  // From now on this is what the server has to give; sessions on what it had go on. Thread-safe.
  void Exchange(Offer offer);

  // Begins nothing any more: first health says NOT_SERVING, then calls that would start something
  // fail with SHUTTING_DOWN, those at once that wait for their turn. Operations that have begun run on.
  void Drain();
  // No operation is running.
  bool drained() const;
  // Has operations that run give up; they answer SHUTTING_DOWN. After Drain, and for good.
  void Stop();
  // Has every session write down where it stands, so that the next server is ready sooner. After Drain;
  // destruction waits for it.
  void Settle();
  // Ends all connections, at the latest after `grace`, and gives the address back. Blocks.
  void Shutdown(absl::Duration grace);
  // A worker has had time to do something, if only a little, since the last call. For a watchdog, which
  // calls now and then.
  bool IsAlive();
  // A worker builds an environment, and destroying the server would wait for it.
  bool building() const;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_SERVER_H_
