#include "sim/culture/point_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "sim/culture/cell_params.h"
#include "sim/culture/config_fields.h"
#include "sim/network/populations.h"

namespace livnd::sim {
namespace {

// livn redraws the noise current once a millisecond.
constexpr double kNoiseIntervalMs = 1.0;

bool IsBuilt(const PopulationConfig& population) {
  return AreNeurons(population.name) && !population.is_event_source();
}

absl::Status CheckTau(absl::string_view name, double tau_ms, double dt_ms) {
  // Written so that NaN fails; infinity passes.
  if (tau_ms >= dt_ms) return absl::OkStatus();
  return MakeFieldError(
      name, Exact(tau_ms),
      absl::StrCat("no less than the step, ", Exact(dt_ms), " (ms); infinity: no decay"));
}

absl::Status CheckWeight(absl::string_view name, bool conductance, double value) {
  if (value >= (conductance ? 0.0 : -1e9) && value <= 1e9) return absl::OkStatus();
  return MakeFieldError(
      name, Exact(value),
      conductance ? "a number from 0 to 1e9 (nS)" : "a number from -1e9 to 1e9 (pA)");
}

// An error about one number, as one about another that it does not go with.
absl::Status UnfitFor(const std::string& name, double value, const absl::Status& status) {
  const std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value() || error->field == name) return status;
  return WithFieldError({"", name, Exact(value),
                         absl::StrCat("a number that goes with ", error->field, " = ", error->value,
                                      ", which takes ", error->accepted)},
                        status);
}

}  // namespace

PointModelConfig LeakyIntegrateAndFire() {
  PointModelConfig model;
  model.level = kLifLevel;
  model.params = {{"tau_m", 10.0},
                  {"E_L", -70.0},
                  {"g_L", 10.0},
                  {"V_threshold_base", -55.0},
                  {"theta_decay_rate", 1.0},
                  {"theta_jump", 0.0},
                  {"f_v", 0.0},
                  {"delta_v", 5.0},
                  {"t_ref", 0.0},
                  {"asc_r", 1.0}};
  return model;
}

absl::StatusOr<CultureParts> PointBuilder::Build() {
  parts_.AddSources(config_.populations);
  if (absl::Status s = RefuseOthersFields(); !s.ok()) return s;
  if (absl::Status s = ReadModelParams(); !s.ok()) return s;
  if (absl::Status s = ValidateNoise(); !s.ok()) return s;
  // A cell may spike in every step.
  parts_.refractory_steps = 0;
  parts_.noise_interval_ms = kNoiseIntervalMs;
  parts_.time_rules = TimeRules::kWholeSteps;
  int64_t num_cells = 0;
  for (const PopulationConfig& p : config_.populations) {
    if (IsBuilt(p)) num_cells += p.num_present();
  }
  const std::vector<double> draws =
      is_glif() ? std::vector<double>() : IzhikevichDraws(point_.seed, num_cells);
  const double* next_draw = draws.data();
  for (const PopulationConfig& p : config_.populations) {
    if (!IsBuilt(p) || p.num_present() == 0) continue;
    if (absl::Status s = BuildPopulation(p, next_draw); !s.ok()) return s;
    if (!is_glif()) next_draw += p.num_present();
  }
  for (const auto& [name, params] : config_.population_params) {
    if (!HasNeurons(name)) {
      return NotBuilt("population_params", name);
    }
  }
  for (const auto& [gid, params] : config_.cell_params) {
    if (parts_.Find(gid).group < 0) {
      return CellNotBuilt("cell_params", gid);
    }
  }
  if (absl::Status s = BuildConnections(); !s.ok()) return s;
  return std::move(parts_);
}

bool PointBuilder::HasNeurons(const std::string& population) const {
  return AreNeurons(population) &&
         std::any_of(config_.populations.begin(), config_.populations.end(),
                     [&](const PopulationConfig& p) { return p.name == population; });
}

absl::Status PointBuilder::RefuseOthersFields() const {
  const struct {
    const char* name;
    bool given;
  } kFields[] = {{"model.parameter_sets", !config_.model.parameter_sets.empty()},
                 {"model.size_cv", !config_.model.size_cv.empty()},
                 {"receptor_params", !config_.receptor_params.empty()},
                 {"plasticity", config_.plasticity.has_value()},
                 {"opsin", config_.opsin.has_value()}};
  for (const auto& field : kFields) {
    if (!field.given) continue;
    return MakeFieldError(field.name, "present", "absent: point neurons have none");
  }
  if (const CultureConfig defaults; config_.v_init_mv != defaults.v_init_mv) {
    return MakeFieldError("v_init_mv", Exact(config_.v_init_mv),
                          absl::StrCat(Exact(defaults.v_init_mv),
                                       ", which nothing looks at: point "
                                       "neurons have a start of their own"));
  }
  return absl::OkStatus();
}

