// Changes HDF5 files for tests of the reader. Every function fails the test if HDF5 does.

#ifndef LIVND_IO_TESTING_HDF5_EDITOR_H_
#define LIVND_IO_TESTING_HDF5_EDITOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hdf5.h"

namespace livnd::io {

// How a replaced data set is stored.
struct Storage {
  hid_t type = -1;      // file type; by default that of the values
  hsize_t chunk = 0;    // elements; 0 for contiguous
  int num_deflate = 0;  // filters, stacked
  bool shuffle = false;
  bool fletcher32 = false;
  bool compact = false;
  std::optional<double> fill;          // what elements are that were never written; by default 0
  std::optional<hsize_t> num_written;  // how many are, from the first on; by default all
};

// One file, open for writing while this lives.
class Hdf5Editor {
 public:
  // New objects are stored in the newest format of the library or in its oldest.
  explicit Hdf5Editor(const std::string& path, bool latest_format = false);
  ~Hdf5Editor();

  // Current values, whatever the integer or floating point type.
  std::vector<int64_t> Integers(const std::string& inner) const;
  std::vector<double> Reals(const std::string& inner) const;

  // Removes what is at `inner`, if anything, and stores a new one-dimensional data set there.
  void Replace(const std::string& inner, const std::vector<int64_t>& values,
               const Storage& storage = {});
  void Replace(const std::string& inner, const std::vector<double>& values,
               const Storage& storage = {});
  // A data set of `type` with this shape that was never written.
  void ReplaceUnwritten(const std::string& inner, hid_t type, const std::vector<hsize_t>& shape,
                        hsize_t chunk);
  // A data set whose bytes are in another file.
  void ReplaceExternal(const std::string& inner, hsize_t size, const std::string& other);
  void Remove(const std::string& inner);
  void AddGroup(const std::string& inner);
  void AddSoftLink(const std::string& target, const std::string& inner);
  void AddExternalLink(const std::string& file, const std::string& target,
                       const std::string& inner);
  // Gives what is at `inner` another name in its group.
  void Rename(const std::string& inner, const std::string& name);
  // Path of every link, groups before what is in them.
  std::vector<std::string> Links() const;
  // Copies a whole object from another file.
  void CopyFrom(const Hdf5Editor& other, const std::string& inner);
  // Writes rows of {Start, Count, Population} over the existing table of populations.
  struct Row {
    uint64_t start;
    uint32_t count;
    uint16_t label;
  };
  void SetPopulations(const std::vector<Row>& rows);

 private:
  void Create(const std::string& inner, hid_t memory_type, const void* data, hsize_t size,
              const Storage& storage);

  hid_t file_ = -1;
};

// An empty file; in the newest format of the library or in its oldest.
void CreateHdf5(const std::string& path, bool latest_format);

}  // namespace livnd::io

#endif  // LIVND_IO_TESTING_HDF5_EDITOR_H_
