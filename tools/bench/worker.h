// The worker side of the benchmarks: a process that tools/bench/worker.py starts and commands.
#ifndef LIVND_TOOLS_BENCH_WORKER_H_
#define LIVND_TOOLS_BENCH_WORKER_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace livnd::bench {

using Json = nlohmann::ordered_json;

// Takes the whole request, {"command": NAME, ...}.
using Command = std::function<Json(const Json& request)>;

// Prints `ready`, then answers each line of standard input, one JSON object, with one line, until
// the input ends.
void ServeCommands(const Json& ready, const std::map<std::string, Command>& commands);

// CPU seconds of the calling thread.
double ThreadCpuSeconds();

// The middle one of the values, or the mean of the two in the middle; at least one value.
double Median(std::vector<double> values);

// Ends the process with a message on standard error.
[[noreturn]] void Die(const std::string& message);

}  // namespace livnd::bench

#endif  // LIVND_TOOLS_BENCH_WORKER_H_
