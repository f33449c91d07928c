// Bytes as a request of a session: the first says of which kind and to whom, the rest is the message. It
// is refused, and nothing has changed, or it is done.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "env/culture/testing/cultures.h"
#include "livnd/v1/culture_service.pb.h"
#include "livnd/v1/environment_service.pb.h"
#include "livnd/v1/session_service.pb.h"
#include "server/session/hosted_culture.h"
#include "server/session/hosted_task.h"
#include "server/testing/fake_environment.h"
#include "sim/testing/executors.h"
#include "tests/fuzz/harm.h"

namespace livnd::server {
namespace {

using fuzz::Require;
using fuzz::RequireCallersError;

const SnapshotIdentity kIdentity = {"physics", "Environment-v0", "spec", ""};
constexpr int kNumCopies = 2;
constexpr double kLongestRunMs = 2.0;

// A session's copies, and what they were before an input.
class Host {
 public:
  explicit Host(std::unique_ptr<HostedEnvironment> environment)
      : environment_(std::move(environment)), beginning_(State()) {}

  HostedEnvironment& operator*() { return *environment_; }

  v1::SnapshotContents State() const {
    v1::SnapshotContents contents;
    std::vector<int> copies(kNumCopies);
    for (int i = 0; i < kNumCopies; ++i) copies[static_cast<size_t>(i)] = i;
    environment_->Save(copies, &contents);
    EncodeIdentity(kIdentity, &contents);
    return contents;
  }

  // Each input begins alike.
  void Begin() { Require(environment_->Load(beginning_, {}).ok(), "what was saved can be loaded"); }

  // What was refused has changed nothing.
  void Judge(const absl::Status& status) const {
    RequireCallersError(status);
    if (status.ok()) return;
    Require(State().SerializeAsString() == beginning_.SerializeAsString(),
            "a refused request changes nothing");
  }

  void Finish() {
    while (!environment_->Continue(1000).over) {
    }
  }

 private:
  const std::unique_ptr<HostedEnvironment> environment_;
  const v1::SnapshotContents beginning_;
};

Host& Task() {
  static FakeControl control;
  static Host host([] {
    auto task = std::make_unique<HostedTask>(
        std::make_unique<FakeEnvironment>(kNumCopies, env::AutoresetMode::kSameStep, control),
        kIdentity);
    v1::ResetResponse response;
    Require(task->Reset({}, &response).ok(), "copies can be reset");
    return task;
  }());
  return host;
}

Host& Culture() {
  static sim::InlineExecutor executor;
  static Host host(
      std::make_unique<HostedCulture>(env::BusyCulture(executor, kNumCopies), 1 << 20, kIdentity));
  return host;
}

template <typename Request, typename Do>
void Try(Host& host, const uint8_t* data, size_t size, Do handle) {
  Request request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return;
  host.Begin();
  handle(request);
}

template <typename Request, typename Response>
void Try(Host& host, const uint8_t* data, size_t size,
         absl::Status (HostedEnvironment::*handler)(const Request&, Response*)) {
  Try<Request>(host, data, size, [&](Request& request) {
    Response response;
    host.Judge(((*host).*handler)(request, &response));
  });
}

void Observe(Host& host) {
  host.Begin();
  v1::ObserveResponse response;
  host.Judge((*host).Observe(&response));
}

void Step(Host& host, const uint8_t* data, size_t size) {
  Try<v1::StepRequest>(host, data, size, [&](v1::StepRequest& request) {
    const absl::Status begun = (*host).BeginStep(request);
    host.Judge(begun);
    if (!begun.ok()) return;
    host.Finish();
    v1::StepResponse response;
    RequireCallersError((*host).FinishStep(&response));
  });
}

void Run(Host& host, const uint8_t* data, size_t size) {
  Try<v1::RunRequest>(host, data, size, [&](v1::RunRequest& request) {
    // A long one would be a slow one, and nothing else.
    if (request.duration_ms() > kLongestRunMs) request.set_duration_ms(kLongestRunMs);
    const absl::Status begun = (*host).BeginRun(request);
    host.Judge(begun);
    if (!begun.ok()) return;
    host.Finish();
    v1::RunResponse response;
    RequireCallersError((*host).FinishRun(&response));
  });
}

void Restore(Host& host, const uint8_t* data, size_t size) {
  Try<v1::RestoreRequest>(host, data, size, [&](v1::RestoreRequest& request) {
    v1::RestoreResponse response;
    host.Judge((*host).Restore(request, &response));
  });
}

void Handle(uint8_t kind, const uint8_t* data, size_t size) {
  Host& host = kind % 2 == 0 ? Task() : Culture();
  switch (kind / 2 % 8) {
    case 0:
      return Try(host, data, size, &HostedEnvironment::Reset);
    case 1:
      return Step(host, data, size);
    case 2:
      return Observe(host);
    case 3:
      return Try(host, data, size, &HostedEnvironment::Configure);
    case 4:
      return Run(host, data, size);
    case 5:
      return Try(host, data, size, &HostedEnvironment::Clear);
    case 6:
      return Try(host, data, size, &HostedEnvironment::GetCulture);
    default:
      return Restore(host, data, size);
  }
}

}  // namespace
}  // namespace livnd::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) livnd::server::Handle(data[0], data + 1, size - 1);
  return 0;
}
