#include "env/culture/culture_model.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/culture/build_culture.h"
#include "io/culture/params.h"
#include "sim/network/populations.h"

namespace livnd::env {
namespace {

// A model that can learn and be lit can at any time.
void AllowLearningAndLight(sim::CultureConfig& config) {
  if (config.model.point.has_value()) return;
  config.plasticity =
      sim::PlasticityConfig{{sim::kExcitatoryCells, {}}, {sim::kInhibitoryCells, {}}};
  config.opsin.emplace();
}

}  // namespace

int64_t BytesToBuild(const io::System& system) {
  // As measured of cultures of 10 to 10,000 cells: what is told is 1.1 to 1.8 times what the larger ones
  // take (env/memory_estimate_test.cc).
  constexpr int64_t kBytes = 2 << 20;
  constexpr int64_t kBytesOfCell = 8 << 10;
  constexpr int64_t kBytesOfConnection = 600;
  return kBytes + kBytesOfCell * int64_t{system.num_cells()} +
         kBytesOfConnection * static_cast<int64_t>(system.num_edges());
}

EnvironmentSpec CultureSpec(const io::System& system) {
  EnvironmentSpec spec;
  spec.id = absl::StrCat("Culture-", system.name, "-v0");
  spec.kind = EnvironmentKind::kCulture;
  spec.task = "Culture";
  spec.system = system.name;
  spec.description =
      "The culture by itself, without a task: every Run lasts as long as the call says, "
      "with any stimulus, and answers what was asked to be recorded.";
  spec.tick_ns = 25'000;
  spec.physics_version = sim::kPhysicsVersion;
  return spec;
}

absl::StatusOr<PreparedCulture> PrepareCulture(const io::System& system,
                                               const io::SetupOptions& options) {
  PreparedCulture out;
  out.options = options;
  out.light_array = system.light_array;
  auto graph = io::SetUpCulture(system, options);
  if (!graph.ok()) return graph.status();
  out.graph = *std::move(graph);
  AllowLearningAndLight(out.graph.culture);
  auto params = io::DefaultParams(system, out.graph);
  if (!params.ok()) return io::InDefaultParams(system, out.graph, "default", params.status());
  out.params = *std::move(params);
  out.setup = out.graph;
  auto culture = io::BuildWithDefaults(system, options, out.params, out.setup);
  if (!culture.ok()) return culture.status();
  out.culture = *std::move(culture);
  return out;
}

absl::StatusOr<PreparedCulture> PrepareCulture(io::CultureSetup graph) {
  PreparedCulture out;
  out.graph = std::move(graph);
  AllowLearningAndLight(out.graph.culture);
  out.setup = out.graph;
  LIVND_ASSIGN_OR_RETURN(out.culture, sim::Culture::Create(out.setup.culture));
  return out;
}

CultureModel::CultureModel(std::shared_ptr<const io::System> system, PreparedCulture prepared)
    : system_(std::move(system)), spec_(CultureSpec(*system_)), prepared_(std::move(prepared)) {}

absl::StatusOr<std::shared_ptr<const CultureModel>> CultureModel::Create(
    std::shared_ptr<const io::System> system) {
  LIVND_ASSIGN_OR_RETURN(PreparedCulture prepared, PrepareCulture(*system, {}));
  return std::shared_ptr<const CultureModel>(
      new CultureModel(std::move(system), std::move(prepared)));
}

absl::StatusOr<std::shared_ptr<const CultureModel>> CultureModel::Create(
    std::shared_ptr<const io::System> system, io::CultureSetup graph) {
  LIVND_ASSIGN_OR_RETURN(PreparedCulture prepared, PrepareCulture(std::move(graph)));
  return std::shared_ptr<const CultureModel>(
      new CultureModel(std::move(system), std::move(prepared)));
}

}  // namespace livnd::env
