// Beginning and end of a real server: what it claims, what it refuses, how it ends, and what a
// client sees of all that.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "clients/cpp/client.h"
#include "clients/cpp/tests/server_process.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "livnd/v1/culture_service.grpc.pb.h"
#include "livnd/v1/environment_service.grpc.pb.h"
#include "livnd/v1/server_service.grpc.pb.h"
#include "livnd/v1/session_service.grpc.pb.h"

namespace livnd::client {
namespace {

using std::chrono::milliseconds;

constexpr char kEnvironment[] = "TargetRate-EI-mini-v0";

std::string Read(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A method of any service, bytes to bytes.
grpc::Status CallBytes(const std::string& address, const std::string& method,
                       const std::string& request, std::string* response) {
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  const grpc::Slice slice(request);
  const grpc::ByteBuffer out(&slice, 1);
  grpc::ByteBuffer in;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, method, &queue);
  grpc::Status status;
  void* tag;
  bool ok;
  call->StartCall(nullptr);
  queue.Next(&tag, &ok);
  call->WriteLast(out, grpc::WriteOptions(), nullptr);
  queue.Next(&tag, &ok);
  call->Read(&in, nullptr);
  queue.Next(&tag, &ok);
  const bool answered = ok;
  call->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  std::vector<grpc::Slice> slices;
  if (answered && in.Dump(&slices).ok()) {
    for (const grpc::Slice& part : slices) {
      response->append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
  }
  return status;
}

class LifecycleTest : public ::testing::Test {
 protected:
  std::unique_ptr<ServerProcess> Start(std::vector<std::string> flags = {}) {
    return ServerProcess::Start(folder_, std::move(flags));
  }
  static std::vector<float> NoAction(const Session& session) {
    return std::vector<float>(session.num_envs() * session.action_size());
  }
  TemporaryFolder folder_;
};

TEST_F(LifecycleTest, TheReadyLineIsTheEndpointFile) {
  const auto server = Start({"--state-dir", folder_.path("state"), "--listen", "127.0.0.1:0"});
  ASSERT_TRUE(server->ready()) << server->log();
  const nlohmann::json& ready = server->ready_line();
  EXPECT_EQ(ready.at("event"), "ready");
  EXPECT_EQ(ready.at("pid"), server->pid());
  EXPECT_FALSE(ready.at("version").get<std::string>().empty());
  EXPECT_TRUE(Contains(ready.at("environments").dump(), kEnvironment));
  EXPECT_EQ(ready.at("address").get<std::string>().rfind("127.0.0.1:", 0), 0u);
  EXPECT_NE(ready.at("address"), "127.0.0.1:0");
  EXPECT_EQ(nlohmann::json::parse(Read(folder_.path("state/endpoint.json"))), ready);
  EXPECT_TRUE(Client::Connect(server->address())->GetServerInfo().ok());
}

TEST_F(LifecycleTest, SigtermAndSigintEndItInOrder) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const auto server =
        Start({"--state-dir", folder_.path("state"), "--listen", "unix:" + folder_.path("s")});
    ASSERT_TRUE(server->ready()) << server->log();
    struct stat socket;
    ASSERT_EQ(stat(folder_.path("s").c_str(), &socket), 0);
    EXPECT_TRUE(S_ISSOCK(socket.st_mode));
    EXPECT_EQ(socket.st_mode & 0777, 0600u);
    // A client is connected and holds a session.
    const auto client = Client::Connect(server->address());
    const auto session = client->CreateSession({kEnvironment});
    ASSERT_TRUE(session.ok()) << session.error().ToString();
    server->Signal(signal);
    EXPECT_EQ(server->WaitForExit(), 0) << server->log();
    EXPECT_FALSE(std::filesystem::exists(folder_.path("s")));
    EXPECT_FALSE(std::filesystem::exists(folder_.path("s.lock")));
    // The session is for the next server.
    EXPECT_GT(std::filesystem::remove_all(folder_.path("state/sessions")), 1u);
    // Nothing was recorded, and nothing else is left.
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path("state/recordings")));
    std::filesystem::remove_all(folder_.path("state/recordings"));
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path("state")));
  }
}

