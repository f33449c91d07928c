#include "lab/parity/trace_file.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hdf5.h"

namespace livnd::lab {

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

absl::StatusOr<TraceFileWriter> TraceFileWriter::Create(const std::string& path) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const hid_t id = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (id < 0) return absl::UnavailableError(absl::StrCat(path, ": cannot be written"));
  return TraceFileWriter(path, id);
}

TraceFileWriter::TraceFileWriter(TraceFileWriter&& other) noexcept
    : path_(std::move(other.path_)), id_(std::exchange(other.id_, -1)) {}

TraceFileWriter::~TraceFileWriter() {
  if (id_ >= 0) H5Fclose(id_);
}

absl::Status TraceFileWriter::Write(const std::string& name, const std::vector<double>& values) {
  return Write(name, {values.size()}, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data());
}

absl::Status TraceFileWriter::Write(const std::string& name, const TraceArray& array) {
  return Write(name,
               {static_cast<uint64_t>(array.num_rows), static_cast<uint64_t>(array.num_columns)},
               H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, array.values.data());
}

absl::Status TraceFileWriter::WriteStrings(const std::string& name,
                                           const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const absl::Status status = Write(name, {texts.size()}, type, type, pointers.data());
  H5Tclose(type);
  return status;
}

absl::Status TraceFileWriter::Write(const std::string& name, const std::vector<uint64_t>& size,
                                    int64_t type, int64_t memory_type, const void* data) {
  const std::vector<hsize_t> extent(size.begin(), size.end());
  const hid_t space = H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr);
  const hid_t set =
      H5Dcreate2(id_, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const bool empty = std::find(size.begin(), size.end(), 0u) != size.end();
  const bool written =
      set >= 0 && (empty || H5Dwrite(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  if (set >= 0) H5Dclose(set);
  H5Sclose(space);
  if (!written) {
    return absl::UnavailableError(absl::StrCat(path_, ": /", name, ": cannot be written"));
  }
  return absl::OkStatus();
}

}  // namespace livnd::lab
