// Events on their way, by the step that delivers them.
#ifndef LIVND_SIM_NETWORK_CALENDAR_H_
#define LIVND_SIM_NETWORK_CALENDAR_H_

#include <algorithm>
#include <cstdint>
#include <vector>

namespace livnd::sim {

struct Event {
  double time_ms;  // on the copy's time axis
  uint32_t row;
  int32_t copy;
};
static_assert(sizeof(Event) == 16);

// A ring of lists, one a step, at least as long as an event can lie ahead, over one store of events.
// Scratch: what is in it follows from the recent spikes of the copies. Allocates nothing once it has
// held as many events as it will hold. Thread-compatible.
class Calendar {
 public:
  explicit Calendar(int max_steps_ahead) {
    size_t size = 1;
    while (size < static_cast<size_t>(max_steps_ahead) + 2) size *= 2;
    first_.assign(size, kNone);
  }

  // step must lie at most max_steps_ahead ahead of the step being delivered.
  void Push(int64_t step, Event event) {
    uint32_t at = free_;
    if (at == kNone) {
      at = static_cast<uint32_t>(nodes_.size());
      nodes_.emplace_back();
    } else {
      free_ = nodes_[at].next;
    }
    uint32_t& first = list(step);
    nodes_[at] = {event, first};
    first = at;
  }

  // Takes the events of a step out. Those of one copy are in (time, source, row) order; good until
  // the next Take.
  const std::vector<Event>& Take(int64_t step) {
    taken_.clear();
    uint32_t& first = list(step);
    while (first != kNone) {
      taken_.push_back(nodes_[first].event);
      Free(&first);
    }
    // Lists are last in, first out. Spikes are pushed in order, so that where all delays are equal
    // nothing is left to sort.
    std::reverse(taken_.begin(), taken_.end());
    const auto before = [](const Event& a, const Event& b) {
      return a.time_ms != b.time_ms ? a.time_ms < b.time_ms : a.row < b.row;
    };
    if (!std::is_sorted(taken_.begin(), taken_.end(), before)) {
      std::sort(taken_.begin(), taken_.end(), before);
    }
    return taken_;
  }

  // Forgets the events of some copies: remove(copy).
  template <typename Remove>
  void RemoveCopies(Remove remove) {
    for (uint32_t& first : first_) {
      for (uint32_t* at = &first; *at != kNone;) {
        if (remove(nodes_[*at].event.copy)) {
          Free(at);
        } else {
          at = &nodes_[*at].next;
        }
      }
    }
  }

  void Clear() {
    std::fill(first_.begin(), first_.end(), kNone);
    nodes_.clear();
    free_ = kNone;
  }

 private:
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  struct Node {
    Event event;
    uint32_t next;  // of the step's list, or of the free ones
  };

  uint32_t& list(int64_t step) { return first_[static_cast<uint64_t>(step) & (first_.size() - 1)]; }
  // Takes the node that *at names out of its list.
  void Free(uint32_t* at) {
    const uint32_t node = *at;
    *at = nodes_[node].next;
    nodes_[node].next = free_;
    free_ = node;
  }

  std::vector<uint32_t> first_;  // [step modulo size] index into nodes_
  std::vector<Node> nodes_;
  std::vector<Event> taken_;
  uint32_t free_ = kNone;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_NETWORK_CALENDAR_H_
