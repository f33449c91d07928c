// An HDF5 file opened for reading, in the few shapes that NeuroH5 uses: groups, one-dimensional
// data sets of numbers, and one table of a compound with an enum.
//
// Files are read as if they came from a stranger. Only hard links are followed, so nothing
// outside the file is reached; sizes are checked against the file and io/system/limits.h
// before memory is taken; compressed chunks are inflated here, into buffers of known size,
// because the library's own filters grow without bound. Data sets in external files, virtual
// data sets and filters other than deflate and shuffle are refused. What remains is the library
// itself, which can crash on damaged metadata: io/neuroh5/isolate.h is for that. Elements that were
// never written have the data set's fill value, as HDF5 has it.
//
// Errors carry "FILE: /path/inside: what was found, what was expected".

#ifndef LIVND_IO_NEUROH5_HDF5_FILE_H_
#define LIVND_IO_NEUROH5_HDF5_FILE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hdf5.h"

namespace livnd::io {

// Holds the process-wide right to call HDF5 and keeps the library from printing errors.
// Needed by Hdf5File; must outlive it. At most one a thread.
class Hdf5Session {
 public:
  // `note` is told the file and the path inside it before the library sees them.
  explicit Hdf5Session(std::function<void(absl::string_view)> note);
  ~Hdf5Session();
  Hdf5Session(const Hdf5Session&) = delete;
  Hdf5Session& operator=(const Hdf5Session&) = delete;

  void Note(absl::string_view place) const { note_(place); }

 private:
  std::function<void(absl::string_view)> note_;
  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t handler_ = nullptr;
  void* handler_data_ = nullptr;
};

// Owns an HDF5 identifier of any kind; negative means none.
class Hdf5Id {
 public:
  Hdf5Id() = default;
  explicit Hdf5Id(hid_t id) : id_(id) {}
  ~Hdf5Id() { Close(); }
  Hdf5Id(Hdf5Id&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Hdf5Id& operator=(Hdf5Id&& other) noexcept {
    if (this != &other) {
      Close();
      id_ = std::exchange(other.id_, -1);
    }
    return *this;
  }

  bool ok() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  void Close() {
    if (id_ >= 0) H5Idec_ref(id_);
  }
  hid_t id_ = -1;
};

// A row of /H5Types/Populations with the enumerator's name.
struct PopulationRow {
  std::string name;
  uint64_t label = 0;
  uint64_t start = 0;
  uint64_t count = 0;
};

// Movable, not thread-safe.
class Hdf5File {
 public:
  // The system's error if it cannot be opened (NotFound, PermissionDenied, ResourceExhausted ...);
  // InvalidArgument (not a regular file, too large), FailedPrecondition (a writer has it open or
  // left it so) or DataLoss (not HDF5, truncated).
  static absl::StatusOr<Hdf5File> Open(const Hdf5Session& session, const std::string& path);

  const std::string& path() const { return path_; }

  // Whether every component of an inner path is there as a hard link. Other links count as
  // there, so that reading them is what fails, with a message of its own.
  bool Contains(const std::string& inner) const;

  // Names in a group, sorted by byte value.
  absl::StatusOr<std::vector<std::string>> ListGroup(const std::string& inner) const;

  // Data sets of any integer type, by value. InvalidArgument unless all lie in [min, max].
  absl::StatusOr<std::vector<int64_t>> ReadIntegers(const std::string& inner, int64_t min,
                                                    int64_t max) const;
  // Data sets of 4 or 8 byte floating point numbers. InvalidArgument unless all are finite.
  absl::StatusOr<std::vector<double>> ReadReals(const std::string& inner) const;

  // The table of populations: rows of {Start, Count, Population}, Population an enum.
  absl::StatusOr<std::vector<PopulationRow>> ReadPopulationRows(const std::string& inner) const;

  // For errors about this file's content.
  absl::Status Invalid(absl::string_view inner, absl::string_view what) const;

 private:
  // A one-dimensional data set whose layout has passed the checks.
  struct Dataset {
    Hdf5Id id;
    Hdf5Id type;
    Hdf5Id creation;
    uint64_t size = 0;         // elements
    size_t element_bytes = 0;  // of the stored type
  };

  Hdf5File(const Hdf5Session& session, std::string path, uint64_t num_bytes, Hdf5Id file)
      : session_(&session), path_(std::move(path)), num_bytes_(num_bytes), file_(std::move(file)) {}

  absl::StatusOr<Hdf5Id> OpenObject(const std::string& inner, H5O_type_t type) const;
  absl::StatusOr<Dataset> OpenDataset(const std::string& inner) const;
  // Elements as stored. The buffer has room for `room_bytes` an element, to convert in place.
  absl::StatusOr<std::vector<unsigned char>> ReadRaw(const std::string& inner,
                                                     const Dataset& dataset,
                                                     size_t room_bytes) const;
  // One element as it is where nothing was written.
  absl::StatusOr<std::vector<unsigned char>> ReadFillValue(const std::string& inner,
                                                           const Dataset& dataset) const;
  // `unwritten`: no chunk is stored.
  absl::Status ReadChunks(const std::string& inner, const Dataset& dataset, bool unwritten,
                          unsigned char* out) const;
  absl::StatusOr<std::map<uint64_t, std::string>> ReadEnumNames(const std::string& inner,
                                                                hid_t type) const;
  absl::Status Lost(absl::string_view inner, absl::string_view what) const;

  const Hdf5Session* session_;
  std::string path_;
  uint64_t num_bytes_ = 0;
  Hdf5Id file_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_HDF5_FILE_H_
