// The steps in which a cell spiked lately: a part of its state from which events on their way follow.
#ifndef LIVND_SIM_NETWORK_SPIKE_HISTORY_H_
#define LIVND_SIM_NETWORK_SPIKE_HISTORY_H_

#include <algorithm>
#include <cstdint>

namespace livnd::sim {

// A view of NumVariables(window) variables of a cell, stride apart: the tick of the last spike, and
// one bit a step for at least `window` steps before it, in words of kWordSteps. All are whole
// numbers that a double holds exactly, and a function of the spikes alone.
template <typename Double>
class SpikeHistory {
 public:
  static constexpr int kWordSteps = 52;
  static constexpr double kNever = -1e18;  // the last spike of a cell that has not spiked

  // For ticks at most `window` steps before the latest one that matters.
  static int NumVariables(int window) { return 1 + NumWords(window); }

  // variables: NumVariables(window) of them; kNever and zeros for a cell that has not spiked.
  SpikeHistory(Double* variables, int stride, int window)
      : variables_(variables), stride_(stride), num_words_(NumWords(window)) {}

  double last() const { return variables_[0]; }

  // tick > last().
  void Record(int64_t tick) const {
    const int64_t word = tick / kWordSteps;
    // Words that time has passed over are of long ago.
    const int64_t from = last() < 0 ? word - num_words_ : static_cast<int64_t>(last()) / kWordSteps;
    for (int64_t w = std::max(from + 1, word - num_words_ + 1); w <= word; ++w) At(w) = 0.0;
    At(word) += static_cast<double>(int64_t{1} << (tick % kWordSteps));
    variables_[0] = static_cast<double>(tick);
  }

  // Calls visit(tick) for the spikes from tick `first` on, in order. last() - first <= window.
  template <typename Visit>
  void ForEachFrom(int64_t first, Visit visit) const {
    if (last() < static_cast<double>(std::max<int64_t>(first, 0))) return;
    const int64_t last_word = static_cast<int64_t>(last()) / kWordSteps;
    const int64_t oldest = std::max<int64_t>(last_word - num_words_ + 1, 0);
    for (int64_t w = std::max(std::max<int64_t>(first, 0) / kWordSteps, oldest); w <= last_word;
         ++w) {
      for (auto bits = static_cast<uint64_t>(At(w)); bits != 0; bits &= bits - 1) {
        const int64_t tick = w * kWordSteps + __builtin_ctzll(bits);
        if (tick >= first) visit(tick);
      }
    }
  }

 private:
  static int NumWords(int window) { return window / kWordSteps + 2; }
  Double& At(int64_t word) const {
    int64_t i = word % num_words_;
    if (i < 0) i += num_words_;
    return variables_[(1 + i) * stride_];
  }

  Double* variables_;
  int stride_, num_words_;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_NETWORK_SPIKE_HISTORY_H_
