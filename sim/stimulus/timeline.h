// The waveforms of one mode on one copy, and how they are followed tick by tick.
#ifndef LIVND_SIM_STIMULUS_TIMELINE_H_
#define LIVND_SIM_STIMULUS_TIMELINE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sim/stimulus/stimulus.h"

namespace livnd::sim {

// How a mode reads its samples.
struct SampleRule {
  enum class Kind {
    kHeld,         // one sample at a time
    kHeldRounded,  // likewise; under kLivn what is within 1e-6 of the next sample is that (Brian2)
    kLine,         // a straight line from sample to sample, at the middle of each step
  };
  Kind kind = Kind::kHeld;
  double dt_ms = 0.025;
};

// Where two waveforms give a channel a value at the same time, the later one holds.
class StimulusTimeline {
 public:
  explicit StimulusTimeline(const SampleRule& rule = {}) : rule_(rule) {}

  // Takes a waveform of the timeline's timing (and, under kLivn, sample interval), and forgets what
  // is over at tick `now`: a timeline that is fed for hours does not grow.
  void Install(std::shared_ptr<const Waveform> waveform, int64_t now);
  // Forgets all waveforms and their timing.
  void Clear();
  // Forgets the waveforms that are over at a tick; true if there were any.
  bool ForgetOver(int64_t tick);

  bool empty() const { return entries_.empty(); }
  // In the order of Install.
  std::vector<std::shared_ptr<const Waveform>> waveforms() const;
  int num_waveforms() const { return static_cast<int>(entries_.size()); }
  // Those of the last waveform since Clear, also when it is over.
  std::optional<SampleTiming> timing() const { return timing_; }
  double sample_dt_ms() const { return sample_dt_ms_; }

 private:
  friend class TimelineReader;

  struct Entry {
    std::shared_ptr<const Waveform> waveform;
    int64_t sample_ticks = 0;  // kExactTicks
  };
  struct Place {
    int64_t sample = 0;     // < 0: not yet begun
    double fraction = 0.0;  // kLine: of the way to the next sample
    int64_t next_tick = 0;  // nothing of this changes before
  };
  Place PlaceOf(const Entry& entry, int64_t tick) const;

  SampleRule rule_;
  std::vector<Entry> entries_;
  std::optional<SampleTiming> timing_;
  double sample_dt_ms_ = 0.0;
};

// Follows a timeline through time; any number may follow the same one. What it says at a tick is a
// function of the timeline and the tick.
class TimelineReader {
 public:
  // Looks at everything anew at the next tick: the timeline has changed, or time has jumped.
  void Reset(int num_channels);
  // Goes to a tick that is not before the last one. True if value() or slope() of some channel has
  // changed, or there was no tick before.
  bool GoTo(const StimulusTimeline& timeline, int64_t tick);

  // Of a channel: the sample that holds. 0: none.
  double value(int channel) const { return now_.value[channel]; }
  const double* values() const { return now_.value.data(); }  // [num_channels]
  // kLine: what is between the sample and the next one, and how much of that is to be added.
  double slope(int channel) const { return now_.slope[channel]; }
  double fraction(int channel) const { return places_[now_.line[channel]].fraction; }
  // Whether some slope is not 0.
  bool moving() const { return moving_; }

 private:
  struct Channels {
    std::vector<double> value;
    std::vector<double> slope;  // kLine
    std::vector<int> line;      // kLine: whose fraction, an index into places_
  };
  void Compose(const StimulusTimeline& timeline, Channels& out) const;

  int num_channels_ = 0;
  bool known_ = false;  // now_ is of the last tick
  bool moving_ = false;
  int64_t next_tick_ = 0;                        // nothing changes before
  std::vector<StimulusTimeline::Place> places_;  // [entry]
  Channels now_, next_;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_STIMULUS_TIMELINE_H_
