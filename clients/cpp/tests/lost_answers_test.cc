// Requests and answers get lost between a client and a real server. Nothing is done twice, what was
// answered was done, and a session can be used on from wherever the losses leave it.
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "clients/cpp/client.h"
#include "clients/cpp/tensor.h"
#include "clients/cpp/tests/lossy_proxy.h"
#include "clients/cpp/tests/server_process.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "livnd/v1/culture_service.grpc.pb.h"
#include "livnd/v1/environment_service.grpc.pb.h"
#include "livnd/v1/server_service.grpc.pb.h"
#include "livnd/v1/session_service.grpc.pb.h"

namespace livnd::client {
namespace {

using std::chrono::milliseconds;

constexpr char kEnvironment[] = "Null-v0";  // costs nothing but the calls

enum class Operation { kStep, kOtherStep, kReset, kMaskedReset };

// What a caller did: one operation, called once or again and again until it was answered.
struct Deed {
  Operation operation;
  bool answered;
};

// What has become of the one copy.
struct Place {
  int64_t num_operations = 0;  // that were done
  int64_t num_episodes = 0;    // that were begun
  float last_action = 0.0f;    // of the running episode; 0 at its start
  bool operator<(const Place& other) const {
    return std::tie(num_operations, num_episodes, last_action) <
           std::tie(other.num_operations, other.num_episodes, other.last_action);
  }
};

constexpr float kAction = 0.25f;
constexpr float kOtherAction = 0.5f;

// Where the copy may be after these deeds: each that was answered was done once, each other one once
// or not at all.
std::set<Place> Possible(Place start, const std::vector<Deed>& deeds) {
  std::set<Place> places = {start};
  for (const Deed& deed : deeds) {
    std::set<Place> after;
    for (Place place : places) {
      if (!deed.answered) after.insert(place);
      ++place.num_operations;
      if (deed.operation == Operation::kStep) {
        place.last_action = kAction;
      } else if (deed.operation == Operation::kOtherStep) {
        place.last_action = kOtherAction;
      } else {
        ++place.num_episodes;
        place.last_action = 0.0f;
      }
      after.insert(place);
    }
    places = std::move(after);
  }
  return places;
}

class LostAnswersTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder();
    server_ = ServerProcess::Start(*folder_, {"--bench-environments"}).release();
    ASSERT_TRUE(server_->ready()) << server_->log();
  }
  static void TearDownTestSuite() {
    delete server_;
    delete folder_;
  }

  // A session through the proxy, on a client that gives up at the first failure or goes on.
  std::unique_ptr<Session> Open(milliseconds retry_time = milliseconds(0)) {
    ClientOptions options;
    options.retry_time = retry_time;
    client_ = Client::Connect(proxy_.address(), options);
    auto created = client_->CreateSession({kEnvironment});
    EXPECT_TRUE(created.ok()) << created.error().ToString();
    return *std::move(created);
  }
  static std::vector<float> Action(const Session& session, float value) {
    return std::vector<float>(session.action_size(), value);
  }
  static Error Done() { return {grpc::StatusCode::OK, "done", "", {}}; }
  // Its error, or Done().
  static Error Do(Operation operation, Session& session) {
    switch (operation) {
      case Operation::kReset:
      case Operation::kMaskedReset: {
        ResetOptions options;
        options.seeds = {7};
        if (operation == Operation::kMaskedReset) options.mask = {true};
        const auto result = session.Reset(options);
        return result.ok() ? Done() : result.error();
      }
      default: {
        const auto result =
            session.Step(Action(session, operation == Operation::kStep ? kAction : kOtherAction));
        return result.ok() ? Done() : result.error();
      }
    }
  }

