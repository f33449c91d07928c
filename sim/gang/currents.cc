// The part of Gang that injects currents: sparse events in the drive of each compartment.
#include <cstdint>
#include <vector>

#include "sim/gang/gang.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {
namespace {

constexpr StimulusMode kModes[] = {StimulusMode::kCurrent, StimulusMode::kCurrentDensity};

}  // namespace

double* Gang::Drive(int group, int copy, int cell, int compartment) {
  GroupTiles& tiles = groups_[group];
  const int64_t lane = int64_t{copy} * tiles.num_cells + cell;
  const int num_compartments = culture_->groups()[group].model->num_compartments();
  return tiles.drive.data() + ((lane / kTileLanes) * num_compartments + compartment) * kTileLanes +
         lane % kTileLanes;
}

void Gang::BuildParts(GangSlice& slice, StimulusMode mode, int copy, const TimelineReader& reader,
                      std::vector<CurrentPart>& parts) {
  const StimulusSlot& slot = stimuli_[static_cast<int>(mode)];
  parts.clear();
  if (slot.map == nullptr) return;
  const bool lines = RuleOf(mode).kind == SampleRule::Kind::kLine;
  const auto slope = [&](int c) { return lines ? reader.slope(c) : 0.0; };
  if (!slot.map->is_dense()) {
    for (const CurrentPath& p : slot.paths) {
      const double value = reader.value(p.channel);
      if (value == 0.0 && slope(p.channel) == 0.0) continue;
      const int64_t lane = int64_t{copy} * groups_[p.group].num_cells + p.cell;
      if (!slice.Owns(p.group, lane / kTileLanes)) continue;
      parts.push_back({Drive(p.group, copy, p.cell, p.compartment), lines ? p.channel : -1, value,
                       slope(p.channel), p.factor});
    }
    return;
  }
  // Sums over channels are those of the interpolated ones: made anew in each step.
  slice.channels.resize(slot.map->num_channels);
  for (int c = 0; c < slot.map->num_channels; ++c) {
    slice.channels[c] = reader.value(c) + (lines ? reader.fraction(c) * reader.slope(c) : 0.0);
  }
  DenseParts(slice, slot, mode, copy, slice.channels.data(), parts);
}

void Gang::ChangeCurrents(GangSlice& slice, SliceStimuli& stimuli, int64_t tick) {
  bool rewrite = false, changed[2];
  for (int m = 0; m < 2; ++m) {
    changed[m] = Follow(kModes[m], stimuli, tick);
    rewrite = rewrite || changed[m] || stimuli.readers[static_cast<int>(kModes[m])].moving();
  }
  if (!rewrite) return;
  for (const std::vector<CurrentPart>& parts : stimuli.parts) {
    for (const CurrentPart& part : parts) *part.drive = 0.0;
  }
  for (int m = 0; m < 2; ++m) {
    const StimulusSlot& slot = stimuli_[static_cast<int>(kModes[m])];
    const TimelineReader& reader = stimuli.readers[static_cast<int>(kModes[m])];
    std::vector<CurrentPart>& parts = stimuli.parts[m];
    const bool dense = slot.map != nullptr && slot.map->is_dense();
    if (changed[m] || (dense && reader.moving())) {
      slice.num_parts -= static_cast<int64_t>(parts.size());
      BuildParts(slice, kModes[m], stimuli.copy, reader, parts);
      slice.num_parts += static_cast<int64_t>(parts.size());
    }
    for (size_t i = 0; i < parts.size();) {
      const CurrentPart& first = parts[i];
      double sum = 0.0;
      for (; i < parts.size() && parts[i].drive == first.drive; ++i) {
        const CurrentPart& part = parts[i];
        sum +=
            part.channel < 0 ? part.value : part.value + reader.fraction(part.channel) * part.slope;
      }
      *first.drive += sum * first.factor;
    }
  }
}

bool Gang::UpdateCurrents(GangSlice& slice, int64_t step) {
  for (int i : slice.stimulated) {
    SliceStimuli& stimuli = slice.stimuli[i];
    ChangeCurrents(slice, stimuli, TickAt(stimuli.copy, step));
  }
  return slice.num_parts > 0;
}

}  // namespace livnd::sim
