// One point of a search: a culture with these parameters, run and measured.
#ifndef LIVND_LAB_TUNE_EVALUATOR_H_
#define LIVND_LAB_TUNE_EVALUATOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "env/culture/culture_model.h"
#include "env/culture/live_culture.h"
#include "env/culture/run_decodings.h"
#include "io/culture/culture_setup.h"
#include "io/system/system.h"
#include "lab/tune/evaluation_runner.h"
#include "lab/tune/score.h"
#include "lab/tune/search_space.h"
#include "lab/tune/stimulus_sweep.h"
#include "lab/tune/target.h"
#include "sim/executor.h"

namespace livnd::lab {

// Trials are copies of one culture, whose noise differs: trial k has the seed target.seed + k. What an
// evaluation comes to is a function of system, target and coordinates alone. Immutable and thread-safe after
// Create: evaluations run side by side.
class Evaluator {
 public:
  // Field errors: of the target ("space", "selection", "readout"), and what the culture says of the
  // parameters at both ends of all ranges ("space.params[KEY].key"), and of the pulses there ("stimulus").
  static absl::StatusOr<std::unique_ptr<Evaluator>> Create(std::shared_ptr<const io::System> system,
                                                           Target target);

  const Target& target() const { return target_; }
  const io::System& system() const { return *system_; }
  const io::CultureSetup& setup() const { return model_->prepared().setup; }
  const SearchSpace& space() const { return space_; }
  SearchSpace& mutable_space() { return space_; }

  // Run and Judge.
  absl::StatusOr<Scores> Evaluate(absl::Span<const double> coordinates) const;

  Trials TrialsOf(absl::Span<const double> coordinates) const;
  // On the engine of this process, on the calling thread; for errors see EvaluationRunner::Run.
  absl::StatusOr<FiredTrials> Run(const Trials& trials) const;
  // Whether trials that fired so are given the sweep: of those that hold all constraints but those of the stimulus.
  absl::StatusOr<bool> Admits(const Sweep& sweep,
                              const std::optional<env::CultureRecording>& resting) const;
  // What the evaluation comes to whose trials fired so. A trial that has failed, by numbers out of their range or a
  // gigabyte of spikes, has measured nothing.
  absl::StatusOr<Scores> Judge(const FiredTrials& fired) const;

  // Trials of a second at most that tell systems and engines apart: such that cells fire, where the space has any,
  // and with a pulse after it where the target has a stimulus.
  // Cancelled: asked to stop.
  absl::StatusOr<std::pair<Trials, FiredTrials>> Probe(const std::function<bool()>& stop) const;

 private:
  Evaluator(std::shared_ptr<const io::System> system, Target target, SearchSpace space,
            std::shared_ptr<const env::CultureModel> model, env::DecodingEars ears,
            std::optional<StimulusSweep> sweep)
      : system_(std::move(system)),
        target_(std::move(target)),
        space_(std::move(space)),
        model_(std::move(model)),
        ears_(std::move(ears)),
        sweep_(std::move(sweep)) {}

  int64_t NumUnits() const;
  // Whether a culture can have these parameters, and under them the strongest pulse.
  absl::Status Try(absl::Span<const double> coordinates) const;
  absl::StatusOr<std::vector<env::CultureRecording>> RunSweep(env::LiveCulture& culture,
                                                              const Sweep& sweep) const;
  // Of one trial that has not failed. MeasureEvoked leaves the others as they are.
  absl::StatusOr<Features> MeasureResting(const env::CultureRecording& resting, size_t trial) const;
  absl::Status MeasureEvoked(const std::vector<env::CultureRecording>& evoked, size_t trial,
                             Features& features) const;

  const std::shared_ptr<const io::System> system_;
  const Target target_;
  SearchSpace space_;
  const std::shared_ptr<const env::CultureModel> model_;
  const env::DecodingEars ears_;
  const std::optional<StimulusSweep> sweep_;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_EVALUATOR_H_
