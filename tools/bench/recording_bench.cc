// Writes and reads recordings of spikes: a worker of tools/bench/bench.py.
//
// `write` {"path", "num_spikes"} records a culture of 1000 cells that fire at 10 Hz, 100 spikes in every
// step of 10 ms, and answers the CPU seconds of all threads, those of the thread that steps, and the
// file's bytes. `slice` {"path", "begin_tick", "end_tick"} opens a recording, reads the spikes of a span
// of time, and answers the CPU seconds and the number of these.
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "io/recording/recording_file.h"
#include "io/recording/recording_reader.h"
#include "io/recording/recording_writer.h"
#include "io/recording/stream.h"
#include "io/recording/streams.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

constexpr int kSpikesOfStep = 100;
constexpr int64_t kTicksOfStep = 400;
constexpr int kNumCells = 1000;

double ProcessCpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void Check(const absl::Status& status) {
  if (!status.ok()) Die(status.ToString());
}

// A step's rows; `random` is the state of a generator.
std::string StepRows(int64_t step, uint64_t* random) {
  std::string rows;
  rows.reserve(kSpikesOfStep * 24);
  for (int i = 0; i < kSpikesOfStep; ++i) {
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    const uint64_t bits = *random >> 33;
    const int64_t tick = step * kTicksOfStep + 4 * i + static_cast<int64_t>(bits & 3);
    io::AppendKey({0, 1, tick}, &rows);
    io::AppendValue(static_cast<int32_t>((bits >> 2) % kNumCells), &rows);
  }
  return rows;
}

Json Write(const Json& request) {
  const std::string path = request.at("path");
  const int64_t num_steps = request.at("num_spikes").get<int64_t>() / kSpikesOfStep;
  std::remove(path.c_str());
  const double begin_s = ProcessCpuSeconds();
  auto file = io::RecordingFile::Create(path, {}, {io::SpikesStream()}, {});
  Check(file.status());
  io::RecordingWriter writer(*std::move(file), {});
  std::thread thread([&writer] { writer.Run(); });
  uint64_t random = 1;
  double stepping_s = 0.0, making_s = 0.0;
  for (int64_t step = 0; step < num_steps; ++step) {
    const double making_from_s = ThreadCpuSeconds();
    std::string rows = StepRows(step, &random);
    const double from_s = ThreadCpuSeconds();
    Check(writer.Append(0, std::move(rows)));
    stepping_s += ThreadCpuSeconds() - from_s;
    making_s += from_s - making_from_s;
  }
  Check(writer.Close());
  thread.join();
  const io::RecordingWriter::Counts counts = writer.counts();
  return {{"cpu_s", ProcessCpuSeconds() - begin_s - making_s},
          {"stepping_s", stepping_s},
          {"bytes", counts.num_bytes},
          {"dropped", counts.dropped[0]}};
}

Json Slice(const Json& request) {
  const double begin_s = ProcessCpuSeconds();
  auto reader = io::RecordingReader::Open(request.at("path"));
  Check(reader.status());
  io::RowFilter filter;
  filter.begin_tick = request.at("begin_tick");
  filter.end_tick = request.at("end_tick");
  int64_t num_bytes = 0, next_row = 0;
  for (bool done = false; !done;) {
    const auto piece = (*reader)->Read(0, filter, next_row, {});
    Check(piece.status());
    num_bytes += static_cast<int64_t>(piece->rows.size());
    next_row = piece->next_row;
    done = piece->done;
  }
  return {{"cpu_s", ProcessCpuSeconds() - begin_s}, {"num_spikes", num_bytes / 24}};
}

}  // namespace
}  // namespace livnd::bench

int main() {
  using namespace livnd::bench;
  ServeCommands({{"ready", true}}, {{"write", Write}, {"slice", Slice}});
}
