// Times the engine on one culture, as a worker of tools/bench/bench.py.
//
//   engine_bench SUBJECT    words of tools/bench/subject.h
//
// Commands: {"command": "advance", "steps": N, "min_cpu_s": S} runs the next N steps, again and
// again from the same state until S seconds of CPU time are spent, and answers the median;
// {"command": "start"} starts over;
// {"command": "reset", "count": N} times N times a reset with the step that follows it;
// {"command": "loop", ...} is ClosedLoop::Steps.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/culture/culture.h"
#include "sim/gang/gang.h"
#include "sim/simd/instruction_set.h"
#include "tools/bench/closed_loop.h"
#include "tools/bench/subject.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

class Stopwatch {
 public:
  double Seconds() const { return ThreadCpuSeconds() - start_; }

 private:
  double start_ = ThreadCpuSeconds();
};

Json Advance(sim::Gang& gang, std::vector<double>& state, const Json& request) {
  const int64_t steps = request.value("steps", int64_t{0});
  const double enough_s = request.value("min_cpu_s", 0.0);
  gang.SaveCopy(0, absl::MakeSpan(state));
  std::vector<sim::Spike> spikes;
  std::vector<double> seconds;
  double spent_s = 0.0;
  do {
    if (!seconds.empty()) gang.LoadCopy(0, state);
    spikes.clear();
    const Stopwatch watch;
    gang.Advance(steps, &spikes);
    seconds.push_back(watch.Seconds());
    spent_s += seconds.back();
  } while (spent_s < enough_s);
  return {{"cpu_s", Median(seconds)}, {"repeats", seconds.size()}, {"spikes", spikes.size()}};
}

Json Reset(const Subject& subject, sim::Gang& gang, const Json& request) {
  const int count = request.value("count", 1);
  std::vector<sim::Spike> spikes;
  std::vector<double> seconds;
  for (int i = 0; i < count; ++i) {
    gang.Advance(40, &spikes);  // a reset throws away a culture that has run
    spikes.clear();
    const Stopwatch watch;
    Start(subject, gang, 0, static_cast<uint32_t>(i + 1));
    gang.Advance(1, &spikes);
    seconds.push_back(watch.Seconds());
  }
  return {{"cpu_s", Median(seconds)}};
}

int Main(const std::vector<std::string>& args) {
  const Subject subject = MakeSubject(args);
  const sim::Culture& culture = *subject.culture;
  sim::Gang gang(subject.culture, 1);
  Start(subject, gang, 0);
  std::vector<double> state(culture.initial_state().size());
  std::unique_ptr<ClosedLoop> loop;
  const auto steps = [&](const Json& request) {
    if (loop == nullptr) loop = std::make_unique<ClosedLoop>(subject);
    return loop->Steps(request);
  };
  const auto start = [&](const Json&) {
    Start(subject, gang, 0);
    return Json::object();
  };
  ServeCommands({{"cells", culture.gids().size()},
                 {"connections", culture.connectivity().rows.size()},
                 {"params", subject.params},
                 {"step_ms", culture.dt_ms()},
                 {"isa", sim::InstructionSetInUse()}},
                {{"advance", [&](const Json& r) { return Advance(gang, state, r); }},
                 {"start", start},
                 {"reset", [&](const Json& r) { return Reset(subject, gang, r); }},
                 {"loop", steps}});
  return 0;
}

}  // namespace
}  // namespace livnd::bench

int main(int argc, char** argv) {
  return livnd::bench::Main(std::vector<std::string>(argv + 1, argv + argc));
}
