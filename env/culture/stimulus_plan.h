// The stimuli of a live culture on one time axis, as livn keeps them between runs.
#ifndef LIVND_ENV_CULTURE_STIMULUS_PLAN_H_
#define LIVND_ENV_CULTURE_STIMULUS_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "env/copies.h"
#include "env/culture/culture_types.h"
#include "io/device/electrode_array.h"
#include "io/device/light_array.h"
#include "sim/culture/culture.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

// The electrodes of a culture: the array, and how its currents reach the sections of its cells.
struct Electrodes {
  io::ElectrodeArray array;
  std::shared_ptr<const sim::StimulusMap> map;
};

// The fibres of a culture, and how the power out of them reaches its somata.
struct Fibers {
  io::LightArray array;
  std::shared_ptr<const sim::StimulusMap> map;
};

// What stimulates a culture; null where it has none. A view.
struct Devices {
  const Electrodes* electrodes = nullptr;
  const Fibers* fibers = nullptr;

  // How the device that a mode has reaches the culture, or null.
  std::shared_ptr<const sim::StimulusMap> map(sim::StimulusMode mode) const;
};

// When a stimulus begins.
struct StimulusOnset {
  int64_t tick = 0;  // under kExactTicks
  // Under kLivn at the sample nearest to this: the time as livn keeps it, the durations of the runs
  // since time 0 summed up. What is nearest to half a sample is decided by its rounding.
  double summed_ms = 0.0;
};

// What is on a plan's axis in one mode. A value; waveforms are shared and do not change.
struct SavedStimuli {
  bool of_device = false;  // channels are electrodes, or of light fibres, in declared order
  sim::SampleTiming timing = sim::SampleTiming::kExactTicks;
  double sample_dt_ms = 0.0;  // of the last stimulus
  std::vector<Site> sites;    // the channels otherwise
  // [stimulus that is not over, in order][copy], or one for all copies. Channels are listed.
  std::vector<std::vector<std::shared_ptr<const sim::Waveform>>> waveforms;
};

// The mode of the engine in which a quantity acts.
sim::StimulusMode ModeOf(StimulusQuantity quantity);

// For every mode of the engine: the sites that stimuli have named so far, and the stimuli that are
// not over. A later stimulus replaces an earlier one where both speak of a site at a time. All
// stimuli of a mode share their timing; on livn's grid also the sample interval.
//
// A value: copy it, change the copy, take it or drop it. Copies of it share all that is large, and so
// do the gangs that the stimuli are given to.
//
// Not thread-safe.
class StimulusPlan {
 public:
  explicit StimulusPlan(int num_copies) : num_copies_(num_copies) {}

  // Puts a stimulus on the axis from an onset on, which no stimulus before it lies behind. A
  // MakeFieldError below `field` names what is wrong; nothing has changed then. All that is not over may
  // take max_bytes.
  absl::Status Add(absl::string_view field, const CultureStimulus& stimulus,
                   const sim::Culture& culture, const Devices& devices, const StimulusOnset& onset,
                   int64_t max_bytes);

  // Appends the stimulus that Add has just put there, which has samples.
  void AppendLatest(sim::StimulusMode mode, std::vector<GivenStimulus>* given) const;

  // Takes note of pulses of a mode's device, which are none of the stimuli: they are over when their run is. A
  // MakeFieldError about `field`, or below it, where there is no such device or cells take no such stimuli, and beside
  // stimuli of the mode that are not over, which would cut the pulses.
  absl::Status Announce(absl::string_view field, sim::StimulusMode mode,
                        const sim::Culture& culture, const Devices& devices,
                        const StimulusOnset& onset);

  // Drops the stimuli that are over at a tick.
  void ForgetBefore(int64_t tick, double dt_ms);

