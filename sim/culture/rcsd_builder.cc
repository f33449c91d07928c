#include "sim/culture/rcsd_builder.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "sim/cell/rcsd/rcsd_constants.h"
#include "sim/culture/cell_params.h"
#include "sim/culture/config_fields.h"
#include "sim/culture/synapse_params.h"
#include "sim/network/populations.h"
#include "sim/simd/scalar_math.h"

namespace livnd::sim {
namespace {

// The noise process advances by a fixed interval whatever the step.
constexpr double kNoiseIntervalMs = 0.025;
// A delay this near a tie of the delivery rule is decided in doubles, event by event.
constexpr double kTieMs = 1e-6;

bool KindOf(absl::string_view population, CellKind* kind) {
  if (population == kExcitatoryCells) *kind = CellKind::kMotoneuron;
  if (population == kInhibitoryCells) *kind = CellKind::kRenshaw;
  return AreNeurons(population);
}

absl::Status ValidateOpsin(const OpsinParams& o) {
  auto positive = [](const char* name, double value, const char* unit) {
    if (value > 0.0 && value <= 1e30) return absl::OkStatus();
    return MakeFieldError(absl::StrCat("opsin[", name, "]"), Exact(value),
                          absl::StrCat("a number > 0 and <= 1e30 (", unit, ")"));
  };
  auto not_negative = [](const char* name, double value, const char* unit) {
    if (value >= 0.0 && value <= 1e9) return absl::OkStatus();
    return MakeFieldError(absl::StrCat("opsin[", name, "]"), Exact(value),
                          absl::StrCat("a number from 0 to 1e9 (", unit, ")"));
  };
  for (const absl::Status& s :
       {not_negative("g0", o.g0_ps, "pS"), positive("v0", o.v0_mv, "mV"),
        positive("phi_m", o.phi_m, "photons/s/mm2"), not_negative("k_a", o.k_a, "1/ms"),
        not_negative("k_r", o.k_r, "1/ms"), not_negative("Gd", o.gd, "1/ms"),
        not_negative("Gr0", o.gr0, "1/ms"), not_negative("p", o.p, "1"),
        not_negative("q", o.q, "1")}) {
    if (!s.ok()) return s;
  }
  if (!(std::fabs(o.reversal_mv) <= 1e3) || o.reversal_mv == -70.0) {
    return MakeFieldError("opsin[E]", Exact(o.reversal_mv),
                          "a number within +-1000 other than -70 (mV)");
  }
  return absl::OkStatus();
}

// Sets the names with a section on the built cell, or those without on its set.
absl::Status SetSectionParams(const ParamValues& params, CellTemplate& cell) {
  for (const auto& [key, value] : params) {
    if (!absl::StrContains(key, '.')) continue;
    if (absl::Status s = SetCellParam(cell, key, value); !s.ok()) return s;
  }
  return absl::OkStatus();
}
absl::Status SetTemplateParams(const ParamValues& params, RcsdParameterSet& set) {
  for (const auto& [key, value] : params) {
    if (absl::StrContains(key, '.')) continue;
    if (absl::Status s = SetTemplateParam(set, key, value); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace

// What the cells of one population have in common.
struct RcsdBuilder::Population {
  const PopulationConfig* config;
  CellKind kind;
  RcsdParameterSet set;
  const ParamValues* params = nullptr;  // of all cells, or null
  bool own_membrane = false;
  size_t first_group = 0;
};

bool RcsdBuilder::IsBuilt(const std::string& population) const {
  CellKind unused;
  return KindOf(population, &unused) &&
         std::any_of(config_.populations.begin(), config_.populations.end(),
                     [&](const PopulationConfig& p) { return p.name == population; });
}

absl::StatusOr<CultureParts> RcsdBuilder::Build() {
  parts_.AddSources(config_.populations);
  parts_.refractory_steps =
      static_cast<int64_t>(std::ceil(config_.model.refractory_period_ms / config_.dt_ms - 1e-6));
  if (config_.opsin.has_value()) {
    if (absl::Status s = ValidateOpsin(*config_.opsin); !s.ok()) return s;
    opsin_ = *config_.opsin;
    parts_.has_opsin = true;
  }
  if (config_.plasticity.has_value()) {
    absl::StatusOr<std::vector<PlasticityRule>> rules = ResolvePlasticity(*config_.plasticity);
    if (!rules.ok()) return rules.status();
    rules_ = *std::move(rules);
    parts_.has_plasticity = true;
  }
  for (const auto& [population, cv] : config_.model.size_cv) {
    if (!(cv >= 0.0 && cv <= 10.0)) {
      return MakeFieldError(FieldAt("model.size_cv", population), Exact(cv),
                            "a number from 0 to 10");
    }
  }
  for (const auto& [name, set] : config_.model.parameter_sets) {
    if (!IsBuilt(name)) {
      return NotBuilt("model.parameter_sets", name);
    }
  }
  for (const auto& [name, params] : config_.population_params) {
    if (!IsBuilt(name)) {
      return NotBuilt("population_params", name);
    }
  }
  for (const PopulationConfig& p : config_.populations) {
    if (absl::Status s = BuildPopulation(p); !s.ok()) return s;
  }
  for (const auto& [gid, params] : config_.cell_params) {
    if (parts_.Find(gid).group < 0) {
      return CellNotBuilt("cell_params", gid);
    }
  }
  if (absl::Status s = BuildNoise(); !s.ok()) return s;
  if (absl::Status s = BuildConnections(); !s.ok()) return s;
  ShareTables();
  return std::move(parts_);
}

absl::StatusOr<CellTemplate> RcsdBuilder::MakeCell(const Population& population, int64_t gid,
                                                   double scale) const {
  const auto own = config_.cell_params.find(gid);
  RcsdParameterSet set = population.set;
  ScaleDiameters(scale, set);
  const auto at_population = [&](const absl::Status& s) {
    return AtKeyOf(FieldAt("population_params", population.config->name), s);
  };
  const auto at_cell = [&](const absl::Status& s) {
    return AtKeyOf(FieldAt("cell_params", absl::StrCat(gid)), s);
  };
  if (population.params != nullptr) {
    if (absl::Status s = SetTemplateParams(*population.params, set); !s.ok()) {
      return at_population(s);
    }
  }
  if (own != config_.cell_params.end()) {
    if (absl::Status s = SetTemplateParams(own->second, set); !s.ok()) return at_cell(s);
  }
  CellTemplate cell = MakeCellTemplate(set);
  if (population.params != nullptr) {
    if (absl::Status s = SetSectionParams(*population.params, cell); !s.ok()) {
      return at_population(s);
    }
  }
  if (own != config_.cell_params.end()) {
    if (absl::Status s = SetSectionParams(own->second, cell); !s.ok()) return at_cell(s);
  }
  const RcsdShape shape = ShapeOf(cell);
  if (cell.sections[0].num_segments != 1 || shape.num_dend == 2 || shape.num_dend > 3) {
    const std::string& name = population.config->name;
    return MakeFieldError(
        own != config_.cell_params.end() ? FieldAt("cell_params", absl::StrCat(gid))
        : population.params != nullptr   ? FieldAt("population_params", name)
                                         : FieldAt("model.size_cv", name),
        absl::StrCat("a size (factor ", Exact(scale), ") that needs ",
                     cell.sections[0].num_segments, " and ", shape.num_dend, " segments"),
        "sizes with 1 segment in the soma and 1 or 3 in the dendrite");
  }
  return cell;
}

absl::StatusOr<RcsdBuilder::Population> RcsdBuilder::ResolvePopulation(
    const PopulationConfig& config) const {
  Population population;
  population.config = &config;
  if (!KindOf(config.name, &population.kind)) {
    return NotBuilt("populations", config.name);
  }
  const CellKind kind = population.kind;
  const auto named = config_.model.parameter_sets.find(config.name);
  population.set = DefaultParameterSet(kind);
  if (named != config_.model.parameter_sets.end()) {
    absl::StatusOr<RcsdParameterSet> set = FindParameterSet(named->second);
    const std::string field = FieldAt("model.parameter_sets", config.name);
    if (!set.ok()) return AtField(field, set.status());
    if (set->kind != kind) {
      return MakeFieldError(
          field, named->second,
          absl::StrCat("a set of ", config.name, " cells; it is one of ",
                       kind == CellKind::kMotoneuron ? kInhibitoryCells : kExcitatoryCells,
                       " cells"));
    }
    population.set = *std::move(set);
  }
  const auto params = config_.population_params.find(config.name);
  if (params != config_.population_params.end()) population.params = &params->second;
  return population;
}

double RcsdBuilder::ScaleOf(const Population& population, int64_t gid) const {
  const auto cv = config_.model.size_cv.find(population.config->name);
  if (cv == config_.model.size_cv.end()) return 1.0;
  const int kind = population.kind == CellKind::kMotoneuron ? 0 : 1;
  return SizeScale(cv->second, gid, config_.model.size_seed + kind);
}

absl::Status RcsdBuilder::BuildPopulation(const PopulationConfig& config) {
  CellKind unused;
  if (!KindOf(config.name, &unused) || config.is_event_source()) return absl::OkStatus();
  absl::StatusOr<Population> resolved = ResolvePopulation(config);
  if (!resolved.ok()) return resolved.status();
  Population& population = *resolved;
  population.first_group = parts_.groups.size();
  auto scale_of = [&](int64_t gid) { return ScaleOf(population, gid); };
  // Whether some cell has pools of its own; then all of the population keep theirs as parameters,
  // so that changing them later does not change where state lies.
  for (int64_t i = 0; i < config.num_present(); ++i) {
    const int64_t gid = config.gid(i);
    if (i > 0 && config_.cell_params.count(gid) == 0) continue;
    const absl::StatusOr<CellTemplate> cell = MakeCell(population, gid, scale_of(gid));
    if (!cell.ok()) return cell.status();
    population.own_membrane = population.own_membrane || ShapeOf(*cell).own_membrane;
  }
  // Cells without own size or parameters share the class of the template.
  int plain_group = -1;
  uint32_t plain_class = 0;
  for (int64_t i = 0; i < config.num_present(); ++i) {
    const int64_t gid = config.gid(i);
    const double scale = scale_of(gid);
    const bool plain = scale == 1.0 && config_.cell_params.count(gid) == 0;
    if (plain && plain_group >= 0) {
      parts_.AddCell(plain_group, gid, plain_class);
      continue;
    }
    const absl::StatusOr<CellTemplate> cell = MakeCell(population, gid, scale);
    if (!cell.ok()) return cell.status();
    RcsdShape shape = ShapeOf(*cell);
    shape.own_membrane = population.own_membrane;
    shape.has_opsin = parts_.has_opsin;
    const int g = GroupOf(population, *cell, shape);
    CellGroup& group = parts_.groups[g];
    const auto cell_class = static_cast<uint32_t>(group.classes.size());
    group.classes.push_back(DeriveRcsdCell(*cell, shape, opsin_, config_.dt_ms, config_.v_init_mv));
    if (plain) {
      plain_group = g;
      plain_class = cell_class;
    }
    parts_.AddCell(g, gid, cell_class);
  }
  return absl::OkStatus();
}

int RcsdBuilder::GroupOf(const Population& population, const CellTemplate& cell,
                         const RcsdShape& shape) {
  std::vector<CellGroup>& groups = parts_.groups;
  size_t g = population.first_group;
  while (g < groups.size() && !(models_[g]->shape() == shape)) ++g;
  if (g == groups.size()) {
    models_.push_back(std::make_shared<RcsdModel>(shape, opsin_, config_.dt_ms));
    CellGroup& group = groups.emplace_back();
    group.population = population.config->name;
    group.model = models_.back();
    group.geometry = {shape.num_dend > 0, shape.num_axon, cell.axon_section_um};
  }
  return static_cast<int>(g);
}

absl::Status RcsdBuilder::BuildNoise() {
  parts_.noise_interval_ms = kNoiseIntervalMs;
  if (!config_.noise.has_value()) return absl::OkStatus();
  parts_.has_noise = true;
  std::vector<std::string> accepted;
  for (const auto& [name, value] : NoiseDefaults(config_.model)) accepted.push_back(name);
  for (const auto& [key, value] : *config_.noise) {
    const size_t dash = key.find('-');
    const std::string name = dash == key.npos ? key : key.substr(dash + 1);
    const std::string population = dash == key.npos ? "" : key.substr(0, dash);
    if (NoiseDefaults(config_.model).count(name) == 0 ||
        (dash != key.npos && !IsBuilt(population))) {
      return MakeFieldError(
          FieldAt("noise", key), kUnknownName,
          absl::StrCat(absl::StrJoin(accepted, ", "),
                       ", each also as POPULATION-name with the name of a built population"));
    }
    const bool ok = std::isfinite(value) && (name[0] == 'E' || value >= 0.0) &&
                    (!absl::StartsWith(name, "tau") || value > 0.0);
    if (!ok) {
      return MakeFieldError(FieldAt("noise", key), Exact(value),
                            name[0] == 'E'                  ? "a finite number (mV)"
                            : absl::StartsWith(name, "tau") ? "a number > 0 (ms)"
                                                            : "a number >= 0 (uS)");
    }
  }
  for (size_t g = 0; g < models_.size(); ++g) {
    const std::string& population = parts_.groups[g].population;
    const ParamValues params = NoiseParamsOf(config_, population);
    auto get = [&](const char* name) { return params.at(name); };
    NoiseParams n;
    const double std_e = get("std_e"), std_i = get("std_i");
    const bool renshaw = models_[g]->shape().kind == CellKind::kRenshaw;
    // A section's process is on if one of its deviations is; a Renshaw soma carries both.
    n.excitatory_on = renshaw ? (std_e > 0 || std_i > 0) : std_e > 0;
    n.inhibitory_on = renshaw ? (std_e > 0 || std_i > 0) : std_i > 0;
    n.g_e0 = get("g_e0");
    n.g_i0 = get("g_i0");
    n.reversal_e_mv = get("E_e");
    n.reversal_i_mv = get("E_i");
    n.decay_e = ScalarExp(-kNoiseIntervalMs / get("tau_e"));
    n.decay_i = ScalarExp(-kNoiseIntervalMs / get("tau_i"));
    n.amp_e = std_e * std::sqrt(1.0 - ScalarExp(-2.0 * kNoiseIntervalMs / get("tau_e")));
    n.amp_i = std_i * std::sqrt(1.0 - ScalarExp(-2.0 * kNoiseIntervalMs / get("tau_i")));
    models_[g]->SetNoise(n);
  }
  return absl::OkStatus();
}

void RcsdBuilder::ShareTables() {
  std::vector<std::shared_ptr<const RcsdTables>> made;
  for (const std::shared_ptr<RcsdModel>& model : models_) {
    const MagnesiumBlock block = model->block();
    auto tables = std::find_if(made.begin(), made.end(), [&](const auto& known) {
      return block.mg_over_kd == 0.0 || known->block == block;  // without one any will do
    });
    if (tables == made.end()) {
      tables = made.insert(made.end(), MakeRcsdTables(config_.dt_ms, block));
    }
    model->SetTables(*tables);
  }
}

int RcsdBuilder::SlotOf(int group, int compartment, const Receptor& receptor) {
  const double dt = config_.dt_ms;
  const Kinetics& kin = receptor.kinetics;
  SynapseSlot slot;
  slot.compartment = compartment;
  slot.decay_rise = ScalarExp(-dt / kin.tau_rise_ms);
  slot.decay_decay = ScalarExp(-dt / kin.tau_decay_ms);
  slot.reversal_mv = kin.reversal_mv;
  if (kin.magnesium_block) {
    slot.block = {kin.gamma_per_mv, kin.vshift_mv, kin.mg_mm / kin.kd_mm};
    const double decrement = kin.gamma_per_mv * rcsd::kSecantMv;
    slot.secant_factor = ScalarExp(-decrement);
    // 1 - exp(-x) by its series; x is 6e-5 by default.
    slot.secant_loss =
        decrement * (1.0 - decrement / 2.0 * (1.0 - decrement / 3.0 * (1.0 - decrement / 4.0)));
  }
  const std::optional<PlasticityGroup> rule = PlasticityGroupOf(receptor.kind);
  if (rule.has_value() && !rules_.empty()) {
    LearningSlot learning;
    learning.compartment = compartment;
    learning.group = *rule;
    learning.rule = rules_[static_cast<int>(*rule)];
    learning.log_slope = ScalarLog(learning.rule.slope);
    learning.decay = ScalarExp(-dt / learning.rule.decay_tau_ms);
    slot.learning = models_[group]->AddLearningSlot(learning);
  }
  return models_[group]->AddSlot(slot);
}

absl::Status RcsdBuilder::AddProjection(const ProjectionConfig& projection) {
  const double dt = config_.dt_ms;
  std::vector<ReceptorConstants>& constants = parts_.receptors;
  struct InUse {
    PlacedReceptor placed;
    int64_t index = -1;  // among the connectivity's receptors; -1: no connection has it yet
  };
  std::map<int, std::vector<InUse>> receptors;  // by SWC type
  auto receptors_at = [&](int swc_type) -> absl::StatusOr<std::vector<InUse>*> {
    const auto [at, fresh] = receptors.try_emplace(swc_type);
    if (!fresh) return &at->second;
    absl::StatusOr<std::vector<PlacedReceptor>> placed =
        PlaceReceptors(config_, projection, swc_type);
    if (!placed.ok()) return placed.status();
    for (PlacedReceptor& p : *placed) at->second.push_back({std::move(p)});
    return &at->second;
  };
  for (const auto& [swc, configs] : projection.receptors) {
    // Also those that no edge has are to be sound.
    const absl::Status s = receptors_at(swc).status();
    if (!s.ok()) return s;
  }
  for (const Edge& edge : projection.edges) {
    const Culture::CellRef target = parts_.Find(edge.target_gid);
    const int64_t source = parts_.SourceIndex(edge.source_gid);
    const bool between_cells = target.group >= 0 && source >= 0;
    if (absl::Status e = CheckEdge(projection, edge, between_cells); !e.ok()) return e;
    const absl::StatusOr<std::vector<InUse>*> in_use = receptors_at(edge.swc_type);
    if (!in_use.ok()) return in_use.status();
    const RcsdShape& shape = models_[target.group]->shape();
    int compartment = 0;
    if (edge.swc_type != kSwcSoma && shape.num_dend > 0) {
      const double x = std::clamp(edge.location, 0.0, 1.0);
      compartment = 1 + std::min(static_cast<int>(x * shape.num_dend), shape.num_dend - 1);
    }
    for (InUse& p : **in_use) {
      const Receptor& receptor = p.placed.receptor;
      const int slot = SlotOf(target.group, compartment, receptor);
      const std::optional<PlasticityGroup> group = PlasticityGroupOf(receptor.kind);
      if (p.index < 0) {
        p.index = static_cast<int64_t>(constants.size());
        ReceptorConstants c;
        c.unit_us = receptor.g_unit_us * receptor.factor;
        c.half_rise = ScalarExp(-dt / (2.0 * receptor.kinetics.tau_rise_ms));
        c.half_decay = ScalarExp(-dt / (2.0 * receptor.kinetics.tau_decay_ms));
        c.depressing = receptor.kind == SynapseKind::kDepressing;
        c.release_fraction = receptor.release_fraction;
        c.recovery_tau_ms = receptor.recovery_tau_ms;
        c.plastic = group.has_value() && !rules_.empty();
        if (c.plastic) {
          c.w_min = rules_[static_cast<int>(*group)].w_min;
          c.w_max = rules_[static_cast<int>(*group)].w_max;
        }
        constants.push_back(c);
      }
      PendingRow pending;
      pending.source = static_cast<uint32_t>(source);
      ConnectionRow& row = pending.row;
      row.target_index = static_cast<uint32_t>(target.index);
      pending.terminal = {static_cast<uint16_t>(target.group), static_cast<uint16_t>(slot),
                          static_cast<uint32_t>(p.index)};
      row.delay_ms = std::max(edge.distance_um / kConductionUmPerMs, 2.0 * dt);
      const double steps = (row.delay_ms + kEmissionOffsetMs) / dt - 0.5;
      const double ceiling = std::ceil(steps);
      const bool tie = std::fabs(steps - std::round(steps)) * dt < kTieMs;
      row.delay_steps = tie ? -1 : static_cast<int32_t>(ceiling);
      parts_.max_delay_steps = std::max(parts_.max_delay_steps, static_cast<int>(ceiling) + 1);
      row.weight = p.placed.weight * edge.weight;
      row.state = -1;
      const ReceptorConstants& c = constants[pending.terminal.receptor];
      if (c.plastic) {
        pending.plastic = {edge.source_gid, edge.target_gid, edge.syn_id,
                           receptor.name,   c.w_min,         c.w_max};
      }
      parts_.rows.push_back(std::move(pending));
    }
  }
  return absl::OkStatus();
}

absl::Status RcsdBuilder::BuildConnections() {
  const SynapseParamNames names = SynapseParamNamesOf(config_);
  std::vector<std::string> accepted;
  for (const WeightName& name : names.weights) parts_.weight_keys.push_back(name.key());
  for (const ReceptorParamName& name : names.receptor_params) accepted.push_back(name.key());
  for (const auto& [key, value] : config_.weights) {
    if (!std::binary_search(parts_.weight_keys.begin(), parts_.weight_keys.end(), key)) {
      return MakeFieldError(FieldAt("weights", key), kUnknownName,
                            absl::StrJoin(parts_.weight_keys, ", "));
    }
    if (!(value >= 0.0 && value <= 1e9)) {
      return MakeFieldError(FieldAt("weights", key), Exact(value), "a number from 0 to 1e9");
    }
  }
  for (const auto& [key, value] : config_.receptor_params) {
    if (!std::binary_search(accepted.begin(), accepted.end(), key)) {
      return MakeFieldError(FieldAt("receptor_params", key), kUnknownName,
                            absl::StrJoin(accepted, ", "));
    }
  }
  for (const ProjectionConfig& projection : config_.projections) {
    if (absl::Status s = AddProjection(projection); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<ParamValues> RcsdBuilder::ParamsOfCell(const CultureConfig& config, int64_t gid) {
  const RcsdBuilder builder(config);
  for (const PopulationConfig& p : config.populations) {
    if (gid < p.first_gid || gid >= p.first_gid + p.num_cells) continue;
    const absl::StatusOr<Population> population = builder.ResolvePopulation(p);
    if (!population.ok()) return population.status();
    const absl::StatusOr<CellTemplate> cell =
        builder.MakeCell(*population, gid, builder.ScaleOf(*population, gid));
    if (!cell.ok()) return cell.status();
    return CellParamsOf(*cell);
  }
  return MakeFieldError("gid", absl::StrCat(gid), "gids of built cells");
}

}  // namespace livnd::sim
