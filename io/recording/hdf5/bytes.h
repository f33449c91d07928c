// Little-endian numbers in and out of strings of bytes.
#ifndef LIVND_IO_RECORDING_HDF5_BYTES_H_
#define LIVND_IO_RECORDING_HDF5_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace livnd::io::hdf5 {

// Appends the lowest num_bytes bytes of a number.
inline void Put(uint64_t value, int num_bytes, std::string* out) {
  for (int i = 0; i < num_bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

// Takes numbers and texts off the front of bytes that nobody vouches for. Once something was asked
// for that is not there it has failed, and gives zeros.
class ByteReader {
 public:
  explicit ByteReader(absl::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool done() const { return bytes_.empty(); }
  absl::string_view rest() const { return bytes_; }

  absl::string_view Take(size_t num_bytes) {
    if (num_bytes > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const absl::string_view taken = bytes_.substr(0, num_bytes);
    bytes_.remove_prefix(num_bytes);
    return taken;
  }

  uint64_t Number(int num_bytes) {
    uint64_t value = 0;
    const absl::string_view taken = Take(num_bytes);
    for (size_t i = 0; i < taken.size(); ++i) {
      value |= uint64_t{static_cast<unsigned char>(taken[i])} << (8 * i);
    }
    return value;
  }

  // Fails unless the next bytes are these.
  void Expect(absl::string_view wanted) {
    if (Take(wanted.size()) != wanted) ok_ = false;
  }
  void Expect(uint64_t wanted, int num_bytes) {
    if (Number(num_bytes) != wanted) ok_ = false;
  }

  // Up to a 0, which is taken, too.
  absl::string_view Name() {
    const size_t end = bytes_.find('\0');
    if (end == absl::string_view::npos) {
      ok_ = false;
      return {};
    }
    const absl::string_view name = Take(end);
    Take(1);
    return name;
  }

 private:
  absl::string_view bytes_;
  bool ok_ = true;
};

}  // namespace livnd::io::hdf5

#endif  // LIVND_IO_RECORDING_HDF5_BYTES_H_
