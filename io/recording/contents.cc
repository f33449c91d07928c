#include "io/recording/contents.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/recording/layout.h"

namespace livnd::io {
namespace {

absl::Status NoRecording() {
  return absl::DataLossError("is damaged, or HDF5 but not a recording");
}

absl::StatusOr<std::string> ReadHeader(const hdf5::InputFile& file, uint64_t address) {
  LIVND_ASSIGN_OR_RETURN(const std::string prefix, file.Read(address, hdf5::kHeaderPrefixBytes));
  LIVND_ASSIGN_OR_RETURN(const uint64_t num_bytes, hdf5::HeaderBytes(prefix));
  return file.Read(address, num_bytes);
}

template <typename T>
const T* FindAttribute(const Attributes& attributes, absl::string_view name) {
  const auto found = attributes.find(std::string(name));
  return found == attributes.end() ? nullptr : std::get_if<T>(&found->second);
}

absl::Status CheckFormat(const Attributes& attributes) {
  const auto* format = FindAttribute<std::string>(attributes, kFormat);
  const auto* version = FindAttribute<int64_t>(attributes, kFormatVersion);
  if (format == nullptr || *format != kFormatName || version == nullptr) return NoRecording();
  if (*version != kCurrentFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat("is a recording of version ", *version,
                                                      "; understood is ", kCurrentFormatVersion));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadSuperblock(const hdf5::InputFile& file) {
  LIVND_ASSIGN_OR_RETURN(const uint64_t length, file.Length());
  return file.Read(0, std::min<uint64_t>(length, hdf5::kSuperblockBytes));
}

absl::Status LoadContents(const hdf5::InputFile& file, Contents* contents) {
  LIVND_ASSIGN_OR_RETURN(contents->superblock, ReadSuperblock(file));
  LIVND_ASSIGN_OR_RETURN(const uint64_t length, file.Length());
  LIVND_ASSIGN_OR_RETURN(const hdf5::Superblock superblock,
                         hdf5::DecodeSuperblock(contents->superblock));
  if (superblock.end > length) {
    return absl::DataLossError(
        absl::StrCat("is cut off: ", length, " of ", superblock.end, " bytes"));
  }
  contents->end = superblock.end;
  LIVND_ASSIGN_OR_RETURN(contents->root, ReadHeader(file, superblock.root_address));
  contents->root_place = {superblock.root_address, contents->root.size()};
  LIVND_ASSIGN_OR_RETURN(hdf5::Group group, hdf5::DecodeGroup(contents->root));
  LIVND_RETURN_IF_ERROR(CheckFormat(group.attributes));
  const auto* closed = FindAttribute<int64_t>(group.attributes, kClosed);
  const auto* num_flushes = FindAttribute<int64_t>(group.attributes, kNumFlushes);
  if (closed == nullptr || num_flushes == nullptr) return NoRecording();
  contents->closed = *closed == 1;
  contents->num_flushes = *num_flushes;
  if (group.links.size() > 2 * kMaxStreams) return NoRecording();
  contents->attributes = std::move(group.attributes);
  for (size_t i = 0; i < group.links.size(); ++i) {
    const hdf5::Link& link = group.links[i];
    LIVND_ASSIGN_OR_RETURN(TableReader table,
                           TableReader::Open(file, link.address, superblock.end));
    contents->specs.push_back({link.name, table.dataset().columns, table.dataset().attributes});
    contents->index_of.push_back(-1);
    if (contents->specs.back().is_keyed()) {
      const StreamSpec wanted = IndexOf(link.name);
      if (++i == group.links.size() || group.links[i].name != wanted.name) return NoRecording();
      LIVND_ASSIGN_OR_RETURN(TableReader index,
                             TableReader::Open(file, group.links[i].address, superblock.end));
      if (index.dataset().columns != wanted.columns ||
          index.dataset().num_rows != table.num_full_chunks()) {
        return NoRecording();
      }
      contents->index_of.back() = static_cast<int>(contents->indices.size());
      contents->indices.push_back(std::move(index));
    }
    contents->tables.push_back(std::move(table));
  }
  if (!CheckStreams(contents->specs).ok()) return NoRecording();
  return absl::OkStatus();
}

}  // namespace livnd::io
