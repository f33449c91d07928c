#include "io/recording/hdf5/chunk_tree.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "io/recording/hdf5/input_file.h"
#include "io/recording/hdf5/metadata.h"
#include "io/recording/testing/sample_recording.h"

namespace livnd::io::hdf5 {
namespace {

constexpr int64_t kChunkRows = 16;

// Chunks that nobody writes: only the tree is.
Extent ChunkAt(int64_t chunk) {
  return {1000000 + static_cast<uint64_t>(chunk) * 64, 40 + static_cast<uint64_t>(chunk) % 7};
}

class ChunkTreeTest : public testing::Test {
 protected:
  ChunkTreeTest()
      : path_(FreshPath("tree")),
        file_(*OutputFile::Create(path_)),
        input_(*InputFile::Open(path_)),
        space_(0),
        tree_(kChunkRows, *file_, space_) {}

  Node Read(uint64_t address) const { return *DecodeNode(*input_->Read(address, kNodeBytes)); }

  // Entries of the leaves below a node, in order; notes the nodes of every level.
  void Walk(uint64_t address, std::vector<Node::Entry>* chunks) {
    const Node node = Read(address);
    levels_[node.level].push_back({address, node});
    for (const Node::Entry& entry : node.entries) {
      if (node.level == 0) {
        chunks->push_back(entry);
      } else {
        const Node below = Read(entry.address);
        EXPECT_EQ(below.level, node.level - 1);
        EXPECT_EQ(below.entries.front().first_row, entry.first_row);
        EXPECT_EQ(below.entries.front().stored_bytes, entry.stored_bytes);
        Walk(entry.address, chunks);
      }
    }
  }

  void ExpectChunks(uint64_t address, int64_t num_chunks) {
    levels_.clear();
    std::vector<Node::Entry> chunks;
    Walk(address, &chunks);
    ASSERT_EQ(static_cast<int64_t>(chunks.size()), num_chunks);
    for (int64_t i = 0; i < num_chunks; ++i) {
      EXPECT_EQ(chunks[i].first_row, static_cast<uint64_t>(i * kChunkRows));
      EXPECT_EQ(chunks[i].address, ChunkAt(i).address);
      EXPECT_EQ(chunks[i].stored_bytes, ChunkAt(i).num_bytes);
    }
  }

  const std::string path_;
  const std::unique_ptr<OutputFile> file_;
  const std::unique_ptr<InputFile> input_;
  FileSpace space_;
  ChunkTree tree_;
  std::map<int, std::vector<std::pair<uint64_t, Node>>> levels_;
};

TEST_F(ChunkTreeTest, IsNowhereWithoutChunks) {
  EXPECT_EQ(*tree_.Write(absl::nullopt, false), kNowhere);
  EXPECT_EQ(*tree_.Write(absl::nullopt, true), kNowhere);
}

TEST_F(ChunkTreeTest, FindsEveryChunkAtAnyLength) {
  for (int64_t n = 1; n <= 4500; ++n) {
    ASSERT_TRUE(tree_.Add(ChunkAt(n - 1)).ok());
    const bool is_edge = n % kMaxEntries <= 1 || n % (kMaxEntries * kMaxEntries) <= 2;
    if (!is_edge && n % 97 != 0) continue;
    SCOPED_TRACE(n);
    ExpectChunks(*tree_.Write(absl::nullopt, false), n);
    ExpectChunks(*tree_.Write(ChunkAt(n), false), n + 1);
    space_.Commit();
  }
  EXPECT_EQ(levels_.size(), 3u);
}

// The tree of the last commit stays whole while another is written over what was freed before it.
TEST_F(ChunkTreeTest, ACommittedTreeStaysUntilTheNextCommit) {
  uint64_t committed = kNowhere;
  int64_t num_committed = 0, num_chunks = 0;
  for (int commit = 0; commit < 300; ++commit) {
    for (int i = 0; i < 1 + commit % 30; ++i) {
      ASSERT_TRUE(tree_.Add(ChunkAt(num_chunks++)).ok());
    }
    const uint64_t next = *tree_.Write(ChunkAt(num_chunks), false);
    if (committed != kNowhere) ExpectChunks(committed, num_committed);
    space_.Commit();
    committed = next;
    num_committed = num_chunks + 1;
  }
  ExpectChunks(committed, num_committed);
}

TEST_F(ChunkTreeTest, NeighboursAreRightOnceItIsClosed) {
  for (int64_t num_chunks : {1, 64, 65, 128, 4096, 4097, 4200}) {
    FileSpace space(space_.end() + 8);
    ChunkTree tree(kChunkRows, *file_, space);
    for (int64_t i = 0; i < num_chunks; ++i) {
      ASSERT_TRUE(tree.Add(ChunkAt(i)).ok());
      if (i % 50 == 7) {
        ASSERT_TRUE(tree.Write(absl::nullopt, false).ok());
        space.Commit();
      }
    }
    ExpectChunks(*tree.Write(absl::nullopt, true), num_chunks);
    for (const auto& [level, nodes] : levels_) {
      for (size_t i = 0; i < nodes.size(); ++i) {
        SCOPED_TRACE(testing::Message() << num_chunks << " chunks, level " << level << " " << i);
        EXPECT_EQ(nodes[i].second.left, i == 0 ? kNowhere : nodes[i - 1].first);
        EXPECT_EQ(nodes[i].second.right, i + 1 == nodes.size() ? kNowhere : nodes[i + 1].first);
      }
    }
  }
}

// Every flush writes the right edge of the tree, and no more of the file is taken by it.
TEST_F(ChunkTreeTest, WritingAgainTakesNoMoreRoom) {
  for (int64_t i = 0; i < 200; ++i) ASSERT_TRUE(tree_.Add(ChunkAt(i)).ok());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(tree_.Write(ChunkAt(200), false).ok());
    space_.Commit();
  }
  const uint64_t end = space_.end();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(tree_.Write(ChunkAt(200), false).ok());
    space_.Commit();
  }
  EXPECT_EQ(space_.end(), end);
}

}  // namespace
}  // namespace livnd::io::hdf5
