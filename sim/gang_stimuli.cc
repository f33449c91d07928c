// The part of Gang that turns stimuli into the drive of each compartment.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/gang.h"
#include "sim/simd/vec.h"

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
  field_now_[copy] = nullptr;
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
          groups_[g].density.assign(static_cast<size_t>(groups_[g].num_tiles) *
                                        culture_->groups()[g].rcsd.shape.num_compartments() *
                                        kTileLanes,
                                    0.0);
        }
      }
      std::vector<double> channels(slot.map->num_channels, 0.0);
      if (mode == StimulusMode::kCurrent) {
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
        const auto sample = static_cast<int64_t>(t_k / sample_dt);
        const double* now = slot.timelines[copy].At(sample);
        if (now == nullptr) slot.timelines[copy].ForgetBefore(sample);
        if (now != nullptr) std::copy_n(now, channels.size(), channels.data());
      }
      if (!RowValues(slot, channels.data())) continue;
      int64_t row = 0;
      for (const Culture::CellRef& cell : culture_->cells()) {
        const CellGroup& group = culture_->groups()[cell.group];
        const RcsdShape& shape = group.rcsd.shape;
        const int64_t lane = int64_t{copy} * group.num_cells() + cell.index;
        const std::vector<double>& params = group.classes[group.cell_class[cell.index]].params;
        for (int section = 0; section < shape.num_sections(); ++section, ++row) {
          const double x = row_values_[row];
          if (x == 0.0) continue;
          // Both go into the section's middle, also where it has more segments.
          const int c = shape.middle_compartment(section);
          groups_[cell.group]
              .density[((lane / kTileLanes) * shape.num_compartments() + c) * kTileLanes +
                       lane % kTileLanes] +=
              mode == StimulusMode::kCurrent ? x * params[shape.per_area_param(c)] : x;
        }
      }
    }
  }
  return any;
}

void Gang::UpdateField(int copy, int64_t tick) {
  StimulusSlot& slot = stimuli_[static_cast<int>(StimulusMode::kField)];
  // Without a map there are no waveforms, but a field from before may have to end.
  StimulusTimeline& timeline = slot.timelines[copy];
  const bool active = header(copy, CopyHeader::kFieldActive) != 0.0;
  if (timeline.empty() && !active) return;
  const double* channels = nullptr;
  if (!timeline.empty()) {
    const int64_t sample = static_cast<int64_t>(static_cast<double>(tick) * culture_->dt_ms() /
                                                timeline.sample_dt_ms());
    channels = timeline.At(sample);
    if (channels == nullptr) timeline.ForgetBefore(sample);
  }
  if (channels == field_now_[copy] && (channels != nullptr || !active)) return;
  field_now_[copy] = channels;
  const bool any = RowValues(slot, channels);
  if (!any && !active) return;
  header(copy, CopyHeader::kFieldActive) = any ? 1.0 : 0.0;
  int64_t row = 0;
  for (const Culture::CellRef& cell : culture_->cells()) {
    const CellGroup& group = culture_->groups()[cell.group];
    const RcsdShape& shape = group.rcsd.shape;
    const std::vector<double>& p = group.classes[group.cell_class[cell.index]].params;
    const int64_t lane = int64_t{copy} * group.num_cells() + cell.index;
    double* state = Variable(cell.group, lane, 0);
    auto field = [&](int compartment) -> double& {
      return state[shape.field_state(compartment) * kTileLanes];
    };
    for (int c = 0; c < shape.num_compartments(); ++c) field(c) = 0.0;
    if (!any) continue;
    const double* ve = row_values_.data() + row;
    const uint8_t* present = slot.row_present.data() + row;
    // Each junction drives its two compartments by the difference of their potentials.
    auto junction = [&](int near, int far, int near_section, int far_section, int near_param,
                        int far_param) {
      if (!present[near_section] || !present[far_section]) return;
      const double difference = ve[far_section] - ve[near_section];
      field(near) += p[near_param] * difference;
      field(far) -= p[far_param] * difference;
    };
    const int first_axon_section = shape.num_dend > 0 ? 2 : 1;
    if (shape.num_dend > 0) {
      junction(0, 1, 0, 1, SomaParam::kGDend, shape.dend_param(0) + DendParam::kGPrev);
    }
    for (int i = 0; i < RcsdShape::kNumAxon; ++i) {
      junction(i == 0 ? 0 : shape.axon_compartment(i - 1), shape.axon_compartment(i),
               i == 0 ? 0 : first_axon_section + i - 1, first_axon_section + i,
               i == 0 ? int{SomaParam::kGAxon} : shape.axon_param(i - 1) + AxonParam::kGNext,
               shape.axon_param(i) + AxonParam::kGPrev);
    }
    row += shape.num_sections();
  }
}

}  // namespace livnd::sim
