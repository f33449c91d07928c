#include "env/catalog.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "env/culture/culture_model.h"
#include "env/task/burst_suppression.h"
#include "env/task/cart_pole.h"
#include "env/task/null_task.h"
#include "env/task/pattern_evocation.h"
#include "env/task/pong.h"
#include "env/task/pong_feedback.h"
#include "env/task/target_rate.h"

namespace livnd::env {

struct TaskEntry {
  bool for_benchmarks;
  const char* name;
  bool needs_system;
  // The spec of the task's environment on the system (null: it needs none), or why there is none.
  absl::StatusOr<EnvironmentSpec> (*offer)(const io::System* system);
  absl::StatusOr<std::shared_ptr<const Task>> (*build)(const io::System* system);
};

namespace {

template <typename T>
constexpr TaskEntry OnSystems() {
  return {false, T::kName, true, [](const io::System* system) { return T::Offer(*system); },
          [](const io::System* system) -> absl::StatusOr<std::shared_ptr<const Task>> {
            return T::Create(*system);
          }};
}

template <typename T>
constexpr TaskEntry ForBenchmarks() {
  return {
      true, T::kName, false,
      [](const io::System*) -> absl::StatusOr<EnvironmentSpec> { return T::Offer(); },
      [](const io::System*) -> absl::StatusOr<std::shared_ptr<const Task>> { return T::Create(); }};
}

// All tasks there are.
constexpr TaskEntry kTasks[] = {
    OnSystems<TargetRate>(),       OnSystems<CartPole>(), OnSystems<PatternEvocation>(),
    OnSystems<BurstSuppression>(), OnSystems<Pong>(),     OnSystems<PongFeedback>(),
    ForBenchmarks<NullTask>(),
};

}  // namespace

absl::StatusOr<Catalog> Catalog::Create(std::vector<std::shared_ptr<const io::System>> systems,
                                        BenchEnvironments bench) {
  Catalog catalog;
  // `culture`: why there is none of the system, and so no task.
  const auto add_tasks = [&](const std::shared_ptr<const io::System>& system,
                             const absl::Status& culture) {
    for (const TaskEntry& task : kTasks) {
      if (task.for_benchmarks && bench == BenchEnvironments::kLeftOut) continue;
      if (task.needs_system != (system != nullptr)) continue;
      absl::StatusOr<EnvironmentSpec> spec =
          culture.ok() ? task.offer(system.get()) : absl::StatusOr<EnvironmentSpec>(culture);
      if (spec.ok()) {
        catalog.Add(*std::move(spec), {system, &task});
      } else {
        const std::string name = system == nullptr ? "" : system->name;
        catalog.not_offered_.push_back(
            {absl::StrCat(task.name, name.empty() ? "" : "-", name, "-v0"), name, spec.status()});
      }
    }
  };
  add_tasks(nullptr, absl::OkStatus());
  std::sort(systems.begin(), systems.end(),
            [](const auto& a, const auto& b) { return a->name < b->name; });
  for (size_t i = 0; i < systems.size(); ++i) {
    const io::System& system = *systems[i];
    if (i > 0 && system.name == systems[i - 1]->name) {
      return absl::InvalidArgumentError(absl::StrCat("two systems are called ", system.name, ": ",
                                                     system.directory, " and ",
                                                     systems[i - 1]->directory));
    }
    // Made once for nothing, so that nobody finds out only when a session wants it.
    const absl::Status made = PrepareCulture(system, {}).status();
    if (made.ok()) {
      catalog.Add(CultureSpec(system), {systems[i], nullptr});
    } else {
      catalog.not_offered_.push_back({CultureSpec(system).id, system.name, made});
      catalog.left_out_.push_back(made);
    }
    add_tasks(systems[i], made);
  }
  std::sort(catalog.not_offered_.begin(), catalog.not_offered_.end(),
            [](const NotOffered& a, const NotOffered& b) { return a.id < b.id; });
  return catalog;
}

void Catalog::Add(EnvironmentSpec spec, Plan plan) {
  const auto at = std::lower_bound(
      specs_.begin(), specs_.end(), spec.id,
      [](const EnvironmentSpec& known, const std::string& id) { return known.id < id; });
  plans_.insert(plans_.begin() + (at - specs_.begin()), std::move(plan));
  specs_.insert(at, std::move(spec));
}

const EnvironmentSpec* Catalog::Find(absl::string_view id) const {
  for (const EnvironmentSpec& spec : specs_) {
    if (spec.id == id) return &spec;
  }
  return nullptr;
}

absl::StatusOr<Catalog::Plan> Catalog::PlanOf(absl::string_view id, EnvironmentKind kind) const {
  const EnvironmentSpec* spec = Find(id);
  if (spec != nullptr && spec->kind == kind) {
    return plans_[static_cast<size_t>(spec - specs_.data())];
  }
  for (const NotOffered& one : not_offered_) {
    if (one.id == id) return absl::NotFoundError(absl::StrCat(id, ": ", one.why.message()));
  }
  std::vector<std::string> accepted;
  for (const EnvironmentSpec& s : specs_) {
    if (s.kind == kind) accepted.push_back(s.id);
  }
  return absl::NotFoundError(
      absl::StrCat("unknown environment '", id, "'; accepted: ", absl::StrJoin(accepted, ", ")));
}

absl::StatusOr<std::shared_ptr<const Task>> Catalog::BuildTask(absl::string_view id) const {
  const absl::StatusOr<Plan> plan = PlanOf(id, EnvironmentKind::kTask);
  if (!plan.ok()) return plan.status();
  return plan->task->build(plan->system.get());
}

int64_t Catalog::BytesToBuild(absl::string_view id) const {
  const EnvironmentSpec* spec = Find(id);
  if (spec == nullptr) return 0;
  const std::shared_ptr<const io::System>& system =
      plans_[static_cast<size_t>(spec - specs_.data())].system;
  return system == nullptr ? 0 : env::BytesToBuild(*system);
}

absl::StatusOr<std::shared_ptr<const CultureModel>> Catalog::BuildCulture(
    absl::string_view id) const {
  const absl::StatusOr<Plan> plan = PlanOf(id, EnvironmentKind::kCulture);
  if (!plan.ok()) return plan.status();
  return CultureModel::Create(plan->system);
}

}  // namespace livnd::env
