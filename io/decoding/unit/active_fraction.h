// How many units take part.
#ifndef LIVND_IO_DECODING_UNIT_ACTIVE_FRACTION_H_
#define LIVND_IO_DECODING_UNIT_ACTIVE_FRACTION_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct ActiveFractionConfig {
  int64_t min_spikes = 1;

  void Describe(CodingFields& fields) { fields.Whole("min_spikes", &min_spikes, 1, 1'000'000'000); }
};

// Units with at least min_spikes in the window are active: is_active [units], 0 or 1;
// group_fraction [groups]; active_fraction and num_active of all.
//
// Source: livn 2.0.0, decoding.py: ActiveFraction.
// Traps: the denominator is the window's units. livn's is the cells of the graph, which are more
// than what was simulated of a selection; its `silent_units` lists those that fired too little, and
// none that never did.
class ActiveFraction final : public Decoding {
 public:
  static constexpr char kName[] = "active_fraction";
  using Config = ActiveFractionConfig;

  ActiveFraction(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  double min_spikes_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_UNIT_ACTIVE_FRACTION_H_
