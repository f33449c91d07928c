#include "env/catalog.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "env/culture/culture_model.h"
#include "env/task/target_rate.h"
#include "env/task/task_model.h"
#include "io/culture/model_options.h"
#include "io/culture/params.h"

namespace livnd::env {

absl::StatusOr<Catalog> Catalog::Create(std::vector<std::shared_ptr<const io::System>> systems) {
  Catalog catalog;
  std::sort(systems.begin(), systems.end(),
            [](const auto& a, const auto& b) { return a->name < b->name; });
  catalog.systems_ = std::move(systems);
  for (size_t i = 0; i < catalog.systems_.size(); ++i) {
    const io::System& system = *catalog.systems_[i];
    if (i > 0 && system.name == catalog.systems_[i - 1]->name) {
      return absl::InvalidArgumentError(absl::StrCat("two systems are called ", system.name, ": ",
                                                     system.directory, " and ",
                                                     catalog.systems_[i - 1]->directory));
    }
    // A model that livnd does not have offers nothing here; `livnd inspect` says why.
    const auto model = io::ResolveModel(system.model);
    if (!model.ok()) continue;
    catalog.specs_.push_back(CultureSpec(system));
    // The task stimulates with electrodes, which do not reach point neurons.
    if (!system.electrode_array.has_value() || model->model.point.has_value() ||
        !io::StoredParams(system, model->params_key).ok()) {
      continue;
    }
    catalog.specs_.push_back(TargetRateSpec(TargetRateConfig(), system));
  }
  std::sort(catalog.specs_.begin(), catalog.specs_.end(),
            [](const EnvironmentSpec& a, const EnvironmentSpec& b) { return a.id < b.id; });
  return catalog;
}

const EnvironmentSpec* Catalog::Find(absl::string_view id) const {
  for (const EnvironmentSpec& spec : specs_) {
    if (spec.id == id) return &spec;
  }
  return nullptr;
}

absl::StatusOr<std::shared_ptr<const io::System>> Catalog::SystemOf(absl::string_view id,
                                                                    EnvironmentKind kind) const {
  const EnvironmentSpec* spec = Find(id);
  if (spec == nullptr || spec->kind != kind) {
    std::vector<std::string> accepted;
    for (const EnvironmentSpec& s : specs_) {
      if (s.kind == kind) accepted.push_back(s.id);
    }
    return absl::NotFoundError(
        absl::StrCat("unknown environment '", id, "'; accepted: ", absl::StrJoin(accepted, ", ")));
  }
  return *std::find_if(systems_.begin(), systems_.end(),
                       [&](const auto& system) { return system->name == spec->system; });
}

absl::StatusOr<std::shared_ptr<const EnvironmentModel>> Catalog::BuildTask(
    absl::string_view id) const {
  const auto system = SystemOf(id, EnvironmentKind::kTask);
  if (!system.ok()) return system.status();
  return EnvironmentModel::Create(**system, TargetRateConfig());
}

absl::StatusOr<std::shared_ptr<const CultureModel>> Catalog::BuildCulture(
    absl::string_view id) const {
  const auto system = SystemOf(id, EnvironmentKind::kCulture);
  if (!system.ok()) return system.status();
  return CultureModel::Create(*system);
}

}  // namespace livnd::env
