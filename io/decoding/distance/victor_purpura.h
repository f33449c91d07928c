// How many changes make one spike train of another.
#ifndef LIVND_IO_DECODING_DISTANCE_VICTOR_PURPURA_H_
#define LIVND_IO_DECODING_DISTANCE_VICTOR_PURPURA_H_

#include <vector>

#include "absl/types/span.h"
#include "io/decoding/decoding.h"
#include "io/decoding/kept_spikes.h"

namespace livnd::io {

// The least cost to turn one train into another by taking spikes out or putting them in (1 each)
// and moving them (cost_per_s times the time). Times ascend, s. `scratch`: b.size() + 1 numbers.
double VictorPurpuraDistance(absl::Span<const double> a_s, absl::Span<const double> b_s,
                             double cost_per_s, absl::Span<double> scratch);

struct VictorPurpuraConfig {
  double cost_per_s = 100.0;
  int64_t max_spikes = 4096;
  std::vector<std::vector<double>> reference_ms;

  void Describe(CodingFields& fields);
};

// distance [units, units] between the trains of each two units; or, with reference_ms, a train for
// each unit in the window's time, distance [units] from that.
//
// Source: Victor, Purpura, J. Neurophysiol. 76 (1996): D^spike[q]; the recursion is Sellers'
// (1974).
// Traps: at cost_per_s = 0 it is the difference of the counts; spikes further apart than 2 /
// cost_per_s are never moved. It is no mean: it grows with the number of spikes. Spikes are kept:
// more than max_spikes in a window are ResourceExhausted.
class VictorPurpura final : public Decoding {
 public:
  static constexpr char kName[] = "victor_purpura";
  using Config = VictorPurpuraConfig;

  VictorPurpura(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  Config config_;
  KeptSpikes spikes_;
  size_t scratch_;
  size_t row_size_;
};

// What reference trains must be, for distances: one a unit, each ascending, times in the window.
absl::Status CheckReference(const std::vector<std::vector<double>>& reference_ms,
                            const DecodingWindow& window);

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_DISTANCE_VICTOR_PURPURA_H_
