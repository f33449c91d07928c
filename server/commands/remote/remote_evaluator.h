// Runs the trials of a search's evaluations on servers, as copies of a culture's session.
#ifndef LIVND_SERVER_COMMANDS_REMOTE_REMOTE_EVALUATOR_H_
#define LIVND_SERVER_COMMANDS_REMOTE_REMOTE_EVALUATOR_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/culture/culture_types.h"
#include "io/stimulus/pulse_plan.h"
#include "lab/tune/evaluation_runner.h"
#include "lab/tune/evaluator.h"
#include "livnd/v1/culture_service.pb.h"
#include "livnd/v1/server_service.pb.h"
#include "server/commands/remote/remote_server.h"
#include "server/commands/remote/server_list.h"

namespace livnd::server {

// What all runners of a search share. Constant while they run.
struct RemoteEvaluations {
  RemoteTerms terms;
  const lab::Evaluator* evaluator = nullptr;
  // What every server is first asked for, and what it comes to here.
  lab::Trials probe;
  lab::FiredTrials probed;
};

// One evaluation at a time; as many runners work on a server as it has threads. A server where the probe comes to other
// spikes, of another system or another engine, is refused. Thread-compatible; the list and the work must outlive it.
class RemoteEvaluator final : public lab::EvaluationRunner {
 public:
  RemoteEvaluator(const RemoteEvaluations& work, ServerList& servers)
      : work_(work), server_(work.terms, servers) {}

  // RemoteServer::Ready.
  absl::StatusOr<bool> Ready() override;
  absl::StatusOr<lab::FiredTrials> Run(const lab::Trials& trials) override;

 private:
  absl::Status Probe();
  v1::ConfigureRequest FirstRequest() const;
  // In how many parts these are run, one after another.
  int NumParts(const lab::Trials& trials) const {
    return (trials.num + num_copies_ - 1) / num_copies_;
  }
  absl::StatusOr<lab::FiredTrials> RunTrials(const lab::Trials& trials);
  // The trials first .. first + num - 1. `warmup_spikes` counts those of the warm-up.
  absl::StatusOr<env::CultureRecording> RunCopies(const lab::Trials& trials, int first, int num,
                                                  int64_t* warmup_spikes);
  // The sweep of trials whose spikes at rest are there. None: they have had too many spikes, or all failed.
  absl::StatusOr<std::vector<env::CultureRecording>> RunSweep(const lab::Trials& trials);
  // Its runs on the session's copies, from the end of their recorded time on, `last` where it is known; num_spikes
  // counts theirs.
  absl::Status SweepCopies(client::CultureSession& session, const lab::Sweep& sweep,
                           std::optional<env::CultureRecording> last,
                           std::vector<std::optional<env::CultureRecording>>& evoked,
                           int64_t* num_spikes);
  // Runs on, in pieces where the spikes are more than an answer holds; a plan's pulse stays in one.
  absl::StatusOr<env::CultureRecording> RunFor(client::CultureSession& session, double duration_ms,
                                               const io::PulsePlan* plan = nullptr);

  const RemoteEvaluations& work_;
  RemoteServer server_;
  int num_copies_ = 1;  // at once
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_REMOTE_REMOTE_EVALUATOR_H_
