// The part of Gang that carries spikes from cell to cell.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "sim/gang/gang.h"
#include "sim/network/spike_history.h"
#include "sim/simd/scalar_math.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {

absl::Status Gang::SetInputSpikes(const std::map<int64_t, std::vector<double>>& times_ms) {
  std::vector<InputEvent> inputs;
  const Connectivity& net = culture_->connectivity();
  for (const auto& [gid, times] : times_ms) {
    const int64_t source = culture_->SourceIndex(gid);
    if (source < 0 || culture_->Find(gid).group >= 0) {
      return MakeFieldError(absl::StrCat("input_spikes[", gid, "]"),
                            source < 0 ? "of no cell" : "of a cell that is simulated",
                            "gids of event sources");
    }
    for (size_t i = 0; i < times.size(); ++i) {
      const double t = times[i];
      if (!(t >= 0.0 && t <= 1e12)) {
        return MakeFieldError(absl::StrCat("input_spikes[", gid, "][", i, "]"), absl::StrCat(t),
                              "0 .. 1e12 (ms)");
      }
      for (uint64_t row = net.first_row[source]; row < net.first_row[source + 1];
           row = net.run_end[row]) {
        inputs.push_back({culture_->InputStep(t, net.rows[row]), t + net.rows[row].delay_ms,
                          static_cast<uint32_t>(row)});
      }
    }
  }
  std::stable_sort(inputs.begin(), inputs.end(),
                   [](const InputEvent& a, const InputEvent& b) { return a.step < b.step; });
  inputs_ = std::move(inputs);
  std::fill(events_stale_.begin(), events_stale_.end(), uint8_t{1});
  stale_ = true;
  return absl::OkStatus();
}

bool Gang::Owns(const GangSlice& slice, int copy, const ConnectionRow& row) const {
  const DeliveryTarget& target = targets_[row.terminal];
  const int64_t lane = int64_t{copy} * target.num_cells + row.target_index;
  return slice.Owns(target.group, lane / kTileLanes);
}

bool Gang::OwnsSome(const GangSlice& slice, int copy, uint32_t first_row) const {
  if (slices_.size() == 1) return true;
  const Connectivity& net = culture_->connectivity();
  for (uint32_t r = first_row; r < net.run_end[first_row]; ++r) {
    if (Owns(slice, copy, net.rows[r])) return true;
  }
  return false;
}

void Gang::PushInputs(GangSlice& slice) {
  for (int copy = slice.first_copy; copy < slice.end_copy; ++copy) {
    const int64_t end = TickAt(copy, step_) + run_.epoch_steps;
    size_t& next = slice.next_input[copy - slice.first_copy];
    for (; next < inputs_.size() && inputs_[next].step < end; ++next) {
      const InputEvent& input = inputs_[next];
      if (!OwnsSome(slice, copy, input.row)) continue;
      slice.calendar.Push(input.step + step_offset_[copy], {input.time_ms, input.row, copy});
    }
  }
}

void Gang::PushRows(GangSlice& slice, int copy, int64_t source, int64_t emission_tick,
                    int64_t not_before) {
  const Connectivity& net = culture_->connectivity();
  const double dt = culture_->dt_ms();
  const double emitted = static_cast<double>(emission_tick) * dt + kEmissionOffsetMs;
  for (uint64_t r = net.first_row[source]; r < net.first_row[source + 1]; r = net.run_end[r]) {
    if (!OwnsSome(slice, copy, static_cast<uint32_t>(r))) continue;
    const ConnectionRow& row = net.rows[r];
    const double at = emitted + row.delay_ms;
    const int64_t step =
        row.delay_steps >= 0 ? emission_tick + row.delay_steps : DeliveryStep(at, dt);
    if (step < not_before) continue;
    slice.calendar.Push(step + step_offset_[copy], {at, static_cast<uint32_t>(r), copy});
  }
}

void Gang::RebuildEvents() {
  const auto stale = [this](int copy) { return events_stale_[copy] != 0; };
  if (std::none_of(events_stale_.begin(), events_stale_.end(), [](uint8_t s) { return s != 0; })) {
    return;
  }
  const bool all =
      std::all_of(events_stale_.begin(), events_stale_.end(), [](uint8_t s) { return s != 0; });
  for (GangSlice& slice : slices_) {
    if (all) {
      slice.calendar.Clear();
    } else {
      slice.calendar.RemoveCopies(stale);
    }
  }
  sent_.erase(
      std::remove_if(sent_.begin(), sent_.end(), [&](const Emission& e) { return stale(e.copy); }),
      sent_.end());
  const int max_delay = culture_->connectivity().max_delay_steps;
  for (int copy = 0; copy < num_copies_; ++copy) {
    if (!stale(copy)) continue;
    const int64_t now = tick(copy);
    step_offset_[copy] = step_ - now;
    for (size_t g = 0; g < groups_.size(); ++g) {
      const CellGroup& group = culture_->groups()[g];
      for (int i = 0; i < group.num_cells(); ++i) {
        const SpikeHistory<const double> history(
            Variable(g, int64_t{copy} * group.num_cells() + i, group.model->spikes_state()),
            kTileLanes, max_delay);
        history.ForEachFrom(now - max_delay, [&](int64_t emission_tick) {
          for (GangSlice& slice : slices_) {
            PushRows(slice, copy, group.source[i], emission_tick, now);
          }
        });
      }
    }
    const auto next =
        std::lower_bound(inputs_.begin(), inputs_.end(), now,
                         [](const InputEvent& e, int64_t step) { return e.step < step; });
    for (GangSlice& slice : slices_) {
      if (copy < slice.first_copy || copy >= slice.end_copy) continue;
      slice.next_input[copy - slice.first_copy] = static_cast<size_t>(next - inputs_.begin());
    }
    events_stale_[copy] = 0;
  }
}

