#include "io/culture/params.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "sim/culture/cell_params.h"
#include "sim/culture/config_fields.h"
#include "sim/culture/synapse_params.h"

namespace livnd::io {
namespace {

// The keys of sim's names, joined.
template <typename Name>
std::string KeysOf(const std::vector<Name>& names) {
  return absl::StrJoin(
      names, ", ", [](std::string* out, const Name& name) { absl::StrAppend(out, name.key()); });
}

// POST[_PRE][-SECTION[-RECEPTOR[-PARAM]]] (livn 2.0.0 types.py, SynapticParam.from_string).
struct SynapseKey {
  std::string post;
  std::optional<std::string> pre, section, receptor, param;

  static std::optional<SynapseKey> Parse(absl::string_view text) {
    const std::vector<std::string> parts = absl::StrSplit(text, '-');
    if (parts.size() > 4) return std::nullopt;
    SynapseKey key;
    const size_t underscore = parts[0].find('_');
    key.post = parts[0].substr(0, underscore);
    if (underscore != std::string::npos) key.pre = parts[0].substr(underscore + 1);
    if (parts.size() > 1) key.section = parts[1];
    if (parts.size() > 2) key.receptor = parts[2];
    if (parts.size() > 3) key.param = parts[3];
    return key;
  }

  template <typename Name>
  bool MatchesSite(const Name& name) const {
    return post == name.post && section.value_or(name.section) == name.section &&
           receptor.value_or(name.receptor) == name.receptor;
  }
};

std::string FieldOf(const Param& param) { return absl::StrCat("params[", param.key, "]"); }

std::string ValueField(const Param& param, size_t i) {
  return param.values.size() == 1 ? absl::StrCat(FieldOf(param), ".value")
                                  : absl::StrCat(FieldOf(param), ".values[", i, "]");
}

// Collects changes on copies, so that an error leaves the setup as it was.
class Writer {
 public:
  explicit Writer(const CultureSetup& setup)
      : setup_(setup),
        weights_(setup.culture.weights),
        receptor_params_(setup.culture.receptor_params),
        noise_(setup.culture.noise),
        population_params_(setup.culture.population_params),
        cell_params_(setup.culture.cell_params),
        electrode_array_(setup.electrode_array) {}

  // From now on: whether something is set at `field` of the culture's configuration, or below it.
  void Watch(absl::string_view field) {
    watched_ = std::string(field);
    touched_.reset();
  }
  // Which of a parameter's numbers was.
  std::optional<size_t> touched() const { return touched_; }

  absl::Status Set(const Param& param) {
    absl::string_view key = param.key;
    for (size_t i = 0; i < param.values.size(); ++i) {
      if (std::isfinite(param.values[i])) continue;
      return MakeFieldError(ValueField(param, i), Exact(param.values[i]), "a finite number");
    }
    if (absl::ConsumePrefix(&key, "cells-")) return SetCells(param, key);
    if (param.values.size() != 1) {
      return MakeFieldError(absl::StrCat(FieldOf(param), ".values"),
                            absl::StrCat(param.values.size(), " numbers"), "one number");
    }
    const double value = param.values[0];
    if (absl::ConsumePrefix(&key, "noise-")) {
      if (!noise_.has_value()) noise_.emplace();
      (*noise_)[std::string(key)] = value;
      Touch("noise", key);
      return absl::OkStatus();
    }
    if (absl::ConsumePrefix(&key, "io-")) return SetElectrodes(param, key, value);
    absl::ConsumePrefix(&key, "weight-");
    return SetSynapses(param, key, value);
  }

  void CommitTo(CultureSetup& setup) {
    if (own_cell_params_.has_value()) {
      cell_params_.clear();
      for (const auto& [name, of_cells] : *own_cell_params_) {
        for (const auto& [gid, value] : of_cells) cell_params_[gid][name] = value;
      }
    }
    setup.culture.weights = std::move(weights_);
    setup.culture.receptor_params = std::move(receptor_params_);
    setup.culture.noise = std::move(noise_);
    setup.culture.population_params = std::move(population_params_);
    setup.culture.cell_params = std::move(cell_params_);
    setup.electrode_array = std::move(electrode_array_);
  }

 private:
  static absl::Status BadKey(const Param& param, absl::string_view accepted) {
    return MakeFieldError(absl::StrCat(FieldOf(param), ".key"), param.key, accepted);
  }

  // Notes that the configuration's MAP[KEY] is set by the i-th number of the parameter.
  void Touch(absl::string_view map, absl::string_view key, size_t i = 0) {
    if (watched_.empty()) return;
    const std::string field = sim::FieldAt(map, key);
    if (field == watched_ || absl::StartsWith(field, absl::StrCat(watched_, "["))) touched_ = i;
  }

