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

void Gang::BuildParts(GangSlice& slice, StimulusMode mode, int copy, const StimulusSample& sample,
                      SliceStimuli::Currents& currents) {
  const StimulusSlot& slot = stimuli_[static_cast<int>(mode)];
  const StimulusTimeline& timeline = slot.timelines[copy];
  currents.sample = sample.index;
  currents.moving = false;
  currents.parts.clear();
  const double* before = timeline.At(sample.index);
  const double* after = sample.interpolated ? timeline.At(sample.index + 1) : before;
  if (before == nullptr && after == nullptr) return;
  const auto value = [&](int c) { return before != nullptr ? before[c] : 0.0; };
  const auto slope = [&](int c) { return (after != nullptr ? after[c] : 0.0) - value(c); };
  if (slot.map->gains.empty()) {
    for (const CurrentPath& p : slot.paths) {
      if (value(p.channel) == 0.0 && slope(p.channel) == 0.0) continue;
      const int64_t lane = int64_t{copy} * groups_[p.group].num_cells + p.cell;
      if (!slice.Owns(p.group, lane / kTileLanes)) continue;
      currents.parts.push_back({Drive(p.group, copy, p.cell, p.compartment), value(p.channel),
                                slope(p.channel), p.factor});
      currents.moving = currents.moving || slope(p.channel) != 0.0;
    }
    return;
  }
  // Sums over channels are those of the interpolated ones: made anew in each step.
  slice.channels.resize(slot.map->num_channels);
  for (int c = 0; c < slot.map->num_channels; ++c) {
    slice.channels[c] = value(c) + sample.fraction * slope(c);
    currents.moving = currents.moving || slope(c) != 0.0;
  }
  DenseParts(slice, slot, mode, copy, slice.channels.data(), currents.parts);
}

void Gang::ChangeCurrents(GangSlice& slice, SliceStimuli& stimuli, int64_t tick) {
  StimulusSample samples[2];
  bool rewrite = false;
  for (int m = 0; m < 2; ++m) {
    const StimulusSlot& slot = stimuli_[static_cast<int>(kModes[m])];
    SliceStimuli::Currents& currents = stimuli.currents[m];
    samples[m] = {currents.sample, 0.0, false};
    if (slot.timelines[stimuli.copy].empty()) continue;
    samples[m] = SampleAt(kModes[m], stimuli.copy, tick);
    rewrite = rewrite || currents.moving || samples[m].index != currents.sample;
  }
  if (!rewrite) return;
  for (const SliceStimuli::Currents& currents : stimuli.currents) {
    for (const CurrentPart& part : currents.parts) *part.drive = 0.0;
  }
  for (int m = 0; m < 2; ++m) {
    const StimulusSlot& slot = stimuli_[static_cast<int>(kModes[m])];
    SliceStimuli::Currents& currents = stimuli.currents[m];
    const bool dense = slot.map != nullptr && !slot.map->gains.empty();
    if (samples[m].index != currents.sample || (dense && currents.moving)) {
      slice.num_parts -= static_cast<int64_t>(currents.parts.size());
      BuildParts(slice, kModes[m], stimuli.copy, samples[m], currents);
      slice.num_parts += static_cast<int64_t>(currents.parts.size());
    }
    const std::vector<CurrentPart>& parts = currents.parts;
    for (size_t i = 0; i < parts.size();) {
      const CurrentPart& first = parts[i];
      double sum = 0.0;
      for (; i < parts.size() && parts[i].drive == first.drive; ++i) {
        sum += parts[i].value + samples[m].fraction * parts[i].slope;
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
