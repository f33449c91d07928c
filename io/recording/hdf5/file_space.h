// Which bytes of a growing file are free.
#ifndef LIVND_IO_RECORDING_HDF5_FILE_SPACE_H_
#define LIVND_IO_RECORDING_HDF5_FILE_SPACE_H_

#include <cstdint>
#include <map>
#include <vector>

#include "io/recording/hdf5/metadata.h"

namespace livnd::io::hdf5 {

// What is released stays as it is until the next commit: the file as it was committed last still
// refers to it. So nothing that a commit made is ever overwritten before the next one holds.
// Thread-compatible.
class FileSpace {
 public:
  // Bytes before `begin` are not its business.
  explicit FileSpace(uint64_t begin) : end_(begin) {}

  // The smallest gap that is large enough, or room at the end. Room that nobody keeps to itself:
  // num_bytes is rounded up, and Release takes the same number.
  Extent Allocate(uint64_t num_bytes);
  void Release(const Extent& extent);
  // What was released until now may be taken.
  void Commit();

  // Behind everything that was ever allocated.
  uint64_t end() const { return end_; }
  uint64_t num_free_bytes() const;

 private:
  void Add(const Extent& extent);

  uint64_t end_;
  std::map<uint64_t, uint64_t> gaps_;  // address -> bytes; none touches another
  std::vector<Extent> released_;
};

}  // namespace livnd::io::hdf5

#endif  // LIVND_IO_RECORDING_HDF5_FILE_SPACE_H_