  const sim::SynapseParamNames& names() {
    if (!names_.has_value()) names_ = sim::SynapseParamNamesOf(setup_.culture);
    return *names_;
  }

  absl::Status Unknown(const Param& param) {
    return BadKey(
        param, absl::StrCat("noise-NAME, noise-POPULATION-NAME, cells-KEY, cells-POPULATION:KEY, "
                            "io-NAME; receptors ",
                            KeysOf(names().receptor_params),
                            "; weights (also shortened from the right, or without _PRE) ",
                            KeysOf(names().weights)));
  }

  absl::Status SetSynapses(const Param& param, absl::string_view text, double value) {
    const std::optional<SynapseKey> key = SynapseKey::Parse(text);
    if (!key.has_value()) return Unknown(param);
    bool found = false;
    if (key->param.value_or("weight") == "weight") {
      for (const sim::WeightName& name : names().weights) {
        if (!key->MatchesSite(name) || key->pre.value_or(name.pre) != name.pre) continue;
        weights_[name.key()] = value;
        Touch("weights", name.key());
        found = true;
      }
      return found ? absl::OkStatus() : Unknown(param);
    }
    for (const sim::ReceptorParamName& name : names().receptor_params) {
      if (!key->MatchesSite(name) || *key->param != name.param) continue;
      if (key->pre.has_value()) {
        return BadKey(param, absl::StrCat(name.key(), ", without a source: ", name.param,
                                          " belongs to the receptor, which all sources share"));
      }
      receptor_params_[name.key()] = value;
      Touch("receptor_params", name.key());
      found = true;
    }
    return found ? absl::OkStatus() : Unknown(param);
  }

  absl::Status SetCells(const Param& param, absl::string_view key) {
    std::optional<std::string> population;
    const size_t colon = key.find(':');
    if (colon != key.npos) {
      population = std::string(key.substr(0, colon));
      key.remove_prefix(colon + 1);
      if (!setup_.Builds(*population) || PopulationOf(*population) == nullptr) {
        return BadKey(param, absl::StrCat("cells-POPULATION:KEY of the built populations ",
                                          absl::StrJoin(BuiltNames(), ", ")));
      }
    }
    const std::string name(key);
    if (!own_cell_params_.has_value()) CollectOwnCellParams();
    std::map<int64_t, double>& own = (*own_cell_params_)[name];
    if (param.values.size() == 1) {
      for (const std::string& p : BuiltNames()) {
        if (population.value_or(p) != p) continue;
        population_params_[p][name] = param.values[0];
        Touch(sim::FieldAt("population_params", p), name);
        // What single cells had is overridden.
        const sim::PopulationConfig& all = *PopulationOf(p);
        own.erase(own.lower_bound(all.first_gid), own.lower_bound(all.first_gid + all.num_cells));
      }
      return absl::OkStatus();
    }
    if (param.values.size() != built_gids_.size()) {
      return MakeFieldError(
          absl::StrCat(FieldOf(param), ".values"), absl::StrCat(param.values.size(), " numbers"),
          absl::StrCat("1, or ", built_gids_.size(), ": one for each built cell in gid order"));
    }
    const sim::PopulationConfig* only =
        population.has_value() ? PopulationOf(*population) : nullptr;
    for (size_t i = 0; i < built_gids_.size(); ++i) {
      if (only != nullptr && !Owns(*only, built_gids_[i])) continue;
      own[built_gids_[i]] = param.values[i];
      if (watched_.empty()) continue;
      Touch(sim::FieldAt("cell_params", absl::StrCat(built_gids_[i])), name, i);
    }
    return absl::OkStatus();
  }

  void CollectOwnCellParams() {
    built_gids_ = setup_.BuiltGids();
    own_cell_params_.emplace();
    for (const auto& [gid, values] : cell_params_) {
      for (const auto& [name, value] : values) (*own_cell_params_)[name][gid] = value;
    }
  }

  absl::Status SetElectrodes(const Param& param, absl::string_view name, double value) {
    if (!electrode_array_.has_value()) {
      return BadKey(param, "others: there are no electrodes (mea.json)");
    }
    ElectrodeArrayConfig changed = *electrode_array_;
    absl::Status status;
    if (absl::ConsumePrefix(&name, "volume_conductor-")) {
      status = changed.conductor.Set(name, value);
    } else if (name == "input_radius" || name == "output_radius") {
      (name == "input_radius" ? changed.input_radius_um : changed.output_radius_um) = value;
      status = changed.Validate();
    } else {
      return BadKey(param, "io-input_radius, io-output_radius, io-volume_conductor-NAME");
    }
    if (const std::optional<FieldError> error = FieldErrorOf(status); error.has_value()) {
      if (error->value == kUnknownName) {
        return BadKey(param,
                      absl::StrCat("io-volume_conductor-NAME with one of ", error->accepted));
      }
      return MakeFieldError(ValueField(param, 0), Exact(value), error->accepted);
    }
    electrode_array_ = std::move(changed);
    return absl::OkStatus();
  }

