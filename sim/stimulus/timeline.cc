#include "sim/stimulus/timeline.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace livnd::sim {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// A line of channels that nothing has named: at 0.
constexpr int kNoLine = 0;

}  // namespace

void StimulusTimeline::Install(std::shared_ptr<const Waveform> waveform, int64_t now) {
  ForgetOver(now);
  timing_ = waveform->timing;
  sample_dt_ms_ = waveform->sample_dt_ms;
  const int64_t ticks = TicksOfSample(sample_dt_ms_, rule_.dt_ms);
  entries_.push_back({std::move(waveform), ticks});
}

void StimulusTimeline::Clear() {
  entries_.clear();
  timing_.reset();
  sample_dt_ms_ = 0.0;
}

std::vector<std::shared_ptr<const Waveform>> StimulusTimeline::waveforms() const {
  std::vector<std::shared_ptr<const Waveform>> out;
  out.reserve(entries_.size());
  for (const Entry& entry : entries_) out.push_back(entry.waveform);
  return out;
}

bool StimulusTimeline::ForgetOver(int64_t tick) {
  const auto over = std::remove_if(entries_.begin(), entries_.end(), [&](const Entry& e) {
    return PlaceOf(e, tick).sample >= e.waveform->num_samples();
  });
  const bool any = over != entries_.end();
  entries_.erase(over, entries_.end());
  return any;
}

StimulusTimeline::Place StimulusTimeline::PlaceOf(const Entry& entry, int64_t tick) const {
  const Waveform& w = *entry.waveform;
  Place place;
  if (w.timing == SampleTiming::kExactTicks) {
    const int64_t since = tick - w.first_tick;
    if (since < 0) return {-1, 0.0, w.first_tick};
    place.sample = since / entry.sample_ticks;
    const int64_t into = since - place.sample * entry.sample_ticks;
    place.next_tick = tick - into + entry.sample_ticks;
    if (rule_.kind == SampleRule::Kind::kLine) {
      place.fraction = (static_cast<double>(into) + 0.5) / static_cast<double>(entry.sample_ticks);
      place.next_tick = tick + 1;
    }
  } else {
    const double t_k = static_cast<double>(tick) * rule_.dt_ms;
    int64_t sample = 0;
    switch (rule_.kind) {
      case SampleRule::Kind::kHeld:
        sample = static_cast<int64_t>(t_k / w.sample_dt_ms);
        break;
      case SampleRule::Kind::kHeldRounded:
        // Brian2 allows for rounding when it looks up a sample, the native library does not.
        sample = static_cast<int64_t>(t_k / w.sample_dt_ms + 1e-6);
        break;
      case SampleRule::Kind::kLine: {
        const double at = (t_k + rule_.dt_ms / 2.0) / w.sample_dt_ms;
        const double floor = std::floor(at);
        sample = static_cast<int64_t>(floor);
        place.fraction = at - floor;
        break;
      }
    }
    place.sample = sample - w.first_sample;
    place.next_tick = tick + 1;
  }
  if (place.sample >= w.num_samples()) place.next_tick = kNever;
  return place;
}

void TimelineReader::Reset(int num_channels) {
  num_channels_ = num_channels;
  known_ = moving_ = false;
  next_tick_ = std::numeric_limits<int64_t>::min();
}

bool TimelineReader::GoTo(const StimulusTimeline& timeline, int64_t tick) {
  if (known_ && tick < next_tick_) return false;
  const size_t n = timeline.entries_.size();
  bool same = known_;
  next_tick_ = kNever;
  places_.resize(std::max<size_t>(n, kNoLine + 1));
  for (size_t i = 0; i < n; ++i) {
    const StimulusTimeline::Place place = timeline.PlaceOf(timeline.entries_[i], tick);
    same = same && place.sample == places_[i].sample;
    next_tick_ = std::min(next_tick_, place.next_tick);
    places_[i] = place;
  }
  if (same) return false;
  Compose(timeline, next_);
  const bool changed =
      !known_ || next_.value != now_.value || next_.slope != now_.slope || next_.line != now_.line;
  std::swap(now_, next_);
  moving_ = std::any_of(now_.slope.begin(), now_.slope.end(), [](double s) { return s != 0.0; });
  known_ = true;
  return changed;
}

void TimelineReader::Compose(const StimulusTimeline& timeline, Channels& out) const {
  const bool line = timeline.rule_.kind == SampleRule::Kind::kLine;
  out.value.assign(static_cast<size_t>(num_channels_), 0.0);
  if (line) {
    // The next sample, until the end.
    out.slope.assign(static_cast<size_t>(num_channels_), 0.0);
    out.line.assign(static_cast<size_t>(num_channels_), kNoLine);
  }
  for (size_t i = 0; i < timeline.entries_.size(); ++i) {
    const Waveform& w = *timeline.entries_[i].waveform;
    const bool exact = w.timing == SampleTiming::kExactTicks;
    const int64_t sample = places_[i].sample;
    const bool here = sample >= 0 && sample < w.num_samples();
    const bool next = sample >= -1 && sample + 1 < w.num_samples();
    // Only on livn's grid does a line lead to a waveform that has not yet begun.
    if (exact ? !here : !here && !(line && next)) continue;
    const auto at = [&](int64_t s, int k) { return w.samples[s * w.num_channels + k]; };
    for (int k = 0; k < w.num_channels; ++k) {
      const int c = w.channels.empty() ? k : w.channels[k];
      if (here) out.value[c] = at(sample, k);
      if (!line) continue;
      if (next) {
        out.slope[c] = at(sample + 1, k);
      } else if (exact) {
        out.slope[c] = 0.0;
      }
      if (exact) out.line[c] = static_cast<int>(i);
    }
  }
  for (size_t c = 0; c < out.slope.size(); ++c) out.slope[c] -= out.value[c];
}

}  // namespace livnd::sim
