// Writes a recording for tests that read it: write_recording PATH NUM_ROUNDS. Says "round N" after the
// flush of each round, and closes the file after the last one; 0: it goes on until it is killed.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "io/recording/recording_file.h"
#include "io/recording/testing/sample_recording.h"

namespace {

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace livnd::io;
  if (argc != 3) return 2;
  const int64_t num_rounds = std::atoll(argv[2]);
  auto created = RecordingFile::Create(argv[1], SampleAttributes(), SampleStreams(), {});
  Check(created.status());
  RecordingFile& file = **created;
  // Of spikes, potentials, rewards, voltages and sites in every round.
  const int64_t counts[] = {3000, 40, 1, 1, 7};
  for (int64_t round = 0; num_rounds == 0 || round < num_rounds; ++round) {
    for (int stream = 0; stream < 5; ++stream) {
      const int64_t begin = round * counts[stream];
      Check(file.Append(stream, SampleRows(stream, begin, begin + counts[stream])));
    }
    Check(file.Flush());
    std::printf("round %lld\n", static_cast<long long>(round));
    std::fflush(stdout);
  }
  Check(file.Close());
  return 0;
}
