#include "lab/tune/tune.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace livnd::lab {
namespace {

using Points = std::vector<std::vector<double>>;

// The evaluations of one search, in order.
class Evaluations {
 public:
  Evaluations(const Evaluator& evaluator, const TuneWork& work, EvaluationLog& log)
      : evaluator_(evaluator), work_(work), log_(log) {}

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
    size_t next = 0;
    absl::Status status;
    const auto exclusively = [&](absl::FunctionRef<void()> fn) {
      work_.one_at_a_time ? work_.one_at_a_time(fn) : fn();
    };
    const auto evaluate = [&](int piece) {
      bool give_up = false;
      exclusively([&] {
        if (status.ok() && work_.stop && work_.stop()) status = absl::CancelledError("interrupted");
        give_up = !status.ok();
      });
      if (give_up) return;
      const auto i = static_cast<size_t>(piece);
      absl::StatusOr<Scores> scores = evaluator_.Evaluate(points[begin + i]);
      exclusively([&] {
        if (!scores.ok()) {
          if (status.ok()) status = scores.status();
          return;
        }
        done[i] = *std::move(scores);
        while (next < done.size() && done[next].has_value()) {
          const absl::Status appended = log_.Append({points[begin + next], *done[next]});
          if (!appended.ok()) {
            status = appended;
            return;
          }
          ++next;
          if (work_.progress) work_.progress(log_);
        }
      });
    };
    work_.executor->ParallelFor(static_cast<int>(done.size()), evaluate);
    return status;
  }

  const Evaluator& evaluator_;
  const TuneWork& work_;
  EvaluationLog& log_;
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
