#include "io/recording/hdf5/file_space.h"

#include <cstddef>
#include <iterator>

namespace livnd::io::hdf5 {
namespace {

constexpr uint64_t kUnitBytes = 64;
// Gaps beyond these are forgotten, the smallest first: the list stays short, the file is a little
// longer.
constexpr size_t kMaxGaps = 4096;

uint64_t Rounded(uint64_t num_bytes) {
  return (num_bytes + kUnitBytes - 1) / kUnitBytes * kUnitBytes;
}

}  // namespace

Extent FileSpace::Allocate(uint64_t num_bytes) {
  const uint64_t wanted = Rounded(num_bytes);
  auto best = gaps_.end();
  for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap) {
    if (gap->second >= wanted && (best == gaps_.end() || gap->second < best->second)) best = gap;
  }
  if (best == gaps_.end()) {
    const uint64_t address = end_;
    end_ += wanted;
    return {address, num_bytes};
  }
  const Extent found = {best->first, best->second};
  gaps_.erase(best);
  if (found.num_bytes > wanted) gaps_[found.address + wanted] = found.num_bytes - wanted;
  return {found.address, num_bytes};
}

void FileSpace::Release(const Extent& extent) {
  if (extent.address != kNowhere) released_.push_back({extent.address, Rounded(extent.num_bytes)});
}

void FileSpace::Add(const Extent& extent) {
  uint64_t begin = extent.address, end = begin + extent.num_bytes;
  auto next = gaps_.lower_bound(begin);
  if (next != gaps_.end() && next->first == end) {
    end += next->second;
    next = gaps_.erase(next);
  }
  if (next != gaps_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == begin) {
      begin = before->first;
      gaps_.erase(before);
    }
  }
  gaps_[begin] = end - begin;
}

void FileSpace::Commit() {
  for (const Extent& extent : released_) Add(extent);
  released_.clear();
  while (gaps_.size() > kMaxGaps) {
    auto smallest = gaps_.begin();
    for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap) {
      if (gap->second < smallest->second) smallest = gap;
    }
    gaps_.erase(smallest);
  }
}

uint64_t FileSpace::num_free_bytes() const {
  uint64_t bytes = 0;
  for (const auto& gap : gaps_) bytes += gap.second;
  for (const Extent& extent : released_) bytes += extent.num_bytes;
  return bytes;
}

}  // namespace livnd::io::hdf5
