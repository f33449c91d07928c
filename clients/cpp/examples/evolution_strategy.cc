// Learns TargetRate with an evolution strategy (Salimans et al., arXiv:1703.03864): every copy of a
// vector environment tries another policy, in mirrored pairs, and the mean one goes where the better half
// of each pair was.
//
//   livnd serve --systems systems --listen 127.0.0.1:5005 &
//   bazel run -c opt //clients/cpp/examples:evolution_strategy -- --address 127.0.0.1:5005
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/client.h"
#include "clients/cpp/env.h"

namespace {

using livnd::client::Client;
using livnd::client::Error;
using livnd::client::Infos;
using livnd::client::VectorEnv;

struct Settings {
  std::string address;
  std::string environment = "TargetRate-EI-mini-v0";
  uint64_t seed = 1;
  int num_generations = 30;
  int num_pairs = 16;
};

constexpr double kSpread = 0.3;        // standard deviation of the policies about the mean one
constexpr double kLearningRate = 0.3;  // how far the mean one goes, in spreads
constexpr double kScaleHz = 10.0;      // of rates
constexpr size_t kNumFeatures = 3;

constexpr char kUsage[] =
    "usage: evolution_strategy --address unix:PATH|HOST:PORT [--environment TargetRate-...] "
    "[--seed N]\n"
    "                          [--generations N] [--pairs N]\n";

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
    } else if (name == "--generations") {
      settings->num_generations = std::atoi(value.c_str());
    } else if (name == "--pairs") {
      settings->num_pairs = std::atoi(value.c_str());
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && !settings->address.empty() && settings->num_generations > 0 &&
         settings->num_pairs > 0;
}

int Fail(const char* what, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.ToString().c_str());
  return 1;
}

// A policy: the amplitude on every electrode is tanh of a sum over what counts, the rate and its target,
// with weights of its own. [electrodes][kNumFeatures]
using Policy = std::vector<double>;

// What all copies do, given what they showed.
std::vector<float> ActionsOf(const std::vector<Policy>& policies, const Infos& infos,
                             size_t num_electrodes) {
  const std::vector<double>& rates_hz = infos.at("rate_hz");
  const std::vector<double>& targets_hz = infos.at("target_rate_hz");
  std::vector<float> actions;
  for (size_t copy = 0; copy < policies.size(); ++copy) {
    const double features[kNumFeatures] = {1.0, targets_hz[copy] / kScaleHz,
                                           (targets_hz[copy] - rates_hz[copy]) / kScaleHz};
    for (size_t electrode = 0; electrode < num_electrodes; ++electrode) {
      const auto weights = policies[copy].begin() + electrode * kNumFeatures;
      actions.push_back(static_cast<float>(
          std::tanh(std::inner_product(features, features + kNumFeatures, weights, 0.0))));
    }
  }
  return actions;
}

// The return of an episode of each copy with its policy; copy i's has the seed first_seed + i / per_seed.
// An error ends the program.
std::vector<double> Returns(VectorEnv& envs, const std::vector<Policy>& policies,
                            uint64_t first_seed, size_t per_seed) {
  livnd::client::ResetOptions options;
  for (size_t i = 0; i < policies.size(); ++i)
    options.seeds.emplace_back(first_seed + i / per_seed);
  auto begun = envs.session().Reset(options);
  if (!begun.ok()) std::exit(Fail("Reset", begun.error()));
  const auto num_electrodes = static_cast<size_t>(envs.action_space().size());
  std::vector<double> returns(policies.size(), 0.0);
  Infos infos = std::move(begun->infos);
  for (int64_t step = 0; step < envs.spec().max_episode_steps(); ++step) {
    auto told = envs.Step(ActionsOf(policies, infos, num_electrodes));
    if (!told.ok()) std::exit(Fail("Step", told.error()));
    for (size_t copy = 0; copy < returns.size(); ++copy) returns[copy] += told->rewards[copy];
    infos = std::move(told->infos);
  }
  return returns;
}

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The mean return of one policy on episodes that it has not learned from.
double Evaluate(VectorEnv& envs, const Policy& policy, uint64_t first_seed) {
  const std::vector<Policy> all(static_cast<size_t>(envs.num_envs()), policy);
  return Mean(Returns(envs, all, first_seed, 1));
}

int Learn(Client& client, const Settings& settings) {
  auto made = VectorEnv::Make(client, {settings.environment, 2 * settings.num_pairs});
  if (!made.ok()) return Fail("CreateSession", made.error());
  VectorEnv& envs = *made;
  const auto size = static_cast<size_t>(envs.action_space().size()) * kNumFeatures;
  std::mt19937_64 random(settings.seed);
  std::normal_distribution<double> normal;
  Policy mean(size, 0.0);
  const uint64_t held_out_seed = (settings.seed << 20) + (1 << 19);
  const double before = Evaluate(envs, mean, held_out_seed);
  std::printf("generation  mean return\n");
  for (int generation = 0; generation < settings.num_generations; ++generation) {
    std::vector<Policy> noise(static_cast<size_t>(settings.num_pairs), Policy(size));
    std::vector<Policy> policies;
    for (Policy& direction : noise) {
      for (double& x : direction) x = normal(random);
      for (const double sign : {1.0, -1.0}) {
        Policy& policy = policies.emplace_back(mean);
        for (size_t i = 0; i < size; ++i) policy[i] += sign * kSpread * direction[i];
      }
    }
    const std::vector<double> returns =
        Returns(envs, policies,
                (settings.seed << 20) + static_cast<uint64_t>(generation) * noise.size(), 2);
    std::printf("%10d  %11.3f\n", generation + 1, Mean(returns));
    // Differences within the pairs, by how large they are, so that one odd episode does not decide.
    double scale = 1e-9;
    for (size_t pair = 0; pair < noise.size(); ++pair) {
      scale += std::fabs(returns[2 * pair] - returns[2 * pair + 1]) / settings.num_pairs;
    }
    for (size_t pair = 0; pair < noise.size(); ++pair) {
      const double better = (returns[2 * pair] - returns[2 * pair + 1]) / scale;
      const double share = std::clamp(better, -2.0, 2.0) / settings.num_pairs;
      for (size_t i = 0; i < size; ++i) {
        mean[i] += kLearningRate * kSpread * share * noise[pair][i] * std::sqrt(settings.num_pairs);
      }
    }
  }
  std::printf("\nreturn on new episodes: %.3f at first, %.3f now\n", before,
              Evaluate(envs, mean, held_out_seed));
  if (const auto closed = envs.Close(); !closed.ok()) return Fail("Close", closed.error());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (!ParseArguments(argc, argv, &settings)) {
    std::fprintf(stderr, "%s", kUsage);
    return 2;
  }
  return Learn(*Client::Connect(settings.address), settings);
}