  // The stimuli that are still to come can follow a culture with other ticks. The error names "dt_ms".
  absl::Status CheckDt(double dt_ms) const;
  // A mode's stimuli that are still to come can follow a culture with another device; the error is about `field`.
  absl::Status CheckDevice(absl::string_view field, sim::StimulusMode mode) const;
  // Takes the sections of another culture, and its devices.
  void Rebind(const sim::Culture& culture, const Devices& devices);

  // The modes that stimuli have fed, and a plan as it was saved, of the copies copy_of[0],
  // copy_of[1] ... of the saved one. What comes from outside may be refused, by a field error below
  // "stimuli[MODE]"; what waveforms hold is looked at by InstallInto.
  std::map<sim::StimulusMode, SavedStimuli> Save() const;
  static absl::StatusOr<StimulusPlan> Restore(
      const std::map<sim::StimulusMode, SavedStimuli>& saved, absl::Span<const int> copy_of,
      const sim::Culture& culture, const Devices& devices);

  // Gives the stimuli to those copies that take any; `have`: what these have got already, or null.
  // Fails for restored plans alone: a waveform that is none, or not of the mode's timing.
  absl::Status InstallInto(Copies& copies, absl::FunctionRef<bool(int)> takes,
                           const StimulusPlan* have) const;

  // Stimuli of a mode's device are on the axis, or were.
  bool uses_device(sim::StimulusMode mode) const;
  // Of a mode, by its device or at sites, that are not over.
  size_t num_stimuli(sim::StimulusMode mode) const;

  // What the stimuli that are not over take up.
  int64_t num_bytes() const;

 private:
  // The sites that a mode's channels are, in the order in which they were first named.
  struct Channels {
    std::vector<Site> sites;
    std::map<Site, int> of_site;
  };
  // A stimulus that is not over.
  struct Layer {
    int64_t serial = 0;                                         // among the mode's, from 0
    std::vector<std::shared_ptr<const sim::Waveform>> of_copy;  // one, or one a copy

    const sim::Waveform& shape() const { return *of_copy[0]; }
    int64_t num_bytes() const;
  };
  struct ModePlan {
    bool fed = false;        // there was a stimulus
    bool of_device = false;  // as SavedStimuli's
    sim::SampleTiming timing = sim::SampleTiming::kExactTicks;
    double sample_dt_ms = 0.0;  // of the last one
    // Of sites; written to only while no other plan and no gang shares them.
    std::shared_ptr<Channels> channels;
    std::shared_ptr<sim::StimulusMap> site_map;
    std::shared_ptr<const sim::StimulusMap> device_map;
    std::vector<std::shared_ptr<const Layer>> layers;
    int64_t next_serial = 0;
    int64_t num_hidden = 0;  // layers that were dropped before their end

    // How the channels reach sections; null before the first stimulus.
    std::shared_ptr<const sim::StimulusMap> map() const {
      return of_device ? device_map : site_map;
    }
  };

  absl::Status Check(absl::string_view field, const CultureStimulus& stimulus,
                     const sim::Culture& culture, const Devices& devices) const;
  // Whether the mode's earlier stimuli let another one in.
  absl::Status CheckMode(absl::string_view field, const CultureStimulus& stimulus,
                         const ModePlan& mode) const;
  // Whether there is room for another one.
  absl::Status CheckRoom(absl::string_view field, const CultureStimulus& stimulus,
                         const ModePlan& mode, int64_t max_bytes) const;
  // The stimulus' channels in the mode's map, which grows by the new ones.
  static std::vector<int> ChannelsOf(const CultureStimulus& stimulus, const sim::Culture& culture,
                                     const Devices& devices, ModePlan& mode);
  std::shared_ptr<Layer> LayerOf(const CultureStimulus& stimulus, std::vector<int> channels,
                                 const StimulusOnset& onset) const;
  // Drops the layers of which nothing is left once the last one is there.
  static void DropHidden(ModePlan& mode, double dt_ms);

  int num_copies_;
  ModePlan modes_[sim::kNumStimulusModes];
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_STIMULUS_PLAN_H_
