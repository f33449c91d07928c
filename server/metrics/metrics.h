// What the server counts of its work, for Prometheus.
#ifndef LIVND_SERVER_METRICS_METRICS_H_
#define LIVND_SERVER_METRICS_METRICS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/metrics/work.h"

namespace prometheus {
class Collectable;
}  // namespace prometheus

namespace livnd::server {

// A stretch of a call's time.
enum class Stage {
  kQueue,      // it waits for its session and for a worker
  kCompute,    // the operation is done
  kSerialize,  // its answer is written out
  kJournal,    // what was done is written down
  kRecord,     // what was done goes into the session's recording
};

// What there is at a moment.
struct Levels {
  int sessions = 0;  // in memory
  int sessions_on_disk = 0;
  int sessions_lost = 0;  // on the disk, and not to be brought back
  int environments = 0;   // copies, in all sessions
  int queued_tasks = 0;   // that wait for a worker
  int workers = 0;
  double recovery_s = 0.0;   // that bringing back sessions took at the start
  int64_t memory_limit = 0;  // bytes
  std::vector<std::pair<std::string, int64_t>> memory_used;  // by what it is used for
  int recordings = 0;                                        // that grow
  int64_t recording_bytes = 0;                               // of all files of recordings
  // Since the server started, of all recordings; none goes down.
  int64_t recorded_rows = 0, dropped_rows = 0, recording_waits = 0;
  double recording_waited_s = 0.0;
};

// Everything that docs/operating.md lists. Counters start at 0 with the process; none goes down.
//
// Thread-safe. Once a method has answered with a code, counting that again allocates nothing and takes
// some tens of nanoseconds: what it counts in was looked up before.
class Metrics {
 public:
  Metrics(absl::string_view version, absl::string_view physics_version);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The method of livnd.v1 that takes Request, as the calls below want it.
  template <typename Request>
  static int MethodOf() {
    static const int method = MethodTaking(Request::descriptor()->full_name());
    return method;
  }

  // A call was answered: `reason` is that of its ErrorInfo, empty for OK.
  void CountCall(int method, absl::StatusCode code, absl::string_view reason);
  // A call of a method that there is not.
  void CountUnknownMethod(absl::StatusCode code, absl::string_view reason);
  // A call spent so long in a stage.
  void Observe(Stage stage, int method, absl::Duration time);
  // An operation has done so much.
  void Count(const Work& work);

  // An answer came later than it was due.
  void CountLate();

  // From now on a collection asks `levels` too; null ends that, and waits for one that asks.
  void ReadLevelsFrom(std::function<Levels()> levels);

  // What a scrape collects. It may live longer than this object.
  std::shared_ptr<prometheus::Collectable> collectable() const;

 private:
  struct Parts;

  // By the full name of a request's type, which must be that of a method of livnd.v1.
  static int MethodTaking(absl::string_view request_type);

  const std::shared_ptr<Parts> parts_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_METRICS_METRICS_H_
