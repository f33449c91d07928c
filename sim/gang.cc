#include "sim/gang.h"

#include <xmmintrin.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/network/spike_history.h"
#include "sim/simd/scalar_math.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {
namespace {

// Denormal numbers are zero while the kernel runs: the same on every host, and no slow steps.
class FlushDenormals {
 public:
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
};

}  // namespace

Gang::Gang(std::shared_ptr<const Culture> culture, int num_copies)
    : culture_(std::move(culture)), num_copies_(num_copies) {
  headers_.assign(static_cast<size_t>(num_copies) * CopyHeader::kSize, 0.0);
  connection_state_.assign(
      static_cast<size_t>(num_copies) * 2 * culture_->connectivity().num_stateful_rows, 0.0);
  for (int c = 0; c < num_copies; ++c) {
    calendars_.emplace_back(culture_->connectivity().max_delay_steps);
  }
  field_now_.assign(num_copies, nullptr);
  light_now_.assign(num_copies, nullptr);
  next_input_.assign(num_copies, 0);
  row_values_.assign(culture_->num_section_rows(), 0.0);
  for (StimulusSlot& s : stimuli_) s.timelines.resize(num_copies);
  BuildTiles();
  for (int c = 0; c < num_copies; ++c) LoadCopy(c, culture_->initial_state());
}

void Gang::BuildTiles() {
  for (const CellGroup& group : culture_->groups()) {
    GroupTiles& tiles = groups_.emplace_back();
    tiles.num_lanes = num_copies_ * group.num_cells();
    tiles.num_tiles = (tiles.num_lanes + kTileLanes - 1) / kTileLanes;
    tiles.state.assign(static_cast<size_t>(tiles.num_tiles) * group.num_variables * kTileLanes,
                       0.0);
    tiles.scratch.assign(
        static_cast<size_t>(tiles.num_tiles) * group.model->num_scratch() * kTileLanes, 0.0);
    tiles.stale.assign(tiles.num_tiles, 1);
    tiles.crossed.assign(tiles.num_tiles, 0);
    const int num_params = group.model->num_params();
    std::map<std::vector<uint32_t>, int> known;
    for (int t = 0; t < tiles.num_tiles; ++t) {
      std::vector<uint32_t> classes(kTileLanes);
      uint32_t mask = 0;
      for (int i = 0; i < kTileLanes; ++i) {
        const int lane = t * kTileLanes + i;
        const bool alive = lane < tiles.num_lanes;
        if (alive) mask |= 1u << i;
        // Lanes beyond the last cell repeat it; whatever they do is masked.
        const int from = alive ? lane : tiles.num_lanes - 1;
        classes[i] = group.cell_class[from % group.num_cells()];
        const std::vector<double>& start = group.classes[classes[i]].initial_state;
        for (size_t v = 0; v < start.size(); ++v) {
          tiles.state[(static_cast<size_t>(t) * group.num_variables + v) * kTileLanes + i] =
              start[v];
        }
      }
      tiles.lane_mask.push_back(mask);
      const auto [at, fresh] = known.try_emplace(classes, static_cast<int>(known.size()));
      tiles.param_tile.push_back(at->second);
      if (!fresh) continue;
      for (int p = 0; p < num_params; ++p) {
        for (int i = 0; i < kTileLanes; ++i) {
          tiles.params.push_back(group.classes[classes[i]].params[p]);
        }
      }
    }
    if (group.model->noise_on()) {
      tiles.normals.assign(static_cast<size_t>(kNoiseChunk) * tiles.num_tiles * 2 * kTileLanes,
                           0.0);
    }
  }
}

double* Gang::Variable(int group, int64_t lane, int variable) {
  return const_cast<double*>(std::as_const(*this).Variable(group, lane, variable));
}

const double* Gang::Variable(int group, int64_t lane, int variable) const {
  const int num_variables = culture_->groups()[group].num_variables;
  return groups_[group].state.data() +
         ((lane / kTileLanes) * num_variables + variable) * kTileLanes + lane % kTileLanes;
}

