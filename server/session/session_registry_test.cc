#include "server/session/session_registry.h"

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "server/testing/fake_environment.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

class SessionRegistryTest : public ::testing::Test {
 protected:
  using Made = absl::StatusOr<std::shared_ptr<Session>>;

  SessionRegistryTest()
      : pool_(std::make_unique<WorkerPool>(1, 2)),
        store_({FakeSpec("A-v0"), FakeSpec("B-v0"), FakeSpec("C-v0")}, FakeBuilder(control_),
               *pool_, &memory_),
        registry_(MakeOptions(), store_, *pool_, metrics_) {}
  ~SessionRegistryTest() override {
    control_.Open();
    pool_.reset();
  }

  SessionRegistry::Options MakeOptions() {
    SessionRegistry::Options options;
    options.max_sessions = 3;
    options.max_calls_per_session = 2;
    options.max_calls = 5;
    options.retention = absl::Seconds(10);
    options.memory = &memory_;
    options.quota_of = [this](const std::string& tenant) {
      return tenant == "limited" ? quota_ : Quota();
    };
    options.now = [this] { return absl::UnixEpoch() + absl::Seconds(now_s_.load()); };
    options.entropy = [this] { return ++num_draws_; };
    return options;
  }

  static v1::CreateSessionRequest Request(const std::string& id, int num_envs = 1) {
    v1::CreateSessionRequest request;
    request.set_request_id(id);
    request.set_environment_id("A-v0");
    request.set_num_envs(num_envs);
    return request;
  }

  // An answer that arrives later.
  std::shared_future<Made> Start(const v1::CreateSessionRequest& request) {
    auto promise = std::make_unique<std::promise<Made>>();
    std::shared_future<Made> answer = promise->get_future().share();
    registry_.Create(tenant_, request, env::AutoresetMode::kNextStep,
                     [promise = std::move(promise)](Made made) { promise->set_value(made); });
    return answer;
  }
  Made Create(const std::string& id, int num_envs = 1) {
    return Start(Request(id, num_envs)).get();
  }

  std::string tenant_;  // who calls
  // Of a session that is in memory, or not at all.
  absl::StatusOr<SessionUse> Acquire(const std::string& name) {
    std::optional<absl::StatusOr<SessionUse>> answer;
    registry_.Acquire(tenant_, name,
                      [&](absl::StatusOr<SessionUse> use) { answer.emplace(std::move(use)); });
    return *std::move(answer);
  }

  FakeControl control_;
  std::atomic<int> now_s_{1000};
  std::atomic<uint64_t> num_draws_{0};
  MemoryBudget memory_{int64_t{100} << 20};
  Quota quota_;  // of the tenant "limited"
  Metrics metrics_{"test", "test"};
  std::unique_ptr<WorkerPool> pool_;
  EnvironmentStore store_;
  SessionRegistry registry_;
};

TEST_F(SessionRegistryTest, CopiesThatDoNotFitAreNotMade) {
  control_.bytes_of_copy = int64_t{60} << 20;
  Made a = Create("a");
  ASSERT_TRUE(a.ok()) << a.status();
  EXPECT_GE(memory_.used(MemoryUse::kSessions), int64_t{60} << 20);
  const absl::Status refused = Create("b").status();
  EXPECT_EQ(ReasonOf(refused), reason::kOutOfMemory);
  EXPECT_EQ(MetadataOf(refused, "value"), absl::StrCat(60 << 20, " bytes"));
  EXPECT_EQ(RetryAfter(refused), std::nullopt);
  EXPECT_EQ(control_.num_alive, 1);
  (void)registry_.Remove("", (*a)->name());
  a = absl::CancelledError();
  EXPECT_TRUE(Create("b").ok());
}

TEST_F(SessionRegistryTest, ABuildThatDoesNotFitIsNotBegun) {
  store_.Exchange({FakeSpec("A-v0")}, FakeBuilder(control_), {}, {{"A-v0", int64_t{101} << 20}});
  const absl::Status refused = Create("a").status();
  EXPECT_EQ(ReasonOf(refused), reason::kOutOfMemory);
  EXPECT_EQ(control_.num_builds, 0);
  EXPECT_EQ(memory_.used(), 0);
  store_.Exchange({FakeSpec("A-v0")}, FakeBuilder(control_), {}, {{"A-v0", int64_t{10} << 20}});
  ASSERT_TRUE(Create("a").ok());
  EXPECT_EQ(memory_.used(MemoryUse::kModels), int64_t{10} << 20);
}