  const sim::PopulationConfig* PopulationOf(absl::string_view name) const {
    for (const sim::PopulationConfig& p : setup_.culture.populations) {
      if (p.name == name) return &p;
    }
    return nullptr;
  }

  // Built populations that this system has.
  std::vector<std::string> BuiltNames() const {
    std::vector<std::string> out;
    for (const std::string& name : setup_.built_populations) {
      if (PopulationOf(name) != nullptr) out.push_back(name);
    }
    return out;
  }

  static bool Owns(const sim::PopulationConfig& population, int64_t gid) {
    return gid >= population.first_gid && gid < population.first_gid + population.num_cells;
  }

  const CultureSetup& setup_;
  std::string watched_;  // empty: nothing
  std::optional<size_t> touched_;
  std::optional<sim::SynapseParamNames> names_;
  std::map<std::string, double> weights_;
  std::map<std::string, double> receptor_params_;
  std::optional<std::map<std::string, double>> noise_;
  std::map<std::string, sim::ParamValues> population_params_;
  std::map<int64_t, sim::ParamValues> cell_params_;
  // The same by name, from the first key of cells on: a key then costs what it changes.
  std::optional<std::map<std::string, std::map<int64_t, double>>> own_cell_params_;
  std::vector<int64_t> built_gids_;
  std::optional<ElectrodeArrayConfig> electrode_array_;
};

// livn 2.0.0 models/rcsd/__init__.py, neuron_default_weights and neuron_default_noise.
ParamList ModelDefaults(absl::string_view system) {
  if (system == "EI1") {
    return {{"EXC_EXC-dend-AMPA-weight", {0.0010000000254350994}},
            {"EXC_EXC-dend-NMDA-weight", {0.37764625228307414}},
            {"INH_EXC-dend-AMPA-weight", {2.9091933347646908}},
            {"INH_EXC-dend-NMDA-weight", {0.0010000000254350994}},
            {"EXC_INH-soma-GABA_A-weight", {9.406616405134113}},
            {"INH_INH-soma-GABA_A-weight", {8.710510071227473}},
            {"noise-g_e0", {1.0}},
            {"noise-g_i0", {1.2172681093215942}},
            {"noise-std_e", {0.3290764391422272}},
            {"noise-std_i", {0.35633188486099243}},
            {"noise-tau_e", {33.00786209106445}},
            {"noise-tau_i", {28.50772476196289}}};
  }
  if (system == "EI2") {
    return {{"EXC_EXC-dend-AMPA-weight", {0.8598201979147386}},
            {"EXC_EXC-dend-NMDA-weight", {1.2337499089211241}},
            {"INH_EXC-dend-AMPA-weight", {1.1851855878120792}},
            {"INH_EXC-dend-NMDA-weight", {0.056837208512839466}},
            {"EXC_INH-soma-GABA_A-weight", {1.5785464331652075}},
            {"INH_INH-soma-GABA_A-weight", {4.262910407764182}},
            {"noise-g_e0", {3.409418821334839}},
            {"noise-g_i0", {1.0573457479476929}},
            {"noise-std_e", {0.49486637115478516}},
            {"noise-std_i", {0.23988725244998932}},
            {"noise-tau_e", {31.219661712646484}},
            {"noise-tau_i", {16.700607299804688}}};
  }
  // One default spelt out switches the noise on.
  return {{"noise-std_e", {0.003}}};
}

template <typename Map>
std::string Names(const Map& map) {
  if (map.empty()) return "none";
  return absl::StrJoin(
      map, ", ", [](std::string* out, const auto& entry) { absl::StrAppend(out, entry.first); });
}

}  // namespace

absl::Status ApplyParams(const ParamList& params, CultureSetup& setup) {
  Writer writer(setup);
  for (const Param& param : params) LIVND_RETURN_IF_ERROR(writer.Set(param));
  writer.CommitTo(setup);
  return absl::OkStatus();
}

void DropOverridden(ParamList& params) {
  std::set<absl::string_view> seen;
  std::vector<bool> keep(params.size());
  for (size_t i = params.size(); i-- > 0;) keep[i] = seen.insert(params[i].key).second;
  seen.clear();  // its views would not outlive what follows
  size_t kept = 0;
  for (size_t i = 0; i < params.size(); ++i) {
    if (!keep[i]) continue;
    if (kept != i) params[kept] = std::move(params[i]);
    ++kept;
  }
  params.resize(kept);
}

std::optional<absl::Status> FaultOfParams(const ParamList& params, const CultureSetup& setup,
                                          const absl::Status& status) {
  const std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value() || !error->file.empty() || error->field.empty()) return std::nullopt;
  Writer writer(setup);
  for (auto param = params.rbegin(); param != params.rend(); ++param) {
    writer.Watch(error->field);
    if (!writer.Set(*param).ok() || !writer.touched().has_value()) continue;
    const bool unknown = error->value == kUnknownName;
    return WithFieldError(
        {"",
         unknown ? absl::StrCat(FieldOf(*param), ".key") : ValueField(*param, *writer.touched()),
         unknown ? param->key : error->value, error->accepted},
        status);
  }
  return std::nullopt;
}