void Gang::SaveCopy(int copy, absl::Span<double> state) const {
  double* out = state.data();
  out = std::copy_n(&headers_[copy * CopyHeader::kSize], size_t{CopyHeader::kSize}, out);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const CellGroup& group = culture_->groups()[g];
    for (int i = 0; i < group.num_cells(); ++i) {
      const double* in = Variable(g, int64_t{copy} * group.num_cells() + i, 0);
      for (int v = 0; v < group.num_variables; ++v) *out++ = in[v * kTileLanes];
    }
  }
  const int64_t n = 2 * culture_->connectivity().num_stateful_rows;
  std::copy_n(connection_state_.data() + copy * n, n, out);
}

void Gang::LoadCopy(int copy, absl::Span<const double> state) {
  const double* in = state.data();
  std::copy_n(in, size_t{CopyHeader::kSize}, &headers_[copy * CopyHeader::kSize]);
  in += CopyHeader::kSize;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const CellGroup& group = culture_->groups()[g];
    for (int i = 0; i < group.num_cells(); ++i) {
      double* out = Variable(g, int64_t{copy} * group.num_cells() + i, 0);
      for (int v = 0; v < group.num_variables; ++v) out[v * kTileLanes] = *in++;
    }
    const int64_t first = int64_t{copy} * group.num_cells();
    std::fill(groups_[g].stale.begin() + first / kTileLanes,
              groups_[g].stale.begin() + (first + group.num_cells() - 1) / kTileLanes + 1,
              uint8_t{1});
  }
  stale_ = true;
  const int64_t n = 2 * culture_->connectivity().num_stateful_rows;
  std::copy_n(in, n, connection_state_.data() + copy * n);
  for (StimulusSlot& s : stimuli_) s.timelines[copy].Clear();
  field_now_[copy] = light_now_[copy] = nullptr;
  for (size_t g = 0; g < groups_.size(); ++g) {
    GroupTiles& tiles = groups_[g];
    const int num_compartments = culture_->groups()[g].model->num_compartments();
    if (tiles.membrane.empty()) continue;
    const int n = culture_->groups()[g].num_cells();
    for (int64_t lane = int64_t{copy} * n; lane < int64_t{copy + 1} * n; ++lane) {
      for (int c = 0; c < num_compartments; ++c) {
        tiles.membrane[((lane / kTileLanes) * num_compartments + c) * kTileLanes +
                       lane % kTileLanes] = 0.0;
      }
    }
  }
  RebuildCalendar(copy);
}

void Gang::RebuildCalendar(int copy) {
  calendars_[copy].Clear();
  const int64_t now = tick(copy);
  const int max_delay = culture_->connectivity().max_delay_steps;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const CellGroup& group = culture_->groups()[g];
    for (int i = 0; i < group.num_cells(); ++i) {
      const SpikeHistory<const double> history(
          Variable(g, int64_t{copy} * group.num_cells() + i, group.model->spikes_state()),
          kTileLanes, max_delay);
      history.ForEachFrom(now - max_delay, [&](int64_t emission_tick) {
        PushRows(copy, group.source[i], emission_tick, now);
      });
    }
  }
  next_input_[copy] = static_cast<size_t>(
      std::lower_bound(inputs_.begin(), inputs_.end(), now,
                       [](const InputEvent& e, int64_t step) { return e.step < step; }) -
      inputs_.begin());
}

absl::Status Gang::SetInputSpikes(const std::map<int64_t, std::vector<double>>& times_ms) {
  std::vector<InputEvent> inputs;
  const Connectivity& net = culture_->connectivity();
  for (const auto& [gid, times] : times_ms) {
    const int64_t source = culture_->SourceIndex(gid);
    if (source < 0 || culture_->Find(gid).group >= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("input spikes: gid ", gid, " is not an event source"));
    }
    for (double t : times) {
      if (!(t >= 0.0 && t <= 1e12)) {
        return absl::InvalidArgumentError(
            absl::StrCat("input spikes of gid ", gid, ": time ", t, "; takes 0 to 1e12 (ms)"));
      }
      for (uint64_t row = net.first_row[source]; row < net.first_row[source + 1]; ++row) {
        inputs.push_back({culture_->InputStep(t, net.rows[row]),
                          {t + net.rows[row].delay_ms, static_cast<uint32_t>(row)}});
      }
    }
  }
  std::stable_sort(inputs.begin(), inputs.end(),
                   [](const InputEvent& a, const InputEvent& b) { return a.step < b.step; });
  inputs_ = std::move(inputs);
  for (int c = 0; c < num_copies_; ++c) RebuildCalendar(c);
  return absl::OkStatus();
}

