// The stimuli of an oracle case on the engine, by livn's rules for several stimuli of one mode.
#ifndef LIVND_LAB_PARITY_CASE_STIMULI_H_
#define LIVND_LAB_PARITY_CASE_STIMULI_H_

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lab/parity/oracle_case.h"
#include "sim/gang/gang.h"

namespace livnd::lab {

// livn 2.0.0 backend/native/env.py: a mode keeps one block of samples since the last clear. Each
// stimulus adds the columns that are new and overwrites its own samples of its own columns, from
// the sample nearest to the run's start on; what other columns hold from before goes on.
class CaseStimuli {
 public:
  // `oracle` must outlive this.
  explicit CaseStimuli(const OracleCase& oracle) : oracle_(oracle) {}

  // Puts the stimulus of a run on the gang's only copy. The run starts at start_ms, the sum of the
  // durations before it in doubles: what is nearest to half a sample off is decided by rounding.
  // InvalidArgument says what is wrong with the stimulus.
  absl::Status Install(const OracleStimulus& stimulus, double start_ms, sim::Gang& gang);
  // Puts all stimuli on the only copy of another gang.
  absl::Status InstallAll(sim::Gang& gang) const;
  // Forgets all stimuli.
  void Clear();

 private:
  // A column is a section of a cell; for electrodes {number, kElectrode}.
  static constexpr int kElectrode = -1;
  using Column = std::pair<int64_t, int>;
  struct Block {
    std::map<Column, int> channel;
    std::vector<std::vector<double>> samples;  // [channel][sample]
    int64_t num_samples = 0;
    double sample_dt_ms = 0.0;
    bool electrodes = false;
  };

  absl::Status Install(sim::StimulusMode mode, sim::Gang& gang) const;
  absl::StatusOr<std::shared_ptr<const sim::StimulusMap>> MapOf(const Block& block,
                                                                const sim::Culture& culture) const;

  const OracleCase& oracle_;
  Block blocks_[sim::kNumStimulusModes];
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_PARITY_CASE_STIMULI_H_
