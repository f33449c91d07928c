// The part of Gang that turns stimuli into the drive of each compartment.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/gang.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {

void Gang::SetStimulusMap(StimulusMode mode, std::shared_ptr<const StimulusMap> map) {
  StimulusSlot& slot = stimuli_[static_cast<int>(mode)];
  slot.map = std::move(map);
  for (StimulusTimeline& t : slot.timelines) t.Clear();
  slot.row_present.assign(culture_->num_section_rows(),
                          slot.map != nullptr && !slot.map->gains.empty());
  if (slot.map != nullptr && slot.map->gains.empty()) {
    for (int64_t row : slot.map->row_of_channel) {
      if (row >= 0) slot.row_present[row] = 1;
    }
  }
}

absl::Status Gang::Install(int copy, StimulusMode mode, Waveform waveform) {
  StimulusSlot& slot = stimuli_[static_cast<int>(mode)];
  StimulusTimeline& timeline = slot.timelines[copy];
  for (const CellGroup& group : culture_->groups()) {
    if (group.model->supports(mode)) continue;
    return absl::InvalidArgumentError(absl::StrCat("the cells of population ", group.population,
                                                   " do not take ", StimulusModeName(mode),
                                                   " stimuli"));
  }
  if (slot.map == nullptr || waveform.num_channels != slot.map->num_channels) {
    return absl::InvalidArgumentError(
        absl::StrCat("stimulus has ", waveform.num_channels, " channels; takes ",
                     slot.map == nullptr ? 0 : slot.map->num_channels));
  }
  if (!(waveform.sample_dt_ms >= 1e-6 && waveform.sample_dt_ms <= 1e9)) {
    return absl::InvalidArgumentError(
        absl::StrCat("stimulus sample_dt_ms = ", waveform.sample_dt_ms,
                     "; takes a number from 1e-6 to 1e9 (ms)"));
  }
  if (timeline.sample_dt_ms() != 0.0 && timeline.sample_dt_ms() != waveform.sample_dt_ms) {
    return absl::InvalidArgumentError(absl::StrCat(
        "stimulus sample_dt_ms = ", waveform.sample_dt_ms, "; this mode's earlier stimulus has ",
        timeline.sample_dt_ms(), " and both are on one time axis until the next reset"));
  }
  for (double x : waveform.samples) {
    if (!std::isfinite(x)) {
      return absl::InvalidArgumentError("stimulus holds a number that is not finite");
    }
  }
  const double now_ms = static_cast<double>(tick(copy)) * culture_->dt_ms();
  const auto now = static_cast<int64_t>(now_ms / waveform.sample_dt_ms);
  timeline.Install(std::move(waveform), now);
  field_now_[copy] = light_now_[copy] = nullptr;
  return absl::OkStatus();
}

bool Gang::RowValues(const StimulusSlot& slot, const double* channels) {
  std::fill(row_values_.begin(), row_values_.end(), 0.0);
  if (channels == nullptr) return false;
  const StimulusMap& map = *slot.map;
  bool any = false;
  const size_t num_rows = row_values_.size();
  for (int c = 0; c < map.num_channels; ++c) {
    const double x = channels[c];
    if (x == 0.0) continue;
    any = true;
    if (map.gains.empty()) {
      if (map.row_of_channel[c] >= 0) row_values_[map.row_of_channel[c]] += x;
    } else {
      const double* gains = map.gains.data() + c * num_rows;
      for (size_t r = 0; r < num_rows; ++r) row_values_[r] += x * gains[r];
    }
  }
  return any;
}