void Gang::PushRows(int copy, int64_t source, int64_t emission_tick, int64_t not_before) {
  const Connectivity& net = culture_->connectivity();
  const double dt = culture_->dt_ms();
  const double emitted = static_cast<double>(emission_tick) * dt + kEmissionOffsetMs;
  for (uint64_t r = net.first_row[source]; r < net.first_row[source + 1]; ++r) {
    const ConnectionRow& row = net.rows[r];
    const double at = emitted + row.delay_ms;
    const int64_t step =
        row.delay_steps >= 0 ? emission_tick + row.delay_steps : DeliveryStep(at, dt);
    if (step >= not_before) calendars_[copy].Push(step, {at, static_cast<uint32_t>(r)});
  }
}

void Gang::Deliver(int copy, int64_t tick) {
  Calendar& calendar = calendars_[copy];
  for (size_t& i = next_input_[copy]; i < inputs_.size() && inputs_[i].step <= tick; ++i) {
    if (inputs_[i].step == tick) calendar.Push(tick, inputs_[i].event);
  }
  const std::vector<Event>& events = calendar.Take(tick);
  if (events.empty()) return;
  const Connectivity& net = culture_->connectivity();
  double* connections = connection_state_.data() + copy * 2 * net.num_stateful_rows;
  const bool learns = plasticity_on(copy);
  for (const Event& event : events) {
    const ConnectionRow& row = net.rows[event.row];
    const ReceptorConstants& receptor = net.receptors[row.receptor];
    double x = row.weight * receptor.unit_us;
    if (receptor.depressing) {
      double& resources = connections[2 * row.state];
      double& last_ms = connections[2 * row.state + 1];
      resources = 1.0 - (1.0 - resources) *
                            ScalarExp(-(event.time_ms - last_ms) / receptor.recovery_tau_ms);
      last_ms = event.time_ms;
      const double used = resources * receptor.release_fraction;
      x *= used;
      resources -= used;
    }
    const CellGroup& group = culture_->groups()[row.group];
    const SynapseSlotStates& slot = group.slots[row.slot];
    const int64_t lane = int64_t{copy} * group.num_cells() + row.target_index;
    if (receptor.plastic) {
      double& learned = connections[2 * row.state];
      if (learns) {
        const double integral = *Variable(row.group, lane, slot.learning_state + 1);
        double& last_integral = connections[2 * row.state + 1];
        learned += (integral - last_integral) * learned;
        last_integral = integral;
        learned = std::clamp(learned, receptor.w_min, receptor.w_max);
      }
      x *= learned;
    }
    double* a = Variable(row.group, lane, slot.state);
    a[0] += x * receptor.half_rise;
    if (slot.num_states > 1) a[kTileLanes] += x * receptor.half_decay;
  }
  calendar.Done(tick);
}

void Gang::EmitSpikes(int g, int tile, uint32_t lanes, std::vector<Spike>* spikes) {
  const CellGroup& group = culture_->groups()[g];
  for (int i = 0; i < kTileLanes; ++i) {
    if ((lanes >> i & 1) == 0) continue;
    const int64_t lane = int64_t{tile} * kTileLanes + i;
    const int copy = static_cast<int>(lane / group.num_cells());
    const int cell = static_cast<int>(lane % group.num_cells());
    const SpikeHistory<double> history(Variable(g, lane, group.model->spikes_state()), kTileLanes,
                                       culture_->connectivity().max_delay_steps);
    const int64_t now = tick(copy);
    if (static_cast<double>(now) - history.last() <
        static_cast<double>(culture_->refractory_steps())) {
      continue;
    }
    history.Record(now);
    PushRows(copy, group.source[cell], now, now);
    if (spikes != nullptr) spikes->push_back({copy, group.gids[cell], now});
  }
}

TileBatch Gang::TilesAt(int g, int first, int num_tiles) {
  GroupTiles& tiles = groups_[g];
  const CellGroup& group = culture_->groups()[g];
  TileBatch batch;
  batch.num_tiles = num_tiles;
  batch.params = tiles.params.data();
  batch.param_tile = tiles.param_tile.data() + first;
  batch.num_variables = group.num_variables;
  batch.state = tiles.state.data() + static_cast<size_t>(first) * group.num_variables * kTileLanes;
  batch.scratch =
      tiles.scratch.data() + static_cast<size_t>(first) * group.model->num_scratch() * kTileLanes;
  return batch;
}