TEST_F(LifecycleTest, ARunningStepIsFinishedBeforeTheEnd) {
  const auto server = Start({"--threads", "1"});
  ASSERT_TRUE(server->ready()) << server->log();
  ClientOptions once;
  once.retry_time = milliseconds(0);
  const auto client = Client::Connect(server->address(), once);
  auto session = *client->CreateSession({kEnvironment, 128});
  ASSERT_TRUE(session->Reset().ok());
  std::atomic<bool> sent{false};
  int num_steps = 0;
  std::string reason;
  std::thread driver([&] {
    while (true) {
      sent = true;
      const auto step = session->Step(NoAction(*session));
      if (!step.ok()) {
        reason = step.error().ToString();
        // Never an answer cut off in the middle: either refused, or the server was gone.
        EXPECT_TRUE(step.error().reason == "SHUTTING_DOWN" || step.error().in_doubt) << reason;
        return;
      }
      ++num_steps;
    }
  });
  while (!sent) std::this_thread::yield();
  std::this_thread::sleep_for(milliseconds(100));
  server->Signal(SIGTERM);
  EXPECT_EQ(server->WaitForExit(), 0) << server->log();
  driver.join();
  EXPECT_GT(num_steps, 0) << reason;
}

TEST_F(LifecycleTest, ABuildDoesNotHoldUpTheEndAndItsClientIsTold) {
  const auto server = Start();
  ASSERT_TRUE(server->ready()) << server->log();
  std::string reason;
  std::thread creator([&] {
    ClientOptions once;
    once.retry_time = milliseconds(0);
    const auto client = Client::Connect(server->address(), once);
    const auto session = client->CreateSession({kEnvironment});  // settles for a while
    if (!session.ok()) reason = session.error().reason;
  });
  for (int i = 0; i < 2000 && !Contains(server->log(), "building"); ++i) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  server->Signal(SIGTERM);
  EXPECT_EQ(server->WaitForExit(), 0) << server->log();
  creator.join();
  EXPECT_FALSE(Contains(server->log(), "built")) << server->log();
  EXPECT_EQ(reason, "SHUTTING_DOWN");
}

TEST_F(LifecycleTest, ItEndsWithItsStandardInputIfAskedTo) {
  const auto child = Start({"--exit-with-stdin"});
  ASSERT_TRUE(child->ready()) << child->log();
  EXPECT_EQ(child->WaitForExit(milliseconds(200)), std::nullopt);
  child->CloseStdin();
  EXPECT_EQ(child->WaitForExit(), 0) << child->log();

  const auto daemon = Start();
  ASSERT_TRUE(daemon->ready());
  daemon->CloseStdin();
  EXPECT_EQ(daemon->WaitForExit(milliseconds(300)), std::nullopt);
  EXPECT_TRUE(Client::Connect(daemon->address())->GetServerInfo().ok());
}

TEST_F(LifecycleTest, TwoServersOnOneAddressAreRefused) {
  for (const std::string& listen : {"unix:" + folder_.path("s"), std::string("127.0.0.1:0")}) {
    const auto first = Start({"--listen", listen});
    ASSERT_TRUE(first->ready()) << first->log();
    const auto second = Start({"--listen", first->address()});
    EXPECT_FALSE(second->ready());
    EXPECT_EQ(second->WaitForExit(), 1);
    EXPECT_TRUE(Contains(second->log(), first->address().substr(5))) << second->log();
    EXPECT_TRUE(Client::Connect(first->address())->GetServerInfo().ok());
  }
}

TEST_F(LifecycleTest, TwoServersOnOneStateFolderAreRefused) {
  const auto first = Start({"--state-dir", folder_.path("state")});
  ASSERT_TRUE(first->ready()) << first->log();
  const auto second = Start({"--state-dir", folder_.path("state")});
  EXPECT_FALSE(second->ready());
  EXPECT_EQ(second->WaitForExit(), 1);
  EXPECT_TRUE(Contains(second->log(), std::to_string(first->pid()))) << second->log();
}