absl::Status PointBuilder::ReadModelParams() {
  if (is_glif() && (point_.level < kMinGlifLevel || point_.level > kMaxGlifLevel)) {
    return MakeFieldError("model.point.level", absl::StrCat(point_.level), "1 .. 5");
  }
  IzhikevichParams izhikevich;
  for (const auto& [name, value] : point_.params) {
    absl::Status s;
    if (name == "tau_syn") {
      tau_syn_ms_ = value;
      s = CheckTau("tau_syn", value, config_.dt_ms);
    } else {
      s = is_glif() ? SetGlifParam(glif_, name, value)
                    : SetIzhikevichParam(izhikevich, name, value);
    }
    if (!s.ok()) return AtKeyOf("model.point.params", s);
  }
  if (is_glif()) ApplyGlifLevel(point_.level, glif_);
  return absl::OkStatus();
}

std::vector<PointBuilder::Layer> PointBuilder::LayersOf(const PopulationConfig& population,
                                                        int64_t gid) const {
  std::vector<Layer> layers;
  const auto of_all = config_.population_params.find(population.name);
  if (of_all != config_.population_params.end()) {
    layers.push_back({FieldAt("population_params", population.name), &of_all->second});
  }
  const auto own = config_.cell_params.find(gid);
  if (own != config_.cell_params.end()) {
    layers.push_back({FieldAt("cell_params", absl::StrCat(gid)), &own->second});
  }
  return layers;
}

absl::StatusOr<GlifParams> PointBuilder::GlifCell(const PopulationConfig& population,
                                                  int64_t gid) const {
  GlifParams p = glif_;
  absl::Status unfit = CheckGlifParams(p, config_.dt_ms);
  if (!unfit.ok()) unfit = AtKeyOf("model.point.params", unfit);
  for (const Layer& layer : LayersOf(population, gid)) {
    for (const auto& [name, value] : *layer.params) {
      if (absl::Status s = SetGlifParam(p, name, value); !s.ok()) return AtKeyOf(layer.field, s);
      const absl::Status fits = CheckGlifParams(p, config_.dt_ms);
      // What is wrong together is the fault of the one that made it so.
      if (unfit.ok() && !fits.ok()) unfit = AtKeyOf(layer.field, UnfitFor(name, value, fits));
      if (fits.ok()) unfit = fits;
    }
  }
  if (!unfit.ok()) return unfit;
  return p;
}

absl::StatusOr<IzhikevichParams> PointBuilder::IzhikevichCell(const PopulationConfig& population,
                                                              int64_t gid, double draw) const {
  IzhikevichParams p = sim::IzhikevichCell(population.name == kExcitatoryCells, draw);
  std::vector<Layer> layers = LayersOf(population, gid);
  layers.insert(layers.begin(), {"model.point.params", &point_.params});
  for (const Layer& layer : layers) {
    for (const auto& [name, value] : *layer.params) {
      if (name == "tau_syn") continue;
      if (absl::Status s = SetIzhikevichParam(p, name, value); !s.ok()) {
        return AtKeyOf(layer.field, s);
      }
    }
  }
  return p;
}

absl::StatusOr<ParamValues> PointBuilder::ParamsOfCell(const CultureConfig& config, int64_t gid) {
  PointBuilder builder(config);
  if (absl::Status s = builder.ReadModelParams(); !s.ok()) return s;
  int64_t num_before = 0;
  for (const PopulationConfig& p : config.populations) {
    if (!IsBuilt(p)) continue;
    for (int64_t i = 0; i < p.num_present(); ++i, ++num_before) {
      if (p.gid(i) != gid) continue;
      if (builder.is_glif()) {
        const absl::StatusOr<GlifParams> cell = builder.GlifCell(p, gid);
        if (!cell.ok()) return cell.status();
        return GlifParamValues(*cell);
      }
      const double draw = IzhikevichDraws(builder.point_.seed, num_before + 1).back();
      const absl::StatusOr<IzhikevichParams> cell = builder.IzhikevichCell(p, gid, draw);
      if (!cell.ok()) return cell.status();
      return IzhikevichParamValues(*cell);
    }
  }
  return MakeFieldError("gid", absl::StrCat(gid), "gids of built cells");
}

