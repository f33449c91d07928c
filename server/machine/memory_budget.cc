#include "server/machine/memory_budget.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "server/machine/cgroup.h"

namespace livnd::server {
namespace {

// For the program, its threads' stacks, what the allocator cannot give back, and what is not counted.
constexpr int64_t kMinReserve = int64_t{256} << 20;
constexpr int64_t kSmallest = int64_t{256} << 20;

int64_t MachineMemory(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  std::string name, unit;
  for (int64_t kib = 0; file >> name >> kib >> unit;) {
    if (name == "MemTotal:") return kib << 10;
  }
  return MemoryBudget::kNoLimit;
}

int64_t ResourceLimit(decltype(RLIMIT_AS) resource) {
  rlimit limit;
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return MemoryBudget::kNoLimit;
  }
  return static_cast<int64_t>(
      std::min<rlim_t>(limit.rlim_cur, static_cast<rlim_t>(MemoryBudget::kNoLimit)));
}

}  // namespace

const char* MemoryUseName(MemoryUse use) {
  switch (use) {
    case MemoryUse::kSessions:
      return "sessions";
    case MemoryUse::kModels:
      return "models";
    case MemoryUse::kWork:
      return "work";
    case MemoryUse::kRequests:
      return "requests";
    case MemoryUse::kAnswers:
      return "answers";
    case MemoryUse::kTransport:
      return "transport";
  }
  return "";
}

int64_t MemoryBudget::LimitOf(MemoryUse use, int64_t bytes) const {
  const bool lasts = use == MemoryUse::kSessions || use == MemoryUse::kModels;
  return lasts || bytes > headroom_ / 128 ? limit_ - headroom_ : limit_;
}

bool MemoryBudget::TryAdd(MemoryUse use, int64_t bytes, int64_t has) {
  const int64_t limit = LimitOf(use, bytes);
  const int64_t more = bytes - has;
  int64_t total = total_.load(std::memory_order_relaxed);
  do {
    if (bytes < 0 || more > limit - total) {
      num_refusals_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
  } while (!total_.compare_exchange_weak(total, total + more, std::memory_order_relaxed));
  uses_[static_cast<size_t>(use)].fetch_add(more, std::memory_order_relaxed);
  return true;
}

void MemoryBudget::Add(MemoryUse use, int64_t bytes) {
  total_.fetch_add(bytes, std::memory_order_relaxed);
  uses_[static_cast<size_t>(use)].fetch_add(bytes, std::memory_order_relaxed);
}

std::optional<MemoryBudget::Reservation> MemoryBudget::TryReserve(MemoryUse use, int64_t bytes) {
  if (!TryAdd(use, bytes, 0)) return std::nullopt;
  return Reservation(this, use, bytes);
}

MemoryBudget::Reservation MemoryBudget::Reserve(MemoryUse use, int64_t bytes) {
  Add(use, bytes);
  return Reservation(this, use, bytes);
}

int64_t MemoryBudget::RoomFor(MemoryUse use, int64_t bytes) const {
  return std::max<int64_t>(0, LimitOf(use, bytes) - total_);
}

int64_t MemoryBudget::passing() const {
  return used(MemoryUse::kWork) + used(MemoryUse::kRequests) + used(MemoryUse::kAnswers);
}

bool MemoryBudget::Reservation::TryResize(int64_t bytes) {
  if (budget_ == nullptr) return bytes == 0;
  if (bytes > bytes_) {
    if (!budget_->TryAdd(use_, bytes, bytes_)) return false;
    bytes_ = bytes;
  } else if (bytes >= 0) {
    Resize(bytes);
  }
  return bytes >= 0;
}

void MemoryBudget::Reservation::Resize(int64_t bytes) {
  if (budget_ == nullptr) return;
  budget_->Add(use_, bytes - bytes_);
  bytes_ = bytes;
}

void MemoryBudget::Reservation::Release() {
  if (budget_ != nullptr && bytes_ != 0) budget_->Add(use_, -bytes_);
  budget_ = nullptr;
  bytes_ = 0;
}

int64_t DefaultMemoryBudget(const std::string& root) {
  const int64_t have = std::min({MachineMemory(root), CgroupMemory(root), ResourceLimit(RLIMIT_AS),
                                 ResourceLimit(RLIMIT_DATA)});
  // Others live on the machine too, and the allocator keeps a part of what it was given back.
  return std::max(kSmallest, have - std::max(kMinReserve, have / 5));
}

}  // namespace livnd::server
