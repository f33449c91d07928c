// A writer is killed at random moments; what it leaves opens and holds every row that a flush had
// made the file's, in the order in which they came, with our reader and with the HDF5 library.

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "io/recording/recording_file.h"
#include "io/recording/recording_reader.h"
#include "io/recording/testing/sample_recording.h"
#include "io/testing/hdf5_table.h"

namespace livnd::io {
namespace {

// So many rows of each stream; each flush is told in the pipe once it is made.
struct Flushed {
  int64_t num_rows[5] = {};
};

// Goes on where there is a recording.
[[noreturn]] void WriteForever(const std::string& path, bool compressed, uint64_t seed, int fd) {
  RecordingFile::Options options;
  options.compressed = compressed;
  unlink((path + ".new").c_str());
  auto file = access(path.c_str(), F_OK) == 0
                  ? RecordingFile::Resume(path, options)
                  : RecordingFile::Create(path, SampleAttributes(), SampleStreams(), options);
  if (!file.ok()) _exit(1);
  std::mt19937_64 random(seed);
  Flushed flushed;
  for (int stream = 0; stream < 5; ++stream) {
    flushed.num_rows[stream] = (*file)->num_rows(stream);
  }
  const auto append = [&](int stream, int64_t count) {
    int64_t& begin = flushed.num_rows[stream];
    if (!(*file)->Append(stream, SampleRows(stream, begin, begin + count)).ok()) _exit(1);
    begin += count;
  };
  while (true) {
    append(kSampleSpikes, random() % 30 == 0 ? 25000 : random() % 300);
    append(kSamplePotentials, random() % 10 == 0 ? 1500 : random() % 20);
    append(kSampleRewards, random() % 3);
    append(kSampleVoltages, random() % 20 == 0 ? 2 : 0);
    append(kSampleSites, random() % 5);
    if (!(*file)->Flush().ok()) _exit(1);
    if (write(fd, &flushed, sizeof(flushed)) != sizeof(flushed)) _exit(1);
  }
}

class KilledWriterTest : public testing::TestWithParam<int> {};

TEST_P(KilledWriterTest, LeavesAValidFile) {
  constexpr int kNumKills = 60;
  std::mt19937_64 random(GetParam());
  int64_t num_flushes = 0, num_made = 0;
  const std::string path = FreshPath("killed");
  for (int kill_number = 0; kill_number < kNumKills; ++kill_number) {
    const uint64_t seed = random();
    SCOPED_TRACE(testing::Message() << "kill " << kill_number << " seed " << seed);
    int fds[2];
    ASSERT_EQ(pipe(fds), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(fds[0]);
      WriteForever(path, kill_number % 8 < 4, seed, fds[1]);
    }
    close(fds[1]);
    Flushed told, one;
    // A few die before they have begun, however busy the machine is, and the others later.
    if (kill_number % 4 != 0) {
      ASSERT_EQ(read(fds[0], &told, sizeof(told)), static_cast<ssize_t>(sizeof(told)));
      ++num_flushes;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 50000));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer failed";
    while (read(fds[0], &one, sizeof(one)) == sizeof(one)) {
      told = one;
      ++num_flushes;
    }
    close(fds[0]);
    if (access(path.c_str(), F_OK) != 0) continue;  // it had not begun
    ++num_made;
    const auto reader = RecordingReader::Open(path);
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_FALSE((*reader)->closed());
    EXPECT_EQ(*Hdf5Integer(path, "closed"), 0);
    for (int stream = 0; stream < 5; ++stream) {
      const int64_t num_rows = (*reader)->num_rows(stream);
      EXPECT_GE(num_rows, told.num_rows[stream]);
      const std::string wanted = SampleRows(stream, 0, num_rows);
      const auto piece = (*reader)->Read(stream, {}, 0, {INT64_MAX});
      ASSERT_TRUE(piece.ok()) << piece.status();
      EXPECT_TRUE(piece->rows == wanted) << stream;
      const auto rows = ReadHdf5Table(path, SampleStreams()[stream].name);
      ASSERT_TRUE(rows.ok()) << rows.status();
      EXPECT_TRUE(*rows == wanted) << stream;
    }
    // Of four writers, two go on from what the one before them left.
    if (kill_number % 4 >= 2) unlink(path.c_str());
  }
  EXPECT_GE(num_made, kNumKills * 3 / 4);
  EXPECT_GE(num_flushes, kNumKills * 3 / 4);
}

INSTANTIATE_TEST_SUITE_P(Seeds, KilledWriterTest, testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace livnd::io