absl::Status PointBuilder::BuildPopulation(const PopulationConfig& population,
                                           const double* draws) {
  const absl::StatusOr<double> noise_pa = NoiseAmplitude(population.name);
  if (!noise_pa.ok()) return noise_pa.status();
  const int g = static_cast<int>(parts_.groups.size());
  auto glif = is_glif() ? std::make_shared<GlifModel>(config_.dt_ms) : nullptr;
  auto izhikevich = is_glif() ? nullptr : std::make_shared<IzhikevichModel>(config_.dt_ms);
  models_.push_back(glif != nullptr ? std::shared_ptr<PointModel>(glif) : izhikevich);
  models_[g]->SetNoiseOn(*noise_pa > 0.0);
  CellGroup& group = parts_.groups.emplace_back();
  group.population = population.name;
  group.model = models_[g];

  int64_t plain_class = -1;
  for (int64_t i = 0; i < population.num_present(); ++i) {
    const int64_t gid = population.gid(i);
    const auto own = config_.cell_params.find(gid);
    const bool plain = is_glif() && own == config_.cell_params.end();
    if (plain && plain_class >= 0) {
      parts_.AddCell(g, gid, static_cast<uint32_t>(plain_class));
      continue;
    }
    absl::Status s;
    CellParams cell;
    if (is_glif()) {
      const absl::StatusOr<GlifParams> p = GlifCell(population, gid);
      s = p.status();
      if (s.ok()) cell = glif->Derive(*p, *noise_pa);
    } else {
      const absl::StatusOr<IzhikevichParams> p = IzhikevichCell(population, gid, draws[i]);
      s = p.status();
      if (s.ok()) cell = izhikevich->Derive(*p, *noise_pa);
    }
    if (!s.ok()) return s;
    const auto cell_class = static_cast<uint32_t>(parts_.groups[g].classes.size());
    parts_.groups[g].classes.push_back(std::move(cell));
    if (plain) plain_class = cell_class;
    parts_.AddCell(g, gid, cell_class);
  }
  return absl::OkStatus();
}