TEST_F(SessionRegistryTest, ATenantHasNoMoreThanItsQuota) {
  tenant_ = "limited";
  quota_.max_sessions = 2;
  quota_.max_envs = 4;
  ASSERT_TRUE(Create("a", 3).ok());
  const absl::Status envs = Create("b", 2).status();
  EXPECT_EQ(ReasonOf(envs), reason::kQuotaExceeded);
  EXPECT_EQ(MetadataOf(envs, "field"), "max_envs");
  ASSERT_TRUE(Create("b", 1).ok());
  EXPECT_EQ(MetadataOf(Create("c", 1).status(), "field"), "max_sessions");
  EXPECT_TRUE(Create("a", 3).ok());  // what there is
  tenant_ = "";
  EXPECT_TRUE(Create("c", 9).ok());
}

TEST_F(SessionRegistryTest, ATenantHasNoMoreMemoryThanItsQuota) {
  tenant_ = "limited";
  control_.bytes_of_copy = 10 << 20;
  quota_.max_bytes = 25 << 20;
  Made a = Create("a", 2);
  ASSERT_TRUE(a.ok());
  const absl::Status refused = Create("b", 1).status();
  EXPECT_EQ(ReasonOf(refused), reason::kQuotaExceeded);
  EXPECT_EQ(MetadataOf(refused, "field"), "max_bytes");
  EXPECT_EQ(control_.num_alive, 1);
  (void)registry_.Remove(tenant_, (*a)->name());
  a = absl::CancelledError();
  EXPECT_TRUE(Create("b", 2).ok());
}

TEST_F(SessionRegistryTest, CallsOfAllSessionsAreBounded) {
  std::vector<std::string> names;
  for (const char* id : {"a", "b", "c"}) {
    const Made made = Create(id);
    ASSERT_TRUE(made.ok());
    names.push_back((*made)->name());
  }
  std::vector<absl::StatusOr<SessionUse>> uses;
  for (int i = 0; i < 5; ++i) {
    uses.push_back(Acquire(names[static_cast<size_t>(i / 2)]));
    ASSERT_TRUE(uses.back().ok());
  }
  const absl::Status busy = Acquire(names[2]).status();
  EXPECT_EQ(busy.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(busy), reason::kTooBusy);
  EXPECT_TRUE(RetryAfter(busy).has_value());
  EXPECT_EQ(ReasonOf(Create("d").status()), reason::kTooBusy);
  const absl::Status many = Acquire(names[0]).status();
  EXPECT_EQ(ReasonOf(many), reason::kTooManyCalls);
  EXPECT_TRUE(RetryAfter(many).has_value());
  uses.pop_back();
  EXPECT_TRUE(Acquire(names[2]).ok());
}

TEST_F(SessionRegistryTest, SessionsAreFoundByUnguessableNames) {
  const Made a = Create("a");
  const Made b = Create("b");
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ((*a)->name().size(), 32u);
  EXPECT_NE((*a)->name(), (*b)->name());
  const auto use = Acquire((*a)->name());
  ASSERT_TRUE(use.ok());
  EXPECT_EQ(&**use, a->get());
  EXPECT_EQ(ReasonOf(Acquire("").status()), reason::kUnknownSession);
  EXPECT_EQ(ReasonOf(Acquire("a").status()), reason::kUnknownSession);
}

TEST_F(SessionRegistryTest, ARepeatedRequestFindsItsSession) {
  const Made first = Create("a", 2);
  const Made again = Create("a", 2);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(first->get(), again->get());
  EXPECT_EQ(registry_.num_sessions(), 1);
  EXPECT_EQ(ReasonOf(Create("a", 3).status()), reason::kPayloadMismatch);
}

TEST_F(SessionRegistryTest, ATenantSeesItsOwnSessionsOnly) {
  tenant_ = "alice";
  const std::string of_alice = (*Create("a", 2))->name();
  tenant_ = "bob";
  EXPECT_EQ(ReasonOf(Acquire(of_alice).status()), reason::kUnknownSession);
  EXPECT_EQ(ReasonOf(registry_.Remove(tenant_, of_alice).status()), reason::kUnknownSession);
  // The same id is another wish, whatever it asks for.
  const Made of_bob = Create("a", 1);
  ASSERT_TRUE(of_bob.ok()) << of_bob.status();
  EXPECT_NE((*of_bob)->name(), of_alice);
  EXPECT_EQ((*Create("a", 1))->name(), (*of_bob)->name());
  ASSERT_TRUE(registry_.Remove(tenant_, (*of_bob)->name()).ok());
  EXPECT_EQ(ReasonOf(Create("a", 1).status()), reason::kUnknownSession);

  tenant_ = "alice";
  EXPECT_TRUE(Acquire(of_alice).ok());
  EXPECT_EQ((*Create("a", 2))->name(), of_alice);
}

