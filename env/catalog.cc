#include "env/catalog.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "env/environment_model.h"
#include "env/target_rate.h"
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
    if (!system.electrode_array.has_value() || !model.ok() ||
        !io::StoredParams(system, model->params_key).ok()) {
      continue;
    }
    catalog.specs_.push_back(TargetRateSpec(TargetRateConfig(), system));
    catalog.system_of_spec_.push_back(static_cast<int>(i));
  }
  return catalog;
}

const EnvironmentSpec* Catalog::Find(absl::string_view id) const {
  for (const EnvironmentSpec& spec : specs_) {
    if (spec.id == id) return &spec;
  }
  return nullptr;
}

absl::StatusOr<std::shared_ptr<const EnvironmentModel>> Catalog::Build(absl::string_view id) const {
  const EnvironmentSpec* spec = Find(id);
  if (spec == nullptr) {
    return absl::NotFoundError(absl::StrCat(
        "unknown environment '", id, "'; accepted: ",
        absl::StrJoin(specs_, ", ",
                      [](std::string* out, const EnvironmentSpec& s) { out->append(s.id); })));
  }
  return EnvironmentModel::Create(*systems_[system_of_spec_[spec - specs_.data()]],
                                  TargetRateConfig());
}

}  // namespace livnd::env
