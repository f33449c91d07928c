// Numbers over groups of electrodes, each of which prefers a value.
#ifndef LIVND_IO_ENCODING_POPULATION_ENCODING_H_
#define LIVND_IO_ENCODING_POPULATION_ENCODING_H_

#include "io/encoding/channel_code.h"
#include "io/encoding/encoding.h"
#include "io/encoding/pulse_slots.h"

namespace livnd::io {

struct PopulationEncodingConfig {
  enum Code { kAmplitude, kLatency, kRate };

  int64_t num_fields = 4;
  double low = -1.0;
  double high = 1.0;
  double width = 1.0;
  double silent_below = 0.05;
  int code = kAmplitude;
  BiphasicPulseConfig pulse;
  double max_hz = 20.0;

  void Describe(CodingFields& fields);
};

// value [electrodes / num_fields], low .. high. Each has num_fields electrodes in turn, whose
// preferred values are spread evenly from low to high, and each answers by exp(-(value -
// preferred)^2 / (2 sigma^2)), sigma being `width` times the distance of preferred values. Answers
// of silent_below or less are none; the others are, by `code`, amplitude: the part of
// max_amplitude_ua of a pulse at the step's start; latency: a pulse the earlier, the larger; rate:
// that part of max_hz. Electrodes that are left over stay silent.
//
// Source: Gaussian receptive fields, Bohte, Kok, La Poutre, Neurocomputing 48 (2002); their width
// is 1 / 1.5.
// Traps: preferred values lie on the bounds, so that those have one neighbour only; with a width
// below about 1/2 there are values that nobody answers.
class PopulationEncoding final : public Encoding {
 public:
  static constexpr char kName[] = "population";
  using Config = PopulationEncodingConfig;

  PopulationEncoding(EncodingKey key, const Config& config, const EncodingWindow& window);
  void Encode(absl::Span<const float> values, int64_t tick, absl::Span<double> state,
              sim::Waveform* currents_ua) const override;

  // What field `field` answers to a value, 0 .. 1.
  double Answer(double value, int64_t field) const;

 private:
  Config config_;
  PulseSlots slots_;
  LatencyCode latency_;
  RateCode rate_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_POPULATION_ENCODING_H_