inline void Gang::DeliverTo(const ConnectionRow& row, const Event& event) {
  const DeliveryTarget& target = targets_[row.terminal];
  const ReceptorConstants& receptor = target.receptor;
  const auto connection = [&](int i) -> double& {
    const int64_t of_copy = event.copy * culture_->connectivity().num_stateful_rows;
    return connection_state_[2 * (of_copy + row.state) + i];
  };
  double x = row.weight * receptor.unit_us;
  if (receptor.depressing) {
    double& resources = connection(0);
    double& last_ms = connection(1);
    resources =
        1.0 - (1.0 - resources) * ScalarExp(-(event.time_ms - last_ms) / receptor.recovery_tau_ms);
    last_ms = event.time_ms;
    const double used = resources * receptor.release_fraction;
    x *= used;
    resources -= used;
  }
  const int64_t lane = int64_t{event.copy} * target.num_cells + row.target_index;
  if (receptor.plastic) {
    double& learned = connection(0);
    if (plasticity_on(event.copy)) {
      const double integral = *Variable(target.group, lane, target.learning_state + 1);
      double& last_integral = connection(1);
      learned += (integral - last_integral) * learned;
      last_integral = integral;
      learned = std::clamp(learned, receptor.w_min, receptor.w_max);
    }
    x *= learned;
  }
  double* a = target.at(lane);
  a[0] += x * receptor.half_rise;
  if (target.num_states > 1) a[kTileLanes] += x * receptor.half_decay;
}

inline void Gang::DeliverAlike(const GangSlice& slice, uint32_t first, uint32_t end, int copy) {
  const Connectivity& net = culture_->connectivity();
  const ConnectionRow& row = net.rows[first];
  const DeliveryTarget& target = targets_[row.terminal];
  const double x = row.weight * target.receptor.unit_us;
  const double a = x * target.receptor.half_rise, b = x * target.receptor.half_decay;
  const bool two = target.num_states > 1, all = slices_.size() == 1;
  const uint64_t first_lane = uint64_t{static_cast<uint32_t>(copy)} * target.num_cells;
  for (uint32_t r = first; r < end; ++r) {
    const uint64_t lane = first_lane + net.targets[r];
    if (!all && !slice.Owns(target.group, static_cast<int64_t>(lane / kTileLanes))) continue;
    double* state = target.at(static_cast<int64_t>(lane));
    state[0] += a;
    if (two) state[kTileLanes] += b;
  }
}

void Gang::Deliver(GangSlice& slice, int64_t step) {
  const Connectivity& net = culture_->connectivity();
  const bool all = slices_.size() == 1, some_alike = !net.alike_end.empty();
  for (const Event& event : slice.calendar.Take(step)) {
    const uint32_t end = net.run_end[event.row];
    for (uint32_t r = event.row; r < end;) {
      if (some_alike && net.alike_end[r] > r + 1) {
        DeliverAlike(slice, r, net.alike_end[r], event.copy);
        r = net.alike_end[r];
        continue;
      }
      if (all || Owns(slice, event.copy, net.rows[r])) DeliverTo(net.rows[r], event);
      ++r;
    }
  }
}

void Gang::EmitSpikes(GangSlice& slice, int g, int tile, uint32_t lanes, int64_t step) {
  const CellGroup& group = culture_->groups()[g];
  for (; lanes != 0; lanes &= lanes - 1) {
    const int64_t lane = int64_t{tile} * kTileLanes + __builtin_ctz(lanes);
    const int copy = static_cast<int>(lane / group.num_cells());
    const int cell = static_cast<int>(lane % group.num_cells());
    if (rests_[copy] != 0) continue;
    const SpikeHistory<double> history(Variable(g, lane, group.model->spikes_state()), kTileLanes,
                                       culture_->connectivity().max_delay_steps);
    const int64_t now = TickAt(copy, step);
    if (static_cast<double>(now) - history.last() <
        static_cast<double>(culture_->refractory_steps())) {
      continue;
    }
    history.Record(now);
    slice.emitted.push_back({step, copy, g, cell});
  }
}

}  // namespace livnd::sim
