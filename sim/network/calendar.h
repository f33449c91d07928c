// Events on their way, by the step that delivers them.
#ifndef LIVND_SIM_NETWORK_CALENDAR_H_
#define LIVND_SIM_NETWORK_CALENDAR_H_

#include <algorithm>
#include <cstdint>
#include <vector>

namespace livnd::sim {

struct Event {
  double time_ms;
  uint32_t row;
};

// A ring of buckets, one a step, at least as long as the longest delay. Scratch of one copy: what
// is in it follows from the copy's recent spikes. Thread-compatible.
class Calendar {
 public:
  explicit Calendar(int max_delay_steps) {
    size_t size = 1;
    while (size < static_cast<size_t>(max_delay_steps) + 2) size *= 2;
    buckets_.resize(size);
  }

  // step must lie less than the ring's length ahead of the step being delivered.
  void Push(int64_t step, Event event) { bucket(step).push_back(event); }

  // The events of a step in (time, source, row) order. The caller clears them with Done.
  std::vector<Event>& Take(int64_t step) {
    std::vector<Event>& events = bucket(step);
    if (events.size() > 1) {
      std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
        return a.time_ms != b.time_ms ? a.time_ms < b.time_ms : a.row < b.row;
      });
    }
    return events;
  }
  void Done(int64_t step) { bucket(step).clear(); }

  void Clear() {
    for (std::vector<Event>& b : buckets_) b.clear();
  }

 private:
  std::vector<Event>& bucket(int64_t step) {
    return buckets_[static_cast<uint64_t>(step) & (buckets_.size() - 1)];
  }
  std::vector<std::vector<Event>> buckets_;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_NETWORK_CALENDAR_H_