absl::Status PointBuilder::ValidateNoise() {
  if (!config_.noise.has_value()) return absl::OkStatus();
  parts_.has_noise = true;
  for (const auto& [key, value] : *config_.noise) {
    const size_t dash = key.find('-');
    const std::string name = dash == key.npos ? key : key.substr(dash + 1);
    const std::string population = dash == key.npos ? "" : key.substr(0, dash);
    if (name != "level" || (dash != key.npos && !HasNeurons(population))) {
      return MakeFieldError(FieldAt("noise", key), kUnknownName,
                            "level, also as POPULATION-level with the name of a built population");
    }
    if (!(value >= 0.0 && value <= 1e9)) {
      return MakeFieldError(FieldAt("noise", key), Exact(value), "a number from 0 to 1e9");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<double> PointBuilder::NoiseAmplitude(const std::string& population) const {
  if (!config_.noise.has_value()) return 0.0;
  const double level = NoiseParamsOf(config_, population).at("level");
  // livn 2.0.0 brian2_noise_configure of models/glif.py and models/izhikevich.py.
  if (is_glif()) return level;
  return (population == kExcitatoryCells ? 5.0 : 2.0) * level;
}

absl::StatusOr<PointBuilder::Receptor> PointBuilder::ResolveReceptor(
    const ReceptorConfig& config) const {
  Receptor r;
  r.name = config.receptor;
  r.conductance = config.receptor == "g_syn";
  if (!r.conductance && config.receptor != "I_syn") {
    return MakeFieldError("", kUnknownName, "I_syn, g_syn");
  }
  r.tau_ms = tau_syn_ms_;
  std::vector<std::string> accepted = {"weight", "tau"};
  accepted.emplace_back(r.conductance ? "e" : "sign");
  for (const auto& [name, value] : config.params) {
    const std::string& field = name;
    if (std::find(accepted.begin(), accepted.end(), name) == accepted.end()) {
      return MakeFieldError(field, kUnknownName, absl::StrJoin(accepted, ", "));
    }
    if (name == "weight") {
      r.weight = value;
      if (absl::Status s = CheckWeight(field, r.conductance, value); !s.ok()) return s;
    } else if (name == "tau") {
      r.tau_ms = value;
      if (absl::Status s = CheckTau(field, value, config_.dt_ms); !s.ok()) return s;
    } else if (name == "sign") {
      r.sign = value;
      if (value != 1.0 && value != -1.0) {
        return MakeFieldError(field, Exact(value), "1 or -1");
      }
    } else {
      r.reversal_mv = value;
      if (!(std::fabs(value) <= 1e3)) {
        return MakeFieldError(field, Exact(value), "a number from -1000 to 1000 (mV)");
      }
    }
  }
  return r;
}

absl::Status PointBuilder::AddProjection(const ProjectionConfig& projection) {
  const std::string pair = absl::StrCat(projection.post, "_", projection.pre);
  // A point neuron has one place for synapses.
  std::vector<Receptor> receptors;
  for (const auto& [swc, configs] : projection.receptors) {
    for (const ReceptorConfig& c : configs) {
      if (swc != ProjectionConfig::kDefaultReceptors) {
        return MakeFieldError(absl::StrCat(FieldOf(projection), ".receptors"),
                              absl::StrCat("given for section type ", swc),
                              "default receptors alone: point neurons have no sections");
      }
      absl::StatusOr<Receptor> r = ResolveReceptor(c);
      if (!r.ok()) {
        return AtField(absl::StrCat(FieldOf(projection), ".receptors.", c.receptor), r.status());
      }
      receptors.push_back(*std::move(r));
    }
  }
  for (Receptor& r : receptors) {
    for (const std::string& key : {absl::StrCat(pair, "-soma-", r.name, "-weight"), pair}) {
      // livn's own key, the pair alone, is clear if there is one receptor.
      if (key == pair && receptors.size() != 1) continue;
      weight_keys_.insert(key);
      const auto weight = config_.weights.find(key);
      if (weight == config_.weights.end()) continue;
      r.weight = weight->second;
      if (absl::Status s = CheckWeight(FieldAt("weights", key), r.conductance, r.weight); !s.ok()) {
        return s;
      }
    }
  }
  for (const Edge& edge : projection.edges) {
    const Culture::CellRef target = parts_.Find(edge.target_gid);
    const int64_t source = parts_.SourceIndex(edge.source_gid);
    const bool between_cells = target.group >= 0 && source >= 0;
    if (absl::Status e = CheckEdge(projection, edge, between_cells); !e.ok()) return e;
    for (const Receptor& r : receptors) {
      PendingRow pending;
      pending.source = static_cast<uint32_t>(source);
      ConnectionRow& row = pending.row;
      row.target_index = static_cast<uint32_t>(target.index);
      pending.terminal = {static_cast<uint16_t>(target.group),
                          static_cast<uint16_t>(models_[target.group]->AddSlot(
                              r.conductance, r.tau_ms, r.reversal_mv)),
                          0};
      row.delay_ms = std::max(edge.distance_um / kConductionUmPerMs, 2.0 * config_.dt_ms);
      // Brian2: rounded to steps, and what arrives in step k acts from k + 1 on.
      row.delay_steps = static_cast<int32_t>(std::floor(row.delay_ms / config_.dt_ms + 0.5)) + 1;
      parts_.max_delay_steps = std::max(parts_.max_delay_steps, row.delay_steps);
      row.weight = r.sign * r.weight * edge.weight;
      row.state = -1;
      parts_.rows.push_back(std::move(pending));
    }
  }
  return absl::OkStatus();
}

absl::Status PointBuilder::BuildConnections() {
  // Events bring a row's weight as it is, pA or nS.
  ReceptorConstants as_it_is;
  as_it_is.unit_us = as_it_is.half_rise = as_it_is.half_decay = 1.0;
  parts_.receptors.push_back(as_it_is);
  for (const ProjectionConfig& projection : config_.projections) {
    if (absl::Status s = AddProjection(projection); !s.ok()) return s;
  }
  parts_.weight_keys.assign(weight_keys_.begin(), weight_keys_.end());
  for (const auto& [key, value] : config_.weights) {
    if (weight_keys_.count(key) == 0) {
      return MakeFieldError(FieldAt("weights", key), kUnknownName,
                            absl::StrJoin(parts_.weight_keys, ", "));
    }
  }
  return absl::OkStatus();
}

}  // namespace livnd::sim