TEST_F(SessionRegistryTest, AFullServerTellsATenantOfItsOwnSessionsOnly) {
  tenant_ = "alice";
  ASSERT_TRUE(Create("a", 2).ok() && Create("b", 2).ok());
  tenant_ = "bob";
  ASSERT_TRUE(Create("a").ok());
  EXPECT_EQ(MetadataOf(Create("b").status(), "holders"),
            "1 of A-v0 (1 copy, idle 0), 2 of other tenants; the first is let go in 10s if nobody "
            "calls it");
  tenant_ = "carol";
  EXPECT_EQ(MetadataOf(Create("c").status(), "holders"), "3 of other tenants");
}

TEST_F(SessionRegistryTest, EverySessionHasADrawOfItsOwnForCopiesWithoutASeed) {
  ASSERT_TRUE(Create("a").ok());
  EXPECT_EQ(control_.unseeded_seed, 1u);
  ASSERT_TRUE(Create("a").ok());  // a repeat makes and draws nothing
  EXPECT_EQ(num_draws_, 1u);
  ASSERT_TRUE(Create("b").ok());
  EXPECT_EQ(control_.unseeded_seed, 2u);
}

TEST_F(SessionRegistryTest, ARepeatWhileTheSessionIsMadeWaitsForIt) {
  control_.Close();
  const auto first = Start(Request("a"));
  const auto again = Start(Request("a"));
  const auto other = Start(Request("b"));
  control_.AwaitWaiting(1);
  EXPECT_EQ(control_.num_builds, 1);
  control_.Open();
  ASSERT_TRUE(first.get().ok());
  EXPECT_EQ(first.get()->get(), again.get()->get());
  EXPECT_NE(first.get()->get(), other.get()->get());
  EXPECT_EQ(control_.num_builds, 1);  // shared by all three
}

TEST_F(SessionRegistryTest, BuildsKeepNeitherWorkersNorFinishedEnvironmentsWaiting) {
  ASSERT_TRUE(registry_.Remove(tenant_, (*Create("a"))->name()).ok());
  control_.Close();
  std::vector<std::shared_future<Made>> waiting;
  for (const std::string id : {"B", "C"}) {
    v1::CreateSessionRequest request = Request(id);
    request.set_environment_id(id + "-v0");
    waiting.push_back(Start(request));
  }
  control_.AwaitWaiting(1);
  // The only worker is free, and so is the thread on which copies are made.
  std::promise<void> ran;
  pool_->Submit([&] { ran.set_value(); });
  ran.get_future().wait();
  ASSERT_TRUE(Create("a2").ok());
  EXPECT_EQ(control_.num_builds, 2);  // A's, and one of the two
  EXPECT_TRUE(store_.building());
  control_.Open();
  for (const auto& made : waiting) EXPECT_TRUE(made.get().ok());
  EXPECT_EQ(control_.num_builds, 3);
}

