// How much memory the server may use, and for what it does.
#ifndef LIVND_SERVER_MACHINE_MEMORY_BUDGET_H_
#define LIVND_SERVER_MACHINE_MEMORY_BUDGET_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace livnd::server {

// What memory is used for.
enum class MemoryUse {
  kSessions,   // copies, what they keep between calls, their last answers
  kModels,     // environments that are built or being built, which sessions share
  kWork,       // what operations take while they run
  kRequests,   // that wait or are being answered
  kAnswers,    // that have not left yet
  kTransport,  // set aside for what gRPC itself holds
};
inline constexpr int kNumMemoryUses = 6;
// "sessions", "models", ...
const char* MemoryUseName(MemoryUse use);

// Counts bytes before they are allocated, so that a call is refused where an allocation would fail and
// take the server with it. It counts what it is told; sizes are estimates, a little above what is used.
//
// A part, the headroom, is for small calls alone (1/128 of it), so that those are done whatever large
// ones have been given, and whatever sessions keep.
//
// Thread-safe and lock-free. Must outlive its reservations.
class MemoryBudget {
 public:
  // Bytes that are spoken for; they are given back at the end of its life. Movable. Thread-compatible.
  class Reservation {
   public:
    Reservation() = default;
    Reservation(Reservation&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)),
          use_(other.use_),
          bytes_(std::exchange(other.bytes_, 0)) {}
    Reservation& operator=(Reservation&& other) noexcept {
      if (this == &other) return *this;
      Release();
      budget_ = std::exchange(other.budget_, nullptr);
      use_ = other.use_;
      bytes_ = std::exchange(other.bytes_, 0);
      return *this;
    }
    ~Reservation() { Release(); }

    int64_t bytes() const { return bytes_; }
    // False, and nothing has changed, where there is not room for so many more. Less is always fine.
    bool TryResize(int64_t bytes);
    // What it has turned out to be, room or not.
    void Resize(int64_t bytes);
    void Release();

   private:
    friend class MemoryBudget;
    Reservation(MemoryBudget* budget, MemoryUse use, int64_t bytes)
        : budget_(budget), use_(use), bytes_(bytes) {}
    MemoryBudget* budget_ = nullptr;
    MemoryUse use_ = MemoryUse::kSessions;
    int64_t bytes_ = 0;
  };

  static constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max() / 4;

  explicit MemoryBudget(int64_t limit_bytes = kNoLimit, int64_t headroom_bytes = 0)
      : limit_(limit_bytes), headroom_(headroom_bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // Nullopt where there is not room. What nobody could have (bytes < 0: an estimate that overflowed)
  // there is no room for.
  std::optional<Reservation> TryReserve(MemoryUse use, int64_t bytes);
  // Of what is there already, room or not.
  Reservation Reserve(MemoryUse use, int64_t bytes);

  int64_t limit() const { return limit_; }
  int64_t used(MemoryUse use) const { return uses_[static_cast<size_t>(use)]; }
  int64_t used() const { return total_; }
  // What there is for a reservation of so many bytes, >= 0.
  int64_t RoomFor(MemoryUse use, int64_t bytes) const;
  // What is used and comes back without anybody's doing: calls end, and answers leave.
  int64_t passing() const;

  // Reservations that there was not room for.
  int64_t num_refusals() const { return num_refusals_; }

 private:
  // Of one that is to have so many bytes in all, some of which it has.
  bool TryAdd(MemoryUse use, int64_t bytes, int64_t has);
  int64_t LimitOf(MemoryUse use, int64_t bytes) const;
  void Add(MemoryUse use, int64_t bytes);

  const int64_t limit_;
  const int64_t headroom_;
  std::atomic<int64_t> total_{0};
  std::array<std::atomic<int64_t>, kNumMemoryUses> uses_{};
  std::atomic<int64_t> num_refusals_{0};
};

// What a server may use unless it is told: of what its control groups, its resource limits and the
// machine let the process have, all but a reserve for its program, its threads and the machine.
// `root` as CgroupCpus'.
int64_t DefaultMemoryBudget(const std::string& root = "");

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_MEMORY_BUDGET_H_
