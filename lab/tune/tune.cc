#include "lab/tune/tune.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace livnd::lab {
namespace {

using Points = std::vector<std::vector<double>>;

class EngineRunner final : public EvaluationRunner {
 public:
  explicit EngineRunner(const Evaluator& evaluator) : evaluator_(evaluator) {}
  absl::StatusOr<FiredTrials> Run(const Trials& trials) override { return evaluator_.Run(trials); }

 private:
  const Evaluator& evaluator_;
};

// The evaluations of one search, in order.
class Evaluations {
 public:
  Evaluations(const Evaluator& evaluator, const TuneWork& work, EvaluationLog& log)
      : evaluator_(evaluator), work_(work), log_(log), runners_(work.runners) {
    // The evaluator may be asked by many threads at once, and so may this.
    if (runners_.empty()) {
      runners_.assign(static_cast<size_t>(work.executor->concurrency()), &engine_);
    }
  }

  absl::StatusOr<Points> Evaluate(const Points& points) {
    const size_t first = num_;
    num_ += points.size();
    const size_t in_log =
        std::min(log_.evaluations().size(), num_) - std::min(first, log_.evaluations().size());
    for (size_t i = 0; i < in_log; ++i) {
      if (log_.evaluations()[first + i].coordinates != points[i]) {
        return absl::FailedPreconditionError(
            absl::StrCat("evaluation ", first + i + 1, " in the log is not of this search"));
      }
    }
    LIVND_RETURN_IF_ERROR(EvaluateNew(points, in_log));
    Points values;
    for (size_t i = 0; i < points.size(); ++i) {
      const Scores& scores = log_.evaluations()[first + i].scores;
      values.push_back(Penalised(scores.objectives, scores.violation()));
    }
    return values;
  }

 private:
  // Those from points[begin] on, which the log is then given in order.
  absl::Status EvaluateNew(const Points& points, size_t begin) {
    std::vector<std::optional<Scores>> done(points.size() - begin);
    std::vector<int64_t> pieces(done.size());
    std::iota(pieces.begin(), pieces.end(), int64_t{0});
    SharedWork shared(pieces, work_.threads);
    size_t next = 0;
    const auto evaluate = [&](EvaluationRunner& runner, size_t i) -> absl::Status {
      LIVND_ASSIGN_OR_RETURN(const FiredTrials fired,
                             runner.Run(evaluator_.TrialsOf(points[begin + i])));
      LIVND_ASSIGN_OR_RETURN(Scores scores, evaluator_.Judge(fired));
      absl::Status appended;
      shared.Exclusively([&] {
        done[i] = std::move(scores);
        while (appended.ok() && next < done.size() && done[next].has_value()) {
          appended = log_.Append({points[begin + next], *done[next]});
          if (!appended.ok()) return;
          ++next;
          if (work_.progress) work_.progress(log_);
        }
      });
      return appended;
    };
    const auto ready = [&](EvaluationRunner& runner) -> absl::StatusOr<bool> {
      if (work_.stop && work_.stop()) return absl::CancelledError("interrupted");
      return runner.Ready();
    };
    work_.executor->ParallelFor(static_cast<int>(runners_.size()), [&](int worker) {
      EvaluationRunner& runner = *runners_[static_cast<size_t>(worker)];
      shared.Serve([&] { return ready(runner); }, [](const std::deque<int64_t>&) { return 1; },
                   [&](const std::vector<int64_t>& taken) {
                     return evaluate(runner, static_cast<size_t>(taken[0]));
                   });
    });
    return shared.status();
  }

  const Evaluator& evaluator_;
  const TuneWork& work_;
  EvaluationLog& log_;
  EngineRunner engine_{evaluator_};
  std::vector<EvaluationRunner*> runners_;
  size_t num_ = 0;  // asked for
};

}  // namespace

absl::Status Tune(const Evaluator& evaluator, SearchConfig search, const TuneWork& work,
                  EvaluationLog& log) {
  for (const Dimension& dimension : evaluator.space().dimensions()) {
    search.low.push_back(dimension.low());
    search.high.push_back(dimension.high());
  }
  search.num_objectives = static_cast<int>(evaluator.target().objectives.size());
  Evaluations evaluations(evaluator, work, log);
  return Search(search, [&](const Points& points) { return evaluations.Evaluate(points); });
}

}  // namespace livnd::lab