TEST_F(LifecycleTest, AKilledServerLocksNobodyOut) {
  const std::vector<std::string> flags = {"--state-dir", folder_.path("state"), "--listen",
                                          "unix:" + folder_.path("s")};
  const auto first = Start(flags);
  ASSERT_TRUE(first->ready());
  first->Signal(SIGKILL);
  EXPECT_EQ(first->WaitForExit(), 128 + SIGKILL);
  EXPECT_TRUE(std::filesystem::exists(folder_.path("s")));
  const auto second = Start(flags);
  ASSERT_TRUE(second->ready()) << second->log();
  EXPECT_TRUE(Client::Connect(second->address())->GetServerInfo().ok());
}

TEST_F(LifecycleTest, AClientFindsAServerThatCameBack) {
  const std::vector<std::string> flags = {"--listen", "unix:" + folder_.path("s")};
  auto server = Start(flags);
  ClientOptions impatient;
  impatient.retry_time = milliseconds(1500);
  const auto client = Client::Connect(server->address(), impatient);
  auto session = *client->CreateSession({kEnvironment});
  ASSERT_TRUE(session->Reset().ok());
  server->Signal(SIGKILL);
  server->WaitForExit();
  const auto lost = session->Step(NoAction(*session));
  ASSERT_FALSE(lost.ok());
  EXPECT_TRUE(lost.error().in_doubt) << lost.error().ToString();
  server = Start(flags);
  ASSERT_TRUE(server->ready());
  // The session went with the server; that is said, not hidden.
  const auto gone = session->Step(NoAction(*session));
  ASSERT_FALSE(gone.ok());
  EXPECT_TRUE(gone.error().session_gone()) << gone.error().ToString();
  const auto another = client->CreateSession({kEnvironment});
  ASSERT_TRUE(another.ok()) << another.error().ToString();
  EXPECT_TRUE((*another)->Reset().ok());
}

TEST_F(LifecycleTest, AClientConnectsWithItsFirstCall) {
  const auto client = Client::Connect("unix:" + folder_.path("late"));
  std::unique_ptr<ServerProcess> server;
  std::thread starter([&] {
    std::this_thread::sleep_for(milliseconds(500));
    server = Start({"--listen", "unix:" + folder_.path("late")});
  });
  const auto info = client->GetServerInfo();  // waits for it
  EXPECT_TRUE(info.ok()) << info.error().ToString();
  starter.join();
}

TEST_F(LifecycleTest, BeyondThisMachineOnlyWithTheFlag) {
  for (const char* address : {"0.0.0.0:0", "[::]:0"}) {
    const auto refused = Start({"--listen", address});
    EXPECT_FALSE(refused->ready());
    EXPECT_EQ(refused->WaitForExit(), 1);
    EXPECT_TRUE(Contains(refused->log(), "--allow-insecure-remote")) << refused->log();
  }
  EXPECT_TRUE(Start({"--listen", "0.0.0.0:0", "--allow-insecure-remote"})->ready());
}

TEST_F(LifecycleTest, BadCommandLinesAreRefusedWithWhatIsAccepted) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--lsiten", "x"}, "--listen"},
      {{"--listen", "nowhere"}, "unix:PATH"},
      {{"--threads", "0"}, "1 .. 1024"},
      {{"--lease", "soon"}, "30m"},
      {{"--durability", "some"}, "none, process, power"},
      {{"extra"}, "extra"},
      {{"--systems", folder_.path("nothing")}, "nothing"}};
  for (const auto& [flags, part] : cases) {
    const auto refused = Start(flags);
    EXPECT_FALSE(refused->ready());
    EXPECT_NE(refused->WaitForExit(), 0);
    EXPECT_TRUE(Contains(refused->log(), part)) << refused->log();
  }
}

