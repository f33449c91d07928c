#include "lab/sample/sample.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/status_macros.h"
#include "lab/sample/sample_folder.h"

namespace livnd::lab {
namespace {

// What is to do, handed out in batches.
class Queue {
 public:
  Queue(const SamplePlan& plan, const std::string& folder, std::vector<int64_t> missing,
        int64_t num_runners, const SampleWork& work)
      : plan_(plan),
        folder_(folder),
        missing_(missing.begin(), missing.end()),
        num_runners_(num_runners),
        work_(work) {
    progress_.total = plan.end() - plan.begin();
    progress_.done = progress_.total;
    for (const int64_t number : missing) progress_.done -= End(number) - Begin(number);
    progress_.begun = progress_.done;
    if (work_.progress) work_.progress(progress_);
  }

  // Takes batches until all is done, or something is wrong.
  void Serve(SampleRunner& runner) {
    while (IsGoingOn()) {
      const absl::StatusOr<bool> ready = runner.Ready();
      if (!ready.ok()) {
        Exclusively([&] { Note(ready.status()); });
        return;
      }
      std::vector<int64_t> parts;
      if (*ready) Exclusively([&] { parts = Take(runner.batch()); });
      if (parts.empty()) {
        // What the others have may still come back.
        if (work_.pause) work_.pause();
        continue;
      }
      const absl::Status status = Do(runner, parts);
      Exclusively([&] {
        --num_under_way_;
        if (absl::IsUnavailable(status)) {
          missing_.insert(missing_.begin(), parts.begin(), parts.end());
        } else {
          Note(status);
        }
      });
    }
  }

  // Once all runners have ended.
  absl::Status status() const {
    if (!status_.ok() || missing_.empty()) return status_;
    return lost_;
  }

 private:
  int64_t Begin(int64_t number) const { return number * plan_.part(); }
  int64_t End(int64_t number) const { return std::min(Begin(number + 1), plan_.count()); }

  void Exclusively(absl::FunctionRef<void()> fn) {
    work_.one_at_a_time ? work_.one_at_a_time(fn) : fn();
  }

  bool IsGoingOn() {
    bool going_on = false;
    Exclusively([&] { going_on = status_.ok() && (!missing_.empty() || num_under_way_ > 0); });
    return going_on;
  }

  // What a runner has ended with.
  void Note(const absl::Status& status) {
    absl::Status& kept = absl::IsUnavailable(status) ? lost_ : status_;
    if (kept.ok()) kept = status;
  }

  // Parts that follow each other, no more samples than a batch, but one part at least.
  std::vector<int64_t> Take(int64_t batch) {
    std::vector<int64_t> parts;
    if (num_runners_ > 1) {
      // Less and less towards the end, so that all end together.
      const auto left = static_cast<int64_t>(missing_.size()) * plan_.part();
      batch = std::min(batch, std::max<int64_t>(1, left / num_runners_));
    }
    while (status_.ok() && !missing_.empty()) {
      const int64_t next = missing_.front();
      const bool follows =
          parts.empty() || (next == parts.back() + 1 && End(next) - Begin(parts.front()) <= batch);
      if (!follows) break;
      parts.push_back(next);
      missing_.pop_front();
    }
    if (!parts.empty()) ++num_under_way_;
    return parts;
  }

  absl::Status Do(SampleRunner& runner, const std::vector<int64_t>& parts) {
    const int64_t begin = Begin(parts.front());
    const int64_t num = End(parts.back()) - begin;
    LIVND_ASSIGN_OR_RETURN(std::vector<SampledTrials> samples, runner.Run(begin, num));
    int64_t num_spikes = 0;
    for (const SampledTrials& trials : samples) {
      for (const SampledTrial& trial : trials) {
        num_spikes += static_cast<int64_t>(trial.spike_gids.size());
      }
    }
    for (const int64_t number : parts) {
      const auto first = samples.begin() + (Begin(number) - begin);
      const auto last = samples.begin() + (End(number) - begin);
      LIVND_RETURN_IF_ERROR(WritePart(
          folder_, plan_, number, {std::make_move_iterator(first), std::make_move_iterator(last)}));
    }
    Exclusively([&] {
      progress_.done += num;
      progress_.num_spikes += num_spikes;
      if (work_.progress) work_.progress(progress_);
    });
    return absl::OkStatus();
  }

  const SamplePlan& plan_;
  const std::string& folder_;
  std::deque<int64_t> missing_;
  const int64_t num_runners_;
  const SampleWork& work_;
  int num_under_way_ = 0;  // batches
  SampleProgress progress_;
  absl::Status status_, lost_;
};

}  // namespace

absl::Status RunSamples(const SamplePlan& plan, const std::string& folder,
                        absl::Span<SampleRunner* const> runners, const SampleWork& work) {
  LIVND_ASSIGN_OR_RETURN(std::vector<int64_t> missing, MissingParts(folder, plan.document()));
  Queue queue(plan, folder, std::move(missing), static_cast<int64_t>(runners.size()), work);
  work.executor->ParallelFor(static_cast<int>(runners.size()),
                             [&](int i) { queue.Serve(*runners[static_cast<size_t>(i)]); });
  LIVND_RETURN_IF_ERROR(queue.status());
  return WriteCard(folder, plan.document());
}

}  // namespace livnd::lab
