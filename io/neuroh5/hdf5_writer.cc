#include "io/neuroh5/hdf5_writer.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/neuroh5/new_file.h"

namespace livnd::io {
namespace {

constexpr hsize_t kChunkElements = 1 << 16;
constexpr unsigned kDeflateLevel = 6;
constexpr size_t kMemoryStep = 1 << 20;

// Rows of /H5Types, as NeuroH5 lays them out.
struct PopulationRange {
  uint64_t start;
  uint32_t count;
  uint16_t population;
};
struct ProjectionPair {
  uint16_t source;
  uint16_t destination;
};

Hdf5Id LabelType(const std::vector<Population>& populations) {
  Hdf5Id type(H5Tenum_create(H5T_STD_U16LE));
  for (const Population& population : populations) {
    const uint16_t label = population.label;
    if (H5Tenum_insert(type.get(), population.name.c_str(), &label) < 0) return Hdf5Id();
  }
  return type;
}

struct Member {
  const char* name;
  size_t offset;
  hid_t type;
};

Hdf5Id CompoundType(size_t size, std::initializer_list<Member> members) {
  Hdf5Id type(H5Tcreate(H5T_COMPOUND, size));
  for (const Member& member : members) {
    if (H5Tinsert(type.get(), member.name, member.offset, member.type) < 0) return Hdf5Id();
  }
  return type;
}

// In the file without the gaps that it has in memory.
Hdf5Id Packed(const Hdf5Id& type) {
  Hdf5Id packed(H5Tcopy(type.get()));
  return H5Tpack(packed.get()) < 0 ? Hdf5Id() : std::move(packed);
}

Hdf5Id CreationOf(hsize_t size) {
  Hdf5Id creation(H5Pcreate(H5P_DATASET_CREATE));
  const hsize_t chunk = std::clamp<hsize_t>(size, 1, kChunkElements);
  // The same values are the same bytes, whenever they are written.
  const bool set = H5Pset_obj_track_times(creation.get(), 0) >= 0 &&
                   H5Pset_chunk(creation.get(), 1, &chunk) >= 0 &&
                   H5Pset_shuffle(creation.get()) >= 0 &&
                   H5Pset_deflate(creation.get(), kDeflateLevel) >= 0;
  return set ? std::move(creation) : Hdf5Id();
}

}  // namespace

absl::Status Hdf5Writer::Failed(absl::string_view inner) const {
  return absl::InternalError(absl::StrCat(path_, ": cannot make /", inner));
}

absl::StatusOr<Hdf5Writer> Hdf5Writer::Create(const Hdf5Session& session, const std::string& path) {
  session.Note(path);
  const Hdf5Id access(H5Pcreate(H5P_FILE_ACCESS));
  Hdf5Id file;
  if (access.ok() && H5Pset_fapl_core(access.get(), kMemoryStep, /*backing_store=*/0) >= 0 &&
      H5Pset_libver_bounds(access.get(), H5F_LIBVER_EARLIEST, H5F_LIBVER_V18) >= 0) {
    file = Hdf5Id(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
  }
  Hdf5Writer writer(session, path, std::move(file));
  if (!writer.file_.ok()) return writer.Failed("");
  return writer;
}

absl::Status Hdf5Writer::WriteElements(const std::string& inner, hid_t file_type, hid_t memory_type,
                                       const void* values, size_t size) {
  session_->Note(absl::StrCat(path_, ": /", inner));
  const hsize_t elements = size;
  const Hdf5Id space(H5Screate_simple(1, &elements, nullptr));
  const Hdf5Id creation = CreationOf(elements);
  const Hdf5Id links(H5Pcreate(H5P_LINK_CREATE));
  if (!space.ok() || !creation.ok() || H5Pset_create_intermediate_group(links.get(), 1) < 0) {
    return Failed(inner);
  }
  const Hdf5Id dataset(H5Dcreate2(file_.get(), inner.c_str(), file_type, space.get(), links.get(),
                                  creation.get(), H5P_DEFAULT));
  if (!dataset.ok()) return Failed(inner);
  if (size == 0) return absl::OkStatus();
  if (H5Dwrite(dataset.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
    return Failed(inner);
  }
  return absl::OkStatus();
}

absl::Status Hdf5Writer::Write(const std::string& inner, const std::vector<uint8_t>& values) {
  return WriteElements(inner, H5T_STD_U8LE, H5T_NATIVE_UINT8, values.data(), values.size());
}
absl::Status Hdf5Writer::Write(const std::string& inner, const std::vector<int32_t>& values) {
  return WriteElements(inner, H5T_STD_I32LE, H5T_NATIVE_INT32, values.data(), values.size());
}
absl::Status Hdf5Writer::Write(const std::string& inner, const std::vector<uint32_t>& values) {
  return WriteElements(inner, H5T_STD_U32LE, H5T_NATIVE_UINT32, values.data(), values.size());
}
absl::Status Hdf5Writer::Write(const std::string& inner, const std::vector<uint64_t>& values) {
  return WriteElements(inner, H5T_STD_U64LE, H5T_NATIVE_UINT64, values.data(), values.size());
}
absl::Status Hdf5Writer::Write(const std::string& inner, const std::vector<float>& values) {
  return WriteElements(inner, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values.data(), values.size());
}
absl::Status Hdf5Writer::Write(const std::string& inner, const std::vector<double>& values) {
  return WriteElements(inner, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data(), values.size());
}

absl::Status Hdf5Writer::WriteTypes(const std::vector<Population>& populations,
                                    const std::vector<std::pair<int, int>>& projections) {
  const Hdf5Id labels = LabelType(populations);
  if (!labels.ok()) return Failed("H5Types/Population labels");
  const Hdf5Id range =
      CompoundType(sizeof(PopulationRange),
                   {{"Start", offsetof(PopulationRange, start), H5T_NATIVE_UINT64},
                    {"Count", offsetof(PopulationRange, count), H5T_NATIVE_UINT32},
                    {"Population", offsetof(PopulationRange, population), labels.get()}});
  const Hdf5Id pair =
      CompoundType(sizeof(ProjectionPair),
                   {{"Source", offsetof(ProjectionPair, source), labels.get()},
                    {"Destination", offsetof(ProjectionPair, destination), labels.get()}});
  if (!range.ok() || !pair.ok()) return Failed("H5Types");
  const Hdf5Id stored_range = Packed(range), stored_pair = Packed(pair);
  const Hdf5Id group(H5Gcreate2(file_.get(), "H5Types", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  const std::pair<const char*, hid_t> named[] = {{"Population labels", labels.get()},
                                                 {"Population range", stored_range.get()},
                                                 {"Population projections", stored_pair.get()}};
  const Hdf5Id creation(H5Pcreate(H5P_DATATYPE_CREATE));
  if (H5Pset_obj_track_times(creation.get(), 0) < 0) return Failed("H5Types");
  for (const auto& [name, type] : named) {
    // A copy: data sets of a type that has a name cannot be read by pyfive, which livn 2.0.0 uses.
    const Hdf5Id copy(H5Tcopy(type));
    if (H5Tcommit2(group.get(), name, copy.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT) < 0) {
      return Failed(absl::StrCat("H5Types/", name));
    }
  }
  std::vector<PopulationRange> ranges;
  for (const Population& p : populations) ranges.push_back({p.first_gid, p.num_cells, p.label});
  LIVND_RETURN_IF_ERROR(WriteElements("H5Types/Populations", stored_range.get(), range.get(),
                                      ranges.data(), ranges.size()));
  std::vector<ProjectionPair> pairs;
  for (const auto& [pre, post] : projections) {
    pairs.push_back({populations[static_cast<size_t>(pre)].label,
                     populations[static_cast<size_t>(post)].label});
  }
  return WriteElements("H5Types/Valid population projections", stored_pair.get(), pair.get(),
                       pairs.data(), pairs.size());
}

absl::Status Hdf5Writer::Close() {
  if (H5Fflush(file_.get(), H5F_SCOPE_GLOBAL) < 0) return Failed("");
  const ssize_t size = H5Fget_file_image(file_.get(), nullptr, 0);
  std::string image(static_cast<size_t>(std::max<ssize_t>(0, size)), '\0');
  if (size <= 0 || H5Fget_file_image(file_.get(), image.data(), image.size()) != size) {
    return Failed("");
  }
  file_ = Hdf5Id();
  return WriteNewFile(path_, image);
}

}  // namespace livnd::io
