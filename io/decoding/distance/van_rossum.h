// How far apart spike trains are once each spike has a tail.
#ifndef LIVND_IO_DECODING_DISTANCE_VAN_ROSSUM_H_
#define LIVND_IO_DECODING_DISTANCE_VAN_ROSSUM_H_

#include <vector>

#include "io/decoding/decoding.h"

namespace livnd::io {

struct VanRossumConfig {
  double tau_ms = 10.0;
  std::vector<std::vector<double>> reference_ms;

  void Describe(CodingFields& fields);
};

// The distance of two trains whose spikes are exponentials of time constant tau_ms, as root of the
// integrated squared difference, such that one spike is 1 from none: D^2 = Kaa + Kbb - 2 Kab, Kab
// the sum of exp(-|difference| / tau) over the pairs of a spike of a and one of b. distance [units,
// units]; or, with reference_ms, a train for each unit in the window's time, distance [units] from
// that.
//
// Source: van Rossum, Neural Computation 13 (2001); the sums: Houghton, Kreuz, Network 23 (2012).
// Traps: van Rossum's own D^2 is half of this one. Tails are followed beyond the window's end. No
// spikes are kept: the state is of size units^2.
class VanRossum final : public Decoding {
 public:
  static constexpr char kName[] = "van_rossum";
  using Config = VanRossumConfig;

  VanRossum(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;
  // Kab of a unit with itself or another, or with its reference.
  size_t SumOf(size_t a, size_t b) const;

  Config config_;
  std::vector<double> reference_sums_;
  size_t last_, tails_, sums_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_DISTANCE_VAN_ROSSUM_H_
