// The part of Culture that looks at states from outside.
#include <cmath>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "sim/culture/culture.h"
#include "sim/network/spike_history.h"

namespace livnd::sim {
namespace {

// Counts beyond these would not be whole in a double, or would overflow when they go on.
constexpr double kMaxTick = 0x1p50;
constexpr double kMaxStreamPosition = 0x1p50;
constexpr double kMaxWord = 0x1p32 - 1.0;

// Looks at the numbers of a state one after the other; remembers the first that is wrong.
class StateReader {
 public:
  explicit StateReader(absl::Span<const double> state) : state_(state) {}

  size_t at() const { return at_; }
  void Skip(size_t count) { at_ += count; }
  double TakeAny() { return state_[at_++]; }
  // A whole number from low to high.
  double Take(double low, double high) {
    const double x = state_[at_++];
    if (!(x >= low && x <= high && x == std::floor(x))) {  // NaN too
      Refuse(at_ - 1, absl::StrCat("a whole number from ", Exact(low), " to ", Exact(high)));
    }
    return x;
  }
  void Refuse(size_t i, const std::string& accepted) {
    if (!status_.ok()) return;
    status_ = MakeFieldError(absl::StrCat("state[", i, "]"), Exact(state_[i]), accepted);
  }
  const absl::Status& status() const { return status_; }

 private:
  const absl::Span<const double> state_;
  size_t at_ = 0;
  absl::Status status_;
};

// The last spike before `tick`, and bits for it and those before it alone.
void CheckSpikes(StateReader& in, absl::Span<const double> spikes, double tick) {
  constexpr int kWordSteps = SpikeHistory<const double>::kWordSteps;
  const size_t first = in.at();
  const bool never = spikes[0] == SpikeHistory<const double>::kNever;
  const double last = never ? in.TakeAny() : in.Take(0.0, tick - 1.0);
  for (size_t w = 1; w < spikes.size(); ++w) in.Take(0.0, std::ldexp(1.0, kWordSteps) - 1.0);
  if (never || !in.status().ok()) return;
  const auto num_words = static_cast<int64_t>(spikes.size()) - 1;
  const auto word = static_cast<size_t>(static_cast<int64_t>(last) / kWordSteps % num_words);
  const auto bits = static_cast<uint64_t>(spikes[1 + word]);
  if (bits >> (static_cast<int64_t>(last) % kWordSteps) != 1) {
    in.Refuse(first + 1 + word, absl::StrCat("bits of spikes up to the last one, at tick ", last));
  }
}

}  // namespace

absl::Status Culture::CheckState(absl::Span<const double> state) const {
  if (state.size() != state_size() && state.size() != state_size_with_currents()) {
    return MakeFieldError(
        "state", absl::StrCat(state.size(), " numbers"),
        absl::StrCat(state_size(), ", or ", state_size_with_currents(), " with membrane currents"));
  }
  StateReader in(state);
  static_assert(CopyHeader::kSize == 9);
  const double tick = in.Take(0.0, kMaxTick);
  in.Take(0.0, kMaxWord);                                       // kSeedLow
  in.Take(0.0, kMaxWord);                                       // kSeedHigh
  in.Take(0.0, kMaxWord);                                       // kNoiseStream
  in.Take(initial_state_[CopyHeader::kNoiseLast], 2.0 * tick);  // half steps
  in.Take(0.0, 1.0);                                            // kFieldActive
  in.Take(0.0, has_opsin_ ? 2.0 : 0.0);                         // kLightActive
  in.Take(0.0, has_plasticity_ ? 1.0 : 0.0);                    // kPlasticityOn
  in.Take(0.0, has_plasticity_ ? 1.0 : 0.0);                    // kHasLearned
  for (const CellGroup& group : groups_) {
    const int spikes = group.model->spikes_state();
    const auto num_spike_variables =
        SpikeHistory<const double>::NumVariables(connectivity_.max_delay_steps);
    for (int i = 0; i < group.num_cells(); ++i) {
      const size_t cell = in.at();
      for (const NoiseStream& stream : group.model->noise_streams()) {
        in.Skip(cell + static_cast<size_t>(stream.position_state) - in.at());
        in.Take(0.0, kMaxStreamPosition);
      }
      in.Skip(cell + static_cast<size_t>(spikes) - in.at());
      CheckSpikes(in, state.subspan(in.at(), static_cast<size_t>(num_spike_variables)), tick);
      in.Skip(cell + static_cast<size_t>(group.num_variables) - in.at());
      if (!in.status().ok()) return in.status();
    }
  }
  return in.status();
}

}  // namespace livnd::sim
