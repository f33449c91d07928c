// How old a session is that an earlier process left: the clock of the wall says so, and is not always
// right.
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "server/journal/journal_folder.h"
#include "server/machine/worker_pool.h"
#include "server/metrics/metrics.h"
#include "server/session/environment_store.h"
#include "server/session/session_registry.h"
#include "server/testing/fake_environment.h"

namespace livnd::server {
namespace {

constexpr absl::Duration kRetention = absl::Hours(24 * 7);

// A folder of journals, and a server's registry on it; another one after Restart.
class FileTimesTest : public testing::Test {
 protected:
  FileTimesTest() : folder_(absl::StrCat(testing::TempDir(), "/file_times_XXXXXX")) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    journals_ = *JournalFolder::Open(folder_, Durability::kProcess);
    Restart();
  }
  ~FileTimesTest() override { End(); }

  void End() {
    pool_.reset();
    registry_.reset();
    store_.reset();
  }
  void Restart() {
    End();
    pool_ = std::make_unique<WorkerPool>(1, 2);
    store_ = std::make_unique<EnvironmentStore>(std::vector{FakeSpec("A-v0")},
                                                FakeBuilder(control_), *pool_);
    SessionRegistry::Options options;
    options.lease = absl::Minutes(1);
    options.retention = kRetention;
    options.journals = journals_.get();
    options.now = [this] { return absl::UnixEpoch() + absl::Seconds(now_s_.load()); };
    registry_ = std::make_unique<SessionRegistry>(options, *store_, *pool_, metrics_);
    ASSERT_TRUE(registry_->Recover().ok());
  }
  void Pass(absl::Duration time) { now_s_ += absl::ToInt64Seconds(time); }

  // Makes a session, and has it leave the memory.
  void MakeOneOnDisk() {
    v1::CreateSessionRequest request;
    request.set_request_id("a");
    request.set_environment_id("A-v0");
    request.set_num_envs(1);
    absl::Notification made;
    registry_->Create("", request, env::AutoresetMode::kNextStep,
                      [&](const absl::StatusOr<std::shared_ptr<Session>>& session) {
                        EXPECT_TRUE(session.ok()) << session.status();
                        made.Notify();
                      });
    made.WaitForNotification();
    Pass(absl::Minutes(2));
    registry_->ParkIdle();
    while (registry_->num_sessions() > 0) absl::SleepFor(absl::Milliseconds(1));
  }
  // As if the file had been written then.
  void SetWritten(absl::Time time) {
    const auto found = journals_->List();
    ASSERT_EQ(found->size(), 1u);
    const timespec times[] = {absl::ToTimespec(time), absl::ToTimespec(time)};
    ASSERT_EQ(utimensat(AT_FDCWD, journals_->PathOf(found->front().session).c_str(), times, 0), 0);
  }
  size_t NumLeft() const { return journals_->List()->size(); }

  std::string folder_;
  FakeControl control_;
  std::atomic<int64_t> now_s_{0};
  Metrics metrics_{"test", "test"};
  std::unique_ptr<JournalFolder> journals_;
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<EnvironmentStore> store_;
  std::unique_ptr<SessionRegistry> registry_;
};

TEST_F(FileTimesTest, TheRetentionGoesOnWhereItWas) {
  MakeOneOnDisk();
  SetWritten(absl::Now() - absl::Hours(24 * 5));
  Restart();
  Pass(absl::Hours(24 * 2) - absl::Minutes(1));
  EXPECT_EQ(registry_->RemoveOld(), 0);
  Pass(absl::Minutes(2));
  EXPECT_EQ(registry_->RemoveOld(), 1);
  EXPECT_EQ(NumLeft(), 0u);
}

TEST_F(FileTimesTest, NoClockDeletesWhatIsCalledWithinTheHour) {
  MakeOneOnDisk();
  SetWritten(absl::UnixEpoch());  // as machines believe whose battery is empty
  Restart();
  Pass(absl::Minutes(59));
  EXPECT_EQ(registry_->RemoveOld(), 0);
  EXPECT_EQ(NumLeft(), 1u);
  Pass(absl::Minutes(2));
  EXPECT_EQ(registry_->RemoveOld(), 1);
  EXPECT_EQ(NumLeft(), 0u);
}

TEST_F(FileTimesTest, WhatIsYetToBeWrittenWasWrittenNow) {
  MakeOneOnDisk();
  SetWritten(absl::Now() + absl::Hours(24 * 365));
  Restart();
  Pass(kRetention - absl::Minutes(1));
  EXPECT_EQ(registry_->RemoveOld(), 0);
  Pass(absl::Minutes(2));
  EXPECT_EQ(registry_->RemoveOld(), 1);
  EXPECT_EQ(NumLeft(), 0u);
}

}  // namespace
}  // namespace livnd::server
