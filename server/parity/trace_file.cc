#include "server/parity/trace_file.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hdf5.h"

namespace livnd::server {

absl::StatusOr<TraceFile> TraceFile::Open(const std::string& path) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (id < 0) return absl::NotFoundError(absl::StrCat(path, ": cannot be opened as HDF5"));
  return TraceFile(path, id);
}

TraceFile::TraceFile(TraceFile&& other) noexcept
    : path_(std::move(other.path_)), id_(std::exchange(other.id_, -1)) {}

TraceFile::~TraceFile() {
  if (id_ >= 0) H5Fclose(id_);
}

absl::StatusOr<TraceArray> TraceFile::Read(const std::string& name) const {
  const auto lost = [&](absl::string_view what) {
    return absl::DataLossError(absl::StrCat(path_, ": /", name, ": ", what));
  };
  const hid_t set = H5Dopen2(id_, name.c_str(), H5P_DEFAULT);
  if (set < 0) return lost("is missing");
  const hid_t space = H5Dget_space(set);
  const hid_t type = H5Dget_type(set);
  const int rank = H5Sget_simple_extent_ndims(space);
  const H5T_class_t kind = H5Tget_class(type);
  hsize_t size[2] = {1, 1};
  if (rank >= 0 && rank <= 2) H5Sget_simple_extent_dims(space, size, nullptr);
  absl::Status status;
  TraceArray out;
  if (rank < 0 || rank > 2 || (kind != H5T_INTEGER && kind != H5T_FLOAT)) {
    status = lost("expected numbers with at most two axes");
  } else if (size[0] > (1u << 27) || size[1] > (1u << 27) || size[0] * size[1] > (1u << 27)) {
    status = lost("is larger than 1 GiB");
  } else {
    out.num_rows = static_cast<int64_t>(size[0]);
    out.num_columns = static_cast<int64_t>(size[1]);
    out.values.resize(size[0] * size[1]);
    if (!out.values.empty() &&
        H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.values.data()) < 0) {
      status = lost("cannot be read");
    }
  }
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(set);
  if (!status.ok()) return status;
  return out;
}

}  // namespace livnd::server
