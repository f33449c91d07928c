#include "io/testing/hdf5_table.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hdf5.h"

namespace livnd::io {
namespace {

// Closes an identifier of any kind.
class Id {
 public:
  explicit Id(hid_t id) : id_(id) {}
  ~Id() {
    if (id_ >= 0) H5Idec_ref(id_);
  }
  Id(const Id&) = delete;
  Id& operator=(const Id&) = delete;
  operator hid_t() const { return id_; }

 private:
  const hid_t id_;
};

hid_t Open(const std::string& path) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  return H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
}

absl::Status Lost(const std::string& what) {
  return absl::DataLossError(absl::StrCat("HDF5 cannot read ", what));
}

herr_t AddName(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->push_back(name);
  return 0;
}

}  // namespace

absl::StatusOr<std::string> ReadHdf5Table(const std::string& path, const std::string& name) {
  const Id file(Open(path));
  if (file < 0) return Lost(path);
  const Id dataset(H5Dopen2(file, name.c_str(), H5P_DEFAULT));
  const Id type(H5Dget_type(dataset));
  const Id space(H5Dget_space(dataset));
  hsize_t size = 0;
  if (dataset < 0 || H5Sget_simple_extent_dims(space, &size, nullptr) != 1) return Lost(name);
  std::string rows(size * H5Tget_size(type), '\0');
  if (size > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &rows[0]) < 0) {
    return Lost(name);
  }
  return rows;
}

absl::StatusOr<std::vector<Hdf5Column>> Hdf5Columns(const std::string& path,
                                                    const std::string& name) {
  const Id file(Open(path));
  const Id dataset(H5Dopen2(file, name.c_str(), H5P_DEFAULT));
  const Id type(H5Dget_type(dataset));
  if (dataset < 0 || H5Tget_class(type) != H5T_COMPOUND) return Lost(name);
  std::vector<Hdf5Column> columns;
  for (int i = 0; i < H5Tget_nmembers(type); ++i) {
    const Id member(H5Tget_member_type(type, i));
    Hdf5Column column;
    char* const member_name = H5Tget_member_name(type, i);
    column.name = member_name;
    H5free_memory(member_name);
    column.num_bytes = static_cast<int64_t>(H5Tget_size(member));
    column.is_real = H5Tdetect_class(member, H5T_FLOAT) > 0;
    hsize_t length = 1;
    if (H5Tget_class(member) == H5T_ARRAY) H5Tget_array_dims2(member, &length);
    column.length = static_cast<int64_t>(length);
    columns.push_back(column);
  }
  return columns;
}

absl::StatusOr<std::vector<std::string>> Hdf5Names(const std::string& path) {
  const Id file(Open(path));
  std::vector<std::string> names;
  if (file < 0 || H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, nullptr, AddName, &names) < 0) {
    return Lost(path);
  }
  return names;
}

absl::StatusOr<int64_t> Hdf5Integer(const std::string& path, const std::string& attribute) {
  const Id file(Open(path));
  if (file < 0) return Lost(path);
  const Id id(H5Aopen(file, attribute.c_str(), H5P_DEFAULT));
  int64_t value = 0;
  if (id < 0 || H5Aread(id, H5T_NATIVE_INT64, &value) < 0) return Lost(attribute);
  return value;
}

absl::StatusOr<std::string> Hdf5Text(const std::string& path, const std::string& attribute) {
  const Id file(Open(path));
  if (file < 0) return Lost(path);
  const Id id(H5Aopen(file, attribute.c_str(), H5P_DEFAULT));
  const Id type(H5Aget_type(id));
  if (id < 0) return Lost(attribute);
  std::string value(H5Tget_size(type), '\0');
  if (H5Aread(id, type, &value[0]) < 0) return Lost(attribute);
  return value;
}

}  // namespace livnd::io
