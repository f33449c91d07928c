// Times many copies of one culture, on one or more threads: a worker of tools/bench/bench.py.
//
//   copies_bench COPIES THREADS SUBJECT    SUBJECT: words of tools/bench/subject.h
//
// The copies run in gangs as those of an environment do (env/task/vector_environment.h) and each has its
// own noise; threads share the gangs, or the cells of the only one. The command
// {"command": "advance", "steps": N} runs the next N steps, 10 ms at a time, and answers the seconds
// that passed, the CPU seconds of the calling thread and the spikes of all.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "env/gang_size.h"
#include "sim/culture/culture.h"
#include "sim/gang/gang.h"
#include "tools/bench/subject.h"
#include "tools/bench/thread_executor.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

constexpr double kPieceMs = 10.0;  // what an environment's step takes

class Copies {
 public:
  Copies(const Subject& subject, int num_copies, int num_threads) : executor_(num_threads) {
    const int size = env::CopiesOfGang(num_copies, subject.start.size(), num_threads);
    for (int first = 0; first < num_copies; first += size) {
      Slice& slice = slices_.emplace_back();
      slice.gang = std::make_unique<sim::Gang>(subject.culture, std::min(size, num_copies - first));
      for (int copy = 0; copy < slice.gang->num_copies(); ++copy) {
        Start(subject, *slice.gang, copy, static_cast<uint32_t>(first + copy));
      }
    }
  }

  int num_gangs() const { return static_cast<int>(slices_.size()); }

  Json Advance(const Json& request) {
    const int64_t steps = request.value("steps", int64_t{0});
    const auto piece =
        static_cast<int64_t>(std::llround(kPieceMs / slices_.front().gang->culture().dt_ms()));
    for (Slice& slice : slices_) slice.spikes.clear();
    const auto start = std::chrono::steady_clock::now();
    const double start_cpu_s = ThreadCpuSeconds();
    for (int64_t done = 0; done < steps; done += piece) {
      if (num_gangs() == 1) {  // the threads share its cells
        slices_[0].gang->Advance(std::min(piece, steps - done), &slices_[0].spikes, {}, &executor_);
        continue;
      }
      executor_.ParallelFor(num_gangs(), [&](int i) {
        slices_[i].gang->Advance(std::min(piece, steps - done), &slices_[i].spikes);
      });
    }
    const double cpu_s = ThreadCpuSeconds() - start_cpu_s;
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    size_t num_spikes = 0;
    for (const Slice& slice : slices_) num_spikes += slice.spikes.size();
    return {{"wall_s", wall.count()}, {"cpu_s", cpu_s}, {"spikes", num_spikes}};
  }

 private:
  struct Slice {
    std::unique_ptr<sim::Gang> gang;
    std::vector<sim::Spike> spikes;
  };

  ThreadExecutor executor_;
  std::vector<Slice> slices_;
};

int Main(const std::vector<std::string>& args) {
  int num_copies = 0;
  int num_threads = 0;
  if (args.size() < 3 || !absl::SimpleAtoi(args[0], &num_copies) || num_copies < 1 ||
      !absl::SimpleAtoi(args[1], &num_threads) || num_threads < 1) {
    Die(std::string("usage: copies_bench COPIES THREADS ") + kSubjectUsage);
  }
  const Subject subject = MakeSubject({args.begin() + 2, args.end()});
  Copies copies(subject, num_copies, num_threads);
  ServeCommands({{"cells", subject.culture->gids().size()},
                 {"params", subject.params},
                 {"gangs", copies.num_gangs()}},
                {{"advance", [&](const Json& r) { return copies.Advance(r); }}});
  return 0;
}

}  // namespace
}  // namespace livnd::bench

int main(int argc, char** argv) {
  return livnd::bench::Main(std::vector<std::string>(argv + 1, argv + argc));
}
