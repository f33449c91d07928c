#ifndef LIVND_SIM_SIMD_ALIGNED_VECTOR_H_
#define LIVND_SIM_SIMD_ALIGNED_VECTOR_H_

#include <cstddef>
#include <new>
#include <vector>

namespace livnd::sim {

template <typename T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kLine{64};

  CacheLineAllocator() = default;
  template <typename U>
  explicit CacheLineAllocator(const CacheLineAllocator<U>&) {}
  T* allocate(size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kLine)); }
  void deallocate(T* p, size_t) { ::operator delete(p, kLine); }
  bool operator==(const CacheLineAllocator&) const { return true; }
  bool operator!=(const CacheLineAllocator&) const { return false; }
};

// Numbers that begin on a cache line: a vector register at a multiple of its size lies in one line.
using AlignedVector = std::vector<double, CacheLineAllocator<double>>;

}  // namespace livnd::sim

#endif  // LIVND_SIM_SIMD_ALIGNED_VECTOR_H_
