// Who reaches whom, with what, after how long: built once, shared by every copy of a culture.
#ifndef LIVND_SIM_NETWORK_CONNECTIVITY_H_
#define LIVND_SIM_NETWORK_CONNECTIVITY_H_

#include <cstdint>
#include <vector>

namespace livnd::sim {

// One connection: an edge and one of its receptors. Rows of a source are consecutive and keep the
// order of the configuration; the row number therefore orders events of equal time by (source,
// row).
struct ConnectionRow {
  double delay_ms;
  double weight;
  uint32_t target_index;  // cell within its group
  uint32_t terminal;      // index into Connectivity::terminals
  int32_t delay_steps;    // emission step to delivery step; -1: a tie, decided in doubles
  // Index of the connection's own state (resources, time of the last event), or -1.
  int32_t state;
};
static_assert(sizeof(ConnectionRow) == 32);

// What kind of place a row ends in.
struct Terminal {
  uint16_t group;     // of the target
  uint16_t slot;      // of the group: compartment and kinetics
  uint32_t receptor;  // index into Connectivity::receptors
};

// What a row needs of its receptor when an event arrives.
struct ReceptorConstants {
  double unit_us = 0.0;    // g_unit * factor
  double half_rise = 0.0;  // exp(-dt / (2 tau_rise)): the event acts from mid step
  double half_decay = 0.0;
  bool depressing = false;
  double release_fraction = 0.0;
  double recovery_tau_ms = 0.0;
  bool plastic = false;
  double w_min = 0.0, w_max = 0.0;
};

struct Connectivity {
  std::vector<uint64_t> first_row;  // [num_sources + 1]
  std::vector<ConnectionRow> rows;
  // [row]: behind the last of the consecutive rows of its source that share its delay. What a spike
  // does to them it does at the same time, so they are carried as one event.
  std::vector<uint32_t> run_end;
  // [row]: behind the last of the rows of its run, from it on, that also share weight and terminal and
  // have no state of their own; and every row's target_index. Delivery needs nothing else of them, which
  // is an eighth of the memory to read. Empty where hardly any rows are so alike.
  std::vector<uint32_t> alike_end, targets;
  std::vector<Terminal> terminals;  // distinct ones
  std::vector<ReceptorConstants> receptors;
  int64_t num_stateful_rows = 0;
  int max_delay_steps = 0;  // of any row, ties counted up
  int min_delay_steps = 0;  // likewise, ties counted down; at least 2 where there are rows

  const ReceptorConstants& receptor_of(const ConnectionRow& row) const {
    return receptors[terminals[row.terminal].receptor];
  }
};

// Fills run_end, alike_end and targets from first_row and rows.
void FindRuns(Connectivity& net);

// livn's delivery rule: an event acts in the first step k whose middle is not before it. Which step
// that is for an event in the middle of one is decided by rounding, as livn 2.0.0's native library
// does: the smallest k >= 0 with k >= time / dt - 1/2 in doubles.
int64_t DeliveryStep(double event_time_ms, double dt_ms);

// Speed of spikes along connections.
inline constexpr double kConductionUmPerMs = 250.0;

// A cell's spike of step k is emitted at t_k + kEmissionOffsetMs.
inline constexpr double kEmissionOffsetMs = 1e-10;

}  // namespace livnd::sim

#endif  // LIVND_SIM_NETWORK_CONNECTIVITY_H_
