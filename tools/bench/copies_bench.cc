// Times many copies of one culture, on one or more threads: a worker of tools/bench/bench.py.
//
//   copies_bench COPIES THREADS SUBJECT    SUBJECT: words of tools/bench/subject.h
//
// The copies run as those of an environment do (env/copies.h) and each has its own noise; threads share
// the gangs, or the cells of the only one. The command {"command": "advance", "steps": N} runs the next
// N steps, 10 ms at a time, and answers the seconds that passed, the CPU seconds of the calling thread
// and the spikes of all.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "env/copies.h"
#include "sim/culture/culture.h"
#include "sim/gang/probe.h"
#include "tools/bench/subject.h"
#include "tools/bench/thread_executor.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

constexpr double kPieceMs = 10.0;  // what an environment's step takes

class Bench {
 public:
  Bench(const Subject& subject, int num_copies, int num_threads)
      : executor_(num_threads), copies_(subject.culture, num_copies, executor_) {
    for (int copy = 0; copy < num_copies; ++copy) {
      copies_.Load(copy, subject.start);
      copies_.Seed(copy, kSeed, static_cast<uint32_t>(copy));
      if (!subject.learns) continue;
      const absl::Status learns = copies_.SetPlasticity(copy, true);
      if (!learns.ok()) Die(learns.ToString());
    }
  }

  int num_gangs() const { return copies_.num_groups(); }

  Json Advance(const Json& request) {
    const int64_t steps = request.value("steps", int64_t{0});
    const auto piece = static_cast<int64_t>(std::llround(kPieceMs / copies_.culture().dt_ms()));
    std::vector<std::vector<sim::Spike>> spikes(static_cast<size_t>(num_gangs()));
    const auto start = std::chrono::steady_clock::now();
    const double start_cpu_s = ThreadCpuSeconds();
    for (int64_t done = 0; done < steps; done += piece) {
      copies_.ParallelFor([&](env::Copies::Group& group) {
        group.Advance(std::min(piece, steps - done), &spikes[static_cast<size_t>(group.index())]);
      });
    }
    const double cpu_s = ThreadCpuSeconds() - start_cpu_s;
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    size_t num_spikes = 0;
    for (const std::vector<sim::Spike>& of_group : spikes) num_spikes += of_group.size();
    return {{"wall_s", wall.count()}, {"cpu_s", cpu_s}, {"spikes", num_spikes}};
  }

 private:
  ThreadExecutor executor_;
  env::Copies copies_;
};

int Main(const std::vector<std::string>& args) {
  int num_copies = 0;
  int num_threads = 0;
  if (args.size() < 3 || !absl::SimpleAtoi(args[0], &num_copies) || num_copies < 1 ||
      !absl::SimpleAtoi(args[1], &num_threads) || num_threads < 1) {
    Die(std::string("usage: copies_bench COPIES THREADS ") + kSubjectUsage);
  }
  const Subject subject = MakeSubject({args.begin() + 2, args.end()});
  Bench copies(subject, num_copies, num_threads);
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
