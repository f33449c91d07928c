// What a gang is made of. For the sources of Gang alone.
#ifndef LIVND_SIM_GANG_PARTS_H_
#define LIVND_SIM_GANG_PARTS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/gang/probe.h"
#include "sim/network/calendar.h"
#include "sim/network/connectivity.h"
#include "sim/simd/aligned_vector.h"
#include "sim/simd/tile_lanes.h"
#include "sim/stimulus/stimulus.h"
#include "sim/stimulus/timeline.h"

namespace livnd::sim {

// One group's cells of all copies: lane copy * num_cells + cell.
struct GroupTiles {
  int num_cells = 0;  // of one copy
  int num_lanes = 0;
  int num_tiles = 0;
  AlignedVector state;          // [tile][variable][kTileLanes]
  AlignedVector scratch;        // [tile][CellModel::num_scratch()][kTileLanes]
  std::vector<uint8_t> marks;   // [tile], TileBatch::marks
  std::vector<uint8_t> stale;   // [tile], 1 where scratch and marks do not fit the state
  AlignedVector params;         // distinct parameter tiles
  std::vector<int> param_tile;  // [tile] index into params
  // [tile] lanes with a cell in them, and lanes that crossed their threshold in the last step.
  std::vector<uint8_t> lane_mask, crossed;
  AlignedVector normals;   // [step][tile][2][kTileLanes] of a chunk
  AlignedVector drive;     // [tile][compartment][kTileLanes], current stimuli
  AlignedVector learning;  // [tile][kTileLanes], 1 where plasticity is on
  AlignedVector membrane;  // [tile][compartment][kTileLanes], mA/cm2 of the last step
  // [cell] the first of its rows (StimulusMap), and the first cell behind it whose rows do not
  // follow on.
  std::vector<int64_t> first_row;
  std::vector<int> run_end;
};

// A channel of a sparse map of currents and where it ends.
struct CurrentPath {
  int64_t row;
  int channel;
  int group, cell, compartment;
  double factor;  // drive for a unit
};

struct StimulusSlot {
  std::shared_ptr<const StimulusMap> map;
  std::vector<StimulusTimeline> timelines;  // [copy]
  // Rows whose section some channel reaches; sparse maps only.
  std::vector<uint8_t> row_present;
  std::vector<CurrentPath> paths;  // by row, then channel
};

// One channel's part of a compartment's drive, while its sample lasts. Parts of the same compartment
// and mode follow each other.
struct CurrentPart {
  double* drive;
  int channel;  // whose line it follows; -1: constant
  double value, slope;
  double factor;
};

// The stimuli of one copy as one slice follows them.
struct SliceStimuli {
  int copy = 0;
  TimelineReader readers[kNumStimulusModes];
  std::vector<CurrentPart> parts[2];              // kCurrent and kCurrentDensity
  double field_active = 0.0, light_active = 0.0;  // CopyHeader's
};

// An accepted spike. `step` counts the gang's steps.
struct Emission {
  int64_t step;
  int32_t copy, group, cell;
};

// Reads one number that a probe asked for.
struct ProbeSite {
  int64_t column = 0;
  const double* at = nullptr;  // the number, or the cell's state
  double area_um2 = 0.0;       // kMembraneCurrentUa
  int32_t group = 0, cell = 0, section = 0;
};
struct SliceProbe {
  const Probe* probe;
  int64_t next_step;  // of the gang
  double* out;        // the row of the next sample
  int64_t num_columns;
  size_t first_site, end_site;
};

// Consecutive tiles of one group.
struct TileRange {
  int group, first, num_tiles;
};

// A part of the tiles that one thread takes through an epoch, and all that ends in it.
struct alignas(64) GangSlice {
  explicit GangSlice(int max_steps_ahead) : calendar(max_steps_ahead) {}

  std::vector<TileRange> ranges;          // by group, at most one each
  std::vector<TileRange> running;         // what of them has a copy in it that does not rest
  std::vector<int> first_tile, end_tile;  // [group], equal where it has none
  int first_copy = 0, end_copy = 0;       // copies with a lane in it
  Calendar calendar;                      // by the gang's steps
  std::vector<size_t> next_input;         // [copy - first_copy] into Gang::inputs_
  std::vector<Emission> emitted;          // in the epoch
  std::vector<SliceStimuli> stimuli;      // [copy - first_copy]
  std::vector<int> stimulated;            // indices of those that may change anything
  std::vector<double> row_values;         // scratch, [num_section_rows]
  std::vector<double> channels;           // scratch
  int64_t num_parts = 0;                  // of all currents now
  bool light = false;                     // light has shone on a copy in it
  std::vector<SliceProbe> probes;
  std::vector<ProbeSite> sites;

  bool Owns(int group, int64_t tile) const {
    return tile >= first_tile[group] && tile < end_tile[group];
  }
};

// Connectivity::terminals with what delivery needs of them.
struct DeliveryTarget {
  int32_t group, num_cells;
  int32_t num_states, learning_state;  // SynapseSlotStates
  double* state;                       // the slot's first variable in the group's first tile
  int64_t tile_stride;                 // from tile to tile
  ReceptorConstants receptor;

  // lane >= 0
  double* at(int64_t lane) const {
    const auto at = static_cast<uint64_t>(lane);
    return state + static_cast<int64_t>(at / kTileLanes) * tile_stride + at % kTileLanes;
  }
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_GANG_PARTS_H_
