#include "io/neuroh5/hdf5_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "io/neuroh5/chunk_filter.h"
#include "io/neuroh5/superblock.h"
#include "io/system/limits.h"

namespace livnd::io {
namespace {

std::mutex& LibraryMutex() {
  static std::mutex* mutex = new std::mutex;
  return *mutex;
}

std::string Where(absl::string_view file, absl::string_view inner) {
  return absl::StrCat(file, ": ", absl::StartsWith(inner, "/") ? "" : "/", inner);
}

const char* ClassName(H5T_class_t type_class) {
  switch (type_class) {
    case H5T_INTEGER:
      return "integer";
    case H5T_FLOAT:
      return "floating point";
    case H5T_STRING:
      return "string";
    case H5T_COMPOUND:
      return "compound";
    case H5T_ENUM:
      return "enum";
    case H5T_VLEN:
      return "variable-length";
    case H5T_ARRAY:
      return "array";
    default:
      return "other";
  }
}

// "a", "a/b", "a/b/c" for "a/b/c".
std::vector<std::string> Prefixes(const std::string& inner) {
  std::vector<std::string> prefixes;
  for (absl::string_view part : absl::StrSplit(inner, '/', absl::SkipEmpty())) {
    prefixes.push_back(prefixes.empty() ? std::string(part)
                                        : absl::StrCat(prefixes.back(), "/", part));
  }
  return prefixes;
}

herr_t CollectLink(hid_t, const char* name, const H5L_info_t*, void* data) {
  auto* names = static_cast<std::vector<std::string>*>(data);
  names->push_back(name);
  return names->size() > kMaxGroupLinks ? 1 : 0;
}

// Whether numbers are stored in whole bytes, in one of the two common orders. The library
// accepts others, but its conversions do not check their description.
bool IsPlain(hid_t type) {
  const size_t bits = 8 * H5Tget_size(type);
  const H5T_order_t order = H5Tget_order(type);
  if (order != H5T_ORDER_LE && order != H5T_ORDER_BE) return false;
  if (H5Tget_class(type) == H5T_FLOAT) {
    for (const hid_t known : {H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE}) {
      if (H5Tequal(type, known) > 0) return true;
    }
    return false;
  }
  return H5Tget_class(type) == H5T_INTEGER && H5Tget_offset(type) == 0 &&
         H5Tget_precision(type) == bits && bits <= 64;
}

// Widens `count` stored integers in `bytes` to the eight byte ones of the same sign, in place.
bool WidenIntegers(hid_t type, size_t count, std::vector<unsigned char>& bytes) {
  const hid_t wide = H5Tget_sign(type) == H5T_SGN_NONE ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64;
  return H5Tconvert(type, wide, count, bytes.data(), nullptr, H5P_DEFAULT) >= 0;
}

void Repeat(const std::vector<unsigned char>& value, uint64_t count, unsigned char* out) {
  for (uint64_t i = 0; i < count; ++i, out += value.size()) {
    std::memcpy(out, value.data(), value.size());
  }
}

template <typename T>
T Element(const std::vector<unsigned char>& bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

Hdf5Session::Hdf5Session(std::function<void(absl::string_view)> note)
    : note_(std::move(note)), lock_(LibraryMutex()) {
  H5open();
  H5Eget_auto2(H5E_DEFAULT, &handler_, &handler_data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Session::~Hdf5Session() { H5Eset_auto2(H5E_DEFAULT, handler_, handler_data_); }

absl::Status Hdf5File::Invalid(absl::string_view inner, absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(Where(path_, inner), ": ", what));
}

absl::Status Hdf5File::Lost(absl::string_view inner, absl::string_view what) const {
  return absl::DataLossError(absl::StrCat(Where(path_, inner), ": ", what));
}

absl::StatusOr<Hdf5File> Hdf5File::Open(const Hdf5Session& session, const std::string& path) {
  session.Note(path);
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return absl::ErrnoToStatus(errno, path);
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a regular file"));
  }
  const uint64_t num_bytes = static_cast<uint64_t>(info.st_size);
  if (num_bytes > kMaxHdf5FileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", num_bytes, " bytes, at most ", kMaxHdf5FileBytes));
  }
  LIVND_ASSIGN_OR_RETURN(const Superblock superblock, ReadSuperblock(path, num_bytes));
  Hdf5Id access(H5Pcreate(H5P_FILE_ACCESS));
  // The plain driver whatever the file asks for, and no locks: folders may be read-only.
  H5Pset_fapl_sec2(access.get());
  H5Pset_file_locking(access.get(), false, true);
  Hdf5Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()));
  if (!file.ok() && superblock.open_for_writing) {
    return absl::FailedPreconditionError(absl::StrCat(
        path,
        ": is marked as open for writing: its writer is still at work or did not close it. If "
        "no program writes to it any more: h5clear -s ",
        path));
  }
  if (!file.ok()) {
    return absl::DataLossError(absl::StrCat(
        path, superblock.found ? ": HDF5, but truncated or damaged" : ": not an HDF5 file", " (",
        num_bytes, " bytes)"));
  }
  return Hdf5File(session, path, num_bytes, std::move(file));
}

bool Hdf5File::Contains(const std::string& inner) const {
  session_->Note(Where(path_, inner));
  for (const std::string& prefix : Prefixes(inner)) {
    H5L_info_t info;
    if (H5Lget_info(file_.get(), prefix.c_str(), &info, H5P_DEFAULT) < 0) return false;
    if (info.type != H5L_TYPE_HARD) return true;
  }
  return true;
}

absl::StatusOr<Hdf5Id> Hdf5File::OpenObject(const std::string& inner, H5O_type_t type) const {
  session_->Note(Where(path_, inner));
  for (const std::string& prefix : Prefixes(inner)) {
    H5L_info_t info;
    if (H5Lget_info(file_.get(), prefix.c_str(), &info, H5P_DEFAULT) < 0) {
      return absl::NotFoundError(absl::StrCat(Where(path_, prefix), ": missing or unreadable"));
    }
    if (info.type != H5L_TYPE_HARD) {
      return Invalid(prefix, "is a soft or external link; only plain links are followed");
    }
  }
  Hdf5Id object(H5Oopen(file_.get(), inner.c_str(), H5P_DEFAULT));
  if (!object.ok()) return Lost(inner, "cannot be opened; the file is damaged");
  const H5I_type_t wanted = type == H5O_TYPE_GROUP ? H5I_GROUP : H5I_DATASET;
  if (H5Iget_type(object.get()) != wanted) {
    return Invalid(inner, type == H5O_TYPE_GROUP ? "is not a group" : "is not a data set");
  }
  return object;
}

absl::StatusOr<std::vector<std::string>> Hdf5File::ListGroup(const std::string& inner) const {
  LIVND_ASSIGN_OR_RETURN(Hdf5Id group, OpenObject(inner, H5O_TYPE_GROUP));
  std::vector<std::string> names;
  const herr_t code =
      H5Literate(group.get(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, CollectLink, &names);
  if (code < 0) return Lost(inner, "group cannot be listed; the file is damaged");
  if (code > 0) return Invalid(inner, absl::StrCat("more than ", kMaxGroupLinks, " entries"));
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<Hdf5File::Dataset> Hdf5File::OpenDataset(const std::string& inner) const {
  Dataset dataset;
  LIVND_ASSIGN_OR_RETURN(dataset.id, OpenObject(inner, H5O_TYPE_DATASET));
  dataset.type = Hdf5Id(H5Dget_type(dataset.id.get()));
  dataset.creation = Hdf5Id(H5Dget_create_plist(dataset.id.get()));
  Hdf5Id space(H5Dget_space(dataset.id.get()));
  if (!dataset.type.ok() || !dataset.creation.ok() || !space.ok()) {
    return Lost(inner, "type or shape cannot be decoded");
  }
  hsize_t size = 0;
  if (H5Sget_simple_extent_type(space.get()) != H5S_SIMPLE ||
      H5Sget_simple_extent_ndims(space.get()) != 1 ||
      H5Sget_simple_extent_dims(space.get(), &size, nullptr) != 1) {
    return Invalid(inner, "is not one-dimensional");
  }
  dataset.size = size;
  dataset.element_bytes = H5Tget_size(dataset.type.get());
  if (dataset.element_bytes == 0 || dataset.element_bytes > 1024) {
    return Invalid(inner, absl::StrCat("elements of ", dataset.element_bytes, " bytes"));
  }
  if (dataset.size > kMaxDatasetElements) {
    return Invalid(inner, absl::StrCat(dataset.size, " elements, at most ", kMaxDatasetElements));
  }
  if (dataset.size * dataset.element_bytes / kMaxExpansion > num_bytes_) {
    return Invalid(inner,
                   absl::StrCat(dataset.size, " elements of ", dataset.element_bytes,
                                " bytes cannot be stored in a file of ", num_bytes_, " bytes"));
  }
  return dataset;
}

absl::StatusOr<std::vector<unsigned char>> Hdf5File::ReadFillValue(const std::string& inner,
                                                                   const Dataset& dataset) const {
  std::vector<unsigned char> value(dataset.element_bytes);
  H5D_fill_value_t kind;
  if (H5Pfill_value_defined(dataset.creation.get(), &kind) < 0) {
    return Lost(inner, "fill value cannot be decoded");
  }
  // Without one, what was never written may be anything; here it is 0.
  if (kind != H5D_FILL_VALUE_UNDEFINED &&
      H5Pget_fill_value(dataset.creation.get(), dataset.type.get(), value.data()) < 0) {
    return Lost(inner, "fill value cannot be decoded");
  }
  return value;
}

absl::StatusOr<std::vector<unsigned char>> Hdf5File::ReadRaw(const std::string& inner,
                                                             const Dataset& dataset,
                                                             size_t room_bytes) const {
  const size_t stored_bytes = dataset.size * dataset.element_bytes;
  const H5D_layout_t layout = H5Pget_layout(dataset.creation.get());
  const bool plain = layout == H5D_CONTIGUOUS || layout == H5D_COMPACT;
  if (!plain && layout != H5D_CHUNKED) return Invalid(inner, "unsupported storage layout");
  if (H5Pget_external_count(dataset.creation.get()) != 0) {
    return Invalid(inner, "is stored in another file");
  }
  H5D_space_status_t allocated;
  if (H5Dget_space_status(dataset.id.get(), &allocated) < 0) {
    return Lost(inner, "its storage cannot be decoded");
  }
  const bool unwritten = allocated == H5D_SPACE_STATUS_NOT_ALLOCATED;
  if (plain && !unwritten && dataset.size > 0 &&
      (H5Dget_storage_size(dataset.id.get()) < stored_bytes || stored_bytes > num_bytes_)) {
    return Lost(inner,
                absl::StrCat("fewer bytes are stored than its ", dataset.size, " elements need"));
  }
  std::vector<unsigned char> bytes(dataset.size * std::max(dataset.element_bytes, room_bytes));
  if (dataset.size == 0) return bytes;
  if (!plain) {
    LIVND_RETURN_IF_ERROR(ReadChunks(inner, dataset, unwritten, bytes.data()));
  } else if (unwritten) {
    LIVND_ASSIGN_OR_RETURN(const std::vector<unsigned char> fill, ReadFillValue(inner, dataset));
    Repeat(fill, dataset.size, bytes.data());
  } else if (H5Dread(dataset.id.get(), dataset.type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                     bytes.data()) < 0) {
    return Lost(inner, "cannot be read; the file is truncated or damaged");
  }
  return bytes;
}

absl::Status Hdf5File::ReadChunks(const std::string& inner, const Dataset& dataset, bool unwritten,
                                  unsigned char* out) const {
  hsize_t chunk_size = 0;
  if (H5Pget_chunk(dataset.creation.get(), 1, &chunk_size) != 1 || chunk_size == 0) {
    return Lost(inner, "chunk shape cannot be decoded");
  }
  const uint64_t chunk_bytes = chunk_size * dataset.element_bytes;
  if (chunk_size > kMaxChunkBytes || chunk_bytes > kMaxChunkBytes ||
      chunk_bytes / kMaxExpansion > num_bytes_) {
    return Invalid(inner, absl::StrCat("chunks of ", chunk_size, " elements"));
  }
  const int num_filters = H5Pget_nfilters(dataset.creation.get());
  if (num_filters < 0 || num_filters > kMaxFilters) {
    return Invalid(inner, absl::StrCat(num_filters, " filters, at most ", kMaxFilters));
  }
  std::vector<ChunkFilter> filters(num_filters);
  for (int i = 0; i < num_filters; ++i) {
    unsigned int flags = 0, config = 0;
    size_t num_values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(dataset.creation.get(), i, &flags, &num_values,
                                               nullptr, 0, nullptr, &config);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE) {
      return Invalid(
          inner, absl::StrCat("unknown filter ", filter, "; deflate and shuffle are supported"));
    }
    filters[i] = filter == H5Z_FILTER_DEFLATE ? ChunkFilter::kDeflate : ChunkFilter::kShuffle;
  }
  LIVND_ASSIGN_OR_RETURN(const std::vector<unsigned char> fill, ReadFillValue(inner, dataset));
  if (unwritten) {
    Repeat(fill, dataset.size, out);
    return absl::OkStatus();
  }
  hsize_t num_stored = 0, num_found = 0;
  Hdf5Id space(H5Dget_space(dataset.id.get()));
  if (!space.ok() || H5Dget_num_chunks(dataset.id.get(), space.get(), &num_stored) < 0) {
    return Lost(inner, "its chunks cannot be listed");
  }
  for (hsize_t first = 0; first < dataset.size; first += chunk_size) {
    const uint64_t count = std::min<uint64_t>(chunk_size, dataset.size - first);
    hsize_t stored_bytes = 0;
    if (H5Dget_chunk_storage_size(dataset.id.get(), &first, &stored_bytes) < 0) stored_bytes = 0;
    if (stored_bytes == 0) {  // never written, if all those that are stored turn up
      Repeat(fill, count, out + first * dataset.element_bytes);
      continue;
    }
    ++num_found;
    if (stored_bytes > num_bytes_) {
      return Lost(inner, absl::StrCat("the chunk of element ", first, " is damaged"));
    }
    std::vector<unsigned char> stored(stored_bytes);
    uint32_t skipped = 0;
    if (H5Dread_chunk(dataset.id.get(), H5P_DEFAULT, &first, &skipped, stored.data()) < 0) {
      return Lost(inner, absl::StrCat("the chunk of element ", first, " cannot be read"));
    }
    std::vector<ChunkFilter> applied;
    for (int i = 0; i < num_filters; ++i) {
      if ((skipped >> i & 1) == 0) applied.push_back(filters[i]);
    }
    auto chunk = DecodeChunk(std::move(stored), applied, chunk_bytes, dataset.element_bytes);
    if (!chunk.ok()) {
      return Lost(inner, absl::StrCat("element ", first, ": ", chunk.status().message()));
    }
    std::memcpy(out + first * dataset.element_bytes, chunk->data(), count * dataset.element_bytes);
  }
  if (num_found != num_stored) {
    return Lost(inner, absl::StrCat("of ", num_stored, " stored chunks ", num_found,
                                    " are where they should be; the file is damaged"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> Hdf5File::ReadIntegers(const std::string& inner, int64_t min,
                                                            int64_t max) const {
  LIVND_ASSIGN_OR_RETURN(Dataset dataset, OpenDataset(inner));
  const H5T_class_t type_class = H5Tget_class(dataset.type.get());
  if (type_class != H5T_INTEGER || !IsPlain(dataset.type.get())) {
    return Invalid(inner, absl::StrCat("holds ", ClassName(type_class), " data of ",
                                       dataset.element_bytes, " bytes, expected plain integers"));
  }
  LIVND_ASSIGN_OR_RETURN(std::vector<unsigned char> bytes,
                         ReadRaw(inner, dataset, sizeof(int64_t)));
  const bool is_unsigned = H5Tget_sign(dataset.type.get()) == H5T_SGN_NONE;
  if (dataset.size > 0 && !WidenIntegers(dataset.type.get(), dataset.size, bytes)) {
    return Lost(inner, "integers cannot be converted");
  }
  std::vector<int64_t> values(dataset.size);
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t value = Element<int64_t>(bytes, i);
    if (is_unsigned && value < 0) {
      return Invalid(inner, absl::StrCat("element ", i, " is ", Element<uint64_t>(bytes, i),
                                         ", expected at most ", max));
    }
    if (value < min || value > max) {
      return Invalid(inner,
                     absl::StrCat("element ", i, " is ", value, ", expected ", min, " to ", max));
    }
    values[i] = value;
  }
  return values;
}

absl::StatusOr<std::vector<double>> Hdf5File::ReadReals(const std::string& inner) const {
  LIVND_ASSIGN_OR_RETURN(Dataset dataset, OpenDataset(inner));
  const H5T_class_t type_class = H5Tget_class(dataset.type.get());
  if (type_class != H5T_FLOAT || !IsPlain(dataset.type.get())) {
    return Invalid(inner,
                   absl::StrCat("holds ", ClassName(type_class), " data of ", dataset.element_bytes,
                                " bytes, expected plain floating point of 4 or 8"));
  }
  LIVND_ASSIGN_OR_RETURN(std::vector<unsigned char> bytes, ReadRaw(inner, dataset, sizeof(double)));
  if (dataset.size > 0 && H5Tconvert(dataset.type.get(), H5T_NATIVE_DOUBLE, dataset.size,
                                     bytes.data(), nullptr, H5P_DEFAULT) < 0) {
    return Lost(inner, "numbers cannot be converted");
  }
  std::vector<double> values(dataset.size);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = Element<double>(bytes, i);
    if (!std::isfinite(values[i])) {
      return Invalid(inner,
                     absl::StrCat("element ", i, " is ", values[i], ", expected a finite number"));
    }
  }
  return values;
}

absl::StatusOr<std::map<uint64_t, std::string>> Hdf5File::ReadEnumNames(const std::string& inner,
                                                                        hid_t type) const {
  std::map<uint64_t, std::string> names;
  Hdf5Id base(H5Tget_super(type));
  const int count = H5Tget_nmembers(type);
  if (!base.ok() || !IsPlain(base.get()) || count < 0 || count > 65536) {
    return Lost(inner, "the population enum cannot be decoded");
  }
  for (int i = 0; i < count; ++i) {
    std::vector<unsigned char> value(sizeof(uint64_t));
    char* name = H5Tget_member_name(type, i);
    if (name == nullptr || H5Tget_member_value(type, i, value.data()) < 0 ||
        !WidenIntegers(base.get(), 1, value)) {
      if (name != nullptr) H5free_memory(name);
      return Lost(inner, "the population enum cannot be decoded");
    }
    names[Element<uint64_t>(value, 0)] = name;
    H5free_memory(name);
  }
  return names;
}

absl::StatusOr<std::vector<PopulationRow>> Hdf5File::ReadPopulationRows(
    const std::string& inner) const {
  LIVND_ASSIGN_OR_RETURN(Dataset dataset, OpenDataset(inner));
  if (H5Tget_class(dataset.type.get()) != H5T_COMPOUND || dataset.size > kMaxPopulations) {
    return Invalid(inner, absl::StrCat("is not a table of at most ", kMaxPopulations,
                                       " rows {Start, Count, Population}"));
  }
  LIVND_ASSIGN_OR_RETURN(std::vector<unsigned char> rows, ReadRaw(inner, dataset, 0));
  std::vector<PopulationRow> result(dataset.size);
  std::map<uint64_t, std::string> names;
  for (const char* column : {"Start", "Count", "Population"}) {
    const bool is_name = column[0] == 'P';
    const int member = H5Tget_member_index(dataset.type.get(), column);
    Hdf5Id type(member < 0 ? -1 : H5Tget_member_type(dataset.type.get(), member));
    if (!type.ok() || H5Tget_class(type.get()) != (is_name ? H5T_ENUM : H5T_INTEGER)) {
      return Invalid(inner,
                     absl::StrCat("has no ", is_name ? "enum" : "integer", " member ", column));
    }
    if (is_name) {
      LIVND_ASSIGN_OR_RETURN(names, ReadEnumNames(inner, type.get()));
      type = Hdf5Id(H5Tget_super(type.get()));
    }
    const size_t offset = H5Tget_member_offset(dataset.type.get(), member);
    const size_t width = H5Tget_size(type.get());
    if (!IsPlain(type.get()) || offset + width > dataset.element_bytes) {
      return Invalid(inner, absl::StrCat("member ", column, " has an unusable type"));
    }
    for (size_t i = 0; i < result.size(); ++i) {
      std::vector<unsigned char> cell(sizeof(uint64_t));
      std::memcpy(cell.data(), rows.data() + i * dataset.element_bytes + offset, width);
      if (!WidenIntegers(type.get(), 1, cell)) return Lost(inner, "numbers cannot be converted");
      PopulationRow& row = result[i];
      (is_name ? row.label : column[0] == 'S' ? row.start : row.count) = Element<uint64_t>(cell, 0);
    }
  }
  for (size_t i = 0; i < result.size(); ++i) {
    const auto name = names.find(result[i].label);
    if (name == names.end()) {
      return Invalid(
          inner, absl::StrCat("row ", i, ": population ", result[i].label, " is not in the enum"));
    }
    result[i].name = name->second;
  }
  return result;
}

}  // namespace livnd::io