TEST_F(SessionRegistryTest, AFailedBuildIsToldToAllWaitersAndNotKept) {
  control_.build_fails = true;
  control_.Close();
  const auto first = Start(Request("a"));
  const auto other = Start(Request("b"));
  control_.Open();
  EXPECT_EQ(first.get().status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(other.get().status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(registry_.num_sessions(), 0);
  control_.build_fails = false;
  EXPECT_TRUE(Create("a").ok());
}

TEST_F(SessionRegistryTest, SessionsAreLimitedAlsoWhileTheyAreMade) {
  control_.Close();
  const auto a = Start(Request("a"));
  const auto b = Start(Request("b"));
  const auto c = Start(Request("c"));
  EXPECT_EQ(ReasonOf(Create("d").status()), reason::kTooManySessions);
  control_.Open();
  ASSERT_TRUE(a.get().ok() && b.get().ok() && c.get().ok());
  EXPECT_EQ(ReasonOf(Create("d").status()), reason::kTooManySessions);
  ASSERT_TRUE(registry_.Remove(tenant_, (*a.get())->name()).ok());
  EXPECT_TRUE(Create("d").ok());
}

TEST_F(SessionRegistryTest, AFullServerTellsWhoHoldsItAndForHowLongYet) {
  ASSERT_TRUE(Create("a", 2).ok());
  now_s_ += 4;
  ASSERT_TRUE(Create("b").ok());
  const std::string name = (*Create("c", 4))->name();
  now_s_ += 3;
  const auto use = Acquire(name);
  const absl::Status full = Create("d").status();
  const std::string holders =
      "3 of A-v0 (7 copies, 1 in use, idle 3s to 7s); the first is let go in 3s if nobody calls it";
  EXPECT_EQ(MetadataOf(full, "holders"), holders);
  EXPECT_NE(std::string(full.message()).find(holders), std::string::npos) << full;
}

TEST_F(SessionRegistryTest, ALateRepeatDoesNotRaiseTheDead) {
  const Made made = Create("a");
  const std::string name = (*made)->name();
  ASSERT_TRUE(registry_.Remove(tenant_, name).ok());
  EXPECT_EQ(ReasonOf(Create("a").status()), reason::kUnknownSession);
  EXPECT_EQ(ReasonOf(registry_.Remove(tenant_, name).status()), reason::kUnknownSession);
  EXPECT_EQ(registry_.num_sessions(), 0);
}

TEST_F(SessionRegistryTest, EndedRequestsAreForgottenInTheEnd) {
  for (int i = 0; i < 5000; ++i) {
    const Made made = Create(absl::StrCat("r", i));
    ASSERT_TRUE(made.ok());
    ASSERT_TRUE(registry_.Remove(tenant_, (*made)->name()).ok());
  }
  EXPECT_EQ(ReasonOf(Create("r4999").status()), reason::kUnknownSession);
  EXPECT_TRUE(Create("r0").ok());
}

TEST_F(SessionRegistryTest, RemovedSessionsFreeTheirCopies) {
  std::string name = (*Create("a"))->name();
  EXPECT_EQ(control_.num_alive, 1);
  ASSERT_TRUE(registry_.Remove(tenant_, name).ok());
  while (control_.num_alive > 0) std::this_thread::yield();  // its maker may still hold it
}

TEST_F(SessionRegistryTest, IdleSessionsAreRemovedAndUsedOnesAreNot) {
  const std::string idle = (*Create("a"))->name();
  const std::string used = (*Create("b"))->name();
  const std::string busy = (*Create("c"))->name();
  {
    const auto use = Acquire(busy);
    now_s_ += 9;
    ASSERT_TRUE(Acquire(used).ok());
    EXPECT_EQ(registry_.RemoveOld(), 0);
    now_s_ += 1;
    EXPECT_EQ(registry_.RemoveOld(), 1);
    EXPECT_EQ(ReasonOf(Acquire(idle).status()), reason::kUnknownSession);
    now_s_ += 1000;
    EXPECT_EQ(registry_.RemoveOld(), 1);  // `used`; `busy` has an operation running
  }
  EXPECT_EQ(registry_.RemoveOld(), 0);  // its time starts when the operation ends
  now_s_ += 10;
  EXPECT_EQ(registry_.RemoveOld(), 1);
  EXPECT_EQ(registry_.num_sessions(), 0);
}

TEST_F(SessionRegistryTest, CallsOfASessionAreLimited) {
  const std::string name = (*Create("a"))->name();
  auto first = Acquire(name);
  {
    const auto second = Acquire(name);
    ASSERT_TRUE(first.ok() && second.ok());
    EXPECT_EQ(registry_.num_calls(), 2);
    EXPECT_EQ(ReasonOf(Acquire(name).status()), reason::kTooManyCalls);
  }
  EXPECT_TRUE(Acquire(name).ok());
  SessionUse moved = *std::move(first);
  EXPECT_EQ(registry_.num_calls(), 1);
}

TEST_F(SessionRegistryTest, DrainingRefusesNewWorkAndAnswersWhoWaits) {
  const std::string name = (*Create("a"))->name();
  v1::CreateSessionRequest other = Request("b");
  other.set_environment_id("B-v0");
  control_.Close();
  const auto waiting = Start(other);
  control_.AwaitWaiting(1);
  registry_.Drain();
  EXPECT_EQ(ReasonOf(waiting.get().status()), reason::kShuttingDown);  // while the build goes on
  EXPECT_EQ(ReasonOf(Create("c").status()), reason::kShuttingDown);
  EXPECT_EQ(ReasonOf(Acquire(name).status()), reason::kShuttingDown);
  control_.Open();
  while (!pool_->idle()) {
  }
  EXPECT_EQ(registry_.num_sessions(), 1);
}

TEST_F(SessionRegistryTest, WhatIsOfferedMayBeExchanged) {
  const auto create = [this](const std::string& id, const std::string& environment_id) {
    v1::CreateSessionRequest request = Request(id);
    request.set_environment_id(environment_id);
    return Start(request).get();
  };
  const Made old = create("a", "A-v0");
  ASSERT_TRUE(old.ok());
  ASSERT_TRUE(create("b", "B-v0").ok());
  EXPECT_EQ(control_.num_builds, 2);
  // A-v0 has gone, B-v0 is another one.
  store_.Exchange({FakeSpec("B-v0")}, FakeBuilder(control_), {{"B-v0", "2"}});
  EXPECT_EQ(store_.offered()->specs.size(), 1u);
  EXPECT_EQ(ReasonOf(store_.Find("A-v0").status()), reason::kUnknownEnvironment);
  EXPECT_EQ(ReasonOf(create("c", "A-v0").status()), reason::kUnknownEnvironment);
  EXPECT_TRUE(Acquire((*old)->name()).ok());
  ASSERT_TRUE(create("d", "B-v0").ok());
  EXPECT_EQ(control_.num_builds, 3);
  // What stays the same is not built again.
  store_.Exchange({FakeSpec("B-v0"), FakeSpec("A-v0")}, FakeBuilder(control_), {{"B-v0", "2"}});
  ASSERT_TRUE(registry_.Remove(tenant_, (*old)->name()).ok());
  ASSERT_TRUE(create("e", "B-v0").ok());
  EXPECT_EQ(control_.num_builds, 3);
}

TEST_F(SessionRegistryTest, WhatIsNotOfferedIsRefusedWithTheReason) {
  v1::EnvironmentNotOffered deaf;
  deaf.set_environment_id("B-v0");
  deaf.set_system("deaf");
  deaf.set_why("mea.json is absent; accepted: electrodes");
  store_.Exchange({FakeSpec("A-v0")}, FakeBuilder(control_), {}, {}, {deaf});
  v1::CreateSessionRequest request = Request("a");
  request.set_environment_id("B-v0");
  for (const absl::Status& refused :
       {store_.Find("B-v0").status(), Start(request).get().status()}) {
    EXPECT_EQ(ReasonOf(refused), reason::kUnknownEnvironment);
    EXPECT_EQ(refused.message(),
              "there is no environment_id 'B-v0': mea.json is absent; accepted: electrodes; "
              "there are: A-v0");
    EXPECT_EQ(MetadataOf(refused, "accepted"), "A-v0");
  }
  EXPECT_EQ(store_.Find("C-v0").status().message(),
            "there is no environment_id 'C-v0'; accepted: A-v0");
  // It has what it lacked.
  store_.Exchange({FakeSpec("A-v0"), FakeSpec("B-v0")}, FakeBuilder(control_), {});
  EXPECT_TRUE(store_.offered()->not_offered.empty());
  EXPECT_TRUE(Start(request).get().ok());
}

TEST_F(SessionRegistryTest, ABuildThatIsOvertakenIsForThoseWhoWaitForIt) {
  control_.Close();
  const auto early = Start(Request("a"));
  control_.AwaitWaiting(1);
  store_.Exchange({FakeSpec("A-v0")}, FakeBuilder(control_), {{"A-v0", "2"}});
  control_.Open();
  EXPECT_TRUE(early.get().ok());
  EXPECT_TRUE(Create("b").ok());
  EXPECT_EQ(control_.num_builds, 2);
}

TEST_F(SessionRegistryTest, DrainingSendsAwayTheCallsThatWaitAndLetsOthersEnd) {
  const std::string name = (*Create("a"))->name();
  std::promise<void> begun, release, over;
  (*Acquire(name))->Post([&](Bid bid) {
    EXPECT_EQ(bid, Bid::kTurn);
    begun.set_value();
    release.get_future().wait();
    over.set_value();
    return Turn::kOver;
  });
  begun.get_future().wait();
  int num_gone = 0;
  auto use = Acquire(name);
  (*use)->Post([&num_gone, use = *std::move(use)](Bid bid) {
    num_gone += bid == Bid::kGo ? 1 : 100;
    return Turn::kOver;
  });
  EXPECT_EQ(registry_.num_calls(), 1);
  registry_.Drain();
  EXPECT_EQ(num_gone, 1);
  EXPECT_EQ(registry_.num_calls(), 0);
  release.set_value();
  over.get_future().wait();
}

}  // namespace
}  // namespace livnd::server
