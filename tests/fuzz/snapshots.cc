// Bytes as what a snapshot holds, sealed as a server seals it: refused, or copies that go on from it. A
// snapshot that is not sealed is refused at once, which the same bytes try too.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "env/culture/testing/cultures.h"
#include "server/session/hosted_culture.h"
#include "server/session/hosted_task.h"
#include "server/testing/fake_environment.h"
#include "server/wire/snapshot.h"
#include "sim/testing/executors.h"
#include "tests/fuzz/harm.h"

namespace livnd::server {
namespace {

using fuzz::Require;
using fuzz::RequireCallersError;

const SnapshotIdentity kIdentity = {"physics", "Environment-v0", "spec", ""};

HostedEnvironment& Task() {
  static FakeControl control;
  static HostedTask task(
      std::make_unique<FakeEnvironment>(1, env::AutoresetMode::kNextStep, control), kIdentity);
  return task;
}

HostedEnvironment& Culture() {
  static sim::InlineExecutor executor;
  static HostedCulture culture(env::BusyCulture(executor, 1), 1 << 20, kIdentity);
  return culture;
}

void GoOn(HostedEnvironment& environment, bool is_task) {
  if (is_task) {
    v1::ObserveResponse response;
    RequireCallersError(environment.Observe(&response));
    return;
  }
  v1::RunRequest request;
  request.set_duration_ms(0.5);
  const absl::Status begun = environment.BeginRun(request);
  RequireCallersError(begun);
  if (!begun.ok()) return;
  while (!environment.Continue(1000).over) {
  }
  v1::RunResponse response;
  RequireCallersError(environment.FinishRun(&response));
}

void Restore(const std::string& bytes, v1::SnapshotContents contents) {
  RequireCallersError(OpenSnapshot(bytes, kIdentity).status());
  const bool is_task = contents.has_task();
  HostedEnvironment& environment = is_task ? Task() : Culture();
  v1::RestoreRequest request;
  request.set_snapshot(SealSnapshot(kIdentity, std::move(contents)));
  Require(OpenSnapshot(request.snapshot(), kIdentity).ok(), "what is sealed can be opened");
  v1::RestoreResponse response;
  const absl::Status restored = environment.Restore(request, &response);
  RequireCallersError(restored);
  if (restored.ok()) GoOn(environment, is_task);
}

}  // namespace
}  // namespace livnd::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  livnd::v1::SnapshotContents contents;
  if (contents.ParseFromString(bytes)) livnd::server::Restore(bytes, std::move(contents));
  return 0;
}