bool Gang::UpdateCurrents() {
  const double dt = culture_->dt_ms();
  bool any = false;
  for (StimulusMode mode : {StimulusMode::kCurrent, StimulusMode::kCurrentDensity}) {
    StimulusSlot& slot = stimuli_[static_cast<int>(mode)];
    if (slot.map == nullptr) continue;
    for (int copy = 0; copy < num_copies_; ++copy) {
      if (slot.timelines[copy].empty()) continue;
      const double sample_dt = slot.timelines[copy].sample_dt_ms();
      const double t_k = static_cast<double>(tick(copy)) * dt;
      if (!any) {
        any = true;
        for (size_t g = 0; g < groups_.size(); ++g) {
          groups_[g].drive.assign(static_cast<size_t>(groups_[g].num_tiles) *
                                      culture_->groups()[g].model->num_compartments() * kTileLanes,
                                  0.0);
        }
      }
      std::vector<double> channels(slot.map->num_channels, 0.0);
      const bool whole_steps = culture_->time_rules() == TimeRules::kWholeSteps;
      if (mode == StimulusMode::kCurrent && !whole_steps) {
        const double at = (t_k + dt / 2.0) / sample_dt;
        const double floor = std::floor(at);
        const double* before = slot.timelines[copy].At(static_cast<int64_t>(floor));
        const double* after = slot.timelines[copy].At(static_cast<int64_t>(floor) + 1);
        const double fraction = at - floor;
        if (before == nullptr && after == nullptr) {
          slot.timelines[copy].ForgetBefore(static_cast<int64_t>(floor));
        }
        for (int c = 0; c < slot.map->num_channels; ++c) {
          const double x0 = before != nullptr ? before[c] : 0.0;
          const double x1 = after != nullptr ? after[c] : 0.0;
          channels[c] = x0 + fraction * (x1 - x0);
        }
      } else {
        // Brian2 allows for rounding when it looks up a sample, the native library does not.
        const auto sample = static_cast<int64_t>(t_k / sample_dt + (whole_steps ? 1e-6 : 0.0));
        const double* now = slot.timelines[copy].At(sample);
        if (now == nullptr) slot.timelines[copy].ForgetBefore(sample);
        if (now != nullptr) std::copy_n(now, channels.size(), channels.data());
      }
      if (!RowValues(slot, channels.data())) continue;
      int64_t row = 0;
      for (const Culture::CellRef& cell : culture_->cells()) {
        const CellGroup& group = culture_->groups()[cell.group];
        const CellModel& model = *group.model;
        const int64_t lane = int64_t{copy} * group.num_cells() + cell.index;
        for (int section = 0; section < model.num_sections(); ++section, ++row) {
          const double x = row_values_[row];
          if (x == 0.0) continue;
          // Both go into the section's middle, also where it has more segments.
          const int c = model.middle_compartment(section);
          groups_[cell.group]
              .drive[((lane / kTileLanes) * model.num_compartments() + c) * kTileLanes +
                     lane % kTileLanes] +=
              x * (mode == StimulusMode::kCurrent ? model.drive_per_na(group.params(cell.index), c)
                                                  : model.drive_per_density(c));
        }
      }
    }
  }
  return any;
}

const double* Gang::ChannelsAt(StimulusSlot& slot, int copy, int64_t tick) {
  StimulusTimeline& timeline = slot.timelines[copy];
  if (timeline.empty()) return nullptr;
  const auto sample =
      static_cast<int64_t>(static_cast<double>(tick) * culture_->dt_ms() / timeline.sample_dt_ms());
  const double* channels = timeline.At(sample);
  if (channels == nullptr) timeline.ForgetBefore(sample);
  return channels;
}

void Gang::UpdateField(int copy, int64_t tick) {
  StimulusSlot& slot = stimuli_[static_cast<int>(StimulusMode::kField)];
  // Without a map there are no waveforms, but a field from before may have to end.
  const bool active = header(copy, CopyHeader::kFieldActive) != 0.0;
  if (slot.timelines[copy].empty() && !active) return;
  const double* channels = ChannelsAt(slot, copy, tick);
  if (channels == field_now_[copy] && (channels != nullptr || !active)) return;
  field_now_[copy] = channels;
  const bool any = RowValues(slot, channels);
  if (!any && !active) return;
  header(copy, CopyHeader::kFieldActive) = any ? 1.0 : 0.0;
  int64_t row = 0;
  for (const Culture::CellRef& cell : culture_->cells()) {
    const CellGroup& group = culture_->groups()[cell.group];
    const int64_t lane = int64_t{copy} * group.num_cells() + cell.index;
    group.model->SetField(group.params(cell.index), any ? row_values_.data() + row : nullptr,
                          slot.row_present.data() + row, Variable(cell.group, lane, 0));
    row += group.model->num_sections();
  }
}

void Gang::UpdateLight(int copy, int64_t tick) {
  StimulusSlot& slot = stimuli_[static_cast<int>(StimulusMode::kLight)];
  double& active = header(copy, CopyHeader::kLightActive);
  if (slot.timelines[copy].empty() && active < 2.0) return;
  const double* channels = ChannelsAt(slot, copy, tick);
  if (channels == light_now_[copy] && (channels != nullptr || active < 2.0)) return;
  light_now_[copy] = channels;
  const bool any = RowValues(slot, channels);
  if (!any && active < 2.0) return;
  active = any ? 2.0 : 1.0;
  light_ = true;
  int64_t row = 0;
  for (const Culture::CellRef& cell : culture_->cells()) {
    const CellGroup& group = culture_->groups()[cell.group];
    const int64_t lane = int64_t{copy} * group.num_cells() + cell.index;
    group.model->SetLight(any ? row_values_[row] : 0.0, Variable(cell.group, lane, 0));
    row += group.model->num_sections();
  }
}

}  // namespace livnd::sim
