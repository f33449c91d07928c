#include "lab/sample/sample.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <vector>

#include "absl/status/statusor.h"
#include "base/status_macros.h"
#include "lab/sample/sample_folder.h"
#include "lab/work/shared_work.h"

namespace livnd::lab {
namespace {

// The parts that are to do, and how far they are.
class Parts {
 public:
  Parts(const SamplePlan& plan, const std::string& folder, const std::vector<int64_t>& missing,
        int64_t num_runners, const SampleWork& work)
      : plan_(plan),
        folder_(folder),
        num_runners_(num_runners),
        work_(work),
        shared_(missing, work.threads) {
    progress_.total = plan.end() - plan.begin();
    progress_.done = progress_.total;
    for (const int64_t number : missing) progress_.done -= End(number) - Begin(number);
    progress_.begun = progress_.done;
    if (work_.progress) work_.progress(progress_);
  }

  // Takes batches until all is done, or something is wrong.
  void Serve(SampleRunner& runner) {
    shared_.Serve(
        [&] { return runner.Ready(); },
        [&](const std::deque<int64_t>& missing) { return Batch(missing, runner.batch()); },
        [&](const std::vector<int64_t>& parts) { return Do(runner, parts); });
  }

  // Once all runners have ended.
  absl::Status status() const { return shared_.status(); }

 private:
  int64_t Begin(int64_t number) const { return number * plan_.part(); }
  int64_t End(int64_t number) const { return std::min(Begin(number + 1), plan_.count()); }

  // How many parts follow each other and hold no more samples than a batch.
  size_t Batch(const std::deque<int64_t>& missing, int64_t batch) const {
    if (num_runners_ > 1) {
      // Less and less towards the end, so that all end together.
      const auto left = static_cast<int64_t>(missing.size()) * plan_.part();
      batch = std::min(batch, std::max<int64_t>(1, left / num_runners_));
    }
    size_t num = 1;
    while (num < missing.size() && missing[num] == missing[num - 1] + 1 &&
           End(missing[num]) - Begin(missing.front()) <= batch) {
      ++num;
    }
    return num;
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
    shared_.Exclusively([&] {
      progress_.done += num;
      progress_.num_spikes += num_spikes;
      if (work_.progress) work_.progress(progress_);
    });
    return absl::OkStatus();
  }

  const SamplePlan& plan_;
  const std::string& folder_;
  const int64_t num_runners_;
  const SampleWork& work_;
  SharedWork shared_;
  SampleProgress progress_;
};

}  // namespace

absl::Status RunSamples(const SamplePlan& plan, const std::string& folder,
                        absl::Span<SampleRunner* const> runners, const SampleWork& work) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> missing, MissingParts(folder, plan.document()));
  Parts parts(plan, folder, missing, static_cast<int64_t>(runners.size()), work);
  work.executor->ParallelFor(static_cast<int>(runners.size()),
                             [&](int i) { parts.Serve(*runners[static_cast<size_t>(i)]); });
  LIVND_RETURN_IF_ERROR(parts.status());
  return WriteCard(folder, plan.document());
}

}  // namespace livnd::lab
