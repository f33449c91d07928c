// Times what is done with the state of a copy, and weighs a copy: a worker of tools/bench/bench.py.
//
//   state_bench SUBJECT    words of tools/bench/subject.h
//
// The commands take {"count": N}. `snapshot` saves a copy; `fork` saves one and loads it into
// another; `reset_alone` puts a copy that has run to its start with new noise. They answer the median CPU
// seconds of one. `memory` answers the bytes that one more copy takes beside N others, and those of
// its canonical state.
#include <malloc.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "sim/culture/culture.h"
#include "sim/gang/gang.h"
#include "tools/bench/subject.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

constexpr int64_t kStepsBefore = 400;  // 10 ms: spikes are on their way
constexpr int kAtOnce = 20;            // a snapshot alone is too short for the clock

size_t AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

Json Time(int count, int at_once, const std::function<void()>& before,
          const std::function<void()>& work) {
  std::vector<double> seconds;
  for (int i = 0; i < count; ++i) {
    before();
    const double start_s = ThreadCpuSeconds();
    for (int k = 0; k < at_once; ++k) work();
    seconds.push_back((ThreadCpuSeconds() - start_s) / at_once);
  }
  return {{"cpu_s", Median(seconds)}};
}

// Two copies, of which the second is overwritten.
class Pair {
 public:
  explicit Pair(const Subject& subject)
      : subject_(subject), gang_(subject.culture, 2), state_(subject.start.size()) {
    for (int copy = 0; copy < 2; ++copy) Start(subject_, gang_, copy, ++num_starts_);
  }

  Json Snapshot(int count) {
    return Time(
        count, kAtOnce, [&] { Run(); }, [&] { Save(); });
  }

  Json Fork(int count) {
    return Time(
        count, kAtOnce, [&] { Run(); },
        [&] {
          Save();
          gang_.LoadCopy(1, state_);
        });
  }

  Json Reset(int count) {
    return Time(
        count, 1, [&] { Run(); }, [&] { Start(subject_, gang_, 1, ++num_starts_); });
  }

 private:
  void Run() { gang_.Advance(kStepsBefore, nullptr); }
  void Save() { gang_.SaveCopy(0, absl::MakeSpan(state_)); }

  const Subject& subject_;
  sim::Gang gang_;
  std::vector<double> state_;
  uint32_t num_starts_ = 0;
};

// What a gang of so many copies has allocated once it has run.
size_t BytesOf(const Subject& subject, int num_copies) {
  const size_t before = AllocatedBytes();
  sim::Gang gang(subject.culture, num_copies);
  for (int copy = 0; copy < num_copies; ++copy) {
    Start(subject, gang, copy, static_cast<uint32_t>(copy));
  }
  gang.Advance(kStepsBefore, nullptr);
  return AllocatedBytes() - before;
}

Json Memory(const Subject& subject, int num_copies) {
  const size_t one = BytesOf(subject, 1);
  const size_t more = BytesOf(subject, 1 + num_copies);
  return {{"bytes", static_cast<double>(more - one) / num_copies},
          {"state_bytes", subject.start.size() * sizeof(double)}};
}

int Main(const std::vector<std::string>& args) {
  const Subject subject = MakeSubject(args);
  Pair pair(subject);
  const auto count = [](const Json& request) { return request.value("count", 1); };
  ServeCommands({{"cells", subject.culture->gids().size()}, {"params", subject.params}},
                {{"snapshot", [&](const Json& r) { return pair.Snapshot(count(r)); }},
                 {"fork", [&](const Json& r) { return pair.Fork(count(r)); }},
                 {"reset_alone", [&](const Json& r) { return pair.Reset(count(r)); }},
                 {"memory", [&](const Json& r) { return Memory(subject, count(r)); }}});
  return 0;
}

}  // namespace
}  // namespace livnd::bench

int main(int argc, char** argv) {
  return livnd::bench::Main(std::vector<std::string>(argv + 1, argv + argc));
}
