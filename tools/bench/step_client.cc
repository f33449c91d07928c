// Steps served environments through the C++ client, and calls the echo: a worker of
// tools/bench/bench.py. step_client.py is the same in Python.
//
//   step_client ADDRESS ECHO_ADDRESS [stream]
//
// With `stream` both go over a stream, one step or echo at a time.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/client.h"
#include "echo/echo.grpc.pb.h"
#include "tools/bench/step_pattern.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

class Stopwatch {
 public:
  double Us() const {
    return std::chrono::duration<double, std::micro>(Clock::now() - start_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start_ = Clock::now();
};

// A session and its place in the sequence of steps.
class Steps {
 public:
  Steps(const std::string& address, bool over_stream)
      : client_(client::Client::Connect(address)),
        stream_(over_stream ? client_->OpenStepStream() : nullptr) {}

  // Starts over on request["environment_id"]; answers the bytes that a Step's tensors have.
  Json Open(const Json& request) {
    session_.reset();
    client::SessionOptions options;
    options.environment_id = request.value("environment_id", std::string());
    options.num_envs = request.value("num_envs", 1);
    auto made = client_->CreateSession(options);
    if (!made.ok()) Die(made.error().ToString());
    session_ = *std::move(made);
    client::ResetOptions reset;
    for (int copy = 0; copy < options.num_envs; ++copy) reset.seeds.push_back(SeedOf(copy));
    const auto first = session_->Reset(reset);
    if (!first.ok()) Die(first.error().ToString());
    step_ = 0;
    reward_sum_ = 0.0;
    size_t response_bytes = first->observations.size() * sizeof(float) + options.num_envs * 10;
    for (const auto& [name, values] : first->infos)
      response_bytes += values.size() * sizeof(double);
    return {{"request_bytes", NextActions().size() * sizeof(float)},
            {"response_bytes", response_bytes}};
  }

  Json Step(const Json& request) {
    if (session_ == nullptr) Die("step before open");
    const int count = request.value("count", 1);
    std::vector<double> us;
    for (int i = 0; i < count; ++i) {
      const std::vector<float> actions = NextActions();
      const Stopwatch watch;
      const auto result = stream_ == nullptr ? session_->Step(actions) : StepOverStream(actions);
      us.push_back(watch.Us());
      if (!result.ok()) Die(result.error().ToString());
      ++step_;
      for (double reward : result->rewards) reward_sum_ += reward;
    }
    return {{"us", us}, {"reward_sum", reward_sum_}};
  }

 private:
  std::vector<float> NextActions() const {
    return ActionsOf(step_, session_->num_envs(), static_cast<int>(session_->action_size()));
  }

  client::Result<client::StepResult> StepOverStream(const std::vector<float>& actions) {
    if (const auto sent = stream_->Send(*session_, actions); !sent.ok()) return sent.error();
    return stream_->Recv().result;
  }

  const std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::Session> session_;
  const std::unique_ptr<client::StepStream> stream_;
  int64_t step_ = 0;
  double reward_sum_ = 0.0;
};

// A session on a culture without a task.
class Runs {
 public:
  explicit Runs(const std::string& address) : client_(client::Client::Connect(address)) {}

  // Of request["system"].
  Json Open(const Json& request) {
    culture_.reset();
    const int num_envs = request.value("num_envs", 1);
    auto made = client_->CreateCulture(request.value("system", std::string()), num_envs);
    if (!made.ok()) Die(made.error().ToString());
    culture_ = *std::move(made);
    client::ClearOptions clear;
    for (int copy = 0; copy < num_envs; ++copy) clear.seeds.emplace_back(SeedOf(copy));
    const auto cleared = culture_->Clear(clear);
    if (!cleared.ok()) Die(cleared.error().ToString());
    num_spikes_ = 0;
    return Json::object();
  }

  Json Run(const Json& request) {
    if (culture_ == nullptr) Die("run before open_culture");
    v1::RunRequest run;
    run.set_duration_ms(request.value("duration_ms", 0.0));
    std::vector<double> us;
    for (int i = 0; i < request.value("count", 1); ++i) {
      const Stopwatch watch;
      const auto recording = culture_->Run(run);
      us.push_back(watch.Us());
      if (!recording.ok()) Die(recording.error().ToString());
      num_spikes_ += recording->spike_gids().shape(0);
    }
    return {{"us", us}, {"num_spikes", num_spikes_}};
  }

 private:
  const std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::CultureSession> culture_;
  int64_t num_spikes_ = 0;
};

class Echo {
 public:
  Echo(const std::string& address, bool over_stream) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    stub_ = echo::EchoService::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    if (over_stream) stream_ = stub_->EchoStream(&stream_context_);
  }
  ~Echo() {
    if (stream_ == nullptr) return;
    stream_->WritesDone();
    stream_->Finish();
  }

  Json Call(const Json& request) {
    const int count = request.value("count", 1);
    const std::string payload(request.value("request_bytes", size_t{0}), '\1');
    const uint32_t response_bytes = request.value("response_bytes", uint32_t{0});
    std::vector<double> us;
    for (int i = 0; i < count; ++i) {
      const Stopwatch watch;
      echo::EchoRequest message;
      message.set_payload(payload);
      message.set_response_bytes(response_bytes);
      echo::EchoResponse answer;
      const bool ok = stream_ == nullptr ? CallOnce(message, &answer)
                                         : stream_->Write(message) && stream_->Read(&answer);
      us.push_back(watch.Us());
      if (!ok) Die("the echo failed");
    }
    return {{"us", us}};
  }

 private:
  bool CallOnce(const echo::EchoRequest& message, echo::EchoResponse* answer) {
    grpc::ClientContext context;
    return stub_->Echo(&context, message, answer).ok();
  }

  std::unique_ptr<echo::EchoService::Stub> stub_;
  grpc::ClientContext stream_context_;
  std::unique_ptr<grpc::ClientReaderWriter<echo::EchoRequest, echo::EchoResponse>> stream_;
};

int Main(const std::vector<std::string>& args) {
  const bool over_stream = args.size() == 3 && args[2] == "stream";
  if (args.size() != 2 && !over_stream) Die("usage: step_client ADDRESS ECHO_ADDRESS [stream]");
  Steps steps(args[0], over_stream);
  Runs runs(args[0]);
  Echo echo(args[1], over_stream);
  ServeCommands(Json::object(), {{"open", [&](const Json& r) { return steps.Open(r); }},
                                 {"step", [&](const Json& r) { return steps.Step(r); }},
                                 {"open_culture", [&](const Json& r) { return runs.Open(r); }},
                                 {"run", [&](const Json& r) { return runs.Run(r); }},
                                 {"echo", [&](const Json& r) { return echo.Call(r); }}});
  return 0;
}

}  // namespace
}  // namespace livnd::bench

int main(int argc, char** argv) {
  return livnd::bench::Main(std::vector<std::string>(argv + 1, argv + argc));
}
