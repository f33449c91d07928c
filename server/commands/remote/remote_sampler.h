// Runs samples on servers, as copies of a culture's session.
#ifndef LIVND_SERVER_COMMANDS_REMOTE_REMOTE_SAMPLER_H_
#define LIVND_SERVER_COMMANDS_REMOTE_REMOTE_SAMPLER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lab/sample/sample_plan.h"
#include "lab/sample/sample_runner.h"
#include "livnd/v1/culture_service.pb.h"
#include "livnd/v1/server_service.pb.h"
#include "server/commands/remote/remote_server.h"
#include "server/commands/remote/server_list.h"

namespace livnd::server {

// What all runners of a data set share. Constant while they run.
struct RemoteSamples {
  RemoteTerms terms;
  const lab::SamplePlan* plan = nullptr;
  lab::SampledTrials first;      // what the plan's first sample comes to here
  int64_t copies_of_thread = 1;  // that a server's thread takes at once with profit
  int64_t batch = 0;             // what was asked for; 0: what fills the server
};

// Runs samples on one server of the list at a time. Of each it first asks the plan's first sample, which has to come to
// the very same bits: a server with another system, or another engine, is refused. Thread-compatible; the list and the
// work must outlive it.
class RemoteSampler final : public lab::SampleRunner {
 public:
  RemoteSampler(const RemoteSamples& work, ServerList& servers)
      : work_(work), server_(work.terms, servers) {}

  // RemoteServer::Ready.
  absl::StatusOr<bool> Ready() override;
  int64_t batch() const override { return batch_; }
  absl::StatusOr<std::vector<lab::SampledTrials>> Run(int64_t first, int64_t num) override;

 private:
  absl::Status Try(const v1::GetServerInfoResponse& info);
  v1::ConfigureRequest FirstRequest() const;
  absl::StatusOr<std::vector<lab::SampledTrials>> RunCopies(int64_t first, int64_t num);
  // The trial that all samples have run.
  absl::StatusOr<std::vector<lab::SampledTrial>> TrialOf(const v1::CultureRecording& message,
                                                         int64_t num) const;

  const RemoteSamples& work_;
  RemoteServer server_;
  int64_t batch_ = 1;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_REMOTE_REMOTE_SAMPLER_H_