ParamList ToParamList(const std::map<std::string, double>& params) {
  ParamList out;
  for (const auto& [key, value] : params) out.push_back({key, {value}});
  return out;
}

absl::StatusOr<ParamList> StoredParams(const System& system, const std::string& params_key,
                                       const std::string& document, const std::string& group) {
  const auto found = system.params.find(document);
  if (found == system.params.end()) {
    return MakeFieldError("document", document, Names(system.params));
  }
  const auto model = found->second.find(params_key);
  if (model == found->second.end()) {
    return MakeFieldError("model", params_key, Names(found->second));
  }
  const auto params = model->second.find(group);
  if (params == model->second.end()) return MakeFieldError("group", group, Names(model->second));
  return params->second;
}

ParamList ModelDefaultParams(const System& system, const CultureSetup& setup) {
  ParamList params = ModelDefaults(system.name);
  const std::vector<std::string> accepted = AcceptedParams(setup);
  params.erase(std::remove_if(params.begin(), params.end(),
                              [&](const Param& p) {
                                return std::find(accepted.begin(), accepted.end(), p.key) ==
                                       accepted.end();
                              }),
               params.end());
  return params;
}

absl::StatusOr<ParamList> DefaultParams(const System& system, const CultureSetup& setup,
                                        const std::string& group) {
  const std::string document = setup.selection.empty() ? "default" : setup.selection;
  const auto found = system.params.find(document);
  if (found != system.params.end() && found->second.count(setup.params_key) > 0) {
    return StoredParams(system, setup.params_key, document, group);
  }
  return ModelDefaultParams(system, setup);
}

absl::Status InDefaultParams(const System& system, const CultureSetup& setup,
                             const std::string& group, const absl::Status& status) {
  std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value() || !error->file.empty()) return status;
  const absl::string_view field = error->field;
  const size_t end = field.rfind(']');
  if (field == "group") {
    error->field = setup.params_key;
    error->value = absl::StrCat("without a group ", group);
    error->accepted = absl::StrCat("one with it; there is ", error->accepted);
  } else if (absl::StartsWith(field, "params[") && end != field.npos) {
    // "params[KEY].value" is "MODEL.GROUP.params.KEY" there.
    const absl::string_view key = field.substr(7, field.rfind("].") - 7);
    if (error->value == key) error->value = kUnknownName;
    error->field = absl::StrCat(setup.params_key, ".", group, ".params.", key);
  }
  return InFile(absl::StrCat(system.directory, "/params/",
                             setup.selection.empty() ? "default" : setup.selection, ".json"),
                WithFieldError(*error, status));
}

std::vector<std::string> AcceptedParams(const CultureSetup& setup) {
  std::vector<std::string> keys;
  const sim::SynapseParamNames names = sim::SynapseParamNamesOf(setup.culture);
  for (const sim::WeightName& name : names.weights) keys.push_back(name.key());
  for (const sim::ReceptorParamName& name : names.receptor_params) keys.push_back(name.key());
  for (const auto& [name, value] : sim::NoiseDefaults(setup.culture.model)) {
    keys.push_back(absl::StrCat("noise-", name));
    for (const sim::PopulationConfig& p : setup.culture.populations) {
      if (setup.Builds(p.name)) keys.push_back(absl::StrCat("noise-", p.name, "-", name));
    }
  }
  if (setup.electrode_array.has_value()) {
    for (const char* name :
         {"input_radius", "output_radius", "volume_conductor-stimulation_gain",
          "volume_conductor-recording_gain", "volume_conductor-min_distance_um",
          "volume_conductor-electrode_radius_um", "volume_conductor-culture_height_um"}) {
      keys.push_back(absl::StrCat("io-", name));
    }
  }
  return keys;
}

}  // namespace livnd::io
