// The decodings of one run of a live culture, whose window the run is.
#ifndef LIVND_ENV_CULTURE_RUN_DECODINGS_H_
#define LIVND_ENV_CULTURE_RUN_DECODINGS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "env/culture/culture_types.h"
#include "io/culture/culture_setup.h"
#include "io/decoding/decoding.h"
#include "io/decoding/unit_map.h"
#include "io/system/system.h"
#include "sim/culture/culture.h"
#include "sim/gang/probe.h"

namespace livnd::env {

// Whose spikes or potentials decodings hear, of one culture: made once for many runs. Immutable and thread-safe.
struct DecodingEars {
  io::UnitMap electrodes, cells;
  std::vector<io::UnitGroup> populations;  // of cells

  static absl::StatusOr<DecodingEars> Create(const io::System& system,
                                             const io::CultureSetup& setup,
                                             const sim::Culture& culture);
};

// Thread-compatible; in ParallelFor several threads may add, each of copies of its own.
class RunDecodings {
 public:
  // Whether a culture could have these decodings; what depends on how long a run is, Create sees to. A field error
  // below `field` ("recording.decodings[1].bin_ms").
  static absl::Status Check(absl::string_view field,
                            const std::vector<DecodingSelection>& selections,
                            const io::CultureSetup& setup, const sim::Culture& culture);

  // The decodings of a run of num_ticks, as io::MakeDecoding; nothing is heard yet, and nothing of its size is held.
  static absl::StatusOr<RunDecodings> Create(absl::string_view field,
                                             const std::vector<DecodingSelection>& selections,
                                             std::shared_ptr<const DecodingEars> ears,
                                             const io::CultureSetup& setup,
                                             const sim::Culture& culture, int64_t num_ticks);

  // What the states and the values of so many copies take up.
  int64_t NumBytes(int num_copies) const;
  int64_t ValueBytes(int num_copies) const;

  // Begins to hear copies at the run's first tick.
  void Begin(int num_copies, int64_t start_tick);
  bool empty() const { return decodings_.empty(); }
  bool hears_spikes() const;
  bool hears_potentials() const;

  // The series of potentials or voltages that a decoding hears.
  struct HeardSeries {
    size_t decoding = 0;
    SeriesSelection series;
  };
  std::vector<HeardSeries> series() const;

  // Spikes of a copy in the order of time, whatever copy they say.
  void AddSpikes(int copy, absl::Span<const sim::Spike> spikes);
  // [sample][unit] of a decoding, each once.
  void AddSamples(int copy, size_t decoding, absl::Span<const double> samples);

  // The run is over. NaN of copies that have failed, and where a decoding kept not all that it heard.
  std::vector<Decoded> Finish(absl::Span<const double> failed_at_ms);

 private:
  struct Running {
    std::string name;
    std::unique_ptr<const io::Decoding> decoding;
    const io::UnitMap* units = nullptr;
    SeriesSelection series;                   // of one that hears samples
    std::vector<std::vector<double>> states;  // [copy]
  };
  std::shared_ptr<const DecodingEars> ears_;
  std::vector<Running> decodings_;
  int64_t start_tick_ = 0;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_RUN_DECODINGS_H_
