#include "io/recording/hdf5/chunk_tree.h"

#include <utility>

#include "base/status_macros.h"

namespace livnd::io::hdf5 {

bool ChunkTree::IsFull(size_t level) const {
  return level < edges_.size() && edges_[level].node.entries.size() == kMaxEntries;
}

absl::Status ChunkTree::Seal(size_t level, uint64_t end_row) {
  Edge sealed = std::move(edges_[level]);
  const uint64_t address =
      sealed.reserved != kNowhere ? sealed.reserved : space_.Allocate(kNodeBytes).address;
  Edge& next = edges_[level];
  next = Edge();
  next.node.level = sealed.node.level;
  next.node.left = address;
  next.reserved = space_.Allocate(kNodeBytes).address;
  sealed.node.right = next.reserved;
  LIVND_RETURN_IF_ERROR(file_.Write(address, EncodeNode(sealed.node, end_row)));
  space_.Release(sealed.written);
  Node::Entry entry = sealed.node.entries.front();
  entry.address = address;
  return AddTo(level + 1, entry);
}

absl::Status ChunkTree::AddTo(size_t level, const Node::Entry& entry) {
  if (level == edges_.size()) {
    edges_.emplace_back();
    edges_.back().node.level = static_cast<int>(level);
  }
  if (IsFull(level)) LIVND_RETURN_IF_ERROR(Seal(level, entry.first_row));
  edges_[level].node.entries.push_back(entry);
  return absl::OkStatus();
}

absl::Status ChunkTree::Add(const Extent& chunk) {
  const uint64_t first_row = num_chunks_ * chunk_rows_;
  ++num_chunks_;
  return AddTo(0, {first_row, chunk.num_bytes, chunk.address});
}

absl::StatusOr<uint64_t> ChunkTree::Write(const absl::optional<Extent>& tail, bool last) {
  const uint64_t num_chunks = num_chunks_ + (tail.has_value() ? 1 : 0);
  if (num_chunks == 0) return kNowhere;
  if (edges_.empty()) edges_.emplace_back();
  // What comes from the level below, or the tail.
  absl::optional<Node::Entry> more;
  if (tail.has_value()) {
    more = Node::Entry{num_chunks_ * chunk_rows_, tail->num_bytes, tail->address};
  }
  uint64_t address = kNowhere;
  for (size_t level = 0; level < edges_.size(); ++level) {
    if (more.has_value() && IsFull(level)) LIVND_RETURN_IF_ERROR(Seal(level, more->first_row));
    Edge& edge = edges_[level];
    Node node = edge.node;
    if (more.has_value()) node.entries.push_back(*more);
    const bool is_final = last && edge.reserved != kNowhere;
    const Extent place = is_final ? Extent{edge.reserved, kNodeBytes} : space_.Allocate(kNodeBytes);
    LIVND_RETURN_IF_ERROR(file_.Write(place.address, EncodeNode(node, num_chunks * chunk_rows_)));
    space_.Release(edge.written);
    edge.written = place;
    if (is_final) edge.reserved = kNowhere;
    more = node.entries.front();
    more->address = address = place.address;
  }
  return address;
}

}  // namespace livnd::io::hdf5
