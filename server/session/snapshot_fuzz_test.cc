// Snapshots that no server has made, but whose checksum is right: an error, or a session that runs.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "env/culture/testing/cultures.h"
#include "env/task/target_rate.h"
#include "env/task/vector_environment.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "server/session/hosted_culture.h"
#include "server/session/hosted_task.h"
#include "sim/testing/executors.h"

namespace livnd::server {
namespace {

const SnapshotIdentity kIdentity = {"physics", "Environment-v0", "spec", "system"};
constexpr int kMutations = 400;

std::string SnapshotOf(const HostedEnvironment& environment) {
  v1::SnapshotContents contents;
  environment.Save({0}, &contents);
  return SealSnapshot(kIdentity, std::move(contents));
}

// A message with the same fields, where some bytes of some of them are others. Numbers are changed
// in their own place, so that what is cut off by the parser is not all that is tried.
void Mutate(google::protobuf::Message* message, std::mt19937& random) {
  const auto* reflection = message->GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(*message, &fields);
  if (fields.empty()) return;
  const auto* field = fields[random() % fields.size()];
  using Field = google::protobuf::FieldDescriptor;
  const bool repeated = field->is_repeated();
  const int n = repeated ? reflection->FieldSize(*message, field) : 1;
  const int at = static_cast<int>(random() % static_cast<unsigned>(n));
  if (repeated && random() % 8 == 0) {
    reflection->RemoveLast(message, field);
    return;
  }
  switch (field->cpp_type()) {
    case Field::CPPTYPE_MESSAGE:
      Mutate(repeated ? reflection->MutableRepeatedMessage(message, field, at)
                      : reflection->MutableMessage(message, field),
             random);
      return;
    case Field::CPPTYPE_STRING: {
      std::string bytes = repeated ? reflection->GetRepeatedString(*message, field, at)
                                   : reflection->GetString(*message, field);
      if (bytes.size() >= 8 && random() % 4 != 0) {
        static constexpr double kNumbers[] = {-1.0, 0.5, 1e300, 7.0, 4e15, -1e18};
        const double x = kNumbers[random() % 6];
        std::memcpy(&bytes[random() % (bytes.size() / 8) * 8], &x, sizeof(x));
      } else if (!bytes.empty()) {
        bytes.resize(random() % bytes.size());
      }
      if (repeated) {
        reflection->SetRepeatedString(message, field, at, bytes);
      } else {
        reflection->SetString(message, field, bytes);
      }
      return;
    }
    case Field::CPPTYPE_INT64: {
      static constexpr int64_t kNumbers[] = {-1, 0, 1, int64_t{1} << 53, INT64_MAX, INT64_MIN};
      if (!repeated) reflection->SetInt64(message, field, kNumbers[random() % 6]);
      if (repeated) reflection->SetRepeatedInt64(message, field, at, kNumbers[random() % 6]);
      return;
    }
    case Field::CPPTYPE_INT32: {
      static constexpr int32_t kNumbers[] = {-1, 0, 1, 1000, INT32_MAX, INT32_MIN};
      if (!repeated) reflection->SetInt32(message, field, kNumbers[random() % 6]);
      if (repeated) reflection->SetRepeatedInt32(message, field, at, kNumbers[random() % 6]);
      return;
    }
    case Field::CPPTYPE_DOUBLE: {
      static const double kNumbers[] = {-1.0, 0.0, 1e-9, 1e300, std::nan(""), 0.03};
      if (!repeated) reflection->SetDouble(message, field, kNumbers[random() % 6]);
      return;
    }
    case Field::CPPTYPE_BOOL:
      if (!repeated) reflection->SetBool(message, field, !reflection->GetBool(*message, field));
      return;
    default:
      return;
  }
}

// Restores mutations of a snapshot and goes on with those that are taken; how many were.
template <typename Go>
int TakenMutations(const std::string& snapshot, HostedEnvironment& environment, Go go) {
  std::mt19937 random(1);
  int taken = 0;
  for (int i = 0; i < kMutations; ++i) {
    auto contents = OpenSnapshot(snapshot, kIdentity);
    EXPECT_TRUE(contents.ok()) << contents.status();
    for (unsigned n = 1 + random() % 3; n > 0; --n) {
      if (contents->has_task()) Mutate(contents->mutable_task(), random);
      if (contents->has_culture()) Mutate(contents->mutable_culture(), random);
    }
    v1::RestoreRequest request;
    request.set_snapshot(SealSnapshot(kIdentity, *std::move(contents)));
    v1::RestoreResponse response;
    const absl::Status restored = environment.Restore(request, &response);
    EXPECT_NE(restored.code(), absl::StatusCode::kInternal) << restored;
    if (!restored.ok()) continue;
    ++taken;
    go();
  }
  return taken;
}

TEST(SnapshotFuzzTest, OfACulture) {
  sim::InlineExecutor executor;
  std::unique_ptr<env::LiveCulture> culture = env::BusyCulture(executor, 1);
  env::CultureRun run = env::For(4.0);
  run.stimuli = {env::Current()};
  ASSERT_TRUE(culture->Run(run).ok());
  HostedCulture hosted(std::move(culture), 1 << 24, kIdentity);
  const std::string snapshot = SnapshotOf(hosted);
  const int taken = TakenMutations(snapshot, hosted, [&] {
    v1::RunRequest request;
    request.set_duration_ms(0.5);
    if (!hosted.BeginRun(request).ok()) return;  // NUMERICAL_FAILURE and the like
    while (!hosted.Continue(1000).over) {
    }
    v1::RunResponse response;
    hosted.FinishRun(&response).IgnoreError();
  });
  EXPECT_GT(taken, 0);
  EXPECT_LT(taken, kMutations);
}

TEST(SnapshotFuzzTest, OfATask) {
  sim::InlineExecutor executor;
  auto system = io::ReadSystem("systems/EI-mini");
  ASSERT_TRUE(system.ok()) << system.status();
  env::TargetRateConfig config;
  config.settle_ms = 300.0;
  config.step_ms = 1.0;
  config.pulse.phase_us = 200.0;
  auto task = env::TargetRate::Create(*system, config);
  ASSERT_TRUE(task.ok()) << task.status();
  auto environment =
      env::VectorEnvironment::Create(*task, 1, env::AutoresetMode::kNextStep, 1, executor);
  ASSERT_TRUE(environment.ok()) << environment.status();
  ASSERT_TRUE((*environment)->Reset({{5}, {}, {}}).ok());
  const env::TensorBatch actions((*task)->spec().actions, 1);
  env::VectorEnvironment& stepped = **environment;
  HostedTask hosted(*std::move(environment), kIdentity);
  const std::string snapshot = SnapshotOf(hosted);
  const int taken = TakenMutations(snapshot, hosted, [&] { stepped.Step(actions).IgnoreError(); });
  EXPECT_GT(taken, 0);
  EXPECT_LT(taken, kMutations);
}

}  // namespace
}  // namespace livnd::server
