#include "sim/culture.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/cell/rcsd_constants.h"

namespace livnd::sim {
namespace {

constexpr double kConductionUmPerMs = 250.0;
// The noise process advances by a fixed interval whatever the step.
constexpr double kNoiseIntervalMs = 0.025;
// A delay this near a tie of the delivery rule is decided in doubles, event by event.
constexpr double kTieMs = 1e-6;
constexpr double kNever = -1e18;

absl::Status Bad(absl::string_view field, double value, absl::string_view accepted) {
  return absl::InvalidArgumentError(absl::StrCat(field, " = ", value, "; takes ", accepted));
}

bool KindOf(absl::string_view population, CellKind* kind) {
  if (population == "EXC") *kind = CellKind::kMotoneuron;
  if (population == "INH") *kind = CellKind::kRenshaw;
  return population == "EXC" || population == "INH";
}

absl::string_view SectionLabel(int swc_type) {
  return swc_type == kSwcSoma ? "soma" : swc_type == kSwcAxon ? "axon" : "dend";
}

absl::Status ValidatePopulations(const CultureConfig& config) {
  int64_t next = 0;
  std::set<std::string> names;
  for (const PopulationConfig& p : config.populations) {
    if (p.num_cells < 0 || p.first_gid < next) {
      return absl::InvalidArgumentError(
          absl::StrCat("population ", p.name, ": gids ", p.first_gid, " .. + ", p.num_cells,
                       "; takes ranges in ascending order that do not overlap"));
    }
    if (!names.insert(p.name).second) {
      return absl::InvalidArgumentError(absl::StrCat("population ", p.name, " is given twice"));
    }
    next = p.first_gid + p.num_cells;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Culture>> Culture::Create(const CultureConfig& config) {
  if (!(config.dt_ms >= 1e-4 && config.dt_ms <= 1.0)) {
    return Bad("dt_ms", config.dt_ms, "a number from 1e-4 to 1 (ms)");
  }
  if (!(std::fabs(config.v_init_mv) <= 200.0)) {
    return Bad("v_init_mv", config.v_init_mv, "a number from -200 to 200 (mV)");
  }
  const double refractory = config.model.refractory_period_ms;
  if (!(refractory >= 0.0 && refractory <= 1e6)) {
    return Bad("refractory_period_ms", refractory, "a number from 0 to 1e6 (ms)");
  }
  if (absl::Status s = ValidatePopulations(config); !s.ok()) return s;
  std::shared_ptr<Culture> culture(new Culture());
  culture->dt_ms_ = config.dt_ms;
  culture->refractory_steps_ = static_cast<int64_t>(std::ceil(refractory / config.dt_ms - 1e-6));
  if (absl::Status s = culture->BuildCells(config); !s.ok()) return s;
  if (absl::Status s = culture->BuildNoise(config); !s.ok()) return s;
  if (absl::Status s = culture->BuildConnections(config); !s.ok()) return s;
  culture->BuildInitialState();
  return std::shared_ptr<const Culture>(std::move(culture));
}

absl::Status Culture::BuildCells(const CultureConfig& config) {
  for (const auto& [population, cv] : config.model.size_cv) {
    if (!(cv >= 0.0 && cv <= 10.0)) {
      return Bad(absl::StrCat("size_cv of ", population), cv, "a number from 0 to 10");
    }
  }
  int64_t num_sources = 0;
  for (const PopulationConfig& population : config.populations) {
    CellKind kind;
    const bool built = KindOf(population.name, &kind);
    const auto cv = config.model.size_cv.find(population.name);
    const size_t first_group = groups_.size();
    // Cells without own size or parameters share the class of the template.
    absl::flat_hash_map<int, uint32_t> plain_class;
    for (int64_t i = 0; i < population.num_cells; ++i) {
      const int64_t gid = population.first_gid + i;
      source_index_[gid] = num_sources++;
      if (!built) continue;
      const double scale =
          cv == config.model.size_cv.end()
              ? 1.0
              : SizeScale(cv->second, gid,
                          config.model.size_seed + (population.name == "EXC" ? 0 : 1));
      CellTemplate cell = MakeCellTemplate(kind, scale);
      const auto own = config.cell_params.find(gid);
      if (own != config.cell_params.end()) {
        for (const auto& [key, value] : own->second) {
          if (absl::Status s = SetCellParam(cell, key, value); !s.ok()) {
            return absl::InvalidArgumentError(absl::StrCat("cell ", gid, ": ", s.message()));
          }
        }
      }
      const RcsdShape shape = ShapeOf(cell);
      if (cell.sections[0].num_segments != 1 || shape.num_dend == 2 || shape.num_dend > 3) {
        return absl::InvalidArgumentError(
            absl::StrCat("cell ", gid, ": size factor ", scale,
                         " needs more segments than livnd builds (soma 1, dendrite 1 or 3)"));
      }
      size_t g = first_group;
      while (g < groups_.size() && !(groups_[g].rcsd.shape == shape)) ++g;
      if (g == groups_.size()) {
        groups_.emplace_back();
        groups_[g].population = population.name;
        groups_[g].rcsd.shape = shape;
        groups_[g].rcsd.step = MakeStepConstants(config.dt_ms);
      }
      CellGroup& group = groups_[g];
      const bool plain = scale == 1.0 && own == config.cell_params.end();
      const auto known = plain ? plain_class.find(static_cast<int>(g)) : plain_class.end();
      if (known != plain_class.end()) {
        group.cell_class.push_back(known->second);
      } else {
        group.cell_class.push_back(static_cast<uint32_t>(group.classes.size()));
        if (plain) plain_class[static_cast<int>(g)] = group.cell_class.back();
        group.classes.push_back(DeriveRcsdCell(cell, config.dt_ms, config.v_init_mv));
      }
      cells_[gid] = {static_cast<int>(g), group.num_cells()};
      group.gids.push_back(gid);
      group.source.push_back(static_cast<uint32_t>(source_index_[gid]));
      gids_.push_back(gid);
      cell_order_.push_back(cells_[gid]);
      first_section_row_[gid] = num_section_rows_;
      num_section_rows_ += shape.num_sections();
    }
  }
  for (const auto& [gid, params] : config.cell_params) {
    if (Find(gid).group < 0) {
      return absl::InvalidArgumentError(absl::StrCat("cell_params: there is no built cell ", gid));
    }
  }
  return absl::OkStatus();
}

absl::Status Culture::BuildNoise(const CultureConfig& config) {
  if (!config.noise.has_value()) return absl::OkStatus();
  has_noise_ = true;
  // livn 2.0.0 models/rcsd: the defaults of a set_noise call.
  const std::map<std::string, double> defaults = {
      {"std_e", 0.003}, {"std_i", 0.0066}, {"g_e0", 0.0121}, {"g_i0", 0.0573},
      {"tau_e", 2.728}, {"tau_i", 10.49},  {"E_e", 0.0},     {"E_i", -75.0}};
  std::vector<std::string> accepted;
  for (const auto& [name, value] : defaults) accepted.push_back(name);
  for (const auto& [key, value] : *config.noise) {
    const size_t dash = key.find('-');
    const std::string name = dash == key.npos ? key : key.substr(dash + 1);
    const std::string population = dash == key.npos ? "" : key.substr(0, dash);
    const bool population_known =
        population.empty() ||
        std::any_of(config.populations.begin(), config.populations.end(),
                    [&](const PopulationConfig& p) { return p.name == population; });
    if (defaults.count(name) == 0 || !population_known) {
      return absl::InvalidArgumentError(absl::StrCat(
          "unknown noise parameter '", key, "'; accepted: ", absl::StrJoin(accepted, ", "),
          ", each also as POPULATION-name with the population's name"));
    }
    const bool ok = std::isfinite(value) && (name[0] == 'E' || value >= 0.0) &&
                    (!absl::StartsWith(name, "tau") || value > 0.0);
    if (!ok) {
      return Bad(absl::StrCat("noise ", key), value,
                 name[0] == 'E'                  ? "a finite number (mV)"
                 : absl::StartsWith(name, "tau") ? "a number > 0 (ms)"
                                                 : "a number >= 0 (uS)");
    }
  }
  for (CellGroup& group : groups_) {
    auto get = [&](const std::string& name) {
      const auto own = config.noise->find(absl::StrCat(group.population, "-", name));
      if (own != config.noise->end()) return own->second;
      const auto all = config.noise->find(name);
      return all != config.noise->end() ? all->second : defaults.at(name);
    };
    NoiseParams& n = group.rcsd.noise;
    const double std_e = get("std_e"), std_i = get("std_i");
    const bool renshaw = group.rcsd.shape.kind == CellKind::kRenshaw;
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
  }
  return absl::OkStatus();
}

absl::Status Culture::BuildConnections(const CultureConfig& config) {
  struct Pending {
    uint32_t source;
    ConnectionRow row;
  };
  std::vector<Pending> pending;
  std::set<std::string> keys;
  const double dt = config.dt_ms;
  for (const ProjectionConfig& projection : config.projections) {
    const std::string pair = absl::StrCat(projection.post, "_", projection.pre);
    // Receptors of each block, and their index among all receptors for each group and compartment.
    std::map<int, std::vector<Receptor>> blocks;
    for (const auto& [swc, configs] : projection.receptors) {
      for (const ReceptorConfig& c : configs) {
        absl::StatusOr<Receptor> r = ResolveReceptor(c, config.model.short_term_depression);
        if (!r.ok()) {
          return absl::InvalidArgumentError(absl::StrCat(
              "projection ", projection.pre, " -> ", projection.post, ": ", r.status().message()));
        }
        blocks[swc].push_back(*std::move(r));
      }
    }
    // One entry a receptor in use: its place among connectivity_.receptors.
    std::map<std::pair<int, size_t>, uint32_t> receptor_index;
    for (const Edge& edge : projection.edges) {
      const CellRef target = Find(edge.target_gid);
      const int64_t source = SourceIndex(edge.source_gid);
      if (target.group < 0 || source < 0) {
        return absl::InvalidArgumentError(absl::StrCat(
            "projection ", projection.pre, " -> ", projection.post, ": edge ", edge.source_gid,
            " -> ", edge.target_gid, " names a cell that does not exist"));
      }
      if (!(edge.distance_um >= 0.0 && edge.distance_um <= 1e7)) {
        return Bad(absl::StrCat("edge ", edge.source_gid, " -> ", edge.target_gid, ": distance_um"),
                   edge.distance_um, "a number from 0 to 1e7 (um)");
      }
      if (!std::isfinite(edge.location)) {
        return Bad(absl::StrCat("edge ", edge.source_gid, " -> ", edge.target_gid, ": location"),
                   edge.location, "a finite number");
      }
      auto block = blocks.find(edge.swc_type);
      if (block == blocks.end()) block = blocks.find(ProjectionConfig::kDefaultReceptors);
      if (block == blocks.end()) continue;
      CellGroup& group = groups_[target.group];
      const RcsdShape& shape = group.rcsd.shape;
      int compartment = 0;
      if (edge.swc_type != kSwcSoma && shape.num_dend > 0) {
        const double x = std::clamp(edge.location, 0.0, 1.0);
        compartment = 1 + std::min(static_cast<int>(x * shape.num_dend), shape.num_dend - 1);
      }
      for (size_t i = 0; i < block->second.size(); ++i) {
        const Receptor& receptor = block->second[i];
        // The slot of this compartment and kinetics.
        const Kinetics& kin = receptor.kinetics;
        SynapseSlot slot;
        slot.compartment = compartment;
        slot.decay_rise = ScalarExp(-dt / kin.tau_rise_ms);
        slot.decay_decay = ScalarExp(-dt / kin.tau_decay_ms);
        slot.reversal_mv = kin.reversal_mv;
        if (kin.magnesium_block) {
          slot.gamma_per_mv = kin.gamma_per_mv;
          slot.vshift_mv = kin.vshift_mv;
          slot.mg_over_kd = kin.mg_mm / kin.kd_mm;
          slot.secant_factor = ScalarExp(-kin.gamma_per_mv * rcsd::kSecantMv);
        }
        std::vector<SynapseSlot>& slots = group.rcsd.slots;
        const auto same = std::find_if(slots.begin(), slots.end(), [&](const SynapseSlot& s) {
          return s.compartment == slot.compartment && s.decay_rise == slot.decay_rise &&
                 s.decay_decay == slot.decay_decay && s.reversal_mv == slot.reversal_mv &&
                 s.gamma_per_mv == slot.gamma_per_mv && s.vshift_mv == slot.vshift_mv &&
                 s.mg_over_kd == slot.mg_over_kd;
        });
        const size_t slot_index = static_cast<size_t>(same - slots.begin());
        if (same == slots.end()) slots.push_back(slot);

        const auto [at, fresh] = receptor_index.try_emplace(
            {block->first, i}, static_cast<uint32_t>(connectivity_.receptors.size()));
        if (fresh) {
          ReceptorConstants c;
          c.unit_us = receptor.g_unit_us * receptor.factor;
          c.half_rise = ScalarExp(-dt / (2.0 * kin.tau_rise_ms));
          c.half_decay = ScalarExp(-dt / (2.0 * kin.tau_decay_ms));
          c.depressing = receptor.kind == SynapseKind::kDepressing;
          c.release_fraction = receptor.release_fraction;
          c.recovery_tau_ms = receptor.recovery_tau_ms;
          connectivity_.receptors.push_back(c);
        }
        const std::string key =
            absl::StrCat(pair, "-", SectionLabel(edge.swc_type), "-", receptor.name, "-weight");
        keys.insert(key);
        const auto weight = config.weights.find(key);

        ConnectionRow row;
        row.target_index = static_cast<uint32_t>(target.index);
        row.group = static_cast<uint16_t>(target.group);
        row.slot = static_cast<uint16_t>(slot_index);
        row.receptor = at->second;
        row.delay_ms = std::max(edge.distance_um / kConductionUmPerMs, 2.0 * dt);
        const double steps = (row.delay_ms + kEmissionOffsetMs) / dt - 0.5;
        const double ceiling = std::ceil(steps);
        const bool tie = std::fabs(steps - std::round(steps)) * dt < kTieMs;
        row.delay_steps = tie ? -1 : static_cast<int32_t>(ceiling);
        connectivity_.max_delay_steps =
            std::max(connectivity_.max_delay_steps, static_cast<int>(ceiling) + 1);
        row.weight = weight != config.weights.end() ? weight->second : receptor.weight;
        row.state = -1;
        pending.push_back({static_cast<uint32_t>(source), row});
      }
    }
  }
  weight_keys_.assign(keys.begin(), keys.end());
  for (const auto& [key, value] : config.weights) {
    if (keys.count(key) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "unknown weight '", key, "'; accepted: ", absl::StrJoin(weight_keys_, ", ")));
    }
    if (!(value >= 0.0 && value <= 1e9)) {
      return Bad(absl::StrCat("weight ", key), value, "a number from 0 to 1e9");
    }
  }
  std::stable_sort(pending.begin(), pending.end(),
                   [](const Pending& a, const Pending& b) { return a.source < b.source; });
  connectivity_.first_row.assign(source_index_.size() + 1, 0);
  connectivity_.rows.reserve(pending.size());
  for (Pending& p : pending) {
    ++connectivity_.first_row[p.source + 1];
    if (connectivity_.receptors[p.row.receptor].depressing) {
      p.row.state = static_cast<int32_t>(connectivity_.num_stateful_rows++);
    }
    connectivity_.rows.push_back(p.row);
  }
  for (size_t i = 1; i < connectivity_.first_row.size(); ++i) {
    connectivity_.first_row[i] += connectivity_.first_row[i - 1];
  }
  return absl::OkStatus();
}

void Culture::BuildInitialState() {
  initial_state_.assign(CopyHeader::kSize, 0.0);
  const int64_t shortest = std::max<int64_t>(2, refractory_steps_);
  for (CellGroup& group : groups_) {
    const RcsdShape& shape = group.rcsd.shape;
    group.num_recent_spikes = static_cast<int>(connectivity_.max_delay_steps / shortest) + 2;
    int variable = shape.spikes_state() + group.num_recent_spikes;
    for (SynapseSlot& slot : group.rcsd.slots) {
      slot.state = variable;
      variable += 2;
    }
    group.num_variables = variable;
    group.state_offset = static_cast<int64_t>(initial_state_.size());
    for (uint32_t cell_class : group.cell_class) {
      const std::vector<double>& start = group.classes[cell_class].initial_state;
      initial_state_.insert(initial_state_.end(), start.begin(), start.end());
      initial_state_.insert(initial_state_.end(), group.num_recent_spikes, kNever);
      initial_state_.insert(initial_state_.end(), 2 * group.rcsd.slots.size(), 0.0);
    }
  }
  connection_state_offset_ = static_cast<int64_t>(initial_state_.size());
  for (int64_t i = 0; i < connectivity_.num_stateful_rows; ++i) {
    initial_state_.push_back(1.0);   // resources
    initial_state_.push_back(-1e9);  // time of the last event, ms
  }
}

Culture::CellRef Culture::Find(int64_t gid) const {
  const auto it = cells_.find(gid);
  return it == cells_.end() ? CellRef{} : it->second;
}

int64_t Culture::SourceIndex(int64_t gid) const {
  const auto it = source_index_.find(gid);
  return it == source_index_.end() ? -1 : it->second;
}

int64_t Culture::SectionRow(int64_t gid, int section) const {
  const CellRef cell = Find(gid);
  if (cell.group < 0 || section < 0 || section >= groups_[cell.group].rcsd.shape.num_sections()) {
    return -1;
  }
  return first_section_row_.find(gid)->second + section;
}

}  // namespace livnd::sim
