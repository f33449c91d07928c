#include "server/commands/generate.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/json/yaml.h"
#include "lab/generate/culture_config_json.h"
#include "lab/generate/generate_culture.h"
#include "nlohmann/json.hpp"
#include "server/commands/flags.h"
#include "server/commands/interrupt.h"
#include "server/commands/json_line.h"
#include "server/machine/cpus.h"
#include "server/machine/steady_time.h"
#include "server/machine/worker_pool.h"
#include "server/version.h"

namespace livnd::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxConfigBytes = size_t{1} << 20;

struct Settings {
  std::string out;
  std::string seed;
  int threads = NumUsableCpus();
  bool json = false;
};

FlagSet MakeFlags(Settings& settings) {
  FlagSet flags(
      "livnd generate CONFIG.yml --out DIR [--seed N] [--threads N]",
      "Makes a culture on a plane: cells in an area, and connections whose chance falls with the\n"
      "distance. CONFIG.yml has the settings of livn's generate_2d; a provenance.json, ours or\n"
      "livn's, makes its culture again. DIR becomes a system of livnd's and livn's: cells.h5,\n"
      "connections.h5, graph.json and provenance.json. It is there once it is complete.\n"
      "docs/generating.md tells all settings.");
  flags.String("out", "DIR", "the new folder (default: the configuration's output_directory)",
               &settings.out);
  flags.String("seed", "N", "in place of the configuration's random_seed: 0 or more",
               &settings.seed);
  flags.Int("threads", "N",
            "threads that draw (default: one for each core); the result does not depend on it", 1,
            1024, &settings.threads);
  flags.Switch("json", "print one JSON object", &settings.json);
  return flags;
}

// A line on standard error every few seconds: how far a projection is, and how much longer it takes.
class Progress {
 public:
  void Tell(const std::string& what, int64_t done, int64_t total) {
    const absl::Time now = SteadyNow();
    if (what != what_) {
      what_ = what;
      begun_ = now;
      first_ = done;
    }
    if (now - told_ < absl::Seconds(2)) return;
    told_ = now;
    const double share = static_cast<double>(done) / static_cast<double>(total);
    const double seconds = absl::ToDoubleSeconds(now - begun_);
    const auto drawn = static_cast<double>(done - first_);
    const std::string left =
        drawn > 0 ? absl::StrFormat(", about %.0f s left",
                                    seconds / drawn * static_cast<double>(total - done))
                  : "";
    std::fprintf(stderr, "livnd generate: %s: %.0f %%%s\n", what.c_str(), 100 * share,
                 left.c_str());
  }
  // Of work that does not say how far it is.
  void Begin(const std::string& what) {
    if (SteadyNow() - began_all_ > absl::Seconds(2)) {
      std::fprintf(stderr, "livnd generate: %s\n", what.c_str());
    }
  }

 private:
  const absl::Time began_all_ = SteadyNow();
  absl::Time told_ = began_all_, begun_ = began_all_;
  int64_t first_ = 0;
  std::string what_;
};

absl::StatusOr<lab::CultureConfig> ReadConfig(const std::string& path, const Settings& settings) {
  io::YamlFileLimits limits;
  limits.file.max_bytes = kMaxConfigBytes;
  LIVND_ASSIGN_OR_RETURN(const io::Json json, io::ReadYamlFile(path, limits));
  LIVND_ASSIGN_OR_RETURN(lab::CultureConfig config,
                         lab::ParseCultureConfig(io::JsonView(json, path)));
  if (!settings.seed.empty()) {
    int64_t seed = 0;
    if (!absl::SimpleAtoi(settings.seed, &seed) || seed < 0) {
      return MakeFieldError("--seed", settings.seed,
                            absl::StrCat("0 .. ", std::numeric_limits<int64_t>::max()));
    }
    config.random_seed = static_cast<uint64_t>(seed);
  }
  if (!settings.out.empty()) config.output_directory = settings.out;
  if (config.output_directory.empty()) {
    return MakeFieldError("--out", "absent", "the folder to make");
  }
  return config;
}