  // Where the one copy is, asked past proxy and client.
  Place Look(const Session& session) {
    v1::ObserveRequest request;
    request.set_session(session.name());
    v1::ObserveResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Observe(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::vector<int64_t> episodes;
    std::vector<float> observations;
    EXPECT_TRUE(Unpack(response.episodes(), &episodes));
    EXPECT_TRUE(Unpack(response.observations(0), &observations));
    return {response.next_op_index() - 1, episodes.at(0), observations.at(0)};
  }

  static TemporaryFolder* folder_;
  static ServerProcess* server_;
  static int num_proxies_;
  const std::unique_ptr<v1::EnvironmentService::Stub> stub_ = v1::EnvironmentService::NewStub(
      grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
  LossyProxy proxy_{folder_->path("proxy" + std::to_string(++num_proxies_)), server_->address()};
  std::unique_ptr<Client> client_;
};
TemporaryFolder* LostAnswersTest::folder_ = nullptr;
ServerProcess* LostAnswersTest::server_ = nullptr;
int LostAnswersTest::num_proxies_ = 0;

// One order of operations and losses: what the caller does, and what becomes of each message. When
// the fates are used up, messages are answered.
struct Story {
  std::vector<Operation> operations;
  std::vector<Fate> fates;
};

// All stories of `length` operations and fates that begin with a loss: what follows an answer is a
// shorter story. The two steps differ in nothing but that they differ, so the first is kStep. A
// masked reset is to the client an operation like a step, and left out of the longest stories.
std::vector<Story> AllStories(size_t length) {
  std::vector<Story> stories = {{}};
  for (size_t i = 0; i < length; ++i) {
    std::vector<Story> longer;
    for (const Story& story : stories) {
      bool stepped = false;
      for (const Operation operation : story.operations) {
        stepped |= operation == Operation::kStep;
      }
      for (const Operation operation :
           {Operation::kStep, Operation::kOtherStep, Operation::kReset, Operation::kMaskedReset}) {
        if (operation == Operation::kOtherStep && !stepped) continue;
        if (operation == Operation::kMaskedReset && length > 3) continue;
        for (const Fate& fate : {Fate::RequestLost(), Fate::AnswerLost(), Fate::Answered()}) {
          if (i == 0 && fate.status.ok()) continue;
          longer.push_back(story);
          longer.back().operations.push_back(operation);
          longer.back().fates.push_back(fate);
        }
      }
    }
    stories = std::move(longer);
  }
  return stories;
}

TEST_F(LostAnswersTest, EveryOrderOfUpToFourOperationsAndLosses) {
  const auto session = Open();
  ASSERT_TRUE(session->Reset().ok());
  int64_t num_unknown = 0;
  for (size_t length = 1; length <= 4; ++length) {
    for (const Story& story : AllStories(length)) {
      const Place start = Look(*session);
      std::vector<Deed> deeds;
      std::string told;
      for (const Fate& fate : story.fates) proxy_.Meet(fate);
      for (const Operation operation : story.operations) {
        const bool open = !deeds.empty() && !deeds.back().answered;
        const bool again = open && deeds.back().operation == operation;
        const Error error = Do(operation, *session);
        told += std::to_string(static_cast<int>(operation)) + " " + error.ToString() + "\n";
        if (error.reason == "UNKNOWN_OUTCOME") {
          ASSERT_TRUE(open && !again && operation != Operation::kReset) << told;
          ++num_unknown;
          continue;
        }
        const bool answered = error.code == grpc::StatusCode::OK;
        ASSERT_TRUE(answered || error.in_doubt) << told;
        ASSERT_TRUE(!open || again || operation == Operation::kReset) << told;
        if (again) {
          deeds.back().answered = answered;
        } else {
          deeds.push_back({operation, answered});
        }
      }
      proxy_.TakeFates();
      ASSERT_TRUE(Possible(start, deeds).count(Look(*session))) << told;
      // From here on nothing is lost, and a reset goes on from anywhere.
      const Error end = Do(Operation::kReset, *session);
      ASSERT_EQ(end.code, grpc::StatusCode::OK) << told << end.ToString();
      if (!deeds.empty() && !deeds.back().answered && deeds.back().operation == Operation::kReset) {
        deeds.back().answered = true;
      } else {
        deeds.push_back({Operation::kReset, true});
      }
      ASSERT_TRUE(Possible(start, deeds).count(Look(*session))) << told;
    }
  }
  EXPECT_GT(num_unknown, 0);
  EXPECT_TRUE(session->Step(Action(*session, kAction)).ok());
}

// --- what is repeated, and for how long ---------------------------------------------------------

TEST_F(LostAnswersTest, ACallIsRepeatedFromItsFirstFailureOn) {
  const auto session = Open(milliseconds(400));
  ASSERT_TRUE(session->Reset().ok());
  // The line breaks when the call has lasted for longer than a failure is borne.
  Fate late = Fate::AnswerLost();
  late.delay = milliseconds(800);
  proxy_.Meet(late);
  EXPECT_TRUE(session->Step(Action(*session, kAction)).ok());
  EXPECT_EQ(Look(*session).num_operations, 2);
}

TEST_F(LostAnswersTest, ServersThatEndOrAreFullAreAskedAgain) {
  const auto session = Open(milliseconds(60'000));
  ASSERT_TRUE(session->Reset().ok());
  for (const Fate& fate : {Fate::RequestLost(), Fate::AnswerLost(),
                           Fate::Refused(grpc::StatusCode::UNAVAILABLE, "SHUTTING_DOWN"),
                           Fate::Refused(grpc::StatusCode::RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")}) {
    const int64_t before = proxy_.num_operations();
    for (int i = 0; i < 3; ++i) proxy_.Meet(fate);
    const auto step = session->Step(Action(*session, kAction));
    EXPECT_TRUE(step.ok()) << step.error().ToString();
    EXPECT_EQ(proxy_.num_operations() - before, 4);
  }
  EXPECT_EQ(Look(*session).num_operations, 1 + 4);
}

TEST_F(LostAnswersTest, NothingElseIsRepeated) {
  const auto session = Open(milliseconds(60'000));
  ASSERT_TRUE(session->Reset().ok());
  const std::vector<std::pair<Fate, bool>> cases = {
      {Fate::Refused(grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD"), false},
      {Fate::Refused(grpc::StatusCode::RESOURCE_EXHAUSTED, "TOO_MANY_SPIKES"), false},
      {Fate::Refused(grpc::StatusCode::INTERNAL, "INTERNAL"), true},
      {{false, {grpc::StatusCode::DEADLINE_EXCEEDED, "late"}}, true},
      {{false, {grpc::StatusCode::CANCELLED, "cut"}}, true},
      {{false, {grpc::StatusCode::UNKNOWN, "what"}}, true}};
  for (const auto& [fate, in_doubt] : cases) {
    const int64_t before = proxy_.num_operations();
    proxy_.Meet(fate);
    const auto step = session->Step(Action(*session, kAction));
    ASSERT_FALSE(step.ok());
    EXPECT_EQ(step.error().code, fate.status.error_code());
    EXPECT_EQ(step.error().in_doubt, in_doubt) << step.error().ToString();
    EXPECT_EQ(proxy_.num_operations() - before, 1);
  }
  EXPECT_TRUE(session->Step(Action(*session, kAction)).ok());
}

TEST_F(LostAnswersTest, ObserveEndsADoubtAboutWhatWasDone) {
  const auto session = Open();
  ASSERT_TRUE(session->Reset().ok());
  for (const bool done : {false, true}) {
    proxy_.Meet(done ? Fate::AnswerLost() : Fate::RequestLost());
    ASSERT_TRUE(session->Step(Action(*session, kAction)).error().in_doubt);
    ASSERT_TRUE(session->Observe().ok());
    const auto other = session->Step(Action(*session, kOtherAction));
    EXPECT_EQ(other.ok(), done) << "what was not done may still come";
    if (!done) {
      EXPECT_EQ(other.error().reason, "UNKNOWN_OUTCOME");
      EXPECT_TRUE(session->Step(Action(*session, kAction)).ok());
    }
  }
  EXPECT_EQ(Look(*session).num_operations, 1 + 3);
}

// --- addresses ----------------------------------------------------------------------------------

TEST_F(LostAnswersTest, ASocketsPathMayHoldAnyCharacters) {
  for (const char* name : {"a#b", "a?b=c", "a%41", "a b", "\xc3\xa9"}) {
    LossyProxy proxy(folder_->path(name), server_->address());
    const auto info = Client::Connect(proxy.address())->GetServerInfo();
    EXPECT_TRUE(info.ok()) << name << ": " << info.error().ToString();
  }
}

}  // namespace
}  // namespace livnd::client