void Gang::PrepareTiles() {
  UpdateSwitches();
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (int t = 0; t < groups_[g].num_tiles; ++t) {
      if (groups_[g].stale[t] == 0) continue;
      culture_->groups()[g].model->Prepare(TilesAt(static_cast<int>(g), t, 1));
      groups_[g].stale[t] = 0;
    }
  }
  stale_ = false;
}

void Gang::Advance(int64_t num_steps, std::vector<Spike>* spikes, absl::Span<Probe* const> probes) {
  const FlushDenormals flush;
  const bool noisy = culture_->has_noise();
  if (stale_) PrepareTiles();
  for (const Probe* probe : probes) {
    if (probe->quantity != Probe::Quantity::kMembraneCurrentUa || keep_membrane_) continue;
    keep_membrane_ = true;
    for (size_t g = 0; g < groups_.size(); ++g) {
      const int num_compartments = culture_->groups()[g].model->num_compartments();
      groups_[g].membrane.assign(
          static_cast<size_t>(groups_[g].num_tiles) * num_compartments * kTileLanes, 0.0);
    }
  }
  for (int64_t done = 0; done < num_steps;) {
    const int chunk = static_cast<int>(std::min<int64_t>(kNoiseChunk, num_steps - done));
    if (noisy) DrawNoise(chunk);
    for (int s = 0; s < chunk; ++s, ++done) {
      for (Probe* probe : probes) {
        if (probe->steps_seen++ % probe->every_steps == 0) Sample(*probe);
      }
      for (int c = 0; c < num_copies_; ++c) Deliver(c, tick(c));
      const bool currents = UpdateCurrents();
      for (int c = 0; c < num_copies_; ++c) UpdateLight(c, tick(c));
      bool field = false;
      for (int c = 0; c < num_copies_; ++c) {
        field = field || header(c, CopyHeader::kFieldActive) != 0.0;
      }
      const size_t first_spike = spikes != nullptr ? spikes->size() : 0;
      for (size_t g = 0; g < groups_.size(); ++g) {
        GroupTiles& tiles = groups_[g];
        const CellGroup& group = culture_->groups()[g];
        TileBatch batch = TilesAt(static_cast<int>(g), 0, tiles.num_tiles);
        batch.field = field;
        batch.light = light_;
        if (!tiles.normals.empty()) {
          batch.normals =
              tiles.normals.data() + static_cast<size_t>(s) * tiles.num_tiles * 2 * kTileLanes;
        }
        if (currents) batch.drive = tiles.drive.data();
        if (learning_) batch.learning = tiles.learning.data();
        if (keep_membrane_) batch.membrane_current = tiles.membrane.data();
        group.model->StepTiles(batch, tiles.crossed.data());
        for (int t = 0; t < tiles.num_tiles; ++t) {
          const uint32_t crossed = tiles.crossed[t] & tiles.lane_mask[t];
          if (crossed != 0) EmitSpikes(static_cast<int>(g), t, crossed, spikes);
        }
      }
      // Groups come one after the other, and in each all copies.
      if (spikes != nullptr && spikes->size() > first_spike + 1) {
        std::stable_sort(spikes->begin() + static_cast<int64_t>(first_spike), spikes->end(),
                         [](const Spike& a, const Spike& b) { return a.copy < b.copy; });
      }
      for (int c = 0; c < num_copies_; ++c) {
        UpdateField(c, tick(c));
        header(c, CopyHeader::kTick) += 1.0;
      }
    }
  }
}

bool Gang::IsFinite(int copy) const {
  for (size_t g = 0; g < groups_.size(); ++g) {
    const CellGroup& group = culture_->groups()[g];
    const int soma = group.model->voltage_state(0);
    for (int i = 0; i < group.num_cells(); ++i) {
      // Written so that NaN fails.
      const double v = *Variable(g, int64_t{copy} * group.num_cells() + i, soma);
      if (!(std::fabs(v) < 1e4)) return false;
    }
  }
  return true;
}

double Gang::VoltageMv(int copy, int64_t gid, int section) const {
  const Culture::CellRef cell = culture_->Find(gid);
  const CellGroup& group = culture_->groups()[cell.group];
  return *Variable(cell.group, int64_t{copy} * group.num_cells() + cell.index,
                   group.model->voltage_state(group.model->middle_compartment(section)));
}

}  // namespace livnd::sim