Json Told(const lab::CultureConfig& config, const lab::GeneratedCulture& culture) {
  const io::System& system = culture.system;
  Json populations = Json::object(), projections = Json::object();
  for (const io::Population& p : system.populations) populations[p.name] = p.num_cells;
  for (const io::Projection& p : system.projections) {
    const auto num_targets =
        system.populations[static_cast<size_t>(system.FindPopulation(p.post))].num_cells;
    double distance = 0.0;
    for (const float d : p.distance_um) distance += d;
    const auto edges = static_cast<double>(p.source_gid.size());
    projections[absl::StrCat(p.pre, "->", p.post)] = {{"edges", p.source_gid.size()},
                                                      {"mean_in_degree", edges / num_targets},
                                                      {"mean_distance_um", distance / edges}};
  }
  return {{"system", config.output_directory},
          {"cells", system.num_cells()},
          {"edges", system.num_edges()},
          {"seed", config.random_seed},
          {"rng", lab::CultureConfigToJson(config)["rng"]},
          {"graph", system.graph_uuid},
          {"populations", std::move(populations)},
          {"projections", std::move(projections)}};
}

void Print(const Json& told) {
  std::printf("%s: %llu cells, %llu connections (seed %llu, rng %s)\n",
              told["system"].get<std::string>().c_str(), told["cells"].get<unsigned long long>(),
              told["edges"].get<unsigned long long>(), told["seed"].get<unsigned long long>(),
              told["rng"].get<std::string>().c_str());
  for (const auto& [name, count] : told["populations"].items()) {
    std::printf("  %-16s %10llu cells\n", name.c_str(), count.get<unsigned long long>());
  }
  for (const auto& [name, projection] : told["projections"].items()) {
    std::printf("  %-16s %10llu connections, %.2f a cell, %.0f um on average\n", name.c_str(),
                projection["edges"].get<unsigned long long>(),
                projection["mean_in_degree"].get<double>(),
                projection["mean_distance_um"].get<double>());
  }
  std::printf("drawn in %.2f s, written in %.2f s\n", told["seconds_drawing"].get<double>(),
              told["seconds_writing"].get<double>());
}

absl::Status Generate(const std::string& path, const Settings& settings) {
  LIVND_ASSIGN_OR_RETURN(const lab::CultureConfig config, ReadConfig(path, settings));
  const std::string& out = config.output_directory;
  // Before the work; WriteSystem looks again.
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(out, ignored))) {
    return MakeFieldError("--out", out, "a name that is not taken");
  }
  WorkerPool pool(settings.threads);
  Progress progress;
  const lab::Work work = {&pool,
                          [&](const std::string& what, int64_t done, int64_t total) {
                            progress.Tell(what, done, total);
                          },
                          Interrupted};
  const absl::Time start = SteadyNow();
  absl::StatusOr<lab::GeneratedCulture> culture = lab::GenerateCulture(config, work);
  if (!culture.ok()) return InFile(path, culture.status());
  const absl::Time drawn = SteadyNow();
  progress.Begin(absl::StrCat("writing ", out));
  LIVND_RETURN_IF_ERROR(lab::WriteCulture(*culture, config, kVersion, out, work));
  Json told = Told(config, *culture);
  told["seconds_drawing"] = absl::ToDoubleSeconds(drawn - start);
  told["seconds_writing"] = absl::ToDoubleSeconds(SteadyNow() - drawn);
  if (settings.json) {
    std::printf("%s\n", JsonLine(told).c_str());
  } else {
    Print(told);
  }
  return absl::OkStatus();
}

}  // namespace

int GenerateCommand(absl::Span<const std::string> args) {
  Settings settings;
  const FlagSet flags = MakeFlags(settings);
  int exit_status = kExitOk;
  const std::optional<std::string> path =
      OnlyArgument(flags, args, "generate", "expected one configuration", &exit_status);
  if (!path.has_value()) return exit_status;
  StopOnSignals();
  const absl::Status status = Generate(*path, settings);
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "livnd generate: %s\n", std::string(status.message()).c_str());
  return kExitFailure;
}

}  // namespace livnd::server
