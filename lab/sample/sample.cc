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
        const SampleWork& work)
      : plan_(plan), folder_(folder), missing_(missing.begin(), missing.end()), work_(work) {
    progress_.total = plan.end() - plan.begin();
    progress_.done = progress_.total;
    for (const int64_t number : missing) progress_.done -= End(number) - Begin(number);
    progress_.begun = progress_.done;
    if (work_.progress) work_.progress(progress_);
  }

  // Takes batches until there is none, or something is wrong.
  void Serve(SampleRunner& runner) {
    while (true) {
      std::vector<int64_t> parts;
      Exclusively([&] { parts = Take(runner.batch()); });
      if (parts.empty()) return;
      const absl::Status status = Do(runner, parts);
      bool lost = false;
      Exclusively([&] {
        if (status.ok()) return;
        lost = true;
        if (absl::IsUnavailable(status)) {
          missing_.insert(missing_.begin(), parts.begin(), parts.end());
          lost_ = status;
        } else if (status_.ok()) {
          status_ = status;
        }
      });
      if (lost) return;
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

  // Parts that follow each other, no more samples than a batch, but one part at least.
  std::vector<int64_t> Take(int64_t batch) {
    std::vector<int64_t> parts;
    while (status_.ok() && !missing_.empty()) {
      const int64_t next = missing_.front();
      const bool follows =
          parts.empty() || (next == parts.back() + 1 && End(next) - Begin(parts.front()) <= batch);
      if (!follows) break;
      parts.push_back(next);
      missing_.pop_front();
    }
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
  const SampleWork& work_;
  SampleProgress progress_;
  absl::Status status_, lost_;
};

}  // namespace

absl::Status RunSamples(const SamplePlan& plan, const std::string& folder,
                        absl::Span<SampleRunner* const> runners, const SampleWork& work) {
  LIVND_ASSIGN_OR_RETURN(std::vector<int64_t> missing, MissingParts(folder, plan.document()));
  Queue queue(plan, folder, std::move(missing), work);
  work.executor->ParallelFor(static_cast<int>(runners.size()),
                             [&](int i) { queue.Serve(*runners[static_cast<size_t>(i)]); });
  LIVND_RETURN_IF_ERROR(queue.status());
  return WriteCard(folder, plan.document());
}

}  // namespace livnd::lab
