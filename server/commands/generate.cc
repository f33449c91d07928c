#include "server/commands/generate.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
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
#include "lab/generate/layers/generate_layers.h"
#include "lab/generate/layers/layers_config.h"
#include "nlohmann/json.hpp"
#include "server/commands/flags.h"
#include "server/commands/interrupt.h"
#include "server/commands/json_line.h"
#include "server/machine/cpus.h"
#include "server/machine/read_file.h"
#include "server/machine/steady_time.h"
#include "server/machine/worker_pool.h"
#include "server/version.h"

namespace livnd::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxConfigBytes = size_t{4} << 20;
constexpr size_t kMaxMorphologyBytes = size_t{16} << 20;

struct Settings {
  std::string out;
  std::string seed;
  std::string morphologies;
  int threads = NumUsableCpus();
  bool json = false;
};

FlagSet MakeFlags(Settings& settings) {
  FlagSet flags(
      "livnd generate CONFIG.yml --out DIR [--seed N] [--threads N]",
      "Makes a culture: on a plane, with connections whose chance falls with the distance, where\n"
      "CONFIG.yml has the settings of livn's generate_2d; or of layers, with synapses along the\n"
      "shapes of cells, where it has those of livn's S1.yml. A provenance.json, "
      "ours\n"
      "or livn's of a plane, makes its culture again. DIR becomes a system of livnd's and livn's: "
      "cells.h5,\n"
      "connections.h5, graph.json and provenance.json. It is there once it is complete.\n"
      "docs/generating.md tells all settings.");
  flags.String("out", "DIR", "the new folder (default: the configuration's output_directory)",
               &settings.out);
  flags.String("seed", "N", "in place of the configuration's random_seed: 0 or more",
               &settings.seed);
  flags.String(
      "morphologies", "DIR",
      "of layers: POPULATION.swc of each (default: ../morphology beside the configuration)",
      &settings.morphologies);
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

// What is to be made, of either kind.
struct Request {
  std::string out;
  uint64_t seed = 0;
  std::string rng;
  Json provenance;
  std::function<absl::StatusOr<lab::GeneratedCulture>(const lab::Work&)> make;
};

absl::Status TakeSeed(const Settings& settings, uint64_t& random_seed) {
  if (settings.seed.empty()) return absl::OkStatus();
  int64_t seed = 0;
  if (!absl::SimpleAtoi(settings.seed, &seed) || seed < 0) {
    return MakeFieldError("--seed", settings.seed,
                          absl::StrCat("0 .. ", std::numeric_limits<int64_t>::max()));
  }
  random_seed = static_cast<uint64_t>(seed);
  return absl::OkStatus();
}

absl::StatusOr<Request> RequestOf(lab::CultureConfig config, const Settings& settings) {
  LIVND_RETURN_IF_ERROR(TakeSeed(settings, config.random_seed));
  return Request{config.output_directory, config.random_seed,
                 lab::CultureConfigToJson(config)["rng"], lab::ProvenanceJson(config, kVersion),
                 [config](const lab::Work& work) { return lab::GenerateCulture(config, work); }};
}

absl::StatusOr<Request> RequestOf(lab::LayersOrigin origin, const Settings& settings) {
  LIVND_RETURN_IF_ERROR(TakeSeed(settings, origin.config.random_seed));
  return Request{origin.config.output_directory, origin.config.random_seed, "philox",
                 lab::LayersProvenance(origin.config, origin.morphologies, kVersion),
                 [origin](const lab::Work& work) {
                   return lab::GenerateLayers(origin.config, origin.morphologies, work);
                 }};
}

absl::StatusOr<lab::MorphologyTexts> ReadMorphologies(const std::string& config_path,
                                                      const lab::LayersConfig& config,
                                                      const Settings& settings) {
  std::string folder = settings.morphologies;
  if (folder.empty()) {
    const std::filesystem::path beside = std::filesystem::path(config_path).parent_path();
    folder = (beside.empty() ? std::filesystem::path("..") : beside / "..").string();
    folder += "/morphology";
  }
  lab::MorphologyTexts texts;
  for (const lab::LayeredPopulation& population : config.populations) {
    if (population.densities.empty()) continue;
    LIVND_ASSIGN_OR_RETURN(texts[population.name],
                           ReadFile(absl::StrCat(folder, "/", population.name, ".swc"),
                                    "a file of SWC", kMaxMorphologyBytes));
  }
  return texts;
}

absl::StatusOr<Request> ReadRequest(const std::string& path, const Settings& settings) {
  io::YamlFileLimits limits;
  limits.file.max_bytes = kMaxConfigBytes;
  LIVND_ASSIGN_OR_RETURN(const io::Json json, io::ReadYamlFile(path, limits));
  const io::JsonView document(json, path);
  LIVND_ASSIGN_OR_RETURN(auto origin, lab::ParseLayersProvenance(document));
  if (!origin.has_value() && lab::IsLayersConfig(document)) {
    LIVND_ASSIGN_OR_RETURN(origin.emplace().config, lab::ParseLayersConfig(document));
    LIVND_ASSIGN_OR_RETURN(origin->morphologies, ReadMorphologies(path, origin->config, settings));
  } else if (!settings.morphologies.empty()) {
    return MakeFieldError("--morphologies", settings.morphologies,
                          "nothing but for settings of layers");
  }
  if (origin.has_value()) return RequestOf(*std::move(origin), settings);
  LIVND_ASSIGN_OR_RETURN(lab::CultureConfig config, lab::ParseCultureConfig(document));
  return RequestOf(std::move(config), settings);
}

Json Told(const Request& request, const lab::GeneratedCulture& culture) {
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
  return {{"system", request.out},
          {"cells", system.num_cells()},
          {"edges", system.num_edges()},
          {"seed", request.seed},
          {"rng", request.rng},
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
  LIVND_ASSIGN_OR_RETURN(Request request, ReadRequest(path, settings));
  if (!settings.out.empty()) request.out = settings.out;
  const std::string& out = request.out;
  if (out.empty()) return MakeFieldError("--out", "absent", "the folder to make");
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
  absl::StatusOr<lab::GeneratedCulture> culture = request.make(work);
  if (!culture.ok()) return InFile(path, culture.status());
  const absl::Time drawn = SteadyNow();
  progress.Begin(absl::StrCat("writing ", out));
  LIVND_RETURN_IF_ERROR(lab::WriteCulture(*culture, request.provenance, out, work));
  Json told = Told(request, *culture);
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
