// Runs samples on servers, as copies of a culture's session.
#ifndef LIVND_SERVER_COMMANDS_REMOTE_RUNNER_H_
#define LIVND_SERVER_COMMANDS_REMOTE_RUNNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clients/cpp/client.h"
#include "clients/cpp/culture_session.h"
#include "lab/sample/sample_plan.h"
#include "lab/sample/sample_runner.h"
#include "server/commands/server_list.h"
#include "server/machine/steady_time.h"

namespace livnd::server {

// What all runners of a data set share. Constant while they run.
struct RemoteWork {
  const lab::SamplePlan* plan = nullptr;
  std::string system;            // its name, here and there
  lab::SampledTrials first;      // what the plan's first sample comes to here
  int64_t copies_of_thread = 1;  // that a server's thread takes at once with profit
  int64_t batch = 0;             // what was asked for; 0: what fills the server
  absl::Duration patience;       // with servers that are away, before a runner gives up
  std::function<bool()> stop;    // true: give up
};

// Holds one server of the list at a time, and takes another, or the same one again, when that one is lost. Of each it
// first asks the plan's first sample, which has to come to the very same bits: a server with
// another system, or another engine, is refused. Thread-compatible; the list and the work must outlive it.
class RemoteRunner final : public lab::SampleRunner {
 public:
  RemoteRunner(const RemoteWork& work, ServerList& servers)
      : work_(work), servers_(servers), away_(absl::UnavailableError("no server is free")) {}
  ~RemoteRunner() override;

  // Takes a server. Unavailable: none could be reached for as long as its patience. FailedPrecondition names one that
  // is of no use.
  absl::StatusOr<bool> Ready() override;
  int64_t batch() const override { return batch_; }
  absl::StatusOr<std::vector<lab::SampledTrials>> Run(int64_t first, int64_t num) override;

 private:
  // OK, or what to do about a failed call: Unavailable, to go to another server.
  absl::Status StatusOf(const client::Error& error) const;
  absl::Status Try(const std::string& address);
  absl::StatusOr<client::CultureSession*> Session(int64_t num);
  absl::StatusOr<std::vector<lab::SampledTrials>> RunCopies(int64_t first, int64_t num);
  absl::Status TakeTrials(const v1::CultureRecording& recording,
                          std::vector<lab::SampledTrials>* samples) const;
  void Leave(bool lost);

  const RemoteWork& work_;
  ServerList& servers_;
  int64_t batch_ = 1;
  std::string address_;             // empty: none
  absl::Time since_ = SteadyNow();  // when it had none, or had the last one
  absl::Status away_;               // why
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::CultureSession> session_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_REMOTE_RUNNER_H_
