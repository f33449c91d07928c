#include "io/testing/hdf5_editor.h"

#include "gtest/gtest.h"

namespace livnd::io {
namespace {

// Checks the result of an HDF5 call.
template <typename T>
T Check(T result) {
  EXPECT_GE(result, 0);
  return result;
}

hsize_t Size(hid_t dataset) {
  const hid_t space = Check(H5Dget_space(dataset));
  const hssize_t size = H5Sget_simple_extent_npoints(space);
  H5Sclose(space);
  return static_cast<hsize_t>(Check(size));
}

hid_t Access(bool latest_format) {
  const hid_t access = Check(H5Pcreate(H5P_FILE_ACCESS));
  if (latest_format) Check(H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST));
  return access;
}

}  // namespace

void CreateHdf5(const std::string& path, bool latest_format) {
  const hid_t access = Access(latest_format);
  H5Fclose(Check(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access)));
  H5Pclose(access);
}

Hdf5Editor::Hdf5Editor(const std::string& path, bool latest_format) {
  const hid_t access = Access(latest_format);
  file_ = Check(H5Fopen(path.c_str(), H5F_ACC_RDWR, access));
  H5Pclose(access);
}

Hdf5Editor::~Hdf5Editor() { Check(H5Fclose(file_)); }

std::vector<int64_t> Hdf5Editor::Integers(const std::string& inner) const {
  const hid_t dataset = Check(H5Dopen2(file_, inner.c_str(), H5P_DEFAULT));
  std::vector<int64_t> values(Size(dataset));
  Check(H5Dread(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
  H5Dclose(dataset);
  return values;
}

std::vector<double> Hdf5Editor::Reals(const std::string& inner) const {
  const hid_t dataset = Check(H5Dopen2(file_, inner.c_str(), H5P_DEFAULT));
  std::vector<double> values(Size(dataset));
  Check(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
  H5Dclose(dataset);
  return values;
}

void Hdf5Editor::Remove(const std::string& inner) {
  Check(H5Ldelete(file_, inner.c_str(), H5P_DEFAULT));
}

void Hdf5Editor::AddGroup(const std::string& inner) {
  H5Gclose(Check(H5Gcreate2(file_, inner.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)));
}

void Hdf5Editor::Create(const std::string& inner, hid_t memory_type, const void* data, hsize_t size,
                        const Storage& storage) {
  if (H5Lexists(file_, inner.c_str(), H5P_DEFAULT) > 0) Remove(inner);
  const hid_t creation = Check(H5Pcreate(H5P_DATASET_CREATE));
  if (storage.chunk > 0) Check(H5Pset_chunk(creation, 1, &storage.chunk));
  if (storage.shuffle) Check(H5Pset_shuffle(creation));
  for (int i = 0; i < storage.num_deflate; ++i) Check(H5Pset_deflate(creation, 6));
  if (storage.fletcher32) Check(H5Pset_fletcher32(creation));
  if (storage.compact) Check(H5Pset_layout(creation, H5D_COMPACT));
  if (storage.fill.has_value()) {
    Check(H5Pset_fill_value(creation, H5T_NATIVE_DOUBLE, &*storage.fill));
  }
  const hsize_t unlimited = H5S_UNLIMITED;
  const hid_t space = Check(H5Screate_simple(1, &size, storage.chunk > 0 ? &unlimited : nullptr));
  const hid_t type = storage.type >= 0 ? storage.type : memory_type;
  const hid_t dataset =
      Check(H5Dcreate2(file_, inner.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  const hsize_t start = 0, written = storage.num_written.value_or(size);
  if (written > 0) {
    const hid_t memory = Check(H5Screate_simple(1, &written, nullptr));
    Check(H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, nullptr, &written, nullptr));
    Check(H5Dwrite(dataset, memory_type, memory, space, H5P_DEFAULT, data));
    H5Sclose(memory);
  }
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(creation);
}

void Hdf5Editor::Replace(const std::string& inner, const std::vector<int64_t>& values,
                         const Storage& storage) {
  Create(inner, H5T_NATIVE_INT64, values.data(), values.size(), storage);
}

void Hdf5Editor::Replace(const std::string& inner, const std::vector<double>& values,
                         const Storage& storage) {
  Create(inner, H5T_NATIVE_DOUBLE, values.data(), values.size(), storage);
}

void Hdf5Editor::ReplaceUnwritten(const std::string& inner, hid_t type,
                                  const std::vector<hsize_t>& shape, hsize_t chunk) {
  if (H5Lexists(file_, inner.c_str(), H5P_DEFAULT) > 0) Remove(inner);
  const hid_t creation = Check(H5Pcreate(H5P_DATASET_CREATE));
  const std::vector<hsize_t> chunks(shape.size(), chunk);
  if (chunk > 0) Check(H5Pset_chunk(creation, static_cast<int>(shape.size()), chunks.data()));
  const hid_t space =
      Check(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
  H5Dclose(
      Check(H5Dcreate2(file_, inner.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT)));
  H5Sclose(space);
  H5Pclose(creation);
}

void Hdf5Editor::ReplaceExternal(const std::string& inner, hsize_t size, const std::string& other) {
  Remove(inner);
  const hid_t creation = Check(H5Pcreate(H5P_DATASET_CREATE));
  Check(H5Pset_external(creation, other.c_str(), 0, size * sizeof(float)));
  const hid_t space = Check(H5Screate_simple(1, &size, nullptr));
  H5Dclose(Check(
      H5Dcreate2(file_, inner.c_str(), H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT)));
  H5Sclose(space);
  H5Pclose(creation);
}

void Hdf5Editor::AddSoftLink(const std::string& target, const std::string& inner) {
  Check(H5Lcreate_soft(target.c_str(), file_, inner.c_str(), H5P_DEFAULT, H5P_DEFAULT));
}

void Hdf5Editor::AddExternalLink(const std::string& file, const std::string& target,
                                 const std::string& inner) {
  Check(H5Lcreate_external(file.c_str(), target.c_str(), file_, inner.c_str(), H5P_DEFAULT,
                           H5P_DEFAULT));
}

void Hdf5Editor::Rename(const std::string& inner, const std::string& name) {
  const std::string target = inner.substr(0, inner.rfind('/') + 1) + name;
  Check(H5Lmove(file_, inner.c_str(), file_, target.c_str(), H5P_DEFAULT, H5P_DEFAULT));
}

std::vector<std::string> Hdf5Editor::Links() const {
  std::vector<std::string> links;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* data) -> herr_t {
    static_cast<std::vector<std::string>*>(data)->push_back(name);
    return 0;
  };
  Check(H5Lvisit(file_, H5_INDEX_NAME, H5_ITER_INC, collect, &links));
  return links;
}

void Hdf5Editor::CopyFrom(const Hdf5Editor& other, const std::string& inner) {
  Check(H5Ocopy(other.file_, inner.c_str(), file_, inner.c_str(), H5P_DEFAULT, H5P_DEFAULT));
}

void Hdf5Editor::SetPopulations(const std::vector<Row>& rows) {
  const std::string inner = "H5Types/Populations";
  const hid_t old = Check(H5Dopen2(file_, inner.c_str(), H5P_DEFAULT));
  const hid_t type = Check(H5Dget_type(old));
  H5Dclose(old);
  const int member = H5Tget_member_index(type, "Population");
  const hid_t label = Check(H5Tget_member_type(type, member));
  const hid_t memory = Check(H5Tcreate(H5T_COMPOUND, sizeof(Row)));
  Check(H5Tinsert(memory, "Start", HOFFSET(Row, start), H5T_NATIVE_UINT64));
  Check(H5Tinsert(memory, "Count", HOFFSET(Row, count), H5T_NATIVE_UINT32));
  Check(H5Tinsert(memory, "Population", HOFFSET(Row, label), label));
  Storage storage;
  storage.type = type;
  Create(inner, memory, rows.data(), rows.size(), storage);
  H5Tclose(memory);
  H5Tclose(label);
  H5Tclose(type);
}

}  // namespace livnd::io