TEST_F(LifecycleTest, ABrokenSystemDoesNotTakeTheOthersAway) {
  const std::string systems = folder_.path("systems");
  std::filesystem::create_directory(systems);
  std::filesystem::copy("systems/EI-mini", systems + "/EI-mini",
                        std::filesystem::copy_options::recursive);
  std::filesystem::create_directory(systems + "/broken");
  std::ofstream(systems + "/broken/graph.json") << "{";
  std::ofstream(systems + "/no-system") << "";
  const auto server = Start({"--systems", systems});
  ASSERT_TRUE(server->ready()) << server->log();
  EXPECT_TRUE(Contains(server->log(), "broken/graph.json")) << server->log();
  EXPECT_EQ(*Client::Connect(server->address())->ListSystems(),
            std::vector<std::string>{"EI-mini"});
}

TEST_F(LifecycleTest, IdleSessionsAreLetGo) {
  const auto server = Start({"--session-retention", "400ms", "--max-sessions", "1"});
  ASSERT_TRUE(server->ready()) << server->log();
  const auto client = Client::Connect(server->address());
  auto session = *client->CreateSession({kEnvironment});
  ASSERT_TRUE(session->Reset().ok());
  for (int i = 0; i < 5; ++i) {  // calls keep it
    std::this_thread::sleep_for(milliseconds(150));
    ASSERT_TRUE(session->Observe().ok());
  }
  const auto full = client->CreateSession({kEnvironment});
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().reason, "TOO_MANY_SESSIONS");
  std::this_thread::sleep_for(milliseconds(900));
  const auto gone = session->Step(NoAction(*session));
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().reason, "UNKNOWN_SESSION");
  EXPECT_TRUE(client->CreateSession({kEnvironment}).ok());  // its slot is free
}

TEST_F(LifecycleTest, DroppedAnswersAreFetchedByRepeating) {
  const auto server = Start({"--threads", "2"});
  ASSERT_TRUE(server->ready()) << server->log();
  const auto patient = Client::Connect(server->address());
  const auto reference = *patient->CreateSession({kEnvironment, 64});

  // Every call but the last few runs into its deadline before the step is done, and is made again.
  ClientOptions hasty;
  hasty.call_timeout = milliseconds(5);
  const auto client = Client::Connect(server->address(), hasty);
  const auto insist = [](const auto& call) {
    auto result = call();
    while (!result.ok() && result.error().in_doubt) result = call();
    return result;
  };
  auto created = client->CreateSession({kEnvironment, 64});
  ASSERT_TRUE(created.ok()) << created.error().ToString();
  Session& session = **created;
  ResetOptions options;
  for (uint64_t i = 0; i < 64; ++i) options.seeds.push_back(i);
  const auto expected = reference->Reset(options);
  const auto reset = insist([&] { return session.Reset(options); });
  ASSERT_TRUE(reset.ok()) << reset.error().ToString();
  EXPECT_EQ(reset->observations, expected->observations);
  for (int i = 0; i < 5; ++i) {
    const auto want = reference->Step(NoAction(session));
    const auto got = insist([&] { return session.Step(NoAction(session)); });
    ASSERT_TRUE(got.ok()) << got.error().ToString();
    EXPECT_EQ(got->observations, want->observations);
    EXPECT_EQ(got->rewards, want->rewards);
  }
  const auto seen = session.Observe();
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->ticks[0], 5 * session.spec().step_duration_ms() * 1e6 / session.spec().tick_ns());
  EXPECT_EQ(session.next_op_index(), 7);
}

TEST_F(LifecycleTest, HealthAndReflectionAnswer) {
  const auto server = Start();
  ASSERT_TRUE(server->ready());
  const std::string service = "livnd.v1.EnvironmentService";
  const std::string name = std::string("\x0a") + static_cast<char>(service.size()) + service;
  for (const std::string& request : {std::string(), name}) {
    std::string response;
    ASSERT_TRUE(
        CallBytes(server->address(), "/grpc.health.v1.Health/Check", request, &response).ok());
    EXPECT_EQ(response, "\x08\x01");  // SERVING
  }
  std::string services;
  ASSERT_TRUE(CallBytes(server->address(),
                        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                        std::string("\x3a\x00", 2), &services)
                  .ok());
  EXPECT_TRUE(Contains(services, service));
  EXPECT_TRUE(Contains(services, "grpc.health.v1.Health"));
}

}  // namespace
}  // namespace livnd::client
