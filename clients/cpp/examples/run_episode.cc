// Runs one episode on a livnd server with a random policy and prints what it saw.
//
//   livnd serve --systems systems --listen 127.0.0.1:5005 &
//   bazel run //clients/cpp/examples:run_episode -- --address 127.0.0.1:5005
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "clients/cpp/client.h"
#include "livnd/v1/environment_service.pb.h"

namespace {

using livnd::client::Client;
using livnd::client::Error;
using livnd::client::Session;

struct Settings {
  std::string address;
  std::string environment;  // empty: the server's first with a task
  uint64_t seed = 1;
  double strength = 0.5;  // of the largest pulse
};

constexpr char kUsage[] =
    "usage: run_episode --address unix:PATH|HOST:PORT [--environment ID] [--seed N] "
    "[--strength 0..1]\n";

bool ParseArguments(int argc, char** argv, Settings* settings) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--address") {
      settings->address = value;
    } else if (name == "--environment") {
      settings->environment = value;
    } else if (name == "--seed") {
      settings->seed = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--strength") {
      settings->strength = std::strtod(value.c_str(), nullptr);
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && !settings->address.empty();
}

int Fail(const char* what, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.ToString().c_str());
  return 1;
}

double Sum(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += value;
  return sum;
}

void PrintSpec(const livnd::v1::EnvironmentSpec& spec, const Session& session) {
  std::printf("%s: %s\n", spec.environment_id().c_str(), spec.description().c_str());
  std::printf("  action       %s, %ld numbers, %s\n", spec.actions(0).name().c_str(),
              static_cast<long>(session.action_size()), spec.actions(0).description().c_str());
  std::printf("  observation  %s, %ld numbers, %s\n", spec.observations(0).name().c_str(),
              static_cast<long>(session.observation_size()),
              spec.observations(0).description().c_str());
  std::printf("  a step is %g ms, an episode at most %ld steps\n\n", spec.step_duration_ms(),
              static_cast<long>(spec.max_episode_steps()));
}

int RunEpisode(Client& client, const Settings& settings) {
  std::string environment = settings.environment;
  if (environment.empty()) {
    const auto environments = client.ListEnvironments();
    if (!environments.ok()) return Fail("ListEnvironments", environments.error());
    for (const livnd::v1::EnvironmentSpec& spec : *environments) {
      if (spec.kind() != livnd::v1::ENVIRONMENT_KIND_TASK) continue;
      environment = spec.environment_id();
      break;
    }
    if (environment.empty()) {
      std::fprintf(stderr, "the server has no environment with a task\n");
      return 1;
    }
  }
  auto created = client.CreateSession({environment});
  if (!created.ok()) return Fail("CreateSession", created.error());
  Session& session = **created;
  PrintSpec(session.spec(), session);

  const auto reset = session.Reset({{settings.seed}, {}, {}});
  if (!reset.ok()) return Fail("Reset", reset.error());
  for (const auto& [name, values] : reset->infos) {
    std::printf("  %s = %g\n", name.c_str(), values.empty() ? 0.0 : values.front());
  }
  std::printf("\n%5s  %10s  %12s  infos\n", "step", "reward", "sum of obs.");

  std::mt19937_64 random(settings.seed);
  std::uniform_real_distribution<float> uniform(-static_cast<float>(settings.strength),
                                                static_cast<float>(settings.strength));
  double episode_return = 0;
  for (int step = 1;; ++step) {
    std::vector<float> actions(session.action_size());
    for (float& action : actions) action = uniform(random);
    const auto stepped = session.Step(actions);
    if (!stepped.ok()) return Fail("Step", stepped.error());
    episode_return += stepped->rewards[0];
    std::printf("%5d  %10.4f  %12.3f ", step, stepped->rewards[0], Sum(stepped->observations));
    for (const auto& [name, values] : stepped->infos) {
      std::printf(" %s=%.4g", name.c_str(), values.empty() ? 0.0 : values.front());
    }
    std::printf("\n");
    if (stepped->terminated[0] != 0 || stepped->truncated[0] != 0) break;
  }
  std::printf("\nreturn %.4f with seed %llu\n", episode_return,
              static_cast<unsigned long long>(reset->seeds[0]));
  if (const auto closed = session.Close(); !closed.ok()) return Fail("Close", closed.error());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (!ParseArguments(argc, argv, &settings)) {
    std::fprintf(stderr, "%s", kUsage);
    return 2;
  }
  return RunEpisode(*Client::Connect(settings.address), settings);
}
