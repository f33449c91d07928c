// Copies of one culture, whoever runs them: an environment with a task, or a culture without one.
#ifndef LIVND_ENV_COPIES_H_
#define LIVND_ENV_COPIES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "sim/culture/culture.h"
#include "sim/executor.h"
#include "sim/gang/gang.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

// All that decides how a copy goes on, but for what is the same for all copies: the culture with its
// maps of channels, and input spikes. A value; waveforms are shared and do not change.
struct CopyState {
  // The canonical state (sim/culture/culture.h), with membrane currents where these are known.
  std::vector<double> culture;
  // By mode: what is not over yet, in the order in which it was installed.
  std::vector<std::shared_ptr<const sim::Waveform>> stimuli[sim::kNumStimulusModes];
};

// Memory that copies of a culture take, about; derived from its layout, before there are any. Not the
// culture itself, which they share.
int64_t BytesOfCopies(const sim::Culture& culture, int num_copies);

// How many copies so many threads take at once with profit: fewer leave tiles half empty, or threads
// without work; more gain nothing.
int CopiesThatFill(const sim::Culture& culture, int concurrency);

// Owns the gangs in which the copies run, and spreads these groups over the executor's threads. How
// many copies share a gang is decided here and nowhere else; what a copy does never depends on it.
//
// Thread-compatible: one caller at a time. Inside ParallelFor several threads call at once, each for
// the copies of the group that it was given.
class Copies {
 public:
  // Copies that fill tiles together: first() .. first() + size() - 1.
  class Group {
   public:
    int index() const { return index_; }  // among the groups
    int first() const { return first_; }
    int size() const { return gang_->num_copies(); }

    // Lets the copies of the group run on, but for those that rest (sim::Gang::Advance). Spikes,
    // probes and rests count copies from first(); spikes are appended by step, then copy.
    void Advance(int64_t num_steps, std::vector<sim::Spike>* spikes,
                 absl::Span<sim::Probe* const> probes = {}, absl::Span<const uint8_t> rests = {});

   private:
    friend class Copies;
    Group(int index, int first, std::unique_ptr<sim::Gang> gang, sim::ExecutorShare share)
        : index_(index), first_(first), gang_(std::move(gang)), share_(share) {}

    int index_;
    int first_;
    std::unique_ptr<sim::Gang> gang_;
    sim::ExecutorShare share_;
  };

  // All at rest at time 0, without noise keyed. num_copies >= 1; the executor must outlive them.
  Copies(std::shared_ptr<const sim::Culture> culture, int num_copies, sim::Executor& executor);

  const sim::Culture& culture() const { return *culture_; }
  int num_copies() const { return num_copies_; }
  int num_groups() const { return static_cast<int>(groups_.size()); }

  // Groups that run side by side at most.
  int concurrency() const { return executor_->concurrency(); }

  // Calls work(group) for every group, side by side. Results must not depend on the order.
  void ParallelFor(absl::FunctionRef<void(Group&)> work) { ParallelFor(0, num_groups(), work); }
  // For num of them from the first on.
  void ParallelFor(int first, int num, absl::FunctionRef<void(Group&)> work);

  // What sim::Gang's calls of these names do, by copy or for all of them.
  int64_t tick(int copy) const { return gang(copy).tick(Within(copy)); }
  void Save(int copy, absl::Span<double> state) const { gang(copy).SaveCopy(Within(copy), state); }
  void Load(int copy, absl::Span<const double> state) { gang(copy).LoadCopy(Within(copy), state); }
  void Seed(int copy, uint64_t seed, uint32_t noise_stream = 0) {
    gang(copy).SetSeed(Within(copy), seed, noise_stream);
  }
  bool IsFinite(int copy) const { return gang(copy).IsFinite(Within(copy)); }
  void SetStimulusMap(sim::StimulusMode mode, const std::shared_ptr<const sim::StimulusMap>& map);
  absl::Status Install(int copy, sim::StimulusMode mode, sim::Waveform waveform) {
    return gang(copy).Install(Within(copy), mode, std::move(waveform));
  }
  absl::Status Install(int copy, sim::StimulusMode mode,
                       std::shared_ptr<const sim::Waveform> waveform) {
    return gang(copy).Install(Within(copy), mode, std::move(waveform));
  }
  absl::Status SetInputSpikes(const std::map<int64_t, std::vector<double>>& times_ms);
  absl::Status SetPlasticity(int copy, bool on) {
    return gang(copy).SetPlasticity(Within(copy), on);
  }
  std::vector<double> LearnedWeights(int copy) const {
    return gang(copy).LearnedWeights(Within(copy));
  }
  absl::Status SetLearnedWeights(int copy, absl::Span<const double> weights) {
    return gang(copy).SetLearnedWeights(Within(copy), weights);
  }

  // A copy as it is, and back, also into another copy or other Copies of a culture with the same
  // layout. What comes from outside may be refused, by a field error about "state[i]" or
  // "stimuli"; the copy has then got none of the stimuli, or not all.
  CopyState SaveWhole(int copy) const;
  absl::Status LoadWhole(int copy, const CopyState& state);

  // The states of all copies, in order, and back, without their stimuli.
  std::vector<std::vector<double>> SaveAll() const;
  void LoadAll(const std::vector<std::vector<double>>& states);

 private:
  std::vector<double> SaveCulture(int copy) const;
  sim::Gang& gang(int copy) { return *groups_[static_cast<size_t>(copy / group_size_)].gang_; }
  const sim::Gang& gang(int copy) const {
    return *groups_[static_cast<size_t>(copy / group_size_)].gang_;
  }
  int Within(int copy) const { return copy % group_size_; }

  std::shared_ptr<const sim::Culture> culture_;
  int num_copies_;
  int group_size_;  // copies of every group but the last
  sim::Executor* executor_;
  std::vector<Group> groups_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_COPIES_H_
